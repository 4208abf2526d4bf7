"""What each query is about, by its evidence, and which chunks are not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ragdiag.core.records import Chunking, Corpus, FloatArray, IntArray, Labels, Run
from ragdiag.core.texts import OwnTexts
from ragdiag.scoring.topics import Topics

__all__ = ["Subjects"]

MOST_HOLDERS = 10
"""So many chunks with evidence, those with most of it, are looked at to tell what it is about."""

CHUNKS_AROUND = 15
"""Chunks before and after evidence, in its document, that are taken to be about the same."""


class Subjects:
    """Judges whether chunks are off topic for a query, each once.

    `query`, `chunk` and `grade` are columns of one row for each query and chunk that holds some of its evidence, sorted by query.
    """

    def __init__(
        self, corpus: Corpus, labels: Labels, chunking: Chunking, query: IntArray, chunk: IntArray, grade: FloatArray
    ) -> None:
        self._corpus, self._labels, self._chunking = corpus, labels, chunking
        self._query, self._chunk, self._grade = query, chunk, grade
        self._affinity: dict[int, dict[int, float | None]] = {}

    @cached_property
    def _topics(self) -> Topics:
        return Topics(OwnTexts(self._corpus, self._chunking))

    def off_topic(self, query: int, chunks: Sequence[int]) -> dict[int, float]:
        """Of `chunks`, those about something else than the query's evidence (see `topics`), with their affinity to it.

        Chunks with evidence, or close round it, are none. For document labels all chunks of relevant documents are evidence.
        """
        known = self._affinity.setdefault(query, {})
        evidence = self._evidence(query)
        kin = self._kin(evidence)
        same = {*evidence, *kin}
        new = [c for c in chunks if c not in known and c not in same]
        if new:
            texts = "" if evidence else " ".join(self._passages(query))
            judgement = self._topics.judge(self._labels.queries[query].text, evidence[:MOST_HOLDERS], new, texts, kin)
            rows = zip(new, judgement.affinity.tolist(), judgement.off_topic.tolist(), strict=True)
            known.update((c, affinity if off else None) for c, affinity, off in rows)
        return {c: affinity for c in chunks if (affinity := known.get(c)) is not None}

    def off_topic_share(self, run: Run, lengths: IntArray) -> FloatArray:
        """Of the characters of each query's first ``lengths`` chunks, the share in off-topic ones; 0 without a span label."""
        shares = np.zeros(len(run.chunks))
        for q in self._labels.at("span").tolist():
            context = run.chunks[q, : lengths[q]]
            context = context[context >= 0]
            sizes = (self._chunking.end - self._chunking.start)[context]
            off = np.isin(context, list(self.off_topic(q, context.tolist())))
            shares[q] = sizes[off].sum() / sizes.sum() if len(sizes) else 0.0
        return shares

    def _evidence(self, query: int) -> list[int]:
        """The chunks that hold evidence, those that hold most of it first."""
        if self._labels.level[query] == "document":
            relevant = [d for d, grade in self._labels.relevant[query].items() if grade > 0]
            holders: list[int] = np.flatnonzero(np.isin(self._chunking.document, relevant)).tolist()
            return holders
        rows = slice(*np.searchsorted(self._query, [query, query + 1]))
        order = np.argsort(-self._grade[rows], kind="stable")
        return [int(c) for c in self._chunk[rows][order]]

    def _kin(self, evidence: Sequence[int]) -> list[int]:
        """The chunks round those with evidence, in the same documents."""
        kin: dict[int, None] = {}
        for c in evidence[:MOST_HOLDERS]:
            first, last = np.searchsorted(self._chunking.document, self._chunking.document[c] + np.array([0, 1]))
            kin.update(dict.fromkeys(range(max(first, c - CHUNKS_AROUND), min(last, c + CHUNKS_AROUND + 1))))
        return list(kin)

    def _passages(self, query: int) -> list[str]:
        """The texts of the query's evidence."""
        evidence = self._labels.evidence
        rows = np.flatnonzero(evidence.query == query).tolist()
        places = ((int(evidence.document[r]), int(evidence.start[r]), int(evidence.end[r])) for r in rows)
        return [self._corpus.documents[d].text[a:b] for d, a, b in places]
