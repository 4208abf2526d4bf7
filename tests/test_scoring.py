"""Runs scored against labels: agreement with ir_measures and pytrec_eval, and with slow oracles made of sets of characters."""

import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.core.proofs import Edit
from ragdiag.core.records import Chunking, Corpus, Document, Label, Query, Run, Span
from ragdiag.pipeline import audit
from ragdiag.scoring.covering import Coverage
from ragdiag.scoring.measures import SPAN, Measure
from ragdiag.scoring.packing import Packing
from ragdiag.scoring.scoring import Scorer
from ragdiag.sources.evidence import locate
from ragdiag.text.tokens import count_tokens

Place = tuple[int, int, int]  # document, start, end


def measure(text: str) -> Measure:
    return Measure.parse(text)


def chunking(places: Sequence[Place], complete: bool = True) -> Chunking:
    document, start, end = np.array(sorted(places), dtype=np.int64).reshape(-1, 3).T
    return Chunking(document, start, end, complete=complete)


def run_of(rankings: Sequence[Sequence[int]], depth: int = 0) -> Run:
    chunks = np.full((len(rankings), depth or max(map(len, rankings), default=0) or 1), -1, dtype=np.int64)
    for q, ranking in enumerate(rankings):
        chunks[q, : len(ranking)] = ranking
    return Run(chunks, np.where(chunks >= 0, -np.arange(chunks.shape[1], dtype=np.float64), -np.inf))


def whole(corpus: Corpus) -> list[Place]:
    return [(d, 0, len(document.text)) for d, document in enumerate(corpus.documents)]


# Agreement with ir_measures and pytrec_eval.

CUTOFFS = (1, 3, 5, 10, 30)
NAMES = ["RR", "AP", "nDCG", *(f"{name}@{k}" for name in ("P", "R", "nDCG", "Success", "RR", "AP") for k in CUTOFFS)]
TREC_EVAL = {"P": "P", "R": "recall", "nDCG": "ndcg_cut", "Success": "success", "AP": "map_cut"}
Qrels = dict[str, dict[str, int]]
Rankings = dict[str, list[str]]


def reference(qrels: Qrels, rankings: Rankings) -> Iterator[tuple[str, str, str, float]]:
    """``(tool, measure, query, value)``; a query that the run does not have scores 0."""
    run = {q: {d: float(1000 - i) for i, d in enumerate(ranked)} for q, ranked in rankings.items()}
    values = {
        (str(m.measure), m.query_id): m.value for m in ir_measures.iter_calc(map(ir_measures.parse_measure, NAMES), qrels, run)
    }
    for name, q in itertools.product(NAMES, qrels):
        yield "ir_measures", name, q, values.get((name, q), 0.0)
    wanted = {f"{trec}.{','.join(map(str, CUTOFFS))}" for trec in TREC_EVAL.values()} | {"recip_rank", "map", "ndcg"}
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(run)
    for name, q in itertools.product(NAMES, qrels):
        stem, _, cutoff = name.partition("@")
        key = f"{TREC_EVAL.get(stem)}_{cutoff}" if cutoff else {"RR": "recip_rank", "AP": "map", "nDCG": "ndcg"}[stem]
        if stem != "RR" or not cutoff:  # trec_eval's recip_rank has no cutoff
            yield "pytrec_eval", name, q, found.get(q, {}).get(key, 0.0)


def drawn(seed: int, graded: bool, n_documents: int = 40, n_queries: int = 12) -> tuple[list[str], Qrels, Rankings]:
    """Some queries retrieve nothing, some are not in the run, some have more relevant documents than any cutoff but the last."""
    rng = np.random.default_rng(seed)
    documents = [f"d{i:02d}" for i in range(n_documents)]
    qrels, rankings = {}, {}
    for i in range(n_queries):
        n_judged = int(rng.choice([1, 2, 8, 35]))
        judged = rng.choice(documents, n_judged, replace=False).tolist()
        grades = rng.integers(-1, 4, n_judged) if graded else np.ones(n_judged, dtype=int)
        grades[0] = max(grades[0], 1)
        qrels[f"q{i}"] = dict(zip(judged, grades.tolist(), strict=True))
        if i != 1:
            depth = 0 if i == 2 else int(rng.integers(1, n_documents + 1))
            rankings[f"q{i}"] = rng.permutation(documents)[:depth].tolist()
    return documents, qrels, rankings


