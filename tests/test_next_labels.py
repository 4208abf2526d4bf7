"""Labels drawn where two configurations differ: what they tell of all questions, the session, the file, the errors."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ragdiag import compare
from ragdiag.cli import main
from ragdiag.comparing.cells import Contrast
from ragdiag.core.errors import InputError, RagdiagError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Span
from ragdiag.core.reviews import place_in_draw
from ragdiag.label.differing import searched
from ragdiag.label.next_labels import Drawing, open_drawing, opening
from ragdiag.reports.text import LABEL_MORE
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.sources.queries import load_queries
from ragdiag.stats.paired import Difference, Paired

TIDEWATER = Path(__file__).parents[1] / "fixtures" / "tidewater"
CORPUS, LABELLED = TIDEWATER / "corpus", TIDEWATER / "queries.jsonl"
ONE, OTHER = "sentence(size=80) | bm25", "sentence(size=80) | bm25(b=0.2)"
FAST = ("--retriever", "bm25", "--no-cache")


# What is estimated


def population(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """By question, how far two contexts differ, and the difference in what they serve: more often one where they differ more."""
    rng = np.random.default_rng(seed)
    apart = np.where(rng.random(n) < 0.3, rng.random(n), 0.0)
    gains = rng.random(n) < 0.1 + 0.7 * apart
    loses = rng.random(n) < 0.25
    return apart, np.where(apart > 0, gains.astype(float) - loses, 0.0)


def estimated(differences: np.ndarray, share: float) -> Difference:
    found = Paired(np.arange(len(differences)), 0).difference((differences < 0) * 1.0, (differences > 0) * 1.0)
    assert found is not None
    return found.scaled(share)


def test_a_random_draw_is_right_on_average_and_its_intervals_hold() -> None:
    """Over 1,000 draws; whoever labels first where contexts differ most finds more than twice the difference that there is."""
    apart, differences = population(4000, 1)
    truth, differing = differences.mean(), np.flatnonzero(apart)
    share, n = len(differing) / len(apart), 60
    found = []
    for seed in range(1000):
        first = sorted(differing.tolist(), key=lambda i: place_in_draw(seed, f"q{i}"))[:n]
        found.append(estimated(differences[first], share))
    means = np.array([each.mean for each in found])
    assert abs(means.mean() - truth) < 3 * means.std() / np.sqrt(len(means))
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.92 <= covered <= 0.98
    assert truth > 0.03
    most = np.argsort(-apart, kind="stable")[:n]
    assert estimated(differences[most], share).mean > 2 * truth, "why it is not done so"


def test_what_it_saves() -> None:
    """The interval is as wide as that of 1/share as many labels drawn from all questions, or narrower."""
    apart, differences = population(40_000, 2)
    share = np.count_nonzero(apart) / len(apart)
    drawn = estimated(differences[apart > 0][:300], share)
    ordinary = estimated(differences[: round(300 / share)], 1.0)
    assert drawn.error < 1.05 * ordinary.error


def test_scaling_leaves_the_test_as_it_is() -> None:
    found = estimated(np.array([1.0] * 9 + [-1.0] * 3 + [0.0] * 20), 0.25)
    plain = estimated(np.array([1.0] * 9 + [-1.0] * 3 + [0.0] * 20), 1.0)
    assert (found.p, found.n, found.better, found.worse) == (plain.p, plain.n, plain.better, plain.worse)
    assert found.mean == pytest.approx(6 / 32 / 4)
    assert (found.low, found.high) == pytest.approx((plain.low / 4, plain.high / 4))
    assert found.more_needed(1) == plain.more_needed(1)


# Which questions differ


@pytest.mark.parametrize(
    "second", ["sentence(size=80) | bm25(b=0.2)", "sentence(size=80) | bm25(k1=3)", "sentence(size=80) | lsa"]
)
def test_contexts_that_hold_the_same_serve_the_same(second: str) -> None:
    """Held against the labels of all queries, which the draw does not see."""
    corpus, queries = load_corpus(CORPUS), load_queries(LABELLED)
    base = Options(cache=None, budget=300)
    two = tuple(options_of(base, name) for name in (ONE, second))
    found = searched((two[0], two[1]), corpus, queries, no_progress)
    measured = [compare(CORPUS, LABELLED, chunkers=[o.chunker], retrievers=[o.retriever], budget=300, causes=False, cache=None)
                for o in two]  # fmt: skip
    served = [each.cells[0].served for each in measured]
    assert 0 < found.differ.sum() < len(queries)
    turned = ~np.isnan(served[0]) & (served[0] != served[1])
    assert not (turned & ~found.differ).any()
    assert turned.any()


def options_of(base: Options, name: str) -> Options:
    chunker, retriever = name.split(" | ")
    return Options(chunker=chunker, retriever=retriever, cache=base.cache, budget=base.budget)


def test_the_same_words_in_other_chunks_are_the_same_context(tmp_path: Path) -> None:
    """White space between chunks is nobody's; a longer context is another one."""
    (tmp_path / "a.md").write_text("The fox is red.\n\nThe fox is quick.\n")
    (tmp_path / "q.txt").write_text("fox")
    corpus, queries = load_corpus(tmp_path / "a.md"), load_queries(LABELLED)[:1]

    def differ(one: str, other: str, budget: int) -> bool:
        base = Options(cache=None, budget=budget)
        return bool(searched((options_of(base, one), options_of(base, other)), corpus, fox, no_progress).differ[0])

    fox = [type(queries[0])("q", "fox")]
    assert not differ("paragraph(size=6) | bm25", "sentence(size=100) | bm25", 100)
    assert differ("paragraph(size=6) | bm25", "sentence(size=100) | bm25", 6)


