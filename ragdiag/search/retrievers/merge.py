"""Hand over as one passage what touches or overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ragdiag.core.protocols import Progress, Retriever, Store
from ragdiag.search.retrievers._passages import PassageIndex, chunk_texts
from ragdiag.search.retrievers.hybrid import Hybrid


@dataclass(frozen=True)
class Merge:
    """Join the chunks found that touch or overlap: what two of them share is handed over, and counted in tokens, once."""

    nests: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> PassageIndex:
        """See `protocols.Retriever`. Raises `UsageError` for texts that are no `ChunkTexts`: what touches is told by places."""
        at = np.arange(len(texts))
        return PassageIndex(self.retriever.index(texts, store, progress), chunk_texts(texts, "merge"), at, at + 1)
