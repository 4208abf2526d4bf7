"""A comparison agrees with separate audits, whoever measures it and however often it is interrupted."""

import dataclasses
import functools
import json
import pickle
import types
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

import ragdiag.comparing.contrasts
import ragdiag.comparing.grid
from ragdiag.cli import main
from ragdiag.comparing.cells import Cell, Comparison
from ragdiag.comparing.comparison import compare
from ragdiag.comparing.passages import KEPT
from ragdiag.comparing.remedies import remedies
from ragdiag.core.errors import InputError, MissingExtra, RagdiagError, SpecError, UnreadableDocument, UsageError
from ragdiag.core.options import Options
from ragdiag.core.protocols import Store
from ragdiag.core.records import Report
from ragdiag.core.registry import make, spec_of
from ragdiag.pipeline import audit
from ragdiag.reports.compare import compare_text
from ragdiag.reports.json import compare_dict, dumps
from ragdiag.reports.shown import made
from ragdiag.results import CompareResult
from ragdiag.search.changes import Audited, stemmed
from ragdiag.stats.paired import Paired

pytestmark = pytest.mark.slow

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
CORPUS, QUERIES = TIDEWATER / "corpus", TIDEWATER / "queries.jsonl"
CHUNKERS, RETRIEVERS = ("sentence(size=160)", "sentence(size=80)"), ("bm25", "lsa")


def compared(cache: Path | None, **given) -> Comparison:
    asked = {"chunkers": CHUNKERS, "retrievers": RETRIEVERS, "k": 5, "causes": False, "jobs": 1} | given
    return compare(CORPUS, QUERIES, cache=cache, **asked)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("cache"))


def text(comparison: Comparison) -> str:
    return dumps(compare_dict(comparison) | {"timings": {}})


@functools.cache
def audited(**options) -> Report:
    return audit(CORPUS, QUERIES, cache=None, **options)


def served(**options) -> dict[str, bool | None]:
    return {q.id: q.served for q in audited(**options).queries}


def test_cells_are_what_audits_of_them_say(grid: Comparison) -> None:
    assert [c.name for c in grid.cells] == [f"{c} | {r}" for c in CHUNKERS for r in RETRIEVERS]
    for cell, means in zip(grid.cells, grid.means, strict=True):
        report = audited(chunker=cell.chunker, retriever=cell.retriever)
        assert cell.signature == report.signature
        for name, mean in means.items():
            assert mean == report.measures[name]
        assert cell.chunks == report.pipeline.chunks
        assert [q.least_k or 0 for q in report.queries] == cell.least_k.tolist()


def test_contrasts_count_the_queries_that_audits_tell_apart(grid: Comparison) -> None:
    before = served(chunker=CHUNKERS[0], retriever="bm25")
    for contrast in grid.contrasts:
        assert contrast.a == grid.baseline == 0
        cell = grid.cells[contrast.b]
        after = served(chunker=cell.chunker, retriever=cell.retriever)
        assert contrast.recovered == sum(after[q] is True and before[q] is False for q in before)
        assert contrast.broken == sum(after[q] is False and before[q] is True for q in before)
        assert contrast.difference == pytest.approx((contrast.recovered - contrast.broken) / contrast.n)
        assert contrast.p <= contrast.p_holm <= 1
        assert contrast.low <= contrast.difference <= contrast.high
        assert not contrast.distinguishable or (contrast.p_holm <= 0.05 and contrast.low * contrast.high > 0)


def test_more_context_is_what_an_audit_with_that_k_serves(grid: Comparison) -> None:
    for row in grid.curve:
        found = audited(chunker=CHUNKERS[0], retriever="bm25", k=row["k"])
        assert row["served"] == sum(q.served is True for q in found.queries)
        assert row["tokens"] == pytest.approx(found.pipeline.context_tokens, abs=0.06)
    for i, raised in grid.raised.items():
        tokens = [t for t, s in zip(grid.cells[i].tokens, grid.cells[i].served, strict=True) if not np.isnan(s)]
        assert abs(raised["tokens"] - np.mean(tokens)) <= np.abs(grid.cells[0].curve - np.mean(tokens)).min() + 1
        before, after = served(chunker=CHUNKERS[0], retriever="bm25", k=raised["k"]), grid.cells[i].served
        assert raised["served_by_k"] == sum(s is True for s in before.values())
        won = sum(b is False and a == 1 for b, a in zip(before.values(), after, strict=True))
        assert raised["recovered"] == won
        if raised["k_to_serve_as_many"] is not None:
            enough = served(chunker=CHUNKERS[0], retriever="bm25", k=raised["k_to_serve_as_many"])
            assert sum(s is True for s in enough.values()) >= raised["served"]