# A session


@pytest.fixture
def asks(tmp_path: Path) -> Path:
    """The questions of the fixture without their labels."""
    path = tmp_path / "questions.jsonl"
    lines = map(json.loads, LABELLED.read_text(encoding="utf-8").splitlines())
    path.write_text("".join(json.dumps({"_id": line["_id"], "text": line["text"]}) + "\n" for line in lines))
    return path


def between(*values: object) -> list[str]:
    return [part for value in values for part in ("--between", str(value))]


def run(*command: object) -> Result:
    return CliRunner().invoke(main, [*map(str, command), "--no-cache"])


def compared(queries: Path, *more: object, other: str = "bm25(b=0.2)") -> Result:
    cells = "--chunker", "sentence(size=80)", "--retriever", "bm25", "--retriever", other, "--no-causes"
    return run("compare", CORPUS, queries, *cells, *more)


def label(asks: Path, out: Path, *more: str, stdin: str = "q\n") -> Result:
    return CliRunner().invoke(main, ["label", str(CORPUS), str(asks), "--out", str(out), *FAST, *more], input=stdin)


def opened(asks: Path, out: Path, *names: str) -> Drawing:
    return open_drawing(CORPUS, asks, names or (ONE, OTHER), out, ["bm25"], None)[0]


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def truth() -> dict[str, list[list[Span]]]:
    """The evidence of each query of the fixture; [] for one that no document answers."""
    corpus, queries = load_corpus(CORPUS), load_queries(LABELLED)
    rows = locate(queries, corpus).evidence
    groups: dict[str, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for q, g, d, a, b, copy in zip(rows.query, rows.group, rows.document, rows.start, rows.end, rows.copy, strict=True):
        if not copy:
            groups[queries[int(q)].id][int(g)].append(Span(int(d), int(a), int(b)))
    return {query.id: list(groups[query.id].values()) for query in queries}


def decide(session: Drawing, known: dict[str, list[list[Span]]], most: int = 1000) -> None:
    for _ in range(most):
        if session.current is None:
            return
        groups = known[session.task.query.id]
        if groups:
            session.label(groups)
        else:
            session._warned = True
            session.unanswerable()


def contrast(out: Path, **options: Any) -> Contrast:
    found = compare(
        CORPUS, out, chunkers=["sentence(size=80)"], retrievers=["bm25", "bm25(b=0.2)"], cache=None, causes=False, **options
    )
    return found.contrasts[0]


def test_all_that_were_drawn_tell_what_all_labels_tell(asks: Path, tmp_path: Path) -> None:
    """Labels of the questions that differ alone, beside a comparison on labels of every question: the same difference."""
    session, out = opened(asks, tmp_path / "out.jsonl"), tmp_path / "out.jsonl"
    draw = session.sample.draw
    assert 0 < draw.differ < draw.of == 60
    assert [task.query.id for task in session.tasks] == sorted(
        (t.query.id for t in session.tasks), key=lambda i: place_in_draw(0, i)
    )
    decide(session, truth())
    drawn, whole = contrast(out), contrast(LABELLED, budget=draw.budget)
    assert whole.difference != 0
    assert drawn.difference == pytest.approx(whole.difference * whole.n / draw.of)
    assert (drawn.recovered, drawn.broken) == (whole.recovered, whole.broken)
    assert (drawn.share, whole.share, drawn.n) == (draw.differ / draw.of, 1.0, draw.differ)
    assert drawn.high - drawn.low < 1.1 * (whole.high - whole.low), "as sure with fewer labels"


def test_what_the_labels_and_the_screens_say(asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    shown = label(asks, out, *between(ONE, OTHER), stdin="1:1\n1:1\nq\n")
    assert shown.exit_code == 0, shown.output
    assert f"{ONE} and {OTHER}:\n" in shown.output
    first, second = records(out)
    drawn = first["metadata"]["drawn"]
    asked = f"{drawn['differ']} of 60 questions get different contexts from the two; the others cannot tell them apart\n"
    assert asked in shown.output
    assert shown.output.index(asked) < shown.output.index("query 1 of")
    assert drawn["between"] == [ONE, OTHER]
    assert (drawn["of"], drawn["seed"], second["metadata"]["drawn"]) == (60, 0, drawn)
    command = f"ragdiag compare {CORPUS} {out} --chunker 'sentence(size=80)' --retriever bm25 --retriever 'bm25(b=0.2)'"
    assert f"next: {command}" in shown.output
    said = " ".join(compared(out).output.split())
    assert f"up to {drawn['budget']} tokens, as when the queries were drawn" in said
    assert f"the difference of these two is that of all 60, the one seen here times {drawn['differ']}/60" in said
    other = compared(out, "-k", 3)
    assert "every figure is of such questions alone" in " ".join(other.output.split()), (
        "contexts of another size may differ elsewhere"
    )
    audited = CliRunner().invoke(main, ["audit", str(CORPUS), str(out), *FAST])
    assert "2 of 2 queries were drawn among questions on which two configurations differ" in " ".join(audited.output.split())


def test_the_same_draw_goes_on_where_it_stopped(asks: Path, tmp_path: Path) -> None:
    known = truth()
    at_once, begun = tmp_path / "once.jsonl", tmp_path / "begun.jsonl"
    decide(opened(asks, at_once), known, 8)
    decide(opened(asks, begun), known, 3)
    session = opened(asks, begun)
    skipped = session.task.query.id
    session.skip()
    decide(session, known, 4)
    assert session.sample.draw == opened(asks, at_once).sample.draw
    again = opened(asks, begun)
    assert again.task.query.id == skipped, "what was skipped is part of the sample"
    decide(again, known, 1)
    assert sorted(at_once.read_text().splitlines()) == sorted(begun.read_text().splitlines())


def test_questions_with_labels_are_no_part_of_the_draw(asks: Path, tmp_path: Path) -> None:
    lines = LABELLED.read_text(encoding="utf-8").splitlines()
    asks.write_text("\n".join(lines[:10] + asks.read_text().splitlines()[10:]) + "\n")
    session, notes = open_drawing(CORPUS, asks, (ONE, OTHER), tmp_path / "out.jsonl", ["bm25"], None)
    assert session.sample.draw.of == 50
    assert "10 queries labelled already: not among the questions drawn from" in notes
    assert not (tmp_path / "out.jsonl").exists()
    asks.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match="are labelled already"):
        opened(asks, tmp_path / "out.jsonl")


def test_among_other_labels_they_are_left_out(asks: Path, tmp_path: Path) -> None:
    out, mixed, ordinary = tmp_path / "out.jsonl", tmp_path / "mixed.jsonl", tmp_path / "ordinary.jsonl"
    decide(opened(asks, out), truth(), 10)
    drawn = {record["_id"] for record in records(out)}
    rest = [line for line in LABELLED.read_text(encoding="utf-8").splitlines() if json.loads(line)["_id"] not in drawn]
    ordinary.write_text("\n".join(rest) + "\n")
    mixed.write_text(ordinary.read_text() + out.read_text())
    assert contrast(mixed, budget=300) == contrast(ordinary, budget=300)
    found = compare(CORPUS, mixed, retrievers=["bm25"], budget=300, cache=None, causes=False)
    assert any(note.startswith("10 queries left out: drawn where two configurations differ") for note in found.notes)


# What is given


def test_the_reports_of_a_comparison_and_a_search_name_the_two(asks: Path, tmp_path: Path) -> None:
    report = tmp_path / "compared.json"
    done = compared(LABELLED, "--json", report, other="bm25(stem=english)")
    assert done.exit_code == 0, done.output
    content = json.loads(report.read_text())
    (pair,) = content["contrasts"]
    assert content["best"] != content["baseline"] and pair["needed"]
    assert LABEL_MORE in " ".join(done.output.split())
    session = opened(asks, tmp_path / "a.jsonl", str(report))
    draw = session.sample.draw
    assert draw.between == (content["baseline"], content["best"])
    assert draw.budget == content["pipeline"]["budget"]
    needed = pair["n"] + pair["needed"]
    assert f"where {needed:,} drawn from all questions would" in opening(session)
    assert f"about {round(needed * draw.share):,} labelled here would tell" in opening(session)
    (tmp_path / "space.toml").write_text('chunker = ["sentence(size=80)"]\nretriever = ["bm25"]\nstep = ["", "expand"]')
    given = "--retriever", "bm25", "--chunker", "sentence(size=40)", "--space", tmp_path / "space.toml", "--no-causes"
    found = run("tune", CORPUS, LABELLED, *given, "--json", tmp_path / "t.json")
    assert found.exit_code == 0, found.output
    tuned = json.loads((tmp_path / "t.json").read_text())
    tuned["decision"]["chosen"] = tuned["configs"][-1]["name"]  # whatever it chose
    (tmp_path / "t.json").write_text(json.dumps(tuned))
    draw = opened(asks, tmp_path / "b.jsonl", str(tmp_path / "t.json")).sample.draw
    assert draw.between == (tuned["configs"][0]["name"], tuned["configs"][-1]["name"])
    assert draw.budget == tuned["tokens"]


FIRST, SECOND = ({"name": name, "chunker": "sentence", "context": "", "retriever": "bm25"} for name in "ab")
REPORT: dict[str, Any] = {
    "seed": 0,
    "tokens": 300,
    "decision": {"chosen": "b", "difference": None, "needed": None},
    "configs": [FIRST, SECOND],
}


def test_contexts_of_k_chunks_stay_so(asks: Path, tmp_path: Path) -> None:
    report = {"seed": 3, "baseline": "a", "best": "b", "pipeline": {"k": 3, "budget": None}}
    configs = [FIRST, SECOND | {"retriever": "bm25(b=0.2)"}]
    (tmp_path / "report.json").write_text(json.dumps({**report, "configs": configs}))
    out = tmp_path / "out.jsonl"
    session = opened(asks, out, str(tmp_path / "report.json"))
    draw = session.sample.draw
    assert (draw.k, draw.budget, draw.seed) == (3, 0, 3)
    decide(session, truth())
    found = compare(CORPUS, out, retrievers=["bm25", "bm25(b=0.2)"], cache=None, causes=False)
    assert found.contrasts[0].share == draw.share
    assert any("every context has 3 chunks, as when the queries were drawn" in note for note in found.notes)


@pytest.mark.parametrize(
    ("report", "says"),
    [
        ("no JSON", "JSON"),
        ({"queries": []}, "not the JSON report of a search"),
        ({**REPORT, "configs": []}, "has no configurations"),
        ({**REPORT, "decision": {"chosen": "c"}}, "no configuration 'c'"),
        ({**REPORT, "decision": {"chosen": "a"}}, "chooses its baseline"),
        ({**REPORT, "tokens": "many"}, "'tokens' must be int"),
        (REPORT, "names one configuration twice"),
        ({**REPORT, "configs": [FIRST, SECOND | {"chunker": "chunks mine.jsonl"}]}, "chunks of your own"),
        ({**REPORT, "configs": [FIRST, SECOND | {"retriever": "bm52"}]}, "bm52"),
    ],
)  # fmt: skip
def test_reports_that_do_not_fit(report: object, says: str, asks: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(report if isinstance(report, str) else json.dumps(report))
    with pytest.raises(RagdiagError, match=says) as error:
        opened(asks, tmp_path / "out.jsonl", str(path))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((ONE, ONE), "names one configuration twice"),
        ((ONE, "sentence(size=80)|bm25()"), "names one configuration twice"),
        ((ONE,), "is one configuration"),
        ((ONE, OTHER, ONE), "given 3 times"),
        ((ONE, "bm25"), "is no configuration"),
        ((ONE, "sentence | | bm25"), "is no configuration"),
        ((ONE, "sentense | bm25"), "sentense"),
        (("nothing.json",), "nothing.json"),
    ],
)
def test_names_that_do_not_fit(names: tuple[str, ...], says: str, asks: Path, tmp_path: Path) -> None:
    failed = label(asks, tmp_path / "out.jsonl", *between(*names))
    assert failed.exit_code == 2
    assert says in " ".join(failed.output.split())


