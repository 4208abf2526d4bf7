"""What a context promises whose texts somebody wrote, a person or a model; see `protocols`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ragdiag.core.protocols import Context, Progress, Store
from ragdiag.core.records import Chunking, Corpus

__all__ = ["ToldContext"]


@runtime_checkable
class ToldContext(Context, Protocol):
    """A context that is told all chunks before it is asked what is indexed with one."""

    @property
    def identity(self) -> str:
        """What its texts depend on beside its parameters: the hash of a file, a function's name and version. Raises without."""
        ...

    @property
    def described(self) -> str:
        """The same for a signature, short."""
        ...

    def told(self, corpus: Corpus, chunking: Chunking, store: Store | None, progress: Progress) -> Context:
        """The context of these chunks, and of any other span; it may be `encoders.Noted`."""
        ...
