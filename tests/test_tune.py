"""A search for what to deploy: a planted winner is found, none is claimed where there is none, and nothing judges itself."""

import dataclasses
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

import ragdiag.comparing.tuning as tuning
from ragdiag.cli import main
from ragdiag.comparing.cells import NEVER, Cell
from ragdiag.comparing.choosing import Candidates, best, folds, is_worse, nested
from ragdiag.comparing.grid import Material, names_of
from ragdiag.comparing.judged import judged
from ragdiag.comparing.space import Space, read_space, usual_spaces
from ragdiag.comparing.tuned import Tuned
from ragdiag.comparing.tuning import tune
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.records import Corpus, Document
from ragdiag.pipeline import audit, load_measurable
from ragdiag.reports.json import dumps
from ragdiag.reports.tune import headline, tune_dict, tune_text
from ragdiag.search.retrieval import Plan
from ragdiag.sources.evidence import some_of
from ragdiag.stats.paired import Paired, units

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
CORPUS, QUERIES = TIDEWATER / "corpus", TIDEWATER / "queries.jsonl"
BUDGET = 100


def cell(name: str, served: Sequence[int], size: int = 50, deep: int = 4) -> Cell:
    """A configuration whose contexts are of chunks of one size; what it serves it serves by the first chunk, else by none."""
    n, served = len(served), np.asarray(served)
    sums = np.tile(size * np.arange(1, deep + 1), (n, 1))
    least = np.where(served > 0, 1, 0)
    need = np.where(served > 0, size, NEVER)
    tokens = np.full(n, size * (BUDGET // size))
    return Cell(
        name, "", "", "", {}, served.astype(float), least, need, tokens, sums, 10, 100, np.zeros(n), np.zeros((0, 6), int)
    )


def alone(n: int) -> np.ndarray:
    return np.arange(n)


@given(st.integers(1, 60), st.integers(0, 5))
def test_every_query_is_held_out_once_in_each_way_to_part_them(n: int, seed: int) -> None:
    masks = np.array(list(folds(alone(n), seed)))
    if n == 1:
        assert not len(masks)
        return
    assert (masks.sum(axis=0) == 10).all()
    assert not masks.all(axis=1).any()


def test_queries_of_one_document_are_held_out_together() -> None:
    cluster = units(np.repeat(np.arange(25), 4))
    for held_out in folds(cluster, 0):
        assert all(len(set(held_out[cluster == c])) == 1 for c in range(25))


def test_a_choice_by_hand() -> None:
    """Each query is served by one configuration alone: a choice made without it falls on what serves most of the others."""
    served = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]], dtype=bool)
    candidates = Candidates([cell("a", served[0]), cell("b", served[1])], BUDGET)
    found = nested(candidates, alone(5), 0, BUDGET)  # five parts of one query each
    # Without one of the first three, two are left to each: the baseline stays. Without one of the last two it is ahead.
    assert found.share.tolist() == [1, 1, 1, 0, 0]
    assert found.chosen == {0: 50}
    assert best(candidates, BUDGET) == 0
    other = nested(Candidates([cell("a", ~served[0]), cell("b", ~served[1])], BUDGET), alone(5), 0, BUDGET)
    # b serves three of all. Without one of these it has two, as the baseline has, which stays: so each is held out to its loss.
    assert other.share.tolist() == [0, 0, 0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(6, 30))