def test_usage(asks: Path, tmp_path: Path) -> None:
    for more, says in ((("--drafts",), "leave out --drafts"), (("--review", str(asks)), "--review")):
        failed = label(asks, tmp_path / "out.jsonl", *between(ONE, OTHER), *more)
        assert failed.exit_code == 2 and says in failed.output
    failed = label(asks, asks, *between(ONE, OTHER))
    assert failed.exit_code == 2 and "would overwrite an input" in failed.output


def test_where_nothing_differs_nothing_is_asked(asks: Path, tmp_path: Path) -> None:
    names = "sentence(size=80) | bm25(k1=1.5)", "sentence(size=80) | bm25(k1=1.5000001)"
    failed = label(asks, tmp_path / "out.jsonl", *between(*names))
    assert failed.exit_code == 2
    assert "hand over the same context for all of 60 questions: no label can tell them apart" in " ".join(failed.output.split())


def test_a_file_with_other_labels_is_refused(asks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text(LABELLED.read_text(encoding="utf-8").splitlines()[0] + "\n")
    with pytest.raises(InputError, match=r"out\.jsonl:1: query 'tw-01' was not drawn; name another file with --out"):
        opened(asks, out)
    out.unlink()
    decide(opened(asks, out), truth(), 1)
    with pytest.raises(InputError, match="was drawn otherwise, from"):
        opened(asks, out, ONE, "sentence(size=80) | bm25(b=0.5)")


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"of": 1}, "not between what"), ({"between": ["one"]}, "not between what"), ({"seed": "x"}, "'seed' must be int")],
)
def test_a_record_that_cannot_be_one_is_named_with_its_line(
    changed: dict[str, object], says: str, asks: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    decide(opened(asks, out), truth(), 3)
    lines = records(out)
    lines[1]["metadata"]["drawn"] |= changed
    out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match=says) as error:
        compare(CORPUS, out, retrievers=["bm25"], cache=None, causes=False)
    assert "out.jsonl:2" in str(error.value)
