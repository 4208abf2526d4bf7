"""Dense retrieval in shards of a corpus that is never held: no text's score depends on another text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.protocols import no_progress
from ragdiag.search.encoder import Encoder
from ragdiag.search.retrievers._vectors import Vectors
from ragdiag.search.spread import check_same

__all__ = ["VectorSearch"]


@dataclass(frozen=True, eq=False)
class VectorSearch:
    """See `whole.Search`. `name` is the identity of the `encoder`, `queries` are vectors, a row each."""

    encoder: Encoder
    name: str
    queries: VectorArray
    depth: int

    def ranked(self, texts: Sequence[str]) -> tuple[IntArray, FloatArray]:
        """See `whole.Search`. Raises `SpecError` where the model of this machine is another one than the caller's."""
        check_same(self.encoder, self.name)
        return Vectors(self.encoder.encode(texts, "document", None, no_progress)).search(self.queries, self.depth)