def test_nested_is_its_definition(seed: int, configurations: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    served = rng.random((configurations, n)) < rng.random((configurations, 1))
    candidates = Candidates([cell(str(i), row) for i, row in enumerate(served)], BUDGET)
    found, times, total = nested(candidates, alone(n), seed, BUDGET), np.zeros(n), np.zeros(n)
    for held_out in folds(alone(n), seed):
        counts = [int(row[~held_out].sum()) for row in served]
        chosen = counts.index(max(counts))
        for q in np.flatnonzero(held_out):
            total[q] += served[chosen, q]
            times[q] += 1
    np.testing.assert_allclose(found.share, total / times)


@pytest.mark.parametrize(("n_documents", "copied"), [(5, 6), (5, 1), (1000, 6)])
def test_questions_that_are_asked_again_choose_nothing(n_documents: int, copied: int) -> None:
    """Of configurations all alike none is claimed, however often each query is in the file: a copy neither judges nor adds."""
    claims = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = np.repeat(rng.random((20, 40)) < 0.5, copied, axis=1)
        document, copies = (np.repeat(each, copied) for each in (rng.integers(0, n_documents, 40), np.arange(40)))
        cells = [cell(str(i), row) for i, row in enumerate(rows)]
        claims += judged(cells, BUDGET, document, seed, copies)[0].decision.kind == "deploy"
    assert claims <= stats.binom.ppf(0.99, 40, 0.05)


def test_what_loses_is_not_deployed_for_what_others_gain() -> None:
    """All queries need least context under B, by a hair, which serves fewer than the baseline; A is what gains, where chosen."""
    n = 200
    every, kinds = np.arange(n), set()
    base, a = (
        with_needs(name, need)
        for name, need in (("base", np.where(every < 100, 50, 400)), ("A", np.where(every < 180, 100, NEVER)))
    )
    for near in range(96, 120):
        b = with_needs("B", np.where(every < 96, 40, np.where(every < near, 110, 400)))
        found, won, lost = judged([base, a, b], BUDGET, alone(n), 0)
        kinds.add(found.decision.kind)
        assert len(won) > len(lost) or found.decision.kind != "deploy"
    assert kinds == {"deploy", "undecided", "nothing"}


def with_needs(name: str, need: np.ndarray) -> Cell:
    """A configuration under which queries need so many tokens, in chunks of ten."""
    least = np.where(need == NEVER, 0, (need - 1) // 10 + 1)
    sums = np.tile(np.arange(1, 101) * 10, (len(need), 1))
    served, tokens = (need <= BUDGET).astype(float), np.full(len(need), BUDGET)
    return Cell(name, "", "", "", {}, served, least, need, tokens, sums, 10, 100, np.zeros(len(need)), np.zeros((0, 6), int))


def test_a_planted_winner_is_deployed() -> None:
    rng = np.random.default_rng(1)
    base = rng.random(200) < 0.5
    rows = [base, *(np.where(rng.random(200) < 0.1, ~base, base) for _ in range(30)), base | (rng.random(200) < 0.4)]
    found, won, lost = judged([cell(str(i), row) for i, row in enumerate(rows)], BUDGET, alone(200), 0)
    assert found.decision.kind == "deploy"
    assert found.chosen == 31
    assert found.times[31] == found.choices == 50
    assert set(won) == set(np.flatnonzero(rows[31] & ~base))
    assert not len(lost)
    assert found.held_out.mean == pytest.approx(rows[31].mean())


def null(rng: np.random.Generator, n: int, configurations: int) -> list[Cell]:
    """Configurations none of which is better: what serves a query is drawn alike for all, easy queries and hard ones."""
    hard = rng.random(n)
    return [cell(str(i), rng.random(n) > hard) for i in range(configurations)]


@pytest.mark.parametrize("n", [40, 200])
def test_a_search_in_noise_seldom_claims_a_winner(n: int) -> None:
    """200 searches among 60 configurations that are all as good: at most what chance at 5 % gives in so many (binomial, .999)."""
    rng = np.random.default_rng(n)
    claims = sum(judged(null(rng, n, 60), BUDGET, alone(n), seed)[0].decision.kind == "deploy" for seed in range(200))
    assert claims <= stats.binom.ppf(0.999, 200, 0.05)


def test_none_is_dropped_early_that_a_choice_would_take() -> None:
    rng = np.random.default_rng(3)
    base = rng.random(200) < 0.6
    rows = np.stack([base, base & (rng.random(200) < 0.3), base | (rng.random(200) < 0.2), np.zeros(200, dtype=bool)])
    assert is_worse(rows, alone(200), 0).tolist() == [False, True, False, True]
    assert not is_worse(rows[[3, 2]], alone(200), 0)[0]  # the baseline stays, however bad


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_dropping_is_never_on_noise(seed: int) -> None:
    """Of configurations that are all as good, the family's error is held: hardly any search drops one."""
    rng = np.random.default_rng(seed)
    hard = rng.random(200)
    rows = np.stack([rng.random(200) > hard for _ in range(20)])
    assert is_worse(rows, alone(200), seed).sum() <= 1


def test_the_baseline_is_given_as_many_tokens() -> None:
    """Its chunks of 60 leave 40 of 100 unused: held against contexts of 100, it may take one more."""
    base, other = cell("base", [1] * 10 + [0] * 10, size=60), cell("other", [1] * 20, size=50)
    need = np.where(np.arange(20) < 15, 120, NEVER)  # five more would be served by a second chunk
    base = dataclasses.replace(base, need=np.minimum(base.need, need), least_k=np.where(np.arange(20) < 15, 2, 0))
    candidates = Candidates([base, other], BUDGET)
    assert candidates.used(0, BUDGET).mean() == 60
    size = candidates.as_large(100.0, BUDGET)
    assert size == 120
    assert candidates.used(0, size).mean() == 120
    found, won, _ = judged([base, other], BUDGET, alone(20), 0)
    assert found.size == 120
    assert found.raised.mean == 0.75  # not .5
    assert set(won) == set(range(15, 20))


def test_what_would_tell_is_four_of_five_such_samples() -> None:
    """With as many queries as are said to be needed, a difference as large is found about as often as promised."""
    rng = np.random.default_rng(7)
    base = rng.random(100) < 0.5
    better = np.where(rng.random(100) < 0.25, rng.random(100) < 0.66, base)
    difference = Paired(alone(100), 0).difference(base.astype(float), better.astype(float))
    assert difference is not None
    more = difference.more_needed(1)
    assert more is not None
    n, up, down = 100 + more, (better & ~base).mean(), (base & ~better).mean()
    if up <= down:
        pytest.skip("no gain in this draw")
    found = 0
    for _ in range(200):
        u = rng.random(n)
        a, b = (u < down).astype(float), ((u >= down) & (u < down + up)).astype(float)
        seen = Paired(alone(n), 0).difference(a, b)
        found += seen is not None and seen.low > 0
    assert 0.68 <= found / 200 <= 0.92


# The space.


def test_axes_are_combined(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        'chunker = ["sentence(size=80)", "fixed"]\nretriever = ["bm25", "lsa"]\nstep = ["", "expand(after=2)", "dedupe"]'
    )
    configs = read_space(file).configurations(Options())
    assert len(configs) == 12
    assert {c.retriever for c in configs} == {
        "bm25", "lsa", "expand(bm25, after=2)", "expand(lsa, after=2)", "dedupe(bm25)", "dedupe(lsa)",
    }  # fmt: skip
    assert {c.context for c in configs} == {"none"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("retrievers = ['bm25']", "no axis is called 'retrievers'"),
        ("retriever = 'bm25'", "retriever must be a list of specs"),
        ("retriever = []", "retriever must be a list of specs"),
        ("retriever = [", "broken TOML"),
    ],
)
def test_bad_spaces(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=says) as raised:
        read_space(file)
    assert str(file) in str(raised.value)


def test_the_usual_space_keeps_own_chunks_and_speaks_the_corpus_language() -> None:
    english = Corpus((Document("a", "The leave of a person is what the company gives to them, and it is paid for. " * 5),))
    (space,) = usual_spaces(Options(), english)
    assert len(space.configurations(Options())) >= 60
    assert any("stem=english" in spec for spec in space.retriever)
    (own,) = usual_spaces(Options(chunks="mine.jsonl"), english)
    assert own.chunker == ()
    chinese = Corpus((Document("a", "公司给员工的假期是带薪的。" * 20),))
    assert not any("stem" in spec for space in usual_spaces(Options(), chinese) for spec in space.retriever)


def test_contexts_are_tried_where_documents_have_them() -> None:
    titled = Corpus(tuple(Document(str(i), "It is paid by the company. " * 30, title="Leave") for i in range(5)))
    assert any(space.context == ("title",) for space in usual_spaces(Options(), titled))


# The whole.


def written(tmp_path: Path) -> Path:
    file = tmp_path / "space.toml"
    file.write_text('chunker = ["sentence(size=60)", "sentence"]\nretriever = ["bm25", "lsa"]\nstep = ["", "expand"]')
    return file


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    folder = tmp_path_factory.mktemp("tuned")
    return tune(CORPUS, QUERIES, space=written(folder), retriever="bm25", causes=False, cache=folder / "cache")


@pytest.mark.slow
def test_cells_are_what_audits_of_them_say(tuned: Tuned) -> None:
    assert len(tuned.cells) == len(tuned.configurations) >= 8
    assert tuned.cells[0].retriever == "bm25"
    for config, measured in list(zip(tuned.configurations, tuned.cells, strict=True))[:3]:
        report = audit(
            CORPUS, QUERIES, **{f: getattr(config, f) for f in ("chunker", "context", "retriever", "budget")}, cache=None
        )
        by_id = {q.id: q.served for q in report.queries}
        served = [None if np.isnan(s) else bool(s) for s in measured.served]
        assert served == list(by_id.values())


@pytest.mark.encoder
def test_the_causes_of_the_baseline_are_tried(tmp_path: Path) -> None:
    """What its causes point to is among the configurations, and what is won is said by cause."""
    file = tmp_path / "space.toml"
    file.write_text('retriever = ["bm25"]')
    found = tune(CORPUS, QUERIES, space=file, retriever="bm25", cache=tmp_path / "cache")
    assert len(found.cells) > 1
    assert sum(found.causes.values()) >= np.nansum(found.cells[0].served == 0)
    assert set(found.cured) <= set(found.causes)
    if found.chosen:
        assert found.reasons


def test_won_and_lost_are_against_the_baseline_with_as_many_tokens(tuned: Tuned) -> None:
    known = ~np.isnan(tuned.cells[0].served)
    needs = [np.log2(np.minimum(c.need[known], 8 * tuned.tokens)).mean() for c in tuned.cells]
    assert tuned.chosen == int(np.argmin(needs))
    assert set(tuned.won).isdisjoint(tuned.lost)
    assert sum(tuned.times.values()) == tuned.choices == 50
    assert tuned.frontier[2].tokens == tuned.tokens


def test_it_is_told_on_one_screen_and_as_json(tuned: Tuned) -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(tune_text(tuned))
    shown = capture.get()
    record = json.loads(dumps(tune_dict(tuned)))
    assert headline(tuned) in " ".join(shown.split())
    assert record["decision"]["kind"] == tuned.decision.kind
    assert record["decision"]["chosen"] == tuned.cells[tuned.chosen].name
    assert [row["tokens"] for row in record["frontier"]] == [row.tokens for row in tuned.frontier]


def test_the_same_search_gives_the_same_bytes_and_measures_nothing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"space": written(tmp_path), "retriever": "bm25", "cache": tmp_path / "cache", "causes": False}
    first = tune(CORPUS, QUERIES, **asked)
    monkeypatch.setattr("ragdiag.comparing.grid.measure", lambda *_: pytest.fail("measured again"))
    again = tune(CORPUS, QUERIES, **asked)
    assert dumps(tune_dict(first) | {"timings": {}}) == dumps(tune_dict(again) | {"timings": {}})


