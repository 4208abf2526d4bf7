"""Which chunks are judged for a query: those that hold some of its labelled evidence, and those that a person looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ragdiag.core.records import BoolArray, Chunking, Corpus, Evidence, IntArray, Labels, Query, Run
from ragdiag.core.reviews import Passage
from ragdiag.text.spans import ratio

__all__ = ["Judgements", "before_reviews"]


class Judgements:
    """Of each query's context, which chunks are judged.

    `query` and `chunk` are columns of one row for each query and chunk that holds some of its evidence, sorted by query. What was
    looked at are spans, not chunks: a chunk is judged where every character of it that is no white space was looked at.
    """

    def __init__(self, corpus: Corpus, labels: Labels, chunking: Chunking, query: IntArray, chunk: IntArray) -> None:
        self._corpus, self._labels, self._chunking = corpus, labels, chunking
        self._with_evidence = query * max(len(chunking), 1) + chunk

    def share(self, run: Run, lengths: IntArray) -> np.ndarray:
        """Of each query's first ``lengths`` chunks, the share that is judged; 0 where there are none."""
        query, _, judged = self._judged(run, lengths)
        n = len(run.chunks)
        return ratio(np.bincount(query, weights=judged, minlength=n), np.bincount(query, minlength=n))

    def unjudged(self, run: Run, lengths: IntArray) -> dict[int, list[int]]:
        """The chunks among each query's first ``lengths`` that are not judged, best first, for queries that have some."""
        query, chunk, judged = self._judged(run, lengths)
        rows: dict[int, list[int]] = {}
        for q, c in zip(query[~judged].tolist(), chunk[~judged].tolist(), strict=True):
            rows.setdefault(q, []).append(c)
        return rows

    def passages(self, chunks: Sequence[int]) -> tuple[Passage, ...]:
        """Where chunks stand."""
        return tuple(Passage(self._corpus.documents[d].id, a, b) for d, a, b in map(self._span, chunks))

    def _span(self, chunk: int) -> tuple[int, int, int]:
        columns = self._chunking.document, self._chunking.start, self._chunking.end
        document, start, end = (int(column[chunk]) for column in columns)
        return document, start, end

    def _judged(self, run: Run, lengths: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
        """The chunks of all contexts, sorted by query, then rank: whose context, which chunk, whether it is judged."""
        query, rank = np.nonzero((np.arange(run.chunks.shape[1]) < lengths[:, None]) & (run.chunks >= 0))
        chunk = run.chunks[query, rank]
        judged = np.isin(query * max(len(self._chunking), 1) + chunk, self._with_evidence)
        reviewed = np.array([q.review is not None for q in self._labels.queries], dtype=bool)
        for i in np.flatnonzero(~judged & reviewed[query]).tolist():
            judged[i] = self._looked_at(self._labels.queries[int(query[i])], int(chunk[i]))
        return query.astype(np.int64), chunk, judged

    def _looked_at(self, query: Query, chunk: int) -> bool:
        document, start, end = self._span(chunk)
        name, text = self._corpus.documents[document].id, self._corpus.documents[document].text
        looked = query.review.passages if query.review else ()
        at = start
        for passage in sorted(each.passage for each in looked if each.passage.doc_id == name):
            if passage.start > at and text[at : min(passage.start, end)].strip():
                return False
            at = max(at, passage.end)
        return not text[at:end].strip()


def before_reviews(labels: Labels, corpus: Corpus) -> Labels:
    """`labels` as they were before anybody reviewed a query: without what was looked at, and without the passages accepted then.

    Exact copies of an accepted passage, which count as evidence with it, go too.
    """
    evidence = labels.evidence
    added = _accepted(labels, corpus)
    left = np.isin(evidence.group, evidence.group[~added])  # a group of nothing else was not made by a review
    rows = ~(added & left)
    kept = Evidence(*(getattr(evidence, column.name)[rows] for column in dataclasses.fields(Evidence)))
    queries = tuple(dataclasses.replace(q, review=None) if q.review else q for q in labels.queries)
    return dataclasses.replace(labels, queries=queries, evidence=kept)


def _accepted(labels: Labels, corpus: Corpus) -> BoolArray:
    """The rows of the evidence that reviews added."""
    evidence, added = labels.evidence, np.zeros(len(labels.evidence.query), dtype=bool)
    for q, query in enumerate(labels.queries):
        spans = {(label.doc_id, label.start, label.end) for label in query.evidence if label.accepted}
        if not spans:
            continue
        here = np.flatnonzero(evidence.query == q).tolist()
        texts: dict[bool, set[str]] = {True: set(), False: set()}  # of passages that were accepted, and of the others
        for row in (r for r in here if not evidence.copy[r]):
            document = corpus.documents[int(evidence.document[row])]
            start, end = int(evidence.start[row]), int(evidence.end[row])
            added[row] = (document.id, start, end) in spans
            texts[bool(added[row])].add(document.text[start:end].strip())
        for row in (r for r in here if evidence.copy[r]):
            text = corpus.documents[int(evidence.document[row])].text[int(evidence.start[row]) : int(evidence.end[row])].strip()
            added[row] = text in texts[True] and text not in texts[False]
    return added
