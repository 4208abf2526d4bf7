"""Matches that count for nothing or less: an index of few texts proves no cause by them, and says so."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from ragdiag.core.proofs import Edit, Finding, Standing
from ragdiag.core.records import Chunking, Corpus, Document, Query, Report, Span
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.setting import Setting
from ragdiag.diagnosis.weights import unproved, worthless
from ragdiag.pipeline import audit
from ragdiag.search.nested import weighted, weights_of

TEXTS = ["pay is monthly", "leave is yearly", "pay and leave", "heron"]


def case(query: str, evidence: int, n: int = 4) -> Case:
    """A query whose evidence is one of `n` chunks, the first of which are `TEXTS`, each a document."""
    texts = [*TEXTS, *("other" for _ in range(n - len(TEXTS)))]
    corpus = Corpus(tuple(Document(f"d{i:03d}", text) for i, text in enumerate(texts)))
    chunking = Chunking(np.arange(n), np.zeros(n, dtype=np.int64), corpus.lengths)
    setting = Setting(corpus, chunking, 1, 0, lambda span: texts[span.document][span.start : span.end], lambda q, chunks: {})
    groups = [(Span(evidence, 0, len(texts[evidence])),)]
    return Case(setting, 0, Query("q", query), "span", groups, np.arange(n)[::-1], 1)


def weighing(weights: Mapping[str, float]) -> Any:
    """What an index with these weights says of a text."""
    return lambda text: {word: weights[word] for word in text.split() if word in weights}


@pytest.mark.parametrize(
    ("weights", "n", "words"),
    [
        ({"pay": 0.0, "is": -0.02, "monthly": 1.0}, 4, {"pay": 0.0, "is": -0.02}),
        ({"pay": 0.5, "is": 0.1, "when": -3.0}, 4, {}),  # it is not the evidence that has it
        ({"pay": 0.5, "is": 0.1, "leave": 0.0}, 4, {}),  # nor the query
        ({"pay": 0.0, "is": 0.1}, 4, {}),  # another word brings it in
        ({"pay": 0.0, "is": 0.0}, 4, {"pay": 0.0, "is": 0.0}),
        ({"pay": 0.0, "is": 0.0}, 30, {"pay": 0.0, "is": 0.0}),
        ({"pay": 0.4, "is": -0.1}, 30, {"is": -0.1}),
        ({}, 4, {}),
    ],
)
def test_words_that_count_for_nothing(weights: Mapping[str, float], n: int, words: Mapping[str, float]) -> None:
    assert worthless(weighing(weights), case("when is pay", 0, n), "when is pay") == words


def test_evidence_without_a_chunk_has_no_words() -> None:
    lost = case("when is pay", 0)
    lost.evidence = frozenset()
    assert worthless(weighing({"pay": -1.0}), lost, "when is pay") == {}


def repair(edit: Edit, proved: bool = True) -> Finding:
    return Finding("pollution", None, "mend it", Standing(2, False), Standing(1, proved), "fix it", proved, edit=edit)


DROPPED, REWORDED, SWAPPED = Edit(frozenset({3})), Edit(query="salary leave"), Edit(retriever="bm25")


def test_no_repair_of_an_index_that_ranks_by_such_words_is_a_proof() -> None:
    findings = [repair(DROPPED), repair(REWORDED), repair(SWAPPED), repair(DROPPED, proved=False)]
    told = unproved(case("when is pay", 0), findings, lambda edit, text: weighing({"pay": -0.2, "is": 0.1})(text))
    assert [f.proved for f in told] == [False] * 4
    for f in told:
        assert f.detail["worthless"] == {"pay": -0.2}
        assert f.control and "weigh 0 or less (pay -0.2); try bm25(variant=plus)" in f.control.says
        assert not f.as_well and f.placebo_p is None


def test_another_retriever_or_wording_proves_nothing_by_such_words() -> None:
    findings = [repair(DROPPED), repair(REWORDED), repair(SWAPPED), repair(SWAPPED, proved=False)]

    def weigh(edit: Edit, text: str) -> Mapping[str, float]:
        return weighing({"pay": -0.2})(text) if edit.retriever else weighing({"pay": 0.3, "leave": -0.1})(text)

    told = unproved(case("when is pay", 2), findings, weigh)
    assert [f.proved for f in told] == [True, False, False, False]
    assert [f is g for f, g in zip(told, findings, strict=True)] == [True, False, False, True]


def test_where_every_match_counts_findings_stay() -> None:
    findings = [repair(DROPPED), repair(REWORDED)]
    assert unproved(case("when is pay", 0), findings, lambda edit, text: weighing({"pay": 0.2, "is": 0.1})(text)) == findings


class Words:
    """An index of nothing but weights."""

    nbytes = 0

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights

    def weights_of(self, query: str) -> Mapping[str, float]:
        return weighing(self._weights)(query)


class Fused:
    """A fusion of indexes."""

    nbytes = 0

    def __init__(self, *indexes: Any) -> None:
        self.indexes = indexes

    def search(self, *_: Any) -> Any:
        """Nobody asks."""

    answer = what_if = depth_below = search


def test_of_a_fusion_the_least_weight_of_a_word_counts() -> None:
    index: Any = Fused(Words({"pay": 0.3, "day": 1.0}), object(), Fused(Words({"pay": -0.1, "is": 0.2})))
    assert weights_of(index, "pay is day") == {"pay": -0.1, "day": 1.0, "is": 0.2}
    assert weighted(index) and not weighted(Fused(object()))  # type: ignore[arg-type]


# Whole audits of small corpora.


def small(folder: Path, texts: Mapping[str, str], query: str, evidence: str, **options: Any) -> Report:
    """An audit at k 1 of a few documents, one chunk each; the evidence is all of one of them."""
    lines = ({"_id": name, "text": text} for name, text in texts.items())
    (folder / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    labels = [{"doc_id": evidence, "text": texts[evidence]}]
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": query, "evidence": labels}))
    options = {"retriever": "bm25", "k": 1, "cache": None} | options
    return audit(folder / "corpus.jsonl", folder / "queries.jsonl", **options)


def words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


BY_TWO = {"bikes": "The shed is open to all who ride.", "visitors": "A visitor is met by the host."}
SAME = {"a": "the gate opens at nine", "b": "the gate shuts at nine", "c": "the gate opens at noon"}
HALF = {
    "badge": "Badges are made in room nine.",
    "lunch": "Lunch costs four euros.",
    "mail": "Mail goes out twice daily.",
    "print": "Printers and badges: ask Ola.",
}


@pytest.mark.parametrize(
    ("texts", "query", "evidence"),
    [
        (BY_TWO, "where is the visitor desk", "visitors"),
        (SAME, "when does the gate shut at", "b"),
        (HALF, "where do i get badges", "print"),
    ],
    ids=["in half and in all", "in all of three", "only in half"],
)
def test_okapi_proves_nothing_where_it_ranks_by_words_of_no_weight(
    tmp_path: Path, texts: dict[str, str], query: str, evidence: str
) -> None:
    okapi = BM25Okapi([words(text) for text in texts.values()])
    shared = set(words(query)) & set(words(texts[evidence]))
    assert min(okapi.idf[word] for word in shared) <= 0
    report = small(tmp_path, texts, query, evidence)
    assert any(f"the index has only {len(texts)} chunks" in note for note in report.notes)
    (result,) = report.queries
    assert (result.served, result.status, result.causes, report.causes) == (False, "undetermined", (), {})
    assert any(f.after.sufficient for f in result.findings) and not any(f.proved for f in result.findings)
    assert any(note.startswith("1 unserved query without a proof") and "variant=plus" in note for note in report.notes)


@pytest.mark.parametrize(("texts", "query", "evidence"), [(BY_TWO, "where is the visitor desk", "visitors"),
                                                         (HALF, "where do i get badges", "print")])  # fmt: skip
def test_the_remedy_serves_what_matches(tmp_path: Path, texts: dict[str, str], query: str, evidence: str) -> None:
    report = small(tmp_path, texts, query, evidence, retriever="bm25(variant=plus)")
    assert report.queries[0].served and report.measures["RR"].mean == 1
    assert not any("without a proof" in note for note in report.notes)


def test_a_fusion_with_such_an_index_proves_nothing_either(tmp_path: Path) -> None:
    report = small(tmp_path, BY_TWO, "is the visitor met", "visitors", retriever="hybrid(bm25, lsa)")
    served = small(tmp_path, BY_TWO, "where is the visitor desk", "visitors", retriever="hybrid(bm25, lsa)")
    assert all(not f.proved for r in (report, served) for q in r.queries for f in q.findings)
    assert "undetermined" in {q.status for r in (report, served) for q in r.queries}


def test_an_index_of_thirty_texts_is_not_called_small(tmp_path: Path) -> None:
    texts = {f"d{i}": f"Form {i} is due on day {i} of the year {i}." for i in range(30)}
    assert not any("the index has only" in note for note in small(tmp_path, texts, "form 7", "d7").notes)
    del texts["d0"]
    assert any("the index has only 29 chunks" in note for note in small(tmp_path, texts, "form 7", "d7").notes)
    assert not any("the index has only" in note for note in small(tmp_path, texts, "form 7", "d7", retriever="lsa").notes)