def test_without_a_size_contexts_are_equal_in_tokens(tmp_path: Path) -> None:
    given = {"chunkers": CHUNKERS, "retrievers": ("bm25",), "causes": False}
    found = compare(CORPUS, QUERIES, cache=tmp_path, **given)
    first = audited(chunker=CHUNKERS[0], retriever="bm25")
    budget = found.pipeline["budget"]
    assert abs(budget - first.pipeline.context_tokens) <= 1
    assert found.measure == f"Sufficient@{budget}tok"
    assert any(str(budget) in note for note in found.notes)
    for row in found.curve:
        own = audited(chunker=CHUNKERS[0], retriever="bm25", budget=row["tokens"])
        assert row["served"] == sum(q.served is True for q in own.queries)
    (raised,) = found.raised.values()
    if (tokens := raised["tokens_to_serve_as_many"]) is not None:
        own = audited(chunker=CHUNKERS[0], retriever="bm25", budget=tokens)
        assert sum(q.served is True for q in own.queries) >= raised["served"]


def test_all_pairs_are_one_family(grid: Comparison, tmp_path: Path) -> None:
    found = compared(tmp_path, pairs=True, baseline="sentence(size=80) | lsa")
    assert found.baseline == 3
    assert [(c.a, c.b) for c in found.contrasts] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    some = {(c.a, c.b): c for c in found.contrasts}
    for c in grid.contrasts:
        assert some[c.a, c.b].p == c.p
        assert some[c.a, c.b].p_holm >= c.p_holm


def test_workers_agree_with_one_process(grid: Comparison, tmp_path: Path) -> None:
    assert text(compared(tmp_path, jobs=2)) == text(grid)


