"""Search chunks, hand over each with its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Progress, Retriever, Store
from ragdiag.search.retrievers._passages import PassageIndex, chunk_texts, documents_of
from ragdiag.search.retrievers.hybrid import Hybrid


@dataclass(frozen=True)
class Expand:
    """Hand over each chunk found with the `before` chunks before it and the `after` chunks after it in its document.

    One passage is what one chunk found adds; `k` counts passages. What is there already is not handed over twice, and its tokens
    are counted once.
    """

    nests: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)
    before: int = 1
    after: int = 1

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0:
            raise SpecError(f"expand: before and after must be 0 or more, not {min(self.before, self.after)}")

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> PassageIndex:
        """See `protocols.Retriever`. Raises `UsageError` for texts that are no `ChunkTexts`: neighbours are told by places."""
        chunks = chunk_texts(texts, "expand")
        low, high = documents_of(chunks)
        at, before, after = np.arange(len(chunks)), min(self.before, len(chunks)), min(self.after, len(chunks))
        first, last = np.maximum(at - before, low), np.minimum(at + after + 1, high)
        return PassageIndex(self.retriever.index(texts, store, progress), chunks, first, last, self.before + self.after > 0)
