"""Maximal marginal relevance: what is relevant and says something new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from ragdiag.core.arrays import Array, FloatArray
from ragdiag.core.cache import arrays_of
from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Index, Progress, Retriever, Store
from ragdiag.core.ranking import scaled
from ragdiag.search.retrievers._steps import Pool, Run, StepIndex
from ragdiag.search.retrievers._texts import numbered, packed, tf_idf
from ragdiag.search.retrievers.hybrid import DECIMALS, Hybrid
from ragdiag.text.words import DEFINITION

ALIKE_DECIMALS = 6
"""Similarities are rounded so: float32 carries no more."""


@dataclass(frozen=True)
class Mmr:
    """Re-order the first `depth`, one after the other, by maximal marginal relevance (Carbonell and Goldstein 1998).

    Next comes the text with the highest ``weight * relevance - (1 - weight) * likeness``: its score among these texts, scaled to
    [0, 1], and its highest TF-IDF cosine with a text already chosen. That value is its new score.
    """

    nests: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)
    weight: float = 0.7
    depth: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise SpecError(f"mmr: weight must be from 0 (only new) to 1 (only relevant), not {self.weight}")
        if self.depth < 1:
            raise SpecError(f"mmr: depth must be 1 or more, not {self.depth}")

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> MmrIndex:
        """See `protocols.Retriever`."""
        inner = self.retriever.index(texts, store, progress)
        progress("indexing for mmr", 0, len(texts))
        arrays = arrays_of(store, f"mmr 1 {DEFINITION}", texts, lambda: _fit(texts))
        progress("indexing for mmr", len(texts), len(texts))
        return MmrIndex(inner, texts, self, arrays)


def _fit(texts: Sequence[str]) -> dict[str, Array]:
    vectorizer = tf_idf()
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # "empty vocabulary": no text has a word
        return {"terms": packed([]), "idf": np.zeros(0, dtype=np.float32)}
    rows = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
    return {"terms": packed(vectorizer.get_feature_names_out().tolist()), "idf": vectorizer.idf_, **rows}


class MmrIndex(StepIndex):
    """An index whose rankings are re-ordered by marginal relevance, and a TF-IDF matrix of its texts."""

    def __init__(self, inner: Index, texts: Sequence[str], mmr: Mmr, arrays: Mapping[str, Array]) -> None:
        super().__init__(inner, texts, mmr.depth)
        self._weight = mmr.weight
        self._size: int = sum(a.nbytes for a in arrays.values())
        terms = numbered(arrays["terms"])
        self._vectorizer: Any = None
        if terms:
            self._vectorizer = tf_idf(vocabulary=terms)
            self._vectorizer.idf_ = arrays["idf"]
            columns = (arrays["data"], arrays["indices"], arrays["indptr"])
            self._rows = sparse.csr_array(columns, shape=(len(texts), len(terms)))

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return self.indexes[0].nbytes + self._size

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """See `StepIndex`."""
        return [self._chosen(pool, depth) for pool in pools]

    def _chosen(self, pool: Pool, depth: int) -> Run:
        order = np.lexsort((pool.positions, self._places(pool)))  # so that of equal values the first is chosen
        relevance, alike = scaled(pool.scores)[order], self._likeness(pool)[np.ix_(order, order)]
        nearest, left = np.zeros(len(order)), np.ones(len(order), dtype=bool)
        chosen, values = list[int](), list[float]()
        while left.any() and len(chosen) < depth:
            worth = np.where(left, np.round(self._weight * relevance - (1 - self._weight) * nearest, DECIMALS), -np.inf)
            first = int(worth.argmax())
            chosen.append(first)
            values.append(float(worth[first]))
            left[first] = False
            nearest = np.maximum(nearest, alike[first])
        return pool.positions[order[chosen]], np.array(values) + 0.0  # no -0.0

    def _likeness(self, pool: Pool) -> FloatArray:
        """The TF-IDF cosine of each two texts of a pool, shape ``(n, n)``."""
        n, positions = len(self._texts), pool.positions
        if self._vectorizer is None:
            return np.zeros((len(positions), len(positions)))
        known = positions < n
        rows = self._rows[positions[known]]
        new = [pool.added[p - n].text for p in positions[~known].tolist()]
        if new:
            rows = sparse.vstack([rows, self._vectorizer.transform(new)], format="csr")
        back = np.argsort(np.argsort(~known, kind="stable"), kind="stable")
        alike = np.round((rows @ rows.T).toarray().astype(np.float64), ALIKE_DECIMALS)
        likeness: FloatArray = alike[np.ix_(back, back)]
        return likeness
