"""Score a run against labels: which chunks are relevant, what the contexts hold, every measure for every query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ragdiag.core.records import BoolArray, Chunking, Corpus, FloatArray, IntArray, Labels, Run
from ragdiag.scoring.answering import Answering
from ragdiag.scoring.judgements import Judgements
from ragdiag.scoring.measures import (
    SPAN,
    Contexts,
    Judged,
    Measure,
    SpanScores,
    ranked,
    span_scores,
)
from ragdiag.scoring.packing import context_lengths
from ragdiag.scoring.subjects import Subjects
from ragdiag.scoring.texts import Texts
from ragdiag.scoring.ties import Ties, first_of, tied, untied
from ragdiag.text.duplicates import duplicate_share
from ragdiag.text.spans import NonSpace, expand, overlapping_pairs

__all__ = ["Scorer"]

NOWHERE = np.iinfo(np.int64).max
"""The rank of what is not in a run; the cutoff of a measure that has none."""


class _Grades(NamedTuple):
    """Relevant chunks (or documents) as rows sorted by query, then chunk: the grade of each."""

    query: IntArray
    chunk: IntArray
    grade: FloatArray


class _Documents(NamedTuple):
    """A run as a ranking of documents, each where its best chunk stands; nothing is ranked for other kinds of label.

    `new`: True where a ranked chunk is the first of its document, shape ``(n_queries, depth)``. `first`: rank (from 0) of each
    query's first chunk of a relevant document, `NOWHERE` where there is none.
    """

    judged: Judged
    new: BoolArray
    first: IntArray


class Scorer:
    """One corpus, its labels and a chunking, ready to score any number of runs."""

    def __init__(self, corpus: Corpus, labels: Labels, chunking: Chunking) -> None:
        self.corpus, self.labels, self.chunking = corpus, labels, chunking
        self._n = len(labels.queries)
        self._span_queries, self._document_queries = labels.at("span"), labels.at("document")
        self._chunks, self._evidence = self._coordinates()
        self._pairs = self._overlaps()
        self.grades = self._chunk_grades()
        self._document_grades = self._graded_documents()
        self.subjects = Subjects(corpus, labels, chunking, self.grades.query, self.grades.chunk, self.grades.grade)
        self.judgements = Judgements(corpus, labels, chunking, self.grades.query, self.grades.chunk)
        self.answering = Answering(corpus, labels)
        self.texts = Texts(corpus, chunking)

    def _coordinates(self) -> tuple[Contexts, Contexts]:
        """Every chunk (of query 0) and every row of the evidence, in corpus-wide coordinates."""
        spans = (self.chunking, self.labels.evidence)
        documents = [columns.document for columns in spans]
        needed = np.unique(self.labels.evidence.document).tolist()
        nonspace = NonSpace({d: self.corpus.documents[d].text for d in needed})
        counts = nonspace(np.concatenate(documents * 2), np.concatenate([s.start for s in spans] + [s.end for s in spans]))
        bounds = np.cumsum([len(d) for d in documents * 2])[:-1]
        ns_chunk, ns_row, ns_chunk_end, ns_row_end = np.split(counts, bounds)
        base, base_row = (self.corpus.base[d] for d in documents)
        chunk, row = spans
        return (
            Contexts(np.zeros(len(chunk), np.int64), base + chunk.start, base + chunk.end, base + ns_chunk, base + ns_chunk_end),
            Contexts(row.query, base_row + row.start, base_row + row.end, base_row + ns_row, base_row + ns_row_end),
        )

    def _overlaps(self) -> tuple[IntArray, IntArray, FloatArray]:
        """``(evidence row, chunk, share of the row's non-space characters in the chunk)`` wherever they overlap."""
        spans, chunks = self._evidence, self._chunks
        row, chunk = overlapping_pairs(spans.ns_start, spans.ns_end, chunks.ns_start, chunks.ns_end)
        shared = np.minimum(spans.ns_end[row], chunks.ns_end[chunk]) - np.maximum(spans.ns_start[row], chunks.ns_start[chunk])
        return row, chunk, shared / (spans.ns_end - spans.ns_start)[row]

    def _chunk_grades(self) -> _Grades:
        row, chunk, share = self._pairs
        key = self._key(self.labels.evidence.query[row], chunk)
        order = np.lexsort((-share, key))
        first = np.diff(key[order], prepend=-1) > 0
        best = order[first]
        return _Grades(self.labels.evidence.query[row][best], chunk[best], share[best])

    def _graded_documents(self) -> _Grades:
        relevant = [(q, self.labels.relevant[q]) for q in self._document_queries.tolist()]
        rows = sorted((q, d, grade) for q, grades in relevant for d, grade in grades.items() if grade > 0)
        query, document, grade = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return _Grades(query, document, grade.astype(np.float64))

    def _key(self, query: IntArray, item: IntArray) -> IntArray:
        """One number for each query and chunk (or document)."""
        return query * max(len(self.chunking), len(self.corpus.documents), 1) + item

    def pieces(self, row: int) -> list[tuple[int, float]]:
        """The chunks that hold some of one evidence row, and the share of it that each holds."""
        rows, chunks, shares = self._pairs
        here = slice(*np.searchsorted(rows, [row, row + 1]))
        return list(zip(chunks[here].tolist(), shares[here].tolist(), strict=True))

    def relevant(self) -> set[tuple[int, int]]:
        """``(query, chunk)`` for every chunk that holds some of a query's evidence."""
        return set(zip(self.grades.query.tolist(), self.grades.chunk.tolist(), strict=True))

    def text(self, chunk: int) -> str:
        """A chunk's own text, without what its context adds."""
        return self.texts.text(chunk)

    def lengths(self, run: Run, k: int, budget: int) -> IntArray:
        """How many of each query's ranked chunks reach the prompt (see `packing`), shape ``(n_queries,)``."""
        tokens = self.texts.added(run) if budget else run.chunks
        return context_lengths(run.chunks, tokens, k, budget, run.scores if run.passages else None)

    def contexts(self, run: Run, lengths: IntArray) -> tuple[Contexts, IntArray]:
        """The chunks that reach the prompt: their spans, and which chunks they are, both sorted by query, then rank."""
        query, rank = np.nonzero(np.arange(run.chunks.shape[1]) < lengths[:, None])
        chunk = run.chunks[query, rank]
        return self._shown(query.astype(np.int64), chunk), chunk

    def _shown(self, query: IntArray, chunk: IntArray) -> Contexts:
        return Contexts(query, *(column[chunk] for column in self._chunks[1:]))

    def spans(self, run: Run, lengths: IntArray, tau: float = 1.0) -> SpanScores:
        """Characters of each context against the evidence."""
        return self._span_scores(self.contexts(run, lengths)[0], tau)

    def _span_scores(self, contexts: Contexts, tau: float) -> SpanScores:
        return span_scores(contexts, self.labels.evidence, self._evidence, self._n, int(self.corpus.base[-1]), tau)

    def answered(self, run: Run, lengths: IntArray) -> FloatArray:
        """1 where the first ``lengths`` chunks hold the part that answers of every group, where none is known the whole label."""
        contexts, size = self.contexts(run, lengths)[0], int(self.corpus.base[-1])
        return span_scores(contexts, *self.answering.rows(self._evidence), self._n, size).sufficient

    def least_k(self, run: Run) -> IntArray:
        """The least k whose first k chunks hold all evidence (or any relevant document); 0 where no k in the run does."""
        depth = run.chunks.shape[1]
        ranks, first = self._ranks(run), self._documents(run).first
        low, high = np.zeros(self._n, dtype=np.int64), np.full(self._n, depth + 1, dtype=np.int64)
        while (high - low > 1).any():
            middle = (low + high) // 2
            enough = self._enough(ranks, first, middle)
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        return np.where(high <= depth, high, 0)

    def sufficient(self, run: Run, lengths: IntArray) -> IntArray:
        """1 where the first ``lengths`` chunks hold all evidence; for document labels, a chunk of a relevant document."""
        return self._enough(self._ranks(run), self._documents(run).first, lengths)

    def _enough(self, ranks: IntArray, first: IntArray, lengths: IntArray) -> IntArray:
        # No other chunk has anything to add, and these are few.
        rows = np.flatnonzero(ranks < lengths[self.grades.query])
        enough = self._span_scores(self._shown(self.grades.query[rows], self.grades.chunk[rows]), 1.0).sufficient > 0
        return (enough | (first < lengths)).astype(np.int64)

    def measure(
        self, run: Run, measures: Sequence[Measure], ties: Literal["expected", "id"] = "expected"
    ) -> dict[Measure, FloatArray]:
        """Every measure for every query, shape ``(n_queries,)``: NaN where labels cannot decide it or there are none to.

        Of results with equal scores, rank measures are the mean over all orders, or with `ties` "id" those of the order at hand.
        Span measures, and those of a token budget, are always of the order at hand: a context is one choice of chunks, and the
        diagnosis is about that one.
        """
        by_chunk, by_document = self._judge_chunks(run, ties), self._documents(run, ties)
        as_it_is, of_contexts = None, self._of_contexts()
        known: dict[tuple[int, bool, float], SpanScores] = {}  # of one context and tau, which several measures share
        results = {}
        for m in measures:
            values = np.full(self._n, np.nan)
            lengths = self.lengths(run, m.cutoff, m.cutoff if m.tokens else 0)
            if m.name in of_contexts:
                of_chunks = of_contexts[m.name](run, lengths)
            elif m.name in SPAN:
                key = m.cutoff, m.tokens, m.tau
                if key not in known:
                    known[key] = self.spans(run, lengths, m.tau)
                of_chunks = known[key].named(m.name)
            else:
                depth = np.full(self._n, m.cutoff or NOWHERE)
                chunks, documents = by_chunk, by_document
                if m.tokens:
                    chunks, documents = as_it_is = as_it_is or (self._judge_chunks(run, "id"), self._documents(run, "id"))
                of_chunks = ranked(m, chunks, lengths if m.tokens else depth)
                shown = (documents.new & (np.arange(run.chunks.shape[1]) < lengths[:, None])).sum(axis=1)
                of_documents = ranked(m, documents.judged, shown if m.tokens else depth)
                values[self._document_queries] = of_documents[self._document_queries]
            values[self._span_queries] = of_chunks[self._span_queries]
            results[m] = values
        return results

    def _of_contexts(self) -> dict[str, Callable[[Run, IntArray], FloatArray]]:
        """What measures a context otherwise than by its characters of evidence, by the measure's name."""
        off_topic, judged = self.subjects.off_topic_share, self.judgements.share
        return {"Duplicate": self._duplicates, "Answer": self.answered, "OffTopic": off_topic, "Judged": judged}

    def _duplicates(self, run: Run, lengths: IntArray) -> FloatArray:
        contexts, chunk = self.contexts(run, lengths)
        distinct, shown = np.unique(chunk, return_inverse=True)
        return duplicate_share(contexts.query, shown, [self.text(c) for c in distinct.tolist()], self._n)

    def _ranks(self, run: Run) -> IntArray:
        """The rank (from 0) of each row of `grades` in its query's run, `NOWHERE` where it is not there."""
        query, rank = np.nonzero(run.chunks >= 0)
        row, known = _find(self._key(self.grades.query, self.grades.chunk), self._key(query, run.chunks[query, rank]))
        ranks = np.full(len(self.grades.query), NOWHERE)
        np.minimum.at(ranks, row[known], rank[known])
        return ranks

    def _judge_chunks(self, run: Run, ties: str) -> Judged:
        ranks, grade = self._ranks(run), np.zeros(run.chunks.shape)
        there = ranks < NOWHERE
        grade[self.grades.query[there], ranks[there]] = self.grades.grade[there]
        ideal = _rows_descending(self.grades.query, self.grades.grade, self._n)
        among = _ties(run.scores, run, ties)
        if self.chunking.complete:
            return Judged(grade, ideal, ties=among)
        return Judged(grade, ideal, *self._groups_found(run, ranks, among), among)

    def _groups_found(self, run: Run, ranks: IntArray, ties: Ties) -> tuple[FloatArray, IntArray]:
        """How many evidence groups are first met at each rank, in expectation, and how many groups each query has."""
        evidence = self.labels.evidence
        row, chunk, _ = self._pairs
        of_pair, _ = _find(self._key(self.grades.query, self.grades.chunk), self._key(evidence.query[row], chunk))
        group, some = np.unique(evidence.group, return_index=True)
        known = ranks[of_pair] < NOWHERE
        pairs = np.stack([np.searchsorted(group, evidence.group[row[known]]), ranks[of_pair[known]]])
        number, rank = np.unique(pairs, axis=1).astype(np.int64)  # a chunk may hold some of several alternatives
        query = evidence.query[some]
        first, start = np.full(len(group), NOWHERE), ties.start[query[number], rank]
        np.minimum.at(first, number, start)
        among = np.bincount(number[start == first[number]], minlength=len(group))
        new_groups = np.zeros(run.chunks.shape)
        for g in np.flatnonzero(first < NOWHERE).tolist():
            size = int(ties.size[query[g], first[g]])
            new_groups[query[g], first[g] : first[g] + size] += first_of(size, int(among[g]))
        return new_groups, np.bincount(query, minlength=self._n)

    def _documents(self, run: Run, ties: str = "id") -> _Documents:
        query, rank = np.nonzero(run.chunks >= 0)
        by_document = np.isin(query, self._document_queries)
        query, rank = query[by_document], rank[by_document]
        document = self.chunking.document[run.chunks[query, rank]]
        best = np.sort(np.unique(self._key(query, document), return_index=True)[1])
        query, rank, document = query[best], rank[best], document[best]
        row, known = _find(self._key(self._document_grades.query, self._document_grades.chunk), self._key(query, document))
        grade, new, first = np.zeros(run.chunks.shape), np.zeros(run.chunks.shape, dtype=bool), np.full(self._n, NOWHERE)
        place = np.arange(len(query)) - np.searchsorted(query, query)
        grade[query[known], place[known]] = self._document_grades.grade[row[known]]
        new[query, rank] = True
        np.minimum.at(first, query[known], rank[known])
        ideal = _rows_descending(self._document_grades.query, self._document_grades.grade, self._n)
        scores = np.full(run.chunks.shape, -np.inf)
        scores[query, place] = run.scores[query, rank]
        return _Documents(Judged(grade, ideal, ties=_ties(scores, run, ties)), new, first)


def _ties(scores: FloatArray, run: Run, ties: str) -> Ties:
    """Which of the scores of `run`'s rankings tie; with `ties` "id" none does."""
    return untied(scores.shape) if ties == "id" else tied(scores, run.listed)


def _find(keys: IntArray, items: IntArray) -> tuple[IntArray, BoolArray]:
    """Where in the ordered `keys` each of `items` stands, and whether it does."""
    at = np.searchsorted(keys, items)
    known = at < len(keys)
    known[known] = keys[at[known]] == items[known]
    return at, known


def _rows_descending(query: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Values gathered by query, largest first, padded with 0: shape ``(n, most)``."""
    order = np.lexsort((-values, query))
    counts = np.bincount(query, minlength=n)
    rows = np.zeros((n, max(int(counts.max()) if len(counts) else 0, 1)))
    rows[query[order], expand(np.zeros_like(counts), counts)[1]] = values[order]
    return rows
