"""bm25 in shards of a corpus that is never held: its statistics are counted first, then each shard is scored with them.

So a ranking is that of one index of all chunks.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.ranking import best, padded
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.text.analysis import Analysis

__all__ = ["Counts", "WholeWords", "counts_of"]

MOST_TERMS = 2_000_000
"""Terms that are counted at most. Of more, a share that is chosen by their hashes: only the mean idf needs terms of no query."""


class Counts(NamedTuple):
    """Of some texts: how many there are, of how many terms together, and how many have each term."""

    texts: int
    length: int
    having: Counter[str]


def counts_of(analysis: Analysis, texts: Sequence[str]) -> Counts:
    """The counts of a shard."""
    length, having = 0, Counter[str]()
    for text in texts:
        terms = analysis(text)
        length += len(terms)
        having.update(set(terms))
    return Counts(len(texts), length, having)


class WholeWords:
    """The counts of all shards, which come in any order; `search` is for when all have come."""

    def __init__(self, bm25: Bm25, queries: Sequence[str], depth: int) -> None:
        self.bm25, self._depth = bm25, depth
        self._terms = tuple(tuple(bm25.analysis(query)) for query in queries)
        self._asked = {term for terms in self._terms for term in terms}
        self._texts, self._length, self._having, self._rate = 0, 0, Counter[str](), 1.0

    def add(self, counts: Counts) -> None:
        """Add those of a shard."""
        self._texts += counts.texts
        self._length += counts.length
        self._having.update(self._kept(counts.having))
        while len(self._having) > MOST_TERMS:
            self._rate /= 2
            self._having = self._kept(self._having)

    def _kept(self, having: Counter[str]) -> Counter[str]:
        """The terms that are counted as it stands: what is kept in the end depends on no order."""
        if self._rate == 1:
            return having
        return Counter({t: n for t, n in having.items() if t in self._asked or _hashed(t) < self._rate})

    def search(self) -> WordSearch:
        """What ranks the texts of a shard."""
        average = self._length / self._texts if self._texts else 0.0
        terms = sorted(t for t in self._having if t in self._asked or _hashed(t) < self._rate)
        frequency = np.array([self._having[t] for t in terms], dtype=np.int64)
        idf = dict(zip(terms, self.bm25.idf(terms, frequency, self._texts, average).tolist(), strict=True))
        return WordSearch(self.bm25, self._terms, {t: idf.get(t, 0.0) for t in sorted(self._asked)}, average, self._depth)


@dataclass(frozen=True, eq=False)
class WordSearch:
    """See `whole.Search`. `idf` is that of each term of the queries, `average` the mean length, among all texts."""

    bm25: Bm25
    terms: tuple[tuple[str, ...], ...]
    idf: dict[str, float]
    average: float
    depth: int

    name = ""

    def ranked(self, texts: Sequence[str]) -> tuple[IntArray, FloatArray]:
        """See `whole.Search`."""
        lengths, rows = np.empty(len(texts)), list[Counter[str]]()
        for i, text in enumerate(texts):
            terms = self.bm25.analysis(text)
            lengths[i] = len(terms)
            rows.append(Counter(t for t in terms if t in self.idf))
        postings = self._postings(rows, 1 - self.bm25.b + self.bm25.b * lengths / (self.average or 1.0))
        return padded([self._first(postings, terms, len(texts)) for terms in self.terms], self.depth)

    def _postings(self, rows: Sequence[Counter[str]], norms: FloatArray) -> dict[str, tuple[IntArray, FloatArray]]:
        """Each term's texts in a shard, by position, and what it adds to their scores."""
        texts_of: dict[str, list[tuple[int, int]]] = {}
        for i, row in enumerate(rows):
            for term, times in row.items():
                texts_of.setdefault(term, []).append((i, times))
        postings = {}
        for term, having in texts_of.items():
            at, times = np.array(having, dtype=np.int64).T
            weights, absent = self.bm25.weights(times.astype(np.float64), norms[at])
            postings[term] = at, self.idf[term] * (weights - absent)
        return postings

    def _first(
        self, postings: dict[str, tuple[IntArray, FloatArray]], terms: Sequence[str], n_texts: int
    ) -> tuple[IntArray, FloatArray]:
        """What a query of these terms ranks first in a shard."""
        scores, shares = np.zeros(n_texts), np.zeros(n_texts, dtype=bool)
        for term in terms:
            if term in postings:
                at, weights = postings[term]
                scores[at] += weights
                shares[at] = True
        found = np.flatnonzero(shares)
        top = best(scores[found], self.depth)
        return found[top], scores[found[top]]


def _hashed(term: str) -> float:
    """A number from 0 to 1 that is the same for a term wherever it is seen."""
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big") / 2**48