def test_what_was_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"space": written(tmp_path), "retriever": "bm25", "cache": tmp_path / "cache", "causes": False}
    measure, calls = tuning.measured, list[int]()

    def stopped(material: Material, configs: Sequence[Options], *rest: object) -> list[Cell]:
        calls.append(len(configs))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(material, configs, *rest)

    monkeypatch.setattr(tuning, "measured", stopped)
    with pytest.raises(KeyboardInterrupt):
        tune(CORPUS, QUERIES, **asked)
    monkeypatch.undo()
    made, single = list[str](), Cell.arrays
    monkeypatch.setattr(Cell, "arrays", lambda self: made.append(self.name) or single(self))
    found = tune(CORPUS, QUERIES, **asked)
    assert 0 < len(set(made)) < len(found.cells)


def test_nothing_is_embedded_where_nothing_may_be(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text('retriever = ["bm25", "dense", "hybrid"]')
    found = tune(CORPUS, QUERIES, space=file, retriever="bm25", embedding=False, causes=False, cache=tmp_path / "cache")
    assert [c.retriever for c in found.cells] == ["bm25"]
    assert list(found.skipped.values()) == [2]
    file.write_text('retriever = ["bm25", "lsa", "dense", "hybrid"]')
    found = tune(CORPUS, QUERIES, space=file, retriever="bm25", embedding=False, causes=False, cache=tmp_path / "cache")
    assert [c.retriever for c in found.cells] == ["bm25", "lsa"], "what needs no encoder is tried beside those that do"


def test_without_time_the_baseline_alone_is_measured(tmp_path: Path) -> None:
    found = tune(CORPUS, QUERIES, space=written(tmp_path), retriever="bm25", seconds=1e-6, causes=False, cache=tmp_path / "c")
    assert 1 <= len(found.cells) < 8
    assert sum(found.skipped.values()) == 8 - len(found.cells)
    assert found.decision.kind in ("nothing", "undecided")


@pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is None, reason="there is no encoder to lack time for")
def test_without_time_to_embed_what_needs_no_encoder_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "speed", lambda *_: 1e-3)  # characters in a second
    file, told = tmp_path / "space.toml", list[str]()
    file.write_text('retriever = ["bm25", "lsa", "dense", "hybrid"]')
    asked = {"space": file, "retriever": "bm25", "causes": False, "cache": tmp_path / "c"}
    found = tune(CORPUS, QUERIES, seconds=600, note=told.append, **asked)
    assert [c.retriever for c in found.cells] == ["bm25", "lsa"]
    assert found.skipped == {tuning.NO_TIME: 2}
    assert "are to be embedded: about" in told[0]