def agree(names: list[str], ids: list[str], values: dict[str, Any], qrels: Qrels, rankings: Rankings) -> None:
    for tool, name, q, expected in reference(qrels, rankings):
        if name in names:
            assert values[name][ids.index(q)] == pytest.approx(expected, abs=1e-9), (tool, name, q)


@pytest.mark.parametrize("graded", [False, True], ids=["binary", "graded"])
@pytest.mark.parametrize("seed", range(30))
def test_document_labels_agree_with_the_field(seed, graded):
    documents, qrels, rankings = drawn(seed, graded)
    corpus = Corpus(tuple(Document(d, f"text of {d}") for d in documents))
    queries = [Query(q, q, relevant=tuple(grades.items())) for q, grades in qrels.items()]
    labels = locate(queries, corpus)
    assert set(labels.level) == {"document"}
    scorer = Scorer(corpus, labels, chunking(whole(corpus)))
    run = run_of([[documents.index(d) for d in rankings.get(q, [])] for q in qrels])
    values = scorer.measure(run, [measure(n) for n in NAMES])
    agree(NAMES, list(qrels), {str(m): v for m, v in values.items()}, qrels, rankings)


@pytest.mark.parametrize("seed", range(30))
def test_chunk_labels_agree_with_the_field(seed):
    """Each evidence span is exactly one chunk; chunks are ten to a document."""
    names, qrels, rankings = drawn(seed, graded=False)
    texts = [f"chunk number {i}." for i in range(len(names))]
    corpus = Corpus(tuple(Document(f"d{i}", " ".join(texts[10 * i : 10 * i + 10])) for i in range(len(names) // 10)))
    places = []
    for i, text in enumerate(texts):
        start = corpus.documents[i // 10].text.index(text)
        places.append((i // 10, start, start + len(text)))
    queries = []
    for q, grades in qrels.items():
        at = [places[names.index(d)] for d in grades]
        queries.append(Query(q, q, evidence=tuple(Label(f"d{d}", start=a, end=b) for d, a, b in at)))
    scorer = Scorer(corpus, locate(queries, corpus), chunking(places))
    run = run_of([[names.index(d) for d in rankings.get(q, [])] for q in qrels])
    values = scorer.measure(run, [measure(n) for n in NAMES])
    agree(NAMES, list(qrels), {str(m): v for m, v in values.items()}, qrels, rankings)


@pytest.mark.parametrize("graded", [False, True], ids=["binary", "graded"])
def test_a_whole_audit_of_files_agrees_with_the_field(tmp_path, graded):
    documents, qrels, rankings = drawn(99, graded)
    lines = [{"_id": d, "text": f"text of {d}"} for d in documents]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps({"_id": q, "text": q}) + "\n" for q in qrels))
    judged = [f"{q} 0 {d} {grade}\n" for q, grades in qrels.items() for d, grade in grades.items()]
    (tmp_path / "qrels.txt").write_text("".join(judged))
    ranked = [f"{q} Q0 {d} {i} {1000 - i} tag\n" for q, found in rankings.items() for i, d in enumerate(found, 1)]
    (tmp_path / "run.txt").write_text("".join(ranked))
    asked = tuple(NAMES)
    report = audit(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", qrels=tmp_path / "qrels.txt",
                   run=tmp_path / "run.txt", measures=asked, cache=None)  # fmt: skip
    values = {n: [q.measures[n] for q in report.queries] for n in asked}
    agree(list(asked), [q.id for q in report.queries], values, qrels, rankings)
    for name in asked:
        assert report.measures[name].n == len(qrels)
        assert report.measures[name].mean == pytest.approx(np.mean(values[name]), abs=1e-12)


# Characters, against sets of positions.


class Case(NamedTuple):
    """A small problem; evidence is by query, then group, then alternative; rankings name places of `chunks`."""

    texts: list[str]
    evidence: list[list[list[Place]]]
    chunks: list[Place]
    rankings: list[list[int]]

    def scorer(self, complete: bool = True) -> tuple[Scorer, Run]:
        corpus = Corpus(tuple(Document(f"d{i}", text) for i, text in enumerate(self.texts)))
        queries = [
            Query(f"q{q}", f"query {q}", evidence=tuple(
                Label(f"d{d}", start=a, end=b, group=f"g{g}") for g, group in enumerate(groups) for d, a, b in group))
            for q, groups in enumerate(self.evidence)
        ]  # fmt: skip
        labels = locate(queries, corpus, "ignore")
        assert not labels.defects
        return Scorer(corpus, labels, chunking(self.chunks, complete)), run_of(self.rankings, 8)

    def positions(self, place: Place) -> set[tuple[int, int]]:
        return {(place[0], x) for x in range(place[1], place[2])}

    def visible(self, place: Place) -> set[tuple[int, int]]:
        return {(d, x) for d, x in self.positions(place) if not re.match(r"\s", self.texts[d][x])}

    def context(self, q: int, n: int) -> set[tuple[int, int]]:
        return {p for c in self.rankings[q][:n] for p in self.positions(self.chunks[c])}


def slow_scores(case: Case, q: int, n: int, tau: float) -> dict[str, float]:
    """docs/method.md, literally; of a group with alternatives CharR asks for the shortest, as the best is covered."""
    context, groups = case.context(q, n), case.evidence[q]
    covered = [max(len(case.visible(e) & context) / len(case.visible(e)) for e in group) >= tau for group in groups]
    every = {p for group in groups for e in group for p in case.positions(e)}
    alone = {p for group in groups if len(group) == 1 for p in case.positions(group[0])}
    needed, hit = float(len(alone)), float(len(alone & context))
    for group in groups:
        if len(group) > 1:
            length = min(b - a for _, a, b in group)
            needed += length
            hit += length * max(len(case.positions(e) & context) / len(case.positions(e)) for e in group)
    return {
        "Evidence": sum(covered) / len(groups),
        "Sufficient": float(all(covered)),
        "CharP": len(every & context) / len(context) if context else 0.0,
        "CharR": hit / needed,
        "IoU": len(every & context) / (len(context) + needed - hit),
    }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    texts = draw(st.lists(st.text(st.sampled_from("abé.  \n\u2003"), min_size=3, max_size=20), min_size=1, max_size=3))
    texts = [text if text.strip() else text + "x" for text in texts]
    places = [(d, a, b) for d, t in enumerate(texts) for a in range(len(t)) for b in range(a + 1, len(t) + 1)]
    real = [(d, a, b) for d, a, b in places if texts[d][a:b].strip()]
    alternatives = st.lists(st.sampled_from(real), min_size=1, max_size=3, unique=True)
    groups = st.lists(alternatives, min_size=1, max_size=3)
    chunks = sorted(draw(st.lists(st.sampled_from(places), min_size=1, max_size=8, unique=True)))
    evidence = draw(st.lists(groups, min_size=1, max_size=3))
    ranking = st.lists(st.sampled_from(range(len(chunks))), max_size=len(chunks), unique=True)
    return Case(texts, evidence, chunks, [draw(ranking) for _ in evidence])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(cases(), st.integers(0, 5), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_characters_against_sets(case, k, tau):
    scorer, run = case.scorer()
    found = scorer.spans(run, scorer.lengths(run, k, 0), tau)
    for q in range(len(case.evidence)):
        for name, expected in slow_scores(case, q, k, tau).items():
            assert found.named(name)[q] == pytest.approx(expected, abs=1e-12), name
            assert 0 <= found.named(name)[q] <= 1


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(cases())
def test_another_chunk_never_lowers_what_is_held(case):
    scorer, run = case.scorer()
    n = len(case.evidence)
    contexts = [scorer.spans(run, scorer.lengths(run, k, 0)) for k in range(9)]
    for before, after in itertools.pairwise(contexts):
        for name in ("Evidence", "Sufficient", "CharR"):
            assert (after.named(name) >= before.named(name) - 1e-12).all(), name
    for found in contexts:
        assert (found.sufficient[found.char_r == 1] == 1).all()
        assert (found.sufficient == (found.evidence == 1)).all()
        assert len(found.sufficient) == n


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(cases())
def test_measures_and_the_least_k_agree_with_a_scan(case):
    scorer, run = case.scorer()
    names = [f"{name}@{k}" for name in SPAN for k in range(1, 9)]
    values = {str(m): v for m, v in scorer.measure(run, [measure(n) for n in names]).items()}
    least = scorer.least_k(run)
    for q in range(len(case.evidence)):
        for k in range(1, 9):
            for name, expected in slow_scores(case, q, k, 1.0).items():
                assert values[f"{name}@{k}"][q] == pytest.approx(expected, abs=1e-12)
            assert scorer.sufficient(run, scorer.lengths(run, k, 0))[q] == values[f"Sufficient@{k}"][q]
            assert 0 <= values[f"Duplicate@{k}"][q] <= 1
        assert least[q] == next((k for k in range(1, 9) if values[f"Sufficient@{k}"][q]), 0)


def slow_grade(case: Case, q: int, chunk: int) -> float:
    shares = (
        len(case.visible(e) & case.positions(case.chunks[chunk])) / len(case.visible(e)) for g in case.evidence[q] for e in g
    )
    return max(shares)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(cases(), st.booleans())
def test_grades_of_chunks_and_what_is_made_of_them(case, complete):
    scorer, run = case.scorer(complete)
    n = len(case.evidence)
    grades = np.array([[slow_grade(case, q, c) for c in range(len(case.chunks))] for q in range(n)])
    assert scorer.relevant() == {(q, c) for q, c in np.argwhere(grades > 0).tolist()}
    rows = zip(scorer.grades.query, scorer.grades.chunk, scorer.grades.grade, strict=True)
    assert all(grade == pytest.approx(grades[q, c]) for q, c, grade in rows)
    values = scorer.measure(run, [measure(m) for m in ("P@3", "R@3", "RR", "Success@3", "nDCG@3", "AP")])
    for q in range(n):
        gains, ideal = [grades[q, c] for c in case.rankings[q]], sorted(grades[q], reverse=True)
        hits, n_relevant = [g > 0 for g in gains], int((grades[q] > 0).sum())
        precision = [sum(hits[: i + 1]) / (i + 1) for i, hit in enumerate(hits) if hit]
        met = [any(case.visible(e) & case.context(q, 3) for e in group) for group in case.evidence[q]]
        dcg, best = (sum(g / math.log2(i + 2) for i, g in enumerate(gs[:3])) for gs in (gains, ideal))
        expected = {
            "P@3": sum(hits[:3]) / 3,
            "R@3": (sum(hits[:3]) / n_relevant if n_relevant else 0.0) if complete else sum(met) / len(met),
            "RR": next((1 / (i + 1) for i, hit in enumerate(hits) if hit), 0.0),
            "Success@3": float(any(hits[:3])),
            "nDCG@3": (dcg / best if best else 0.0) if complete else math.nan,
            "AP": (sum(precision) / n_relevant if n_relevant else 0.0) if complete else math.nan,
        }
        for name, value in expected.items():
            assert values[measure(name)][q] == pytest.approx(value, abs=1e-12, nan_ok=True), name


# By hand.

PARIS = "Paris is big.\n\nRome is old. Rome is big."


def one(text: str, evidence: list[list[Place]], chunks: list[Place], ranking: list[int] | None = None) -> tuple[Scorer, Run]:
    return Case([text], [evidence], chunks, [list(range(len(chunks))) if ranking is None else ranking]).scorer()


def shown(scorer: Scorer, run: Run, *names: str) -> list[float]:
    return [round(float(v[0]), 4) for v in scorer.measure(run, [measure(n) for n in names]).values()]


def test_white_space_round_the_evidence_need_not_be_retrieved():
    scorer, run = one(PARIS, [[(0, 13, 28)]], [(0, 15, 27)])  # "\n\nRome is old. ", the chunk "Rome is old."
    assert shown(scorer, run, "Sufficient@1", "CharR@1", "CharP@1", "IoU@1") == [1, round(12 / 15, 4), 1, round(12 / 15, 4)]


def test_a_chunk_of_nothing_but_evidence_white_space_is_not_relevant():
    scorer, run = one(PARIS, [[(0, 5, 15)]], [(0, 13, 15), (0, 0, 13)])
    assert scorer.relevant() == {(0, 0)}  # chunks in order of position: the text first
    assert shown(scorer, run, "P@2", "RR") == [0.5, 1]


def test_touching_chunks_do_not_overlap_the_evidence():
    scorer, run = one(PARIS, [[(0, 15, 27)]], [(0, 0, 15), (0, 27, 40)])
    assert scorer.relevant() == set()
    assert shown(scorer, run, "Evidence@2", "CharP@2", "P@2", "nDCG@2", "AP", "R@2") == [0] * 6


def test_a_copy_counts_as_the_passage():
    text = "Rome is old and big indeed."
    corpus = Corpus((Document("a", f"{text} More."), Document("b", f"Again: {text}")))
    queries = [Query("q", "q", evidence=(Label("a", text),))]
    found = {}
    for copies in ("count", "ignore"):
        scorer = Scorer(corpus, locate(queries, corpus, copies), chunking([(0, 0, 27), (1, 7, 34)]))
        run = run_of([[1]])
        found[copies] = shown(scorer, run, "Sufficient@1", "CharR@1", "CharP@1", "IoU@1", "P@1", "R@1")
    assert found == {"count": [1, 1, 1, 1, 1, 0.5], "ignore": [0] * 6}


def test_pieces_of_a_split_passage():
    scorer, run = one(PARIS, [[(0, 15, 27)]], [(0, 0, 19), (0, 19, 41)])  # "Rome| is old."
    assert scorer.pieces(0) == [(0, 0.4), (1, 0.6)]
    assert shown(scorer, run, "Sufficient@1", "Evidence@1", "Sufficient@2", "nDCG@2") == [0, 0, 1, round(
        (0.4 + 0.6 / math.log2(3)) / (0.6 + 0.4 / math.log2(3)), 4)]  # fmt: skip
    assert scorer.spans(run, np.array([1]), tau=0.4).sufficient.tolist() == [1]


def test_a_repeat_in_a_run_is_not_found_twice():
    scorer, run = one(PARIS, [[(0, 0, 13)]], [(0, 0, 13), (0, 15, 27)], [0, 0])
    assert shown(scorer, run, "P@2", "R@2", "AP", "nDCG@2") == [0.5, 1, 1, 1]


# Budgets.


def test_a_budget_takes_chunks_in_rank_order_and_counts_overlaps_each_time():
    chunks = [(0, 0, 13), (0, 0, 27), (0, 15, 27), (0, 28, 41)]  # 4, 8, 4 and 4 tokens
    scorer, run = one(PARIS, [[(0, 15, 27)]], chunks, [0, 1, 2, 3])
    assert scorer.texts.tokens_of(run.chunks[:, :5]).tolist() == [[4, 8, 4, 4, 0]]
    lengths = {b: int(scorer.lengths(run, 0, b)[0]) for b in (1, 4, 11, 12, 15, 16, 20, 99)}
    assert lengths == {1: 1, 4: 1, 11: 1, 12: 2, 15: 2, 16: 3, 20: 4, 99: 4}
    assert shown(scorer, run, "P@1tok", "P@12tok", "P@16tok", "Sufficient@11tok", "Sufficient@12tok") == [
        0, 0.5, round(2 / 3, 4), 0, 1]  # fmt: skip


@pytest.mark.slow
@settings(deadline=None)
@given(cases(), st.integers(1, 12))
def test_budgets_against_a_loop(case, budget):
    scorer, run = case.scorer()
    names = [f"{name}@{budget}tok" for name in ("Sufficient", "CharP", "P")]
    values = scorer.measure(run, [measure(n) for n in names])
    for q, ranking in enumerate(case.rankings):
        used = n = 0
        for c in ranking:
            d, a, b = case.chunks[c]
            used += count_tokens(case.texts[d][a:b])
            if n and used > budget:
                break
            n += 1
        expected = slow_scores(case, q, n, 1.0)
        hits = sum(slow_grade(case, q, c) > 0 for c in ranking[:n])
        assert [v[q] for v in values.values()] == pytest.approx(
            [expected["Sufficient"], expected["CharP"], hits / n if n else 0.0])  # fmt: skip


def test_a_query_without_results_scores_zero_under_a_budget_too():
    scorer, run = one(PARIS, [[(0, 0, 13)]], [(0, 0, 13)], [])
    names = [f"{n}@{at}" for n in ("P", "R", "RR", "AP", "nDCG", "Success", *SPAN) for at in ("5", "800tok")]
    assert shown(scorer, run, *names) == [0] * len(names)
    assert scorer.least_k(run).tolist() == [0]


# Document labels.


def documents(*relevant: tuple[tuple[str, int], ...]) -> tuple[Scorer, list[Place]]:
    """Three documents, each cut in two chunks: chunks 0 and 1 are a's, 2 and 3 b's, 4 and 5 c's."""
    corpus = Corpus(tuple(Document(name, "one two. three four.") for name in "abc"))
    places = [(d, a, b) for d in range(3) for a, b in ((0, 8), (9, 20))]
    queries = [Query(f"q{i}", f"query {i}", relevant=r) for i, r in enumerate(relevant)]
    return Scorer(corpus, locate(queries, corpus), chunking(places)), places


def test_a_document_stands_where_its_best_chunk_does():
    scorer, _ = documents((("b", 2), ("c", 0)))
    run = run_of([[1, 0, 4, 3, 2]])
    assert shown(scorer, run, "RR", "P@3", "P@2", "R@3", "AP", "Success@2", "Success@3") == [
        round(1 / 3, 4), round(1 / 3, 4), 0, 1, round(1 / 3, 4), 0, 1]  # fmt: skip
    assert all(math.isnan(v) for v in shown(scorer, run, *(f"{n}@3" for n in SPAN)))
    assert scorer.least_k(run).tolist() == [4]  # chunks, for that is what a context is made of
    assert [scorer.sufficient(run, np.array([k]))[0] for k in range(6)] == [0, 0, 0, 0, 1, 1]


def test_under_a_budget_only_the_documents_in_the_context_are_seen():
    scorer, _ = documents((("b", 1),))
    run = run_of([[0, 1, 4, 2]])  # 3 tokens each; the context holds two chunks of a
    assert shown(scorer, run, "Success@6tok", "P@6tok", "P@9tok", "P@12tok", "Success@12tok", "RR@9tok", "RR@12tok") == [
        0, 0, 0, round(1 / 3, 4), 1, 0, round(1 / 3, 4)]  # fmt: skip


def test_kinds_of_label_side_by_side():
    corpus = Corpus((Document("a", PARIS), Document("b", "Oslo.")))
    queries = [
        Query("document", "x", relevant=(("b", 1),)),
        Query("none", "y", unanswerable=True),
        Query("span", "z", evidence=(Label("a", start=15, end=27),)),
        Query("wrong", "w", evidence=(Label("a", "Berlin is big."),)),
    ]
    scorer = Scorer(corpus, locate(queries, corpus), chunking([(0, 0, 13), (0, 13, 41), (1, 0, 5)]))
    run = run_of([[0, 2], [0, 2], [0, 1], [0, 1]])
    values = scorer.measure(run, [measure(n) for n in ("RR", "Sufficient@2", "AP", "Duplicate@2")])
    assert values[measure("RR")].tolist() == pytest.approx([0.5, math.nan, 0.5, math.nan], nan_ok=True)
    assert values[measure("Sufficient@2")].tolist() == pytest.approx([math.nan, math.nan, 1, math.nan], nan_ok=True)
    assert scorer.sufficient(run, np.array([2, 2, 2, 2])).tolist() == [1, 0, 1, 0]
    assert scorer.least_k(run).tolist() == [2, 0, 2, 0]


def test_of_a_bare_run_document_labels_stay_decidable():
    scorer, places = documents((("b", 1), ("a", 1)))
    bare = Scorer(scorer.corpus, scorer.labels, chunking(places[2:4], complete=False))
    assert shown(bare, run_of([[1, 0]]), "R@2", "AP", "nDCG@2") == [
        0.5, 0.5, round(1 / (1 + 1 / math.log2(3)), 4)]  # fmt: skip


# Nothing there.


@pytest.mark.parametrize("budget", [0, 100])
def test_a_run_that_names_no_chunk(budget):
    corpus = Corpus((Document("a", PARIS),))
    queries = [Query("q", "q", evidence=(Label("a", start=0, end=13),)), Query("r", "r", relevant=(("a", 1),))]
    scorer, run = Scorer(corpus, locate(queries, corpus), chunking([], complete=False)), run_of([[], []])
    lengths = scorer.lengths(run, 5, budget)
    assert lengths.tolist() == [0, 0]
    assert scorer.texts.tokens_of(run.chunks).tolist() == [[0], [0]]
    assert scorer.sufficient(run, lengths).tolist() == scorer.least_k(run).tolist() == [0, 0]
    names = ("P@5", "R@100tok", "RR", "Success@5", "CharP@5", "Duplicate@9tok")
    values = scorer.measure(run, [measure(n) for n in names])
    assert [float(v[0]) for v in values.values()] == [0] * 6


def test_a_run_in_which_every_query_failed(tmp_path: Path):
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": "a", "text": PARIS}))
    asked = {"_id": "q", "text": "Rome?", "evidence": [{"doc_id": "a", "start": 15, "end": 27}]}
    (tmp_path / "queries.jsonl").write_text(json.dumps(asked))
    (tmp_path / "run.jsonl").write_text(json.dumps({"query_id": "q", "error": "timeout"}))
    report = audit(tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", run=tmp_path / "run.jsonl", cache=None)
    assert report.measures["Sufficient@5"].mean == report.measures["RR"].mean == 0
    assert report.measures["AP"].n == 0


# How far a ranking goes, of one query at a time: what a diagnosis asks of rankings that it has edited.


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(cases(), st.data())
def test_coverage_against_sets_and_the_scorer(case, data):
    scorer, run = case.scorer()
    least = scorer.least_k(run)
    spans = [Span(*place) for place in case.chunks]
    # Chunks that are told of only when asked stand for what an edit adds to an index.
    added = {c: spans[c] for c in data.draw(st.sets(st.sampled_from(range(len(spans)))))}
    for q, (groups, ranking) in enumerate(zip(case.evidence, case.rankings, strict=True)):
        alternatives = [tuple(Span(*place) for place in group) for group in groups]
        known = {
            c: span for c, span in enumerate(spans) if c not in added and any(span.overlaps(s) for g in alternatives for s in g)
        }
        coverage = Coverage(scorer.corpus, alternatives, known)
        order = np.array(ranking, dtype=np.int64)
        assert (coverage.rank(order, added) or 0) == least[q]
        for g, group in enumerate(groups):
            whole = (k for k in range(1, len(ranking) + 1) if any(case.visible(e) <= case.context(q, k) for e in group))
            assert coverage.ranks(order, added).get(g) == next(whole, None)
        partly = Coverage(scorer.corpus, alternatives, known, whole=False).ranks(order, added)
        for g, group in enumerate(groups):
            some = (k for k in range(1, len(ranking) + 1) if any(case.positions(e) & case.context(q, k) for e in group))
            assert partly.get(g) == next(some, None)


@given(cases(), st.integers(1, 9), st.integers(0, 12))
def test_a_packing_fits_as_many_as_the_scorer_says(case, k, budget):
    scorer, run = case.scorer()
    packing = Packing(scorer.corpus, scorer.chunking, k, budget)
    lengths = scorer.lengths(run, k, budget)
    assert [packing.fits(order, Edit()) for order in run.chunks] == lengths.tolist()
    for order, n in zip(run.chunks, lengths.tolist(), strict=True):
        if packing.full(order, Edit()):
            longer = np.concatenate([order[order >= 0], [0]])
            assert packing.fits(longer, Edit()) == n  # nothing below matters


def test_spans_overlap_where_they_share_a_character_of_one_document():
    assert Span(0, 2, 5).overlaps(Span(0, 4, 9)) and Span(0, 4, 9).overlaps(Span(0, 2, 5))
    assert not Span(0, 2, 5).overlaps(Span(0, 5, 9))
    assert not Span(0, 2, 5).overlaps(Span(1, 2, 5))
