"""An index as a diagnosis asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ragdiag.core.encoders import Readable, TextEncoder
from ragdiag.core.protocols import Index, Store
from ragdiag.core.records import IntArray, Span, Unseen
from ragdiag.search.nested import encoder_of
from ragdiag.search.rewriting import Rewriter

__all__ = ["Indexed", "reader_of", "unseen_of"]


@dataclass(frozen=True)
class Indexed:
    """An index with what a diagnosis asks of it: what it holds of a span, what its encoder reads, other retrievers.

    `searchable` is None where a run was recorded. `visible` is the number of characters that the encoder reads of each chunk's
    text, the largest integer where it reads all; None, as `seen`, without an encoder. `swaps` make other indexes of these texts;
    `readers` are the encoders whose vocabulary is known: of `searchable`, under "", and of `swaps`, by their names; `notes` say
    which of them nobody named. `analyses` are specs of this index with other terms for its BM25s, by what that mends, each with
    what makes it. `drifted` tells of stored vectors which are not of their texts; texts can be added where `adds`. Of a search
    whose encoder, if it has one, is not known, `surely` is the number of characters that any reads.
    """

    searchable: Index | None
    embed: Callable[[Span], str]
    visible: IntArray | None = None
    seen: Callable[[Sequence[str]], Sequence[int]] | None = None
    swaps: Mapping[str, Callable[[], Index]] = field(default_factory=dict)
    limit: int = 0
    readers: Mapping[str, Readable] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    analyses: Mapping[str, tuple[str, Callable[[], Index]]] = field(default_factory=dict)
    rewriter: Rewriter | None = None
    store: Store | None = None
    drifted: Callable[[Sequence[int]], Sequence[bool]] | None = None
    adds: bool = True
    surely: int = 0

    def unseen(self, lengths: IntArray) -> Unseen | None:
        """See `unseen_of`."""
        return unseen_of(self.visible, lengths, self.limit)


def reader_of(index: Index | None) -> TextEncoder | None:
    """The encoder of an index that says how far it reads; a function or an endpoint does not."""
    encoder = None if index is None else encoder_of(index)
    return encoder if isinstance(encoder, TextEncoder) else None


def unseen_of(visible: IntArray | None, lengths: IntArray, limit: int) -> Unseen | None:
    """Of chunks, those of which an encoder reads a part only, and the share of all characters that it never sees.

    `visible` is as for `Indexed`, `lengths` are the chunks' in characters, `limit` is the encoder's in word pieces. None without
    an encoder, and where it reads everything.
    """
    if visible is None or not (visible < lengths).any():
        return None
    lost = int(np.maximum(lengths - visible, 0).sum())
    return Unseen(int((visible < lengths).sum()), round(lost / int(lengths.sum()), 4), limit)