def test_configurations_that_are_slow_are_left_out(tmp_path: Path) -> None:
    found = tune(CORPUS, QUERIES, space=written(tmp_path), retriever="bm25", latency=1e-6, causes=False, cache=tmp_path / "c")
    assert len(found.cells) == 1
    assert sum(found.skipped.values()) == 7


def test_many_queries_are_measured_on_a_part_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "FIRST", 12)
    found = tune(CORPUS, QUERIES, space=written(tmp_path), retriever="bm25", causes=False, cache=tmp_path / "cache")
    whole = 8
    assert len(found.cells) + len(found.dropped) == whole


def test_labels_of_some_queries() -> None:
    loaded = load_measurable(CORPUS, QUERIES, Options(), lambda *_: None)
    part = some_of(loaded.labels, [1, 4, 7])
    assert [q.id for q in part.queries] == [loaded.labels.queries[i].id for i in (1, 4, 7)]
    whole, rows = loaded.labels.evidence, np.isin(loaded.labels.evidence.query, [1, 4, 7])
    for name in ("document", "start", "end", "copy"):
        assert getattr(part.evidence, name).tolist() == getattr(whole, name)[rows].tolist()
    assert part.left_out == len(loaded.labels.queries) - 3


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"run": "x.jsonl"}, "cannot be tuned"),
        ({"seconds": 0}, "seconds must be more than 0"),
        ({"tokens": -1}, "tokens must be more than 0"),
        ({"jobs": 0}, "jobs must be 1 or more"),
        ({"latency": "fast"}, "latency must be"),
    ],
)
def test_bad_options(given_: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tune(CORPUS, QUERIES, **given_)


def test_the_command(tmp_path: Path) -> None:
    asked = ["tune", str(CORPUS), str(QUERIES), "--retriever", "bm25", "--space", str(written(tmp_path)), "--no-causes"]
    done = CliRunner().invoke(main, [*asked, "--cache", str(tmp_path / "cache"), "--json", str(tmp_path / "t.json")])
    assert done.exit_code == 0, done.output
    assert "each judged by a choice made without it" in " ".join(done.output.split())
    assert json.loads((tmp_path / "t.json").read_text())["tokens"] > 0
    bad = CliRunner().invoke(main, [*asked, "--time", "soon"])
    assert bad.exit_code == 2
    assert "no time such as" in bad.output


def test_names_tell_configurations_apart() -> None:
    space = Space((), (), ("bm25", "bm25()"), ("",))
    assert len({names_of(Plan(c)) for c in space.configurations(Options())}) == 1


def test_labels_are_asked_for_to_tell_what_would_matter() -> None:
    """A difference that is next to nothing would take thousands of labels to tell from none, and changes nothing."""
    rng = np.random.default_rng(4)
    for seed in range(20):
        base = rng.random(60) < 0.5
        rows = [base, *(np.where(rng.random(60) < 0.4, ~base, base) for _ in range(4))]
        decision = judged([cell(str(i), row) for i, row in enumerate(rows)], BUDGET, alone(60), seed)[0].decision
        if decision.kind == "undecided" and decision.needed:
            assert decision.difference and decision.needed <= max(decision.difference.more_needed(1, 0.05) or 1, 1)


@pytest.mark.parametrize(("kind", "there"), [("deploy", True), ("nothing", False), ("undecided", False)])
def test_only_what_is_to_be_deployed_is_exported(
    kind: str, there: bool, tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided = dataclasses.replace(tuned, decision=tuned.decision._replace(kind=kind))
    monkeypatch.setattr("ragdiag.comparing.tuning.tune", lambda *_, **__: decided)
    out = tmp_path / "ragdiag.toml"
    done = CliRunner().invoke(main, ["tune", str(CORPUS), str(QUERIES), "--export", "toml", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.exists() is there
    assert ("nothing is exported" in done.output) is not there
