"""Results with equal scores: measures as means over all their orders, names that decide nothing, ties at the cut of a context."""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.comparing.comparison import compare
from ragdiag.core.errors import UsageError
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Chunking, Corpus, Document, Label, Query, Run
from ragdiag.pipeline import audit
from ragdiag.scoring.cuts import undecided
from ragdiag.scoring.measures import RANKED, Judged, Measure, ranked
from ragdiag.scoring.scoring import Scorer
from ragdiag.scoring.ties import at_cut, tied
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.sources.evidence import locate

NAMES = ["RR", "AP", "nDCG", *(f"{name}@{k}" for name in ("P", "R", "nDCG", "Success", "RR", "AP") for k in (1, 2, 3, 5, 9))]
MEASURES = [Measure.parse(name) for name in NAMES]


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def every_order(scores: Sequence[float]) -> Iterator[tuple[int, ...]]:
    """Every order of the places of a ranking in which the scores fall."""
    blocks = [list(places) for _, places in itertools.groupby(range(len(scores)), key=scores.__getitem__)]
    for orders in itertools.product(*(itertools.permutations(block) for block in blocks)):
        yield tuple(itertools.chain(*orders))


# By hand.


def expected(name: str, depth: int, grades: list[float], scores: list[float]) -> float:
    judged = Judged(np.array([grades]), np.array([sorted(grades, reverse=True)]), ties=tied(np.array([scores])))
    return float(ranked(Measure(name, depth), judged, ints(depth))[0])


@pytest.mark.parametrize(
    ("name", "depth", "value"),
    [
        ("P", 1, 1 / 3),
        ("P", 2, 1 / 3),
        ("P", 3, 1 / 3),
        ("R", 2, 2 / 3),
        ("Success", 1, 1 / 3),
        ("Success", 2, 2 / 3),
        ("Success", 3, 1),
        ("RR", 9, (1 + 1 / 2 + 1 / 3) / 3),
        ("RR", 2, (1 + 1 / 2) / 3),
        ("AP", 9, (1 + 1 / 2 + 1 / 3) / 3),
        ("nDCG", 9, (1 + 1 / math.log2(3) + 1 / 2) / 3),
    ],
)
def test_one_relevant_result_of_three_that_tie(name: str, depth: int, value: float) -> None:
    for grades in ([1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]):
        assert expected(name, depth, [*grades, 0], [7, 7, 7, 2]) == pytest.approx(value, abs=1e-12)


def test_two_relevant_results_of_three_that_tie_below_another() -> None:
    grades, scores = [0, 1.0, 0, 1.0], [9.0, 7, 7, 7]
    assert expected("RR", 9, grades, scores) == pytest.approx((2 * (1 / 2) + 1 * (1 / 3)) / 3)
    assert expected("Success", 2, grades, scores) == pytest.approx(2 / 3)
    orders = [(1 / 2 + 2 / 3) / 2, (1 / 2 + 2 / 4) / 2, (1 / 3 + 2 / 4) / 2]  # relevant at 2 and 3, 2 and 4, 3 and 4
    assert expected("AP", 9, grades, scores) == pytest.approx(sum(orders) / 3)


# Against every order.


