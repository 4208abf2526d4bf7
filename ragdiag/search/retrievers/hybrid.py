"""Hybrid retrieval: several rankings made one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ragdiag.core.errors import SpecError
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Index, Progress, Retriever, Store
from ragdiag.core.ranking import best, padded, scaled
from ragdiag.core.records import FloatArray, IntArray
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.search.retrievers.dense import Dense

DECIMALS = 12
"""Fused scores are rounded so: sums of the same terms in another order are ties, not differences."""


@dataclass(frozen=True)
class Hybrid:
    """Fuse the first `depth` of each ranking.

    ``rrf`` is reciprocal rank fusion (Cormack, Clarke and Buettcher 2009): sum of weight / (k + rank). ``weighted`` sums the
    scores, each ranking's scaled to [0, 1] over its own first `depth`. `weights`, one a retriever, default to equal ones.
    """

    nests: ClassVar[bool] = True

    retrievers: tuple[Retriever, ...] = (Bm25(), Dense())
    fusion: Literal["rrf", "weighted"] = "rrf"
    k: int = 60
    depth: int = 100
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.retrievers) < 2:
            raise SpecError("hybrid needs two retrievers or more, e.g. hybrid(bm25, dense)")
        if self.k < 0 or self.depth < 1:
            raise SpecError(f"hybrid: k must be 0 or more and depth 1 or more, not k={self.k}, depth={self.depth}")
        if self.weights and (len(self.weights) != len(self.retrievers) or min(self.weights) < 0 or sum(self.weights) <= 0):
            raise SpecError(f"hybrid: weights must be {len(self.retrievers)} numbers of 0 or more, not all 0")

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> HybridIndex:
        """See `protocols.Retriever`."""
        return HybridIndex(self, [r.index(texts, store, progress) for r in self.retrievers], len(texts))


class HybridIndex:
    """The indexes whose rankings are fused; see `protocols.Index`. Without `indexes` it fuses what others made of `n_texts`."""

    def __init__(self, hybrid: Hybrid, indexes: Sequence[Index], n_texts: int) -> None:
        self._hybrid, self.indexes, self._depth = hybrid, indexes, min(hybrid.depth, max(n_texts, 1))
        total = sum(hybrid.weights) or len(hybrid.retrievers)
        self._weights = [w / total for w in hybrid.weights or [1.0] * len(hybrid.retrievers)]

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return sum(index.nbytes for index in self.indexes)

    def depth_below(self, depth: int) -> int:
        """See `protocols.Index`."""
        return self._depth

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. Nothing below the fusion depth of every ranking is returned."""
        return self.fused([index.search(queries, self._depth) for index in self.indexes], len(queries), depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.fused([index.answer(query, self._depth) for index in self.indexes], 1, depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`: each ranking is edited, then all are fused as ever."""
        return self.fused([index.what_if(queries, edits, self._depth) for index in self.indexes], len(queries), depth)

    def fused(self, runs: Sequence[tuple[IntArray, FloatArray]], n: int, depth: int) -> tuple[IntArray, FloatArray]:
        """One ranking for each of `n` queries, of those by each retriever."""
        return padded([self._fuse([(p[q], s[q]) for p, s in runs], depth) for q in range(n)], depth)

    def _fuse(self, rankings: Sequence[tuple[IntArray, FloatArray]], depth: int) -> tuple[IntArray, FloatArray]:
        rankings = [(p[p >= 0], s[p >= 0]) for p, s in rankings]
        found = np.unique(np.concatenate([p for p, _ in rankings]))
        fused = np.zeros(len(found))
        for weight, (positions, scores) in zip(self._weights, rankings, strict=True):
            fused[np.searchsorted(found, positions)] += weight * self._share(scores)
        fused = np.round(fused, DECIMALS)
        top = best(fused, depth)
        return found[top], fused[top]

    def _share(self, scores: FloatArray) -> FloatArray:
        """What each place of one ranking, best first, adds to the fused score."""
        if self._hybrid.fusion == "rrf":
            share: FloatArray = 1.0 / (self._hybrid.k + np.arange(1.0, len(scores) + 1))
            return share
        return scaled(scores)
