"""Search small chunks, hand over the larger window of the document that holds them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import ChunkTexts, Progress, Retriever, Store
from ragdiag.core.records import IntArray
from ragdiag.search.retrievers._passages import PassageIndex, chunk_texts
from ragdiag.search.retrievers.hybrid import Hybrid
from ragdiag.text.headings import headings
from ragdiag.text.tokens import count_tokens


@dataclass(frozen=True)
class Parent:
    """Hand over, for each chunk found, the parent that it is part of: chunks in a row of up to `size` tokens.

    Parents are packed from the start of each document, or with `within` "section" of each section under a heading; a chunk that
    is longer is its own parent. One passage is what one chunk found adds; `k` counts passages. No text is handed over twice.
    """

    nests: ClassVar[bool] = True
    hands_over: ClassVar[bool] = True

    retriever: Retriever = field(default_factory=Hybrid)
    size: int = 640
    within: Literal["document", "section"] = "document"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SpecError(f"parent: size must be 1 or more tokens, not {self.size}")

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> PassageIndex:
        """See `protocols.Retriever`. Raises `UsageError` for texts that are no `ChunkTexts`: parents are told by places."""
        chunks = chunk_texts(texts, "parent")
        new = np.fromiter(self._begins(chunks), dtype=bool, count=len(chunks))
        starts = np.flatnonzero(new)
        of_chunk = np.cumsum(new) - 1
        first: IntArray = starts[of_chunk]
        last: IntArray = np.append(starts[1:], len(chunks))[of_chunk]
        return PassageIndex(self.retriever.index(texts, store, progress), chunks, first, last)

    def _begins(self, chunks: ChunkTexts) -> Iterator[bool]:
        """Whether a parent begins with each chunk."""
        chunking, documents = chunks.chunking, chunks.corpus.documents
        here, section, tokens, reach, titles = -1, -1, 0, 0, list[int]()
        for d, start, end in zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True):
            text, other = documents[d].text, d != here
            if other:
                titles = [h.start for h in headings(text)] if self.within == "section" else []
                here = d
            own_text = text[start:end]
            own = count_tokens(text[max(start, min(reach, end)) : end])
            at = bisect_right(titles, start + len(own_text) - len(own_text.lstrip())) if titles else 0
            begins = other or at != section or tokens + own > self.size
            tokens = count_tokens(own_text) if begins else tokens + own
            section, reach = at, end if begins else max(reach, end)
            yield begins
