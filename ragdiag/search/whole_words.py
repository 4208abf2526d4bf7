"""bm25 over a corpus that is read twice and never held: its statistics first, then what each query ranks first, shard by shard.

What is kept: how many chunks have each term, and the first chunks of each query. A shard is scored with the statistics of the
whole corpus, so that the ranking is that of one index of all chunks.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.protocols import Chunker
from ragdiag.core.records import Document
from ragdiag.search.retrievers.bm25 import Bm25

__all__ = ["Found", "WholeBm25"]

MOST_TERMS = 2_000_000
"""Terms that are counted at most. Of more, a share that is chosen by their hashes: only the mean idf needs terms of no query."""


class Found(NamedTuple):
    """A chunk that a query ranks; these sort with the best first, of equal scores by the place of the chunk."""

    negative_score: float
    doc_id: str
    start: int
    end: int


class WholeBm25:
    """First `count` every shard, then `rank` every shard; `first` has then what an index of all of them ranks first."""

    def __init__(self, bm25: Bm25, chunker: Chunker, queries: Sequence[str], depth: int) -> None:
        self.chunks = 0
        self._bm25, self._chunker, self._depth = bm25, chunker, depth
        self._terms = [bm25.analysis(query) for query in queries]
        self._column = {term: i for i, term in enumerate(sorted({t for terms in self._terms for t in terms}))}
        self._length, self._counted, self._rate = 0, Counter[str](), 1.0
        self._first: list[list[Found]] = [[] for _ in queries]
        self._idf: FloatArray | None = None

    def count(self, documents: Sequence[Document]) -> None:
        """Add a shard to the statistics."""
        for _, terms in self._chunks(documents):
            self.chunks += 1
            self._length += len(terms)
            self._counted.update(set(terms))
        while len(self._counted) > MOST_TERMS:
            self._rate /= 2
            counted = self._counted.items()
            self._counted = Counter({t: n for t, n in counted if t in self._column or _hashed(t) < self._rate})

    def rank(self, documents: Sequence[Document]) -> None:
        """Add a shard, all shards being counted, to the rankings."""
        if not self.chunks:
            return
        idf, average = self._statistics()
        places, lengths, rows = list[tuple[str, int, int]](), list[int](), list[Counter[str]]()
        for place, terms in self._chunks(documents):
            places.append(place)
            lengths.append(len(terms))
            rows.append(Counter(t for t in terms if t in self._column))
        norms = 1 - self._bm25.b + self._bm25.b * np.array(lengths, dtype=np.float64) / (average or 1.0)
        postings = self._postings(rows, norms, idf)
        for first, terms in zip(self._first, self._terms, strict=True):
            first[:] = heapq.nsmallest(self._depth, [*first, *self._of_shard(postings, terms, places, first)])

    @property
    def first(self) -> list[list[Found]]:
        """What each query ranks first, best first."""
        return self._first

    def _chunks(self, documents: Sequence[Document]) -> Iterator[tuple[tuple[str, int, int], list[str]]]:
        """Each chunk of a shard: its place and its terms."""
        for document in documents:
            starts, ends = self._chunker.spans(document.text)
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                yield (document.id, start, end), self._bm25.analysis(document.text[start:end])

    def _statistics(self) -> tuple[FloatArray, float]:
        """The idf of each term of the queries, and the mean length of a chunk, as `Bm25` has them of all chunks together."""
        average = self._length / self.chunks
        if self._idf is None:
            counted = {t: n for t, n in self._counted.items() if t in self._column or _hashed(t) < self._rate}
            idf = _idf(self._bm25, counted, self.chunks, average)
            self._idf = np.array([idf.get(term, 0.0) for term in self._column])
            self._counted.clear()
        return self._idf, average

    def _postings(
        self, rows: Sequence[Counter[str]], norms: FloatArray, idf: FloatArray
    ) -> dict[str, tuple[IntArray, FloatArray]]:
        """Each term's chunks in a shard, by position, and what it adds to their scores."""
        chunks_of: dict[str, list[tuple[int, int]]] = {}
        for i, row in enumerate(rows):
            for term, times in row.items():
                chunks_of.setdefault(term, []).append((i, times))
        postings = {}
        for term, having in chunks_of.items():
            at, times = np.array(having, dtype=np.int64).T
            weights, absent = self._bm25.weights(times.astype(np.float64), norms[at])
            postings[term] = at, idf[self._column[term]] * (weights - absent)
        return postings

    def _of_shard(
        self,
        postings: dict[str, tuple[IntArray, FloatArray]],
        terms: Sequence[str],
        places: Sequence[tuple[str, int, int]],
        first: Sequence[Found],
    ) -> list[Found]:
        """Those chunks of a shard that may come among the first of a query."""
        having = [postings[term] for term in terms if term in postings]
        if not having:
            return []
        scores, shares = np.zeros(len(places)), np.zeros(len(places), dtype=bool)
        for at, weights in having:
            scores[at] += weights
            shares[at] = True
        chunks = np.flatnonzero(shares)
        least = first[-1].negative_score if len(first) == self._depth else np.inf
        if len(chunks) > self._depth:
            least = min(least, np.partition(-scores[chunks], self._depth - 1)[self._depth - 1])
        return [Found(-float(scores[i]), *places[i]) for i in chunks[-scores[chunks] <= least].tolist()]


def _hashed(term: str) -> float:
    """A number from 0 to 1 that is the same for a term wherever it is seen."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big") / 2**48


def _idf(bm25: Bm25, counted: dict[str, int], chunks: int, average: float) -> dict[str, float]:
    """The idf of each of the terms that so many of all `chunks` have, from rank-bm25 itself where it has the variant."""
    import rank_bm25

    if bm25.variant == "lucene":
        return {t: float(np.log1p((chunks - n + 0.5) / (n + 0.5))) for t, n in counted.items()}
    base = {"okapi": rank_bm25.BM25Okapi, "plus": rank_bm25.BM25Plus, "l": rank_bm25.BM25L}[bm25.variant]

    class Counted(base):  # type: ignore[misc, valid-type]
        """rank-bm25 reads its statistics off token lists; these were counted."""

        def _initialize(self, corpus: object) -> dict[str, int]:
            self.corpus_size, self.avgdl = chunks, average
            return counted

    extra = {"epsilon": bm25.epsilon} if bm25.variant == "okapi" else {}
    idf: dict[str, float] = Counted([], k1=bm25.k1, b=bm25.b, **extra).idf if counted else {}
    return idf
