"""Sparse retrieval: BM25 with rank-bm25's statistics, scored off an inverted index."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import numpy as np
from scipy import sparse

from ragdiag.core.arrays import Array, FloatArray, IntArray
from ragdiag.core.cache import arrays_of
from ragdiag.core.errors import SpecError
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.ranking import edited, padded
from ragdiag.search.retrievers._postings import Postings
from ragdiag.search.retrievers._texts import numbered, packed
from ragdiag.text.analysis import Analysis, Analyzer, Stem, Stop
from ragdiag.text.words import DEFINITION

CACHED_FROM = 2000
"""Texts from which an index is worth keeping: building a smaller one is quicker than reading it."""


@dataclass(frozen=True)
class Bm25:
    r"""BM25 as rank-bm25 computes it: Okapi (Robertson et al. 1994), Plus and L (Lv and Zhai 2011).

    Okapi's negative idf is floored at `epsilon` times the mean idf; `delta` is used by Plus and L only. ``lucene`` is what
    Lucene, OpenSearch and Elasticsearch compute (with ``k1=1.2``), but for the lengths that they round.

    Terms are words (`text.words`): with `stem`, a language of Snowball, their stems; with `stop`, without that language's stop
    words; with `parts`, compound identifiers by their parts as well. ``analyzer`` does instead what Lucene's analyzer of that
    name does. A text that shares no term with the query is never returned; one that does is, even at a score of 0 or less.
    """

    variant: Literal["okapi", "plus", "l", "lucene"] = "okapi"
    k1: float = 1.5
    b: float = 0.75
    epsilon: float = 0.25
    delta: float | None = None
    analyzer: Analyzer = "words"
    stem: Stem = ""
    stop: Stop = ""
    parts: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.k1 < math.inf and 0 <= self.b <= 1 and math.isfinite(self.epsilon)):
            raise SpecError(f"bm25: k1 must be 0 or more and b from 0 to 1, not k1={self.k1}, b={self.b}")
        if self.delta is not None and not 0 <= self.delta < math.inf:
            raise SpecError(f"bm25: delta must be 0 or more, not {self.delta}")
        self.analysis  # noqa: B018  # raises for what does not go together

    @property
    def analysis(self) -> Analysis:
        """How texts and queries become terms. Raises `SpecError` for parameters that do not go together."""
        return Analysis(self.analyzer, self.stem, self.stop, self.parts)

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> Bm25Index:
        """See `protocols.Retriever`."""
        progress("indexing for bm25", 0, len(texts))
        cache = store if len(texts) >= CACHED_FROM else None
        arrays = arrays_of(cache, f"bm25 4 {self} {DEFINITION}", texts, lambda: self._build(texts))
        progress("indexing for bm25", len(texts), len(texts))
        return Bm25Index(self, arrays)

    def _build(self, texts: Sequence[str]) -> dict[str, Array]:
        # No term goes on beyond white space: what stands between is read once, however many texts have it.
        pieces, stretches = _counted(map(str.split, texts))
        counts, written = _counted(map(self.analysis.written, stretches))
        become, terms = _counted(self.analysis.of_written(written))
        order = sorted(range(len(terms)), key=terms.__getitem__)
        return self._arrays(sparse.csc_array(pieces @ counts @ become)[:, order], [terms[t] for t in order])

    def _arrays(self, counts: Any, terms: list[str]) -> dict[str, Array]:
        counts.sort_indices()
        idf, average = self._statistics(counts, terms)
        lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
        tf = counts.data.astype(np.float64)
        norm = 1 - self.b + self.b * lengths[counts.indices] / average if average else np.ones(len(tf))
        idf_of = np.repeat(idf, np.diff(counts.indptr))
        weights, absent = self.weights(tf, norm)
        return {
            "terms": packed(terms),
            "indptr": counts.indptr.astype(np.int64),
            "indices": counts.indices.astype(np.int32),
            "weights": idf_of * (weights - absent),
            "absent": idf * absent,
            "idf": idf,
            "size": np.array([counts.shape[0]], dtype=np.int64),
            "average": np.array([average]),
        }

    def weights(self, tf: FloatArray, norm: FloatArray) -> tuple[FloatArray, float]:
        """What a term's frequency adds to a score before idf, and what its absence adds (rank-bm25's formulas)."""
        if self.variant == "lucene":
            return tf / (tf + self.k1 * norm), 0.0
        if self.variant == "okapi":
            return tf * (self.k1 + 1) / (tf + self.k1 * norm), 0.0
        if self.variant == "plus":
            delta = 1.0 if self.delta is None else self.delta
            return delta + tf * (self.k1 + 1) / (self.k1 * norm + tf), delta
        delta = 0.5 if self.delta is None else self.delta
        scaled = tf / norm + delta
        # rank-bm25 multiplies by the frequency once more than the paper does.
        return tf * (self.k1 + 1) * scaled / (self.k1 + scaled), 0.0

    def _statistics(self, counts: Any, terms: list[str]) -> tuple[FloatArray, float]:
        """Each term's idf and the mean length, from rank-bm25 itself where it has the variant."""
        import rank_bm25

        if self.variant == "lucene":
            n, frequency = counts.shape[0], np.diff(counts.indptr)
            return np.log1p((n - frequency + 0.5) / (frequency + 0.5)), float(counts.sum() / n) if n else 0.0

        base = {"okapi": rank_bm25.BM25Okapi, "plus": rank_bm25.BM25Plus, "l": rank_bm25.BM25L}[self.variant]
        frequency = np.diff(counts.indptr)
        order = _first_seen(counts)

        class FromCounts(base):  # type: ignore[misc, valid-type]
            """rank-bm25 reads its statistics off token lists; these are the same numbers off a matrix, without the lists."""

            def _initialize(self, corpus: Any) -> dict[str, int]:
                self.corpus_size = corpus.shape[0]
                self.avgdl = corpus.sum() / corpus.shape[0]
                # In the order rank-bm25 meets the terms, so that its sum of idfs rounds the same way.
                return {terms[t]: int(frequency[t]) for t in order}

        if not terms:
            return np.zeros(0), 0.0
        extra = {"epsilon": self.epsilon} if self.variant == "okapi" else {}
        statistics = FromCounts(counts, k1=self.k1, b=self.b, **extra)
        return np.array([statistics.idf[t] for t in terms]), float(statistics.avgdl)