@st.composite
def judgements(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    n = draw(st.integers(1, 7))
    scores = sorted(draw(st.lists(st.sampled_from([3.0, 2.0, 1.0]), min_size=n, max_size=n)), reverse=True)
    return draw(st.lists(st.sampled_from([0, 0, 0.5, 1.0, 2.0]), min_size=n, max_size=n)), scores


@settings(deadline=None, max_examples=60)
@given(judgements(), st.sampled_from(RANKED), st.integers(0, 8))
def test_a_rank_measure_is_its_mean_over_all_orders(drawn: tuple[list[float], list[float]], name: str, depth: int) -> None:
    grades, scores = drawn
    orders = np.array([[grades[i] for i in order] for order in every_order(scores)])
    ideal = np.array([sorted(grades, reverse=True)])
    values = ranked(Measure(name, depth), Judged(orders, np.repeat(ideal, len(orders), axis=0)), np.full(len(orders), depth))
    assert expected(name, depth, grades, scores) == pytest.approx(values.mean(), abs=1e-12)


RETRIEVERS = ("bm25(variant=plus)", "bm25(variant=l)")

TEXT = "abcdefghij"


def spans(rng: np.random.Generator, queries: int) -> list[Query]:
    """Queries with one to three groups of one or two alternatives each, one to three characters of `TEXT` long."""
    made = []
    for q in range(queries):
        labels = []
        for g in range(int(rng.integers(1, 4))):
            for start in rng.choice(8, int(rng.integers(1, 3)), replace=False).tolist():
                labels.append(Label("d", start=start, end=start + int(rng.integers(1, 3)), group=str(g)))
        made.append(Query(f"q{q}", "?", evidence=tuple(labels)))
    return made


@pytest.mark.parametrize("complete", [True, False], ids=["all chunks", "a bare run"])
@pytest.mark.parametrize("seed", range(12))
def test_chunks_that_tie_are_scored_as_the_mean_over_all_orders(seed: int, complete: bool) -> None:
    rng = np.random.default_rng(seed)
    corpus = Corpus((Document("d", TEXT),))
    chunking = Chunking(ints(*[0] * 7), ints(0, 1, 3, 4, 6, 7, 8), ints(2, 4, 5, 7, 8, 10, 10), complete=complete)
    queries = spans(rng, 4)
    scorer = Scorer(corpus, locate(queries, corpus, "ignore"), chunking)
    chunks = np.stack([rng.permutation(7) for _ in queries])
    chunks[:, 6] = -1
    scores = np.where(chunks >= 0, -np.sort(rng.integers(0, 3, chunks.shape), axis=1), -np.inf)
    values = scorer.measure(Run(chunks, scores), MEASURES)
    for q in range(len(queries)):
        rows = np.array([chunks[q][list(order)] for order in every_order(scores[q].tolist())])
        of_orders = []
        for row in rows:
            other = chunks.copy()
            other[q] = row
            of_orders.append([v[q] for v in scorer.measure(Run(other, scores), MEASURES, "id").values()])
        assert [v[q] for v in values.values()] == pytest.approx(np.mean(of_orders, axis=0).tolist(), abs=1e-12, nan_ok=True)


# Names decide nothing.


@st.composite
def small_indexes(draw: st.DrawFn) -> tuple[list[str], list[int], list[str]]:
    """Texts of few words, so that many score the same; their order under other names; queries."""
    words = st.lists(st.sampled_from(["pay", "leave", "is", "day"]), min_size=1, max_size=4).map(" ".join)
    texts = draw(st.lists(words, min_size=2, max_size=12))
    return texts, draw(st.permutations(range(len(texts)))), draw(st.lists(words, min_size=1, max_size=4))


def by_names(texts: Sequence[str], order: Sequence[int], queries: Sequence[str], ties: Any, whole: bool) -> list[np.ndarray]:
    """Rank measures of an index of `texts` that are named so as to stand in this order; the first is what each query asks for."""
    corpus = Corpus(tuple(Document(f"n{place:02d}", texts[i]) for place, i in enumerate(order)))
    target = f"n{list(order).index(0):02d}"
    asked = [
        Query(f"q{i}", text, relevant=((target, 1),))
        if whole
        else Query(f"q{i}", text, evidence=(Label(target, start=0, end=len(texts[0])),))
        for i, text in enumerate(queries)
    ]
    n = len(texts)
    chunking = Chunking(np.arange(n), np.zeros(n, dtype=np.int64), corpus.lengths)
    index = Bm25(variant="plus").index([d.text for d in corpus.documents], None, no_progress)
    run = Run(*index.search(queries, n))
    return list(Scorer(corpus, locate(asked, corpus), chunking).measure(run, MEASURES, ties).values())


@settings(deadline=None, max_examples=60)
@given(small_indexes(), st.booleans())
def test_other_names_of_documents_change_no_rank_measure(drawn: tuple[list[str], list[int], list[str]], whole: bool) -> None:
    texts, order, queries = drawn
    before, after = (by_names(texts, o, queries, "expected", whole) for o in (range(len(texts)), order))
    for name, a, b in zip(NAMES, before, after, strict=True):
        assert a.tolist() == pytest.approx(b.tolist(), abs=1e-9, nan_ok=True), name


def test_by_id_names_decide() -> None:
    texts, queries = ["pay day one", "pay day two", "leave"], ["pay day"]
    first, last = (by_names(texts, o, queries, "id", True)[NAMES.index("RR")] for o in ([0, 1, 2], [1, 0, 2]))
    assert (first.tolist(), last.tolist()) == ([1.0], [0.5])
    mean = by_names(texts, [0, 1, 2], queries, "expected", True)[NAMES.index("RR")]
    assert mean.tolist() == [0.75]


# Recorded runs.


def files(folder: Path, run: str, name: str = "run.txt") -> dict[str, Any]:
    """Five documents, the label of one query, and a run."""
    folder.mkdir(exist_ok=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": d, "text": f"text of {d}"}) + "\n" for d in "abcde"))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "?"}) + "\n")
    (folder / "qrels.txt").write_text("q 0 b 2\nq 0 d 1\nq 0 e 0\n")
    (folder / name).write_text(run)
    return {
        "corpus": folder / "corpus.jsonl",
        "queries": folder / "queries.jsonl",
        "qrels": folder / "qrels.txt",
        "run": folder / name,
        "cache": None,
        "measures": tuple(NAMES),
    }


def trec(order: str, scores: Sequence[float]) -> str:
    return "".join(f"q Q0 {d} {n} {s} tag\n" for n, (d, s) in enumerate(zip(order, scores, strict=True), 1))


@pytest.mark.parametrize("order", ["abcde", "edcba", "cadbe", "bdace"])
def test_by_id_a_trec_run_with_ties_is_scored_as_trec_eval_does(tmp_path: Path, order: str) -> None:
    scores = [5.0, 5.0, 5.0, 2.0, 2.0]
    values = audit(**files(tmp_path, trec(order, scores)), ties="id").queries[0].measures
    qrels, run = {"q": {"b": 2, "d": 1, "e": 0}}, {"q": dict(zip(order, scores, strict=True))}
    for m in ir_measures.iter_calc([ir_measures.parse_measure(n) for n in ("RR", "AP", "nDCG", "P@1", "P@3", "R@2")], qrels, run):
        assert values[str(m.measure)] == pytest.approx(m.value, abs=1e-9), m.measure
    field = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank", "map", "P.1,3"}).evaluate(run)["q"]
    assert [values[n] for n in ("RR", "AP", "P@1", "P@3")] == pytest.approx(
        [field[n] for n in ("recip_rank", "map", "P_1", "P_3")], abs=1e-9
    )


def test_a_trec_run_with_ties_is_scored_in_expectation_as_the_field_does_on_average(tmp_path: Path) -> None:
    scores = [5.0, 5.0, 5.0, 2.0, 2.0]
    values = audit(**files(tmp_path, trec("cadbe", scores))).queries[0].measures
    qrels, totals = {"q": {"b": 2, "d": 1, "e": 0}}, dict.fromkeys(NAMES, 0.0)
    orders = list(every_order(scores))
    for order in orders:
        run = {"q": {"cadbe"[i]: float(-place) for place, i in enumerate(order)}}
        for m in ir_measures.iter_calc(map(ir_measures.parse_measure, NAMES), qrels, run):
            totals[str(m.measure)] += m.value / len(orders)
    assert {n: values[n] for n in NAMES} == pytest.approx(totals, abs=1e-9)


@pytest.mark.parametrize("form", ["trec", "jsonl"])
def test_ranks_without_telling_scores_are_an_order(tmp_path: Path, form: str) -> None:
    if form == "trec":
        given = files(tmp_path, trec("acbde", [1.0] * 5))
    else:
        results = [{"doc_id": d, "rank": n, "score": s} for n, (d, s) in enumerate(zip("acbde", [3, 3, 3, 3, 1], strict=True), 1)]
        given = files(tmp_path, json.dumps({"query_id": "q", "retrieved": results}) + "\n", "run.jsonl")
    report = audit(**given)
    assert report.queries[0].measures["RR"] == pytest.approx(1 / 3)
    assert not [note for note in audit(**given, k=3).notes if "tie" in note]


def test_an_application_s_own_list_is_an_order(tmp_path: Path) -> None:
    given = files(tmp_path, "")
    del given["run"], given["measures"]
    report = audit(**given, search=lambda query, k: [({"doc_id": d}, 0.5) for d in "acbde"], k=5, measures=("RR",))
    assert report.queries[0].measures["RR"] == pytest.approx(1 / 3)


# Ties at the cut of a context.


def cut(evidence: Sequence[tuple[int, int]], scores: Sequence[float], k: int, budget: int = 0) -> tuple[list[int], list[int]]:
    """Of one query whose evidence is in each of several places: see `undecided`. Chunks are the ten characters, one by one."""
    corpus = Corpus((Document("d", " ".join(TEXT)),))
    labels = tuple(Label("d", start=2 * a, end=2 * b - 1) for a, b in evidence)
    chunking = Chunking(np.zeros(10, dtype=np.int64), np.arange(0, 20, 2), np.arange(1, 21, 2))
    scorer = Scorer(corpus, locate([Query("q", "?", evidence=labels)], corpus, "ignore"), chunking)
    run = Run(np.arange(len(scores))[None, :], np.array([scores], dtype=np.float64))
    both = undecided(scorer, run, scorer.lengths(run, k, budget), k, budget, 0)
    return both[0].tolist(), both[1].tolist()


def test_a_tie_at_the_cut_is_told_and_whether_it_matters() -> None:
    assert cut([(0, 1)], [3, 2, 1], 1) == ([], [])
    assert cut([(0, 1)], [3, 3, 1], 1) == ([0], [0])  # served, and would not be the other way round
    assert cut([(1, 2)], [3, 3, 1], 1) == ([0], [0])  # not served, and would be
    assert cut([(0, 1)], [3, 2, 2], 2) == ([0], [])  # the evidence stands above the tie
    assert cut([(5, 6)], [3, 2, 2], 2) == ([0], [])  # or is nowhere
    assert cut([(0, 1)], [3, 3, 1], 2) == ([], [])  # the tie ends with the context
    assert cut([(0, 1)], [3, 3, 3], 3) == ([], [])  # nothing is left out


def test_two_groups_in_one_tie() -> None:
    assert cut([(0, 1), (1, 2)], [3, 3, 3, 3], 2) == ([0], [0])
    assert cut([(2, 3), (3, 4)], [3, 3, 3, 3], 2) == ([0], [0])
    assert cut([(2, 3), (3, 4)], [3, 3, 3, 3], 1) == ([0], [])  # no order of them serves it


def test_a_tie_at_the_cut_of_a_token_budget() -> None:
    assert cut([(0, 1)], [3, 3, 1], 5, budget=1) == ([0], [0])
    assert cut([(0, 1)], [3, 3, 1], 5, budget=2) == ([], [])


def test_what_is_listed_or_padded_has_no_tie() -> None:
    scores = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -np.inf], [-np.inf, -np.inf]])
    run = Run(np.array([[0, 1], [0, 1], [0, -1], [-1, -1]]), scores, listed=(1,))
    assert at_cut(run, ints(1, 1, 1, 0)).tolist() == [True, False, False, False]


