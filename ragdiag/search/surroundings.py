"""The context of an audit: which one it is, for signatures and keys, and what it is once its chunks are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ragdiag.core.contexts import ToldContext
from ragdiag.core.encoders import Noted
from ragdiag.core.protocols import Context, Progress, Store, no_progress
from ragdiag.core.records import Chunking, Corpus, Span
from ragdiag.core.registry import spec_of
from ragdiag.core.texts import OwnTexts
from ragdiag.search.contexts.none import Nothing
from ragdiag.sources.chunks import embed_texts

__all__ = ["Surroundings"]


class Surroundings:
    """A context, told the chunks that it is of (`contexts.ToldContext`) once for each chunking."""

    def __init__(self, context: Context, store: Store | None) -> None:
        self.context, self._store = context, store
        self.identity = context.identity if isinstance(context, ToldContext) else ""
        self._known: tuple[Chunking, Context] | None = None

    @property
    def signed(self) -> str:
        """For a signature: the spec, and what else its texts depend on."""
        return spec_of(self.context) + (f"@{self.context.described}" if isinstance(self.context, ToldContext) else "")

    def of(self, corpus: Corpus, chunking: Chunking, progress: Progress) -> Context:
        """The context of these chunks."""
        if not isinstance(self.context, ToldContext):
            return self.context
        if self._known is None or self._known[0] is not chunking:
            self._known = chunking, self.context.told(corpus, chunking, self._store, progress)
        return self._known[1]

    def texts(self, corpus: Corpus, chunking: Chunking, progress: Progress = no_progress) -> Sequence[str]:
        """What is indexed for each chunk; where that is its own text, it is read off its document whenever it is asked for."""
        if isinstance(self.context, Nothing):
            return OwnTexts(corpus, chunking)
        return embed_texts(corpus, chunking, self.of(corpus, chunking, progress))

    def text(self, corpus: Corpus, chunking: Chunking, span: Span) -> str:
        """What would be indexed for a span."""
        where = np.array([span.start]), np.array([span.end])
        texts: list[str] = self.of(corpus, chunking, no_progress).texts(corpus.documents[span.document], *where)
        return texts[0]

    def notes(self, corpus: Corpus, chunking: Chunking) -> tuple[str, ...]:
        """What a reader should know of it."""
        context = self.of(corpus, chunking, no_progress)
        return tuple(context.notes) if isinstance(context, Noted) else ()