def _counted(rows: Iterable[list[str]]) -> tuple[Any, list[str]]:
    """How often each row has each item, as a matrix, and the items by its columns."""
    number, columns, times, ends = defaultdict[str, int](count().__next__), list[int](), list[int](), [0]
    for row in rows:
        of_row = Counter(row)
        columns += map(number.__getitem__, of_row)
        times += of_row.values()
        ends.append(len(columns))
    data = np.array(times, dtype=np.int32), np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)
    return sparse.csr_array(data, shape=(len(ends) - 1, len(number))), list(number)


def _first_seen(counts: Any) -> list[int]:
    """Terms in the order of the first text that has them (within one text, by name)."""
    first = counts.indices[np.minimum(counts.indptr[:-1], max(counts.nnz - 1, 0))] if counts.nnz else np.zeros(0)
    return [int(t) for t in np.argsort(first, kind="stable")]


class Bm25Index:
    """BM25 weights by term; see `protocols.Index`."""

    def __init__(self, bm25: Bm25, arrays: Mapping[str, Array]) -> None:
        self._bm25, self._idf, self._average = bm25, arrays["idf"], float(arrays["average"][0])
        self.nbytes = sum(a.nbytes for a in arrays.values())
        self._column = numbered(arrays["terms"])
        self._postings = Postings(arrays["indptr"], arrays["indices"], arrays["weights"], int(arrays["size"][0]))
        self._absent = arrays["absent"]
        self._tokens = bm25.analysis
        self._known: dict[tuple[str, str], float] = {}  # scores of texts that are not in the index

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return padded([self._search(query, depth) for query in queries], depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.search([query], depth)

    def weights_of(self, query: str) -> dict[str, float]:
        """See `protocols.Weighted`."""
        return {t: float(self._idf[self._column[t]]) if t in self._column else math.inf for t in self._tokens(query)}

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`; idf and the mean length stay those of the index."""
        texts = [[a.text for a in edit.added] for edit in edits]
        counts: dict[str, Counter[str]] = {}

        def score(query: str, text: str) -> float:
            if (query, text) not in self._known:
                if text not in counts:
                    counts[text] = Counter(self._tokens(text))
                self._known[query, text] = self._score(query, counts[text])
            return self._known[query, text]

        return edited(self.search, score, self._postings.n_texts, queries, edits, texts, depth)

    def _score(self, query: str, counts: Counter[str]) -> float:
        """What a text with these tokens would score; -inf where it shares none with the query.

        A word that no text of the index has is as rare as the rarest that one has.
        """
        tokens = self._tokens(query)
        shared = [t for t in tokens if counts[t]]
        if not shared:
            return -math.inf
        length, b = counts.total(), self._bm25.b
        norm = np.array([1 - b + b * length / self._average])
        rarest = float(self._idf.max(initial=0.0))
        idf = np.array([self._idf[self._column[t]] if t in self._column else rarest for t in shared])
        weights, absent = self._bm25.weights(np.array([counts[t] for t in shared], dtype=np.float64), norm)
        score = float((idf * (weights - absent)).sum()) + float(absent * idf[[t not in self._column for t in shared]].sum())
        return score + float(self._absent[[self._column[t] for t in tokens if t in self._column]].sum())

    def _search(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        columns = [self._column[t] for t in self._tokens(query) if t in self._column]
        if not columns:
            return np.empty(0, dtype=np.int64), np.empty(0)
        found, scores = self._postings.first(columns, depth)
        return found, scores + self._absent[columns].sum()