def test_equal_versions_of_a_document_are_noted(tmp_path: Path) -> None:
    for name in ("pay-2023.md", "pay-2024.md"):
        (tmp_path / name).write_text("Pay is on the last day of each month.")
    (tmp_path / "leave.md").write_text("Leave must be asked for two weeks ahead.")
    (tmp_path / "q.jsonl").write_text(
        json.dumps({"_id": "q", "text": "what day is pay", "evidence": [{"doc_id": "pay-2024.md", "start": 0, "end": 36}]})
    )
    given = {"retriever": "bm25(variant=plus)", "k": 1, "copies": "ignore", "cache": None, "corpus": tmp_path / "*.md"}
    report = audit(queries=tmp_path / "q.jsonl", **given)
    assert (report.measures["RR"].mean, report.measures["Sufficient@1"].mean) == (0.75, 0.0)
    (note,) = [note for note in report.notes if "tie" in note]
    assert note.startswith("1 query with a tie at the cut") and "for 1 of them another order changes" in note
    assert audit(queries=tmp_path / "q.jsonl", ties="id", **given).measures["RR"].mean == 0.5
    assert "|ties:expected|" in report.signature


def test_no_other_way_with_ties() -> None:
    with pytest.raises(UsageError, match="ties must be expected or id, not 'random'"):
        Options(ties="random")  # type: ignore[arg-type]


