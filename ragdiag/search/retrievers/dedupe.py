"""Keep the first of each cluster of near-duplicates in a ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Progress, Retriever, Store
from ragdiag.search.retrievers._steps import Pool, Run, StepIndex
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.text.duplicates import near_duplicates, shingles


@dataclass(frozen=True)
class Dedupe:
    """Drop each text that nearly repeats one kept above it (`duplicates.near_duplicates`), among the first `depth`.

    What is dropped may be the current version of a page, where an older one ranks higher: ``dedupe(latest(...))`` drops that
    one first.
    """

    nests: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)
    depth: int = 100

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise SpecError(f"dedupe: depth must be 1 or more, not {self.depth}")

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> DedupeIndex:
        """See `protocols.Retriever`."""
        return DedupeIndex(self.retriever.index(texts, store, progress), texts, self.depth)


class DedupeIndex(StepIndex):
    """An index whose rankings are without near-duplicates."""

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """See `StepIndex`."""
        return [self._kept(pool, depth) for pool in pools]

    def _kept(self, pool: Pool, depth: int) -> Run:
        texts = self._said(pool)
        kept: list[int] = []
        for i, text in enumerate(texts):
            if len(kept) < depth and not any(_alike(texts[above], text) for above in kept):
                kept.append(i)
        return pool.positions[kept], pool.scores[kept]


# The same texts meet in what-if after what-if.
_shingles = lru_cache(maxsize=4096)(shingles)


@lru_cache(maxsize=1 << 17)
def _alike(above: str, text: str) -> bool:
    return near_duplicates(_shingles(above), _shingles(text))