def test_an_interrupted_grid_goes_on_to_the_same_report(
    grid: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    really = ragdiag.comparing.grid.measure

    def counted(material: ragdiag.comparing.grid.Material, options: Options, store: Store | None) -> Cell:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(options.retriever)
        return really(material, options, store)

    monkeypatch.setattr(ragdiag.comparing.grid, "measure", counted)
    with pytest.raises(KeyboardInterrupt):
        compared(tmp_path)
    monkeypatch.setattr(ragdiag.comparing.grid, "measure", lambda *a: made.append("again") or really(*a))
    assert text(compared(tmp_path)) == text(grid)
    assert made == ["bm25", "lsa", "again", "again"]
    compared(tmp_path)
    assert len(made) == 4, "what is finished is loaded"
    compared(tmp_path, k=4)
    assert len(made) == 8, "another size is another cell"


def test_a_cell_depends_on_what_its_chunk_file_holds(tmp_path: Path) -> None:
    chunks = tmp_path / "mine.jsonl"
    rows = [{"doc_id": p.stem, "start": 0, "end": 40} for p in sorted(CORPUS.iterdir())[:3]]
    ids = {q.id for q in audited(retriever="bm25").queries}
    assert ids
    documents = audited(retriever="bm25").queries[0].documents
    rows = [{"doc_id": d, "start": 0, "end": 40} for d in documents]
    found = []
    for extra in ([], [{"doc_id": documents[0], "start": 40, "end": 90}]):
        chunks.write_text("".join(json.dumps(r) + "\n" for r in rows + extra), encoding="utf-8")
        found.append(compared(tmp_path / "cache", chunkers=(), chunks=(chunks,), retrievers=("bm25",)).cells[0].chunks)
    assert found == [len(rows), len(rows) + 1]


def test_the_best_is_confirmed_on_queries_that_did_not_choose_it(grid: Comparison) -> None:
    held = grid.confirmed
    values = np.stack([c.values[grid.measure] for c in grid.cells])  # the baseline is the first
    decidable = np.flatnonzero(~np.isnan(values).any(axis=0))
    shuffled = np.random.default_rng(0).permutation(decidable)
    one, other = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    differences = []
    for chosen_on, seen_on in ((one, other), (other, one)):
        best = int(np.argmax(values[:, chosen_on].mean(axis=1)))
        differences += (values[best] - values[0])[seen_on].tolist()
    assert held["n"] == len(decidable) == len(differences)
    assert held["difference"] == pytest.approx(np.mean(differences))
    assert held["holds"] == (held["low"] > 0)
    assert sum(held["chosen"].values()) == 2 * held["splits"] and 0 <= held["above"] <= held["splits"]


def test_among_noise_the_best_is_not_confirmed() -> None:
    rng = np.random.default_rng(0)
    held = []
    for seed in range(40):
        cells = [types.SimpleNamespace(values={"m": rng.integers(0, 2, 60).astype(float)}) for _ in range(8)]
        found = ragdiag.comparing.contrasts._confirmed(Paired(np.arange(60), seed), cells, 0, "m", seed)  # type: ignore[arg-type]
        held.append(found["holds"])
    assert sum(held) <= 4


def test_of_equal_means_the_surer_is_the_best(grid: Comparison) -> None:
    said = [
        i
        for i in range(len(grid.cells))
        if i != grid.best and grid.means[i][grid.measure].mean == grid.means[grid.best][grid.measure].mean
    ]
    for i in said:
        lost = [int((grid.cells[0].served > grid.cells[j].served).sum()) for j in (i, grid.best)]
        assert lost[0] >= lost[1] or any(c.b == grid.best and c.distinguishable for c in grid.contrasts)
    for i in grid.ties:
        d = Paired(ragdiag.comparing.contrasts.clusters([[]] * len(grid.cells[0].served)), 0).difference(
            grid.cells[grid.best].values[grid.measure], grid.cells[i].values[grid.measure]
        )
        assert d is not None and i != grid.best


def test_the_best_and_the_frontier(grid: Comparison) -> None:
    scores = [m[grid.measure].mean for m in grid.means]
    tokens = [np.nanmean(np.where(np.isnan(c.served), np.nan, c.tokens)) for c in grid.cells]
    assert scores[grid.best] == max(scores)
    points = [(s, -round(t)) for s, t in zip(scores, tokens, strict=True)]
    for i, own in enumerate(points):
        beaten = any(other != own and all(o >= m for m, o in zip(own, other, strict=True)) for other in points)
        assert (i in grid.pareto) == (not beaten)


# From causes to what is compared.


def test_one_configuration_is_compared_with_what_its_causes_point_to(tmp_path: Path) -> None:
    found = compare(CORPUS, QUERIES, cache=tmp_path, chunkers=("sentence(size=160)",), retrievers=("bm25",), k=5)
    report = audited(retriever="bm25")
    counts = {name: round(share.mean * share.n) for name, share in report.causes.items() if share.mean is not None}
    assert {c: n for c, n in found.causes.items() if c in counts} == counts
    assert set(found.reasons) == set(range(1, len(found.cells)))
    for i, reasons in found.reasons.items():
        assert reasons and set(reasons) <= set(counts)
        assert sum(found.cured[i].values()) >= next(c.recovered for c in found.contrasts if c.b == i)
        assert all(n <= found.causes[cause] for cause, n in found.cured[i].items())
        assert sum(found.broke[i].values()) >= next(c.broken for c in found.contrasts if c.b == i)
    assert "sentence(size=160) | bm25(stem=english)" in [c.name for c in found.cells]


def test_remedies_change_one_thing() -> None:
    base = Options(chunker="sentence(size=160)", retriever="bm25")
    found = remedies(base, ["diluted", "query_mismatch", "ranking", "stale"])
    for changed, reasons in found.items():
        different = [f.name for f in dataclasses.fields(base) if getattr(base, f.name) != getattr(changed, f.name)]
        # Small chunks with what stands round them are one change of two settings.
        assert (len(different) == 1 or (different == ["chunker", "retriever"] and "expand(" in changed.retriever)) and reasons
    assert found[dataclasses.replace(base, retriever="dense")] == ("query_mismatch", "ranking")
    assert found[dataclasses.replace(base, retriever="bm25(stem=english)")] == ("query_mismatch",)
    assert found[dataclasses.replace(base, chunker="sentence(size=80)")] == ("diluted",)
    assert found[dataclasses.replace(base, retriever="latest(bm25)")] == ("stale",)
    assert remedies(base, ["missing_content", "undetermined"]) == {}
    own = Options(chunks="mine.jsonl", retriever="bm25")
    assert remedies(own, ["diluted", "chunk_split"]) == {}, "the team's own chunks are cut by nobody here"


@pytest.mark.parametrize(
    ("retriever", "with_stems"),
    [
        ("bm25(k1=1.2)", ["bm25(k1=1.2, stem=english)"]),
        ("dedupe(hybrid(bm25, dense))", ["dedupe(hybrid(bm25(stem=english), dense))"]),
        ("bm25(stem=german)", []),
        ("bm25(analyzer=english)", []),
        ("dense", []),
    ],
)
def test_stems_are_tried_where_words_are_searched_as_they_are(retriever: str, with_stems: list[str]) -> None:
    changed = [options.retriever for options in stemmed(Audited(Options(retriever=retriever)))]
    assert [spec_of(make("retrievers", r)) for r in changed] == [spec_of(make("retrievers", r)) for r in with_stems]


# The command.


def run(*arguments: str, cache: Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(
        main, ["compare", str(CORPUS), str(QUERIES), "--cache", str(cache), *arguments], prog_name="ragdiag"
    )
    return done.exit_code, done.stdout, done.stderr


def test_the_command_writes_the_contract(tmp_path: Path, grid: Comparison) -> None:
    grid_arguments = [a for c in CHUNKERS for a in ("--chunker", c)] + [a for r in RETRIEVERS for a in ("--retriever", r)]
    status, out, _ = run(*grid_arguments, "-k", "5", "--no-causes", "--json", "-", "--price", "3", cache=tmp_path)
    assert status == 0
    found = json.loads(out)
    assert {"configs", "contrasts", "raise_k", "best", "confirmed", "timings"} <= set(found)
    assert {"chunker", "context", "retriever", "measures", "cost"} <= set(found["configs"][0])
    assert {"chunks", "context_tokens"} <= set(found["configs"][0]["cost"])
    assert {
        "a", "b", "measure", "difference", "low", "high", "p", "p_holm", "recovered", "broken", "distinguishable",
    } <= set(found["contrasts"][0])  # fmt: skip
    tokens = found["configs"][0]["cost"]["context_tokens"]
    assert found["configs"][0]["cost"]["price_per_1000_queries"] == pytest.approx(1000 * tokens * 3 / 1e6)
    names = {c["name"] for c in found["configs"]}
    assert {found["best"], found["baseline"], *found["pareto"]} <= names == set(found["timings"])
    status, out, _ = run(*grid_arguments, "-k", "5", "--no-causes", cache=tmp_path)
    assert status == 0
    for name in names:
        assert name in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--baseline", "sentense | bm25"), "--baseline: no configuration has 'sentense'"),
        (("--chunker", "sentence", "--chunker", "fixed", "--retriever", "bm25", "--baseline", "bm25"), "names 2 configurations"),
        (("--retriever", "bm52"), "unknown retriever 'bm52'; did you mean 'bm25'?"),
        (("--retriever", "bm25", "-k", "0"), "k must be from 1"),
        (("--retriever", "bm25", "-k", "5", "--budget", "100"), "both set the context's size"),
        (("--retriever", "bm25", "--measure", "Suffisient@5"), "unknown measure"),
        (("--retriever", "bm25", "--chunks", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--retriever", "bm25", "--price", "-1"), "--price"),
        (("--retriever", "bm25", "--budget", "0"), "--budget must be 1 token or more"),
        (("--retriever", "bm25", "--jobs", "0"), "jobs must be 1 or more"),
        (("--run", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_bad_usage_is_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    status, out, err = run(*arguments, "--no-causes", cache=tmp_path)
    assert (status, out) == (2, "")
    assert message in err and err.startswith("error: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        InputError("is empty", "a.jsonl", 3, "fill it"),
        UnreadableDocument("cannot be read", "a.pdf"),
        SpecError("unknown"),
        UsageError("no"),
        MissingExtra("torch", "dense", "choose bm25"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_errors_survive_the_way_back_from_a_worker(error: RagdiagError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error) and str(back) == str(error)


# What is shown.


def shown(comparison: Comparison, **more) -> str:
    console = Console(width=100, highlight=False)
    with console.capture() as capture:
        console.print(compare_text(comparison, **more))
    return " ".join(capture.get().split())


def test_the_screen_says_how_sure_it_is(grid: Comparison) -> None:
    best = max(grid.contrasts, key=lambda c: c.difference)
    said = shown(dataclasses.replace(grid, best=best.b))
    assert f"Best: {grid.cells[best.b].name}: serves" in said
    assert f"{best.difference:+.3f} [{best.low:+.3f}, {best.high:+.3f}]" in said
    assert ("not distinguishable from the baseline" in said) == (not best.distinguishable)
    held = grid.confirmed
    assert f"{held['difference']:+.3f} [{held['low']:+.3f}, {held['high']:+.3f}], " in said
    assert ("not confirmed" in said) == (not held["holds"])
    assert "Just more context: of 57 queries" in said
    row = grid.curve[-1]
    assert f"{row['served']} at {row['tokens']:,.0f} (k {row['k']}) tokens" in said
    names = [grid.cells[i].name for i in grid.ties if i != grid.baseline][:3]
    assert not names or f"as good, as far as one can tell: {'; '.join(names)}" in said


def test_a_difference_that_is_told_apart_is_not_called_indistinguishable(grid: Comparison) -> None:
    sure = tuple(
        dataclasses.replace(c, distinguishable=True, difference=abs(c.difference), p_holm=0.0001) for c in grid.contrasts
    )
    said = shown(dataclasses.replace(grid, contrasts=sure))
    assert "not distinguishable" not in said
    assert "<.001" in said


def test_the_baseline_may_be_the_best(grid: Comparison) -> None:
    said = shown(dataclasses.replace(grid, best=grid.baseline, confirmed={}))
    assert f"Best: the baseline, {grid.cells[grid.baseline].name}" in said


def test_costs_have_a_price_and_mark_what_is_slow(grid: Comparison) -> None:
    slow = {"retrieval": {"p50_ms": 700.0, "p95_ms": 900.0}}
    cells = (dataclasses.replace(grid.cells[0], timings=slow), *grid.cells[1:])
    said = shown(dataclasses.replace(grid, cells=cells), price=2.5)
    assert "$/1000 q at $2.5/M" in said
    tokens = np.mean([t for t, s in zip(cells[0].tokens, cells[0].served, strict=True) if not np.isnan(s)])
    assert f" {tokens * 2.5 / 1000:.2f} " in said
    assert "!900.0" in said
    assert "!900.0" not in shown(dataclasses.replace(grid, cells=cells), latency_ms=1000.0)


def test_other_backends_of_joblib_can_be_chosen(grid: Comparison, tmp_path: Path) -> None:
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert text(compared(tmp_path, jobs=None)) == text(grid)


def test_recorded_runs_are_compared_as_they_are(tmp_path: Path) -> None:
    found = audited(retriever="bm25")
    lines = []
    for q in found.queries:
        rows = [{"doc_id": d, "start": 0, "end": 300} for d in q.documents]
        lines.append(json.dumps({"query_id": q.id, "retrieved": rows}))
    for name, kept in (
        ("all.jsonl", lines),
        ("none.jsonl", [json.dumps({"query_id": q.id, "retrieved": []}) for q in found.queries]),
    ):
        (tmp_path / name).write_text("\n".join(kept), encoding="utf-8")
    runs = (tmp_path / "none.jsonl", tmp_path / "all.jsonl")
    comparison = compared(tmp_path / "cache", chunkers=(), retrievers=(), runs=runs)
    assert [c.retriever for c in comparison.cells] == ["run none.jsonl", "run all.jsonl"]
    assert not (comparison.cells[0].served == 1).any()
    assert comparison.contrasts[0].recovered == (comparison.cells[1].served == 1).sum() > 0


def test_weights_of_a_fusion_are_tuned_and_held_out(tmp_path: Path) -> None:
    found = compared(tmp_path, chunkers=(), retrievers=("hybrid(bm25, lsa)",), tune=True)
    assert len(found.cells) == 1 + len(ragdiag.comparing.grid.WEIGHTS)
    assert found.cells[0].retriever == "hybrid(bm25, lsa)"
    assert all(
        f"weights=({w}, {round(1 - w, 2)})" in c.retriever
        for w, c in zip(ragdiag.comparing.grid.WEIGHTS, found.cells[1:], strict=True)
    )
    assert found.confirmed["n"] > 0


def test_short_documents_are_warned_of(tmp_path: Path) -> None:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    facts = {f"d{i}": f"The lamp number {i} burns for {i + 10} hours." for i in range(8)}
    corpus.write_text("".join(json.dumps({"_id": d, "text": t}) + "\n" for d, t in facts.items()), encoding="utf-8")
    rows = [
        {"_id": f"q{i}", "text": f"how long burns lamp {i}", "evidence": [{"doc_id": d, "text": t}]}
        for i, (d, t) in enumerate(facts.items())
    ]
    queries.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    given = {"retrievers": ("bm25",), "k": 1, "causes": False, "cache": tmp_path / "cache"}
    found = compare(corpus, queries, chunkers=("sentence", "paragraph"), **given)
    assert any(note.startswith("100% of the queries have their evidence in documents of one chunk") for note in found.notes)
    assert not any("one chunk" in n for n in compare(corpus, queries, chunkers=("sentence",), **given).notes)
    assert not any(
        "one chunk" in n for n in compare(corpus, queries, chunkers=("sentence(size=4)", "fixed(size=3)"), **given).notes
    )


def test_document_labels_are_compared_by_success(tmp_path: Path) -> None:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    corpus.write_text("".join(json.dumps({"_id": f"d{i}", "text": f"word{i} lamp"}) + "\n" for i in range(6)), encoding="utf-8")
    rows = [{"_id": f"q{i}", "text": f"word{(i + i % 2) % 6}", "relevant": [{"doc_id": f"d{i}", "grade": 1}]} for i in range(6)]
    queries.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    found = compare(corpus, queries, retrievers=("bm25", "lsa"), k=1, cache=tmp_path / "cache")
    assert found.measure == "Success@1"
    assert found.contrasts[0].n == 6
    assert int((found.cells[0].served == 1).sum()) == 3


def test_a_baseline_may_be_named_as_it_was_asked_for(tmp_path: Path) -> None:
    given = {
        "chunkers": ("fixed", "sentence"),
        "retrievers": ("lsa", "bm25"),
        "measure": "CharR@5",
        "baseline": "sentence | bm25",
    }
    found = compared(tmp_path, **given)
    assert found.cells[found.baseline].name == "sentence(size=160) | bm25"
    assert found.measure == "CharR@5"
    assert {c.measure for c in found.contrasts} == {"CharR@5"}
    assert found.contrasts[0].difference == pytest.approx(
        found.means[found.contrasts[0].b]["CharR@5"].mean - found.means[found.baseline]["CharR@5"].mean
    )


def test_pairs_are_shown_where_they_were_asked_for(grid: Comparison, tmp_path: Path) -> None:
    assert "Pairs:" not in shown(grid)
    found = compared(tmp_path, pairs=True)
    apart = [c for c in found.contrasts if not c.low <= 0 <= c.high]
    said = shown(found)
    assert f"Pairs: {len(apart)} of 6 intervals leave out 0" in said
    for c in apart:
        better, worse = (c.b, c.a) if c.difference > 0 else (c.a, c.b)
        assert f"{found.cells[better].name} over {found.cells[worse].name}: +{abs(c.difference):.3f}" in said


def test_all_pairs_are_held_against_a_baseline_that_is_not_the_first(grid: Comparison, tmp_path: Path) -> None:
    means = [m[grid.measure].mean for m in grid.means]
    last = max(i for i, mean in enumerate(means) if mean < max(means[:i], default=0))
    pairs = compared(tmp_path, pairs=True, baseline=grid.cells[last].name)
    best, baseline = pairs.cells[pairs.best], pairs.cells[last]
    assert pairs.best < pairs.baseline == last
    gained = (best.served > baseline.served).sum()
    noun = "query" if gained == 1 else "queries"
    assert f"Best: {best.name}: serves {gained} {noun} more" in shown(pairs)
    apart = tuple(dataclasses.replace(c, distinguishable=True) for c in pairs.contrasts)
    better = made(CompareResult, dataclasses.replace(pairs, contrasts=apart)).better()
    assert set(better) == {cell.name for cell, mean in zip(grid.cells, means, strict=True) if mean > means[last]}


BROKEN = Path(__file__).parents[1] / "fixtures" / "broken_labels"


def test_label_defects_are_shown_as_an_audit_shows_them(tmp_path: Path) -> None:
    given = (str(BROKEN / "corpus"), str(BROKEN / "queries.jsonl"))
    axes = ("--retriever", "bm25", "--retriever", "lsa", "--no-causes", "-k", "5", "--no-cache")
    done = CliRunner().invoke(
        main, ["compare", *given, *axes, "--json", str(tmp_path / "c.json"), "--html", str(tmp_path / "c.html")]
    )
    alone = CliRunner().invoke(main, ["audit", *given, "--retriever", "bm25", "--no-cache", "--json", str(tmp_path / "a.json")])
    assert (done.exit_code, alone.exit_code) == (0, 0)
    told, audited_alone = (json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in "ca")
    assert told["label_defects"] == audited_alone["label_defects"]
    assert len({d["query"] for d in told["label_defects"]}) == audited_alone["inputs"]["labels"]["excluded"] == 9
    assert told["label_warnings"] == [w for w in audited_alone["label_warnings"] if w["kind"] != "unlabelled_hit"]
    assert told["unreadable"] == audited_alone["unreadable"]
    shown = alone.stdout[alone.stdout.index("9 label defects: 9 queries excluded") :]
    assert shown.partition("\n\n")[0].partition("note: ")[0] in done.stdout
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "9 label defects: 9 queries excluded" in page and "text_mismatch" in page


def test_documents_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("Returns are free for 30 days.", encoding="utf-8")
    (corpus / "b.pdf").write_bytes(b"no pdf at all")
    (tmp_path / "q.jsonl").write_text(
        '{"_id": "1", "text": "returns", "evidence": [{"doc_id": "a.md", "text": "30 days"}]}\n', encoding="utf-8"
    )
    found = compare(corpus, tmp_path / "q.jsonl", retrievers=["bm25", "lsa"], causes=False, k=1, cache=None)
    (problem,) = found.problems
    assert "b.pdf" in problem.file
    assert "1 documents could not be read and are left out" in shown(found)


def test_the_json_names_the_configurations_that_serve_each_query(grid: Comparison) -> None:
    told = {row["id"]: row["served_by"] for row in compare_dict(grid)["queries"]}
    audits = {cell.name: served(chunker=cell.chunker, retriever=cell.retriever, k=5) for cell in grid.cells}
    for query, by in told.items():
        of_audits = {name: found[query] for name, found in audits.items()}
        assert by == (None if None in of_audits.values() else [name for name, holds in of_audits.items() if holds])
    assert None in told.values() and any(by and len(by) < len(grid.cells) for by in told.values())


def test_a_cell_keeps_few_passages_of_a_document_labelled_as_a_whole(tmp_path: Path) -> None:
    text = " ".join(f"The mill of Ardmore ground {i} sacks." for i in range(60))
    (tmp_path / "c.jsonl").write_text(json.dumps({"_id": "d", "text": text}) + "\n", encoding="utf-8")
    asked = {"_id": "q", "text": "sacks of Ardmore", "relevant": [{"doc_id": "d", "grade": 1}]}
    (tmp_path / "q.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    found = compare(tmp_path / "c.jsonl", tmp_path / "q.jsonl", chunkers=["sentence(size=8)"], retrievers=["bm25", "lsa"],
                    causes=False, k=5, cache=None)  # fmt: skip
    for cell in found.cells:
        assert [seen.rank for seen in cell.seen_of(0)] == list(range(1, KEPT + 1))
        assert [seen.inside for seen in cell.seen_of(0)] == [rank <= 5 for rank in range(1, KEPT + 1)]
        again = Cell.of(cell.arrays())
        assert again.seen_of(0) == cell.seen_of(0)


def test_a_cell_asks_for_no_retriever_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The causes of an audit are looked for with a search by meaning beside; a comparison has no use for it."""
    monkeypatch.setattr("ragdiag.search.retrieval.by_meaning", lambda *_: pytest.fail("looked for an encoder"))
    compared(tmp_path / "cache", retrievers=("bm25",))