def test_a_comparison_scores_ties_as_it_is_told_from_one_cache(tmp_path: Path) -> None:
    texts = {"a": "pay day one", "b": "pay day two", "c": "leave"}
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps({"_id": d, "text": t}) + "\n" for d, t in texts.items()))
    label = {"doc_id": "b", "text": "pay day two"}
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "pay day", "evidence": [label]}))
    means = {}
    for ties in ("id", "expected"):
        found = compare(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", retrievers=RETRIEVERS,
                        measures=("RR",), ties=ties, k=1, swap="none", cache=tmp_path / "cache")  # fmt: skip
        means[ties] = [float(cell.values["RR"][0]) for cell in found.cells]
    assert means == {"id": [0.5, 0.5], "expected": [0.75, 0.75]}


def test_what_only_ids_left_out_has_no_proved_cause(tmp_path: Path) -> None:
    """Twelve texts that differ in a code: dropping any of the first five brings the ninth in, and proves nothing."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for n in range(1, 13):
        text = f"The annual report of branch {n:02} says the fee is due in spring and staff get leave code Q{n:02} today."
        (corpus / f"d{n:02}.md").write_text(text, encoding="utf-8")
    evidence = [{"doc_id": "d09.md", "text": "leave code Q09"}]
    (tmp_path / "q.jsonl").write_text(json.dumps({"_id": "q", "text": "annual report fee due in spring", "evidence": evidence}))
    report = audit(corpus, tmp_path / "q.jsonl", retriever="bm25(variant=plus)", k=5, cache=None)
    (result,) = report.queries
    assert result.causes == ("ranking",)
    assert result.residual == {"ranking"}
    assert {f.cause for f in result.findings if f.after.sufficient and not f.residual} == {"pollution"}
    assert [f.detail.get("tied") for f in result.findings if f.cause == "pollution"] == [True]
