"""Sparse retrieval: BM25 with rank-bm25's statistics, scored off an inverted index."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ragdiag.core.arrays import Array, FloatArray, IntArray
from ragdiag.core.cache import arrays_of
from ragdiag.core.errors import SpecError
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.ranking import edited, padded
from ragdiag.search.retrievers._postings import Postings
from ragdiag.search.retrievers._texts import numbered, packed
from ragdiag.text.analysis import Analysis, Analyzer, Stem, Stop
from ragdiag.text.counts import TermCounts, term_counts
from ragdiag.text.words import DEFINITION

CACHED_FROM = 2000
"""Texts from which an index is worth keeping: building a smaller one is quicker than reading it."""

STEP = 1 << 22
"""Weights that are made at once."""


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
        arrays = arrays_of(cache, f"bm25 5 {self} {DEFINITION}", texts, lambda: self._build(texts))
        progress("indexing for bm25", len(texts), len(texts))
        return Bm25Index(self, arrays)

    def _build(self, texts: Sequence[str]) -> dict[str, Array]:
        counts = term_counts(texts, self.analysis)
        idf, average = self._statistics(counts)
        weights, absent = np.empty(len(counts.texts)), 0.0
        for a in range(0, len(weights), STEP):
            part = slice(a, a + STEP)
            bounds = np.minimum(np.maximum(counts.starts, a), a + STEP)
            of_part = bounds[1:] - bounds[:-1]  # of each term, how much of it
            lengths = counts.lengths[counts.texts[part]].astype(np.float64)
            norm = 1 - self.b + self.b * lengths / average if average else np.ones(len(lengths))
            present, absent = self.weights(counts.times[part].astype(np.float64), norm)
            weights[part] = np.repeat(idf, of_part) * (present - absent)
        return {
            "terms": packed(counts.terms),
            "indptr": counts.starts,
            "indices": counts.texts,
            "weights": weights,
            "absent": idf * absent,
            "idf": idf,
            "size": np.array([len(counts.lengths)], dtype=np.int64),
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

    def _statistics(self, counts: TermCounts) -> tuple[FloatArray, float]:
        """Each term's idf and the mean length."""
        n = len(counts.lengths)
        average = float(int(counts.lengths.sum()) / n) if n else 0.0
        return self.idf(counts.terms, np.diff(counts.starts), n, average), average

    def idf(self, terms: Sequence[str], frequency: IntArray, n_texts: int, average: float) -> FloatArray:
        """The idf of `terms`, sorted, each of which so many of all texts have, from rank-bm25 itself where it has the variant.

        `average` is the mean length of a text, in terms.
        """
        import rank_bm25

        if self.variant == "lucene":
            return np.log1p((n_texts - frequency + 0.5) / (frequency + 0.5))
        if not len(terms):
            return np.zeros(0)
        base = {"okapi": rank_bm25.BM25Okapi, "plus": rank_bm25.BM25Plus, "l": rank_bm25.BM25L}[self.variant]

        class FromCounts(base):  # type: ignore[misc, valid-type]
            """rank-bm25 reads its statistics off token lists; these are the same numbers off the counts, without the lists."""

            def _initialize(self, _: object) -> dict[str, int]:
                self.corpus_size, self.avgdl = n_texts, average
                # By name: rank-bm25, which meets terms in the order of the texts, rounds its sum of idfs by that order.
                return dict(zip(terms, frequency.tolist(), strict=True))

        extra = {"epsilon": self.epsilon} if self.variant == "okapi" else {}
        idf = FromCounts([], k1=self.k1, b=self.b, **extra).idf
        return np.array([idf[t] for t in terms])


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
