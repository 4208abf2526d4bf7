"""Leave superseded versions of documents out of each ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ragdiag.core.arrays import BoolArray, IntArray
from ragdiag.core.errors import UsageError
from ragdiag.core.proofs import Addition
from ragdiag.core.protocols import ChunkTexts, Index, Progress, Retriever, Store
from ragdiag.core.ranking import padded
from ragdiag.search.retrievers._steps import Pool, Run, StepIndex, pools_of
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.text.versions import superseded


@dataclass(frozen=True)
class Latest:
    """Drop chunks of documents that another document of the corpus supersedes, by their metadata (see `versions.superseded`).

    As many as were asked for are left, however many are dropped.
    """

    nests: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> LatestIndex:
        """See `protocols.Retriever`. Raises `UsageError` for texts that are no `ChunkTexts`: whose they are, metadata tells."""
        if not isinstance(texts, ChunkTexts):
            raise UsageError("latest must know the documents of the texts that it indexes; give it protocols.ChunkTexts")
        return LatestIndex(self.retriever.index(texts, store, progress), texts)


class LatestIndex(StepIndex):
    """An index whose rankings are without superseded texts."""

    def __init__(self, inner: Index, texts: ChunkTexts) -> None:
        super().__init__(inner, texts, 0)
        old = superseded(texts.corpus.documents)
        self._old_documents: frozenset[int] = frozenset(np.flatnonzero(old).tolist())
        self._old_texts: IntArray = np.flatnonzero(old[texts.chunking.document])

    def depth_below(self, depth: int) -> int:
        """See `protocols.Index`; more where too many of these are superseded."""
        return min(2 * depth, self._most(()))

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """See `StepIndex`."""
        return [(pool.positions[current], pool.scores[current]) for pool in pools for current in [self._current(pool)]]

    def _current(self, pool: Pool) -> BoolArray:
        added = [i for i, a in enumerate(pool.added, len(self._texts)) if a.document in self._old_documents]
        return ~np.isin(pool.positions, np.concatenate([self._old_texts, np.array(added, dtype=np.int64)]))

    def _run(
        self, search: Callable[[int], Run], queries: Sequence[str], added: Sequence[tuple[Addition, ...]], depth: int,
        removed: Sequence[frozenset[int]] = (),
    ) -> Run:  # fmt: skip
        most, deep = self._most(added), 2 * depth
        while True:  # as deep as it takes: as deep as all that is superseded would be slow where that is much
            found = pools_of(search(min(deep, most)), queries, added)
            rows = self.arranged(found, depth)
            enough = (len(row) >= depth or len(pool.positions) < deep for (row, _), pool in zip(rows, found, strict=True))
            if deep >= most or all(enough):
                return padded([(positions[:depth], scores[:depth]) for positions, scores in rows], depth)
            deep *= 4
