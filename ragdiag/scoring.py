"""Score a run against labels: which chunks are relevant, what the contexts hold, every measure for every query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.measures import (
    SPAN,
    Contexts,
    Judged,
    Measure,
    SpanScores,
    context_lengths,
    duplicate_share,
    ranked,
    span_scores,
)
from ragdiag.records import Chunking, Corpus, FloatArray, IntArray, Labels, Run
from ragdiag.spans import NonSpace, overlapping_pairs
from ragdiag.tokens import count_tokens

__all__ = ["Scorer"]


class _Grades(NamedTuple):
    """Relevant chunks as rows sorted by query, then chunk: the grade of each."""

    query: IntArray
    chunk: IntArray
    grade: FloatArray


class Scorer:
    """One corpus, its labels and a chunking, ready to score any number of runs."""

    def __init__(self, corpus: Corpus, labels: Labels, chunking: Chunking) -> None:
        self.corpus, self.labels, self.chunking = corpus, labels, chunking
        self._n = len(labels.queries)
        self._span_queries, self._document_queries = labels.at("span"), labels.at("document")
        evidence = labels.evidence
        self._nonspace = NonSpace({int(d): corpus.documents[d].text for d in np.unique(evidence.document)})
        self._chunks = self._coordinates(np.zeros(len(chunking), dtype=np.int64), chunking.document, chunking.start, chunking.end)
        self._evidence = self._coordinates(evidence.query, evidence.document, evidence.start, evidence.end)
        self._pairs = self._overlaps()
        self.grades = self._chunk_grades()
        self._tokens = np.full(len(chunking), -1, dtype=np.int64)

    def _coordinates(self, query: IntArray, document: IntArray, start: IntArray, end: IntArray) -> Contexts:
        base = self.corpus.base[document]
        ns_start, ns_end = self._nonspace(document, start), self._nonspace(document, end)
        return Contexts(query, base + start, base + end, base + ns_start, base + ns_end)

    def _overlaps(self) -> tuple[IntArray, IntArray, FloatArray]:
        """``(evidence row, chunk, share of the row's non-space characters in the chunk)`` wherever they overlap."""
        spans, chunks = self._evidence, self._chunks
        row, chunk = overlapping_pairs(spans.ns_start, spans.ns_end, chunks.ns_start, chunks.ns_end)
        shared = np.minimum(spans.ns_end[row], chunks.ns_end[chunk]) - np.maximum(spans.ns_start[row], chunks.ns_start[chunk])
        return row, chunk, shared / (spans.ns_end - spans.ns_start)[row]

    def _chunk_grades(self) -> _Grades:
        row, chunk, share = self._pairs
        key = self.labels.evidence.query[row] * max(len(self.chunking), 1) + chunk
        order = np.lexsort((-share, key))
        first = np.concatenate([[True], np.diff(key[order]) > 0]) if len(key) else np.zeros(0, dtype=bool)
        kept = order[first]
        return _Grades(self.labels.evidence.query[row][kept], chunk[kept], share[kept])

    def pieces(self, row: int) -> list[tuple[int, float]]:
        """The chunks that hold some of one evidence row, and the share of it that each holds."""
        rows, chunks, shares = self._pairs
        here = slice(*np.searchsorted(rows, [row, row + 1]))
        return list(zip(chunks[here].tolist(), shares[here].tolist(), strict=True))

    def relevant(self) -> set[tuple[int, int]]:
        """``(query, chunk)`` for every chunk that holds some of a query's evidence."""
        return set(zip(self.grades.query.tolist(), self.grades.chunk.tolist(), strict=True))

    def tokens_of(self, chunks: IntArray) -> IntArray:
        """Tokens in each chunk (-1 counts 0), same shape; counted once a chunk."""
        wanted = np.unique(chunks[chunks >= 0])
        for c in wanted[self._tokens[wanted] < 0].tolist():
            self._tokens[c] = count_tokens(self.text(c))
        return np.where(chunks >= 0, self._tokens[chunks], 0)

    def text(self, chunk: int) -> str:
        """A chunk's own text."""
        document = self.corpus.documents[int(self.chunking.document[chunk])]
        return document.text[int(self.chunking.start[chunk]) : int(self.chunking.end[chunk])]

    def lengths(self, run: Run, k: int, budget: int) -> IntArray:
        """How many of each query's ranked chunks reach the prompt."""
        if not budget:
            return context_lengths(run.chunks, self._tokens, k, 0)
        self.tokens_of(run.chunks)
        return context_lengths(run.chunks, self._tokens, k, budget)

    def contexts(self, run: Run, lengths: IntArray) -> tuple[Contexts, IntArray]:
        """The chunks that reach the prompt: their spans, and which chunks they are, both sorted by query, then rank."""
        query, rank = np.nonzero(np.arange(run.chunks.shape[1]) < lengths[:, None])
        chunk = run.chunks[query, rank]
        return Contexts(query.astype(np.int64), *(column[chunk] for column in self._chunks[1:])), chunk

    def spans(self, run: Run, lengths: IntArray, tau: float = 1.0) -> SpanScores:
        """Characters of each context against the evidence."""
        contexts, _ = self.contexts(run, lengths)
        size = int(self.corpus.base[-1])
        return span_scores(contexts, self.labels.evidence, self._evidence, self._n, size, tau)

    def least_k(self, run: Run) -> IntArray:
        """The least k whose first k chunks hold all evidence (or any relevant document); 0 where no k in the run does."""
        low, high = np.zeros(self._n, dtype=np.int64), np.full(self._n, run.chunks.shape[1] + 1, dtype=np.int64)
        while (high - low > 1).any():
            middle = (low + high) // 2
            enough = self.sufficient(run, middle)
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        return np.where(high <= run.chunks.shape[1], high, 0)

    def sufficient(self, run: Run, lengths: IntArray) -> IntArray:
        """1 where the first ``lengths`` chunks hold all evidence; for document labels, a chunk of a relevant document."""
        lengths = np.minimum(lengths, (run.chunks >= 0).sum(axis=1))
        enough = self.spans(run, lengths).sufficient
        for q in self._document_queries.tolist():
            documents = self.chunking.document[run.chunks[q, : lengths[q]]]
            enough[q] = any(self.labels.relevant[q].get(int(d), 0) > 0 for d in documents)
        return enough.astype(np.int64)

    def measure(self, run: Run, measures: Sequence[Measure], k: int, budget: int) -> dict[Measure, FloatArray]:
        """Every measure for every query, shape ``(n_queries,)``: NaN where labels cannot decide it or there are none to."""
        by_chunk, by_document = self._judge_chunks(run), self._judge_documents(run)
        results = {}
        for m in measures:
            values = np.full(self._n, np.nan)
            if m.name in SPAN:
                if len(self._span_queries):
                    values[self._span_queries] = self._span_measure(run, m)[self._span_queries]
            else:
                for judged, queries in ((by_chunk, self._span_queries), (by_document, self._document_queries)):
                    if judged is not None:
                        values[queries] = ranked(m, judged, self._depths(run, m, judged))[queries]
            results[m] = values
        return results

    def _span_measure(self, run: Run, m: Measure) -> FloatArray:
        lengths = self.lengths(run, 0 if m.tokens else m.cutoff, m.cutoff if m.tokens else 0)
        if m.name != "Duplicate":
            return self.spans(run, lengths).named(m.name)
        contexts, chunks = self.contexts(run, lengths)
        return duplicate_share(contexts.query, [self.text(c) for c in chunks.tolist()], self._n)

    def _depths(self, run: Run, m: Measure, judged: Judged) -> IntArray:
        if m.tokens:
            return self.lengths(run, 0, m.cutoff)
        return np.full(self._n, m.cutoff or judged.grade.shape[1], dtype=np.int64)

    def _judge_chunks(self, run: Run) -> Judged | None:
        if not len(self._span_queries):
            return None
        width = max(len(self.chunking), 1)
        keys = self.grades.query * width + self.grades.chunk
        asked = np.arange(self._n)[:, None] * width + np.maximum(run.chunks, 0)
        at = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
        known = (keys[at] == asked) & (run.chunks >= 0) if len(keys) else np.zeros(asked.shape, dtype=bool)
        grade = np.where(known, self.grades.grade[at], 0.0) if len(keys) else np.zeros(asked.shape)
        ideal = _rows_descending(self.grades.query, self.grades.grade, self._n)
        if self.chunking.complete:
            return Judged(grade, run.chunks >= 0, ideal)
        return Judged(grade, run.chunks >= 0, ideal, *self._groups_found(run))

    def _groups_found(self, run: Run) -> tuple[IntArray, IntArray]:
        """How many evidence groups are first met at each rank, and how many groups each query has."""
        evidence = self.labels.evidence
        row, chunk, _ = self._pairs
        found = np.zeros(run.chunks.shape, dtype=np.int64)
        groups_of: dict[tuple[int, int], set[int]] = {}
        for r, c in zip(row.tolist(), chunk.tolist(), strict=True):
            groups_of.setdefault((int(evidence.query[r]), c), set()).add(int(evidence.group[r]))
        for q in self._span_queries.tolist():
            seen: set[int] = set()
            for rank, c in enumerate(run.chunks[q].tolist()):
                new = groups_of.get((q, c), set()) - seen
                found[q, rank] = len(new)
                seen |= new
        n_groups = np.zeros(self._n, dtype=np.int64)
        pairs = np.unique(np.stack([evidence.query, evidence.group]), axis=1)
        np.add.at(n_groups, pairs[0], 1)
        return found, n_groups

    def _judge_documents(self, run: Run) -> Judged | None:
        """The run as a ranking of documents: each stands where its best chunk does, once."""
        if not len(self._document_queries):
            return None
        grade, item = np.zeros(run.chunks.shape), np.zeros(run.chunks.shape, dtype=bool)
        for q in self._document_queries.tolist():
            ranked_chunks = run.chunks[q][run.chunks[q] >= 0]
            documents = list(dict.fromkeys(self.chunking.document[ranked_chunks].tolist()))
            item[q, : len(documents)] = True
            grade[q, : len(documents)] = [max(self.labels.relevant[q].get(d, 0), 0) for d in documents]
        pairs = [(q, g) for q in self._document_queries.tolist() for g in self.labels.relevant[q].values() if g > 0]
        query, grades = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return Judged(grade, item, _rows_descending(query, grades.astype(np.float64), self._n))


def _rows_descending(query: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Values gathered by query, largest first, padded with 0: shape ``(n, most)``."""
    order = np.lexsort((-values, query))
    counts = np.bincount(query, minlength=n)
    rows = np.zeros((n, max(int(counts.max()) if len(counts) else 0, 1)))
    column = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows[query[order], column] = values[order]
    return rows
