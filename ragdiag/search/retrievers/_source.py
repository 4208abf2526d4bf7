"""What a store of records with vectors can be asked, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from ragdiag.core.arrays import VectorArray

__all__ = ["PAGE", "Restarted", "Row", "Source", "Space", "one_line"]

PAGE = 1000
"""Records read in one request."""

Space = Literal["l2", "cosine", "ip"]
"""A store's distance: squared L2, one less the cosine, one less the inner product."""


class Row(NamedTuple):
    """A record of a store: its id, its text (None or empty where it has none), its metadata."""

    id: str
    text: str | None
    metadata: Mapping[str, object]


class Source(Protocol):
    """A store's records, opened once an audit and only read. What the store raises is raised as `RagdiagError`."""

    @property
    def place(self) -> str:
        """Where it is, for people: no secret is in it."""
        ...

    @property
    def space(self) -> Space:
        """Its distance."""
        ...

    def count(self) -> int:
        """The number of its records; a live one may grow while it is read."""
        ...

    def rows(self) -> Iterator[Row]:
        """Every record, each once, in an order that stays."""
        ...

    def records(self, ids: Sequence[str]) -> Sequence[Row]:
        """The records of `ids`, which are there, in this order."""
        ...

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """The vectors of records that are there, float32, in the order of `ids`, shape ``(n_ids, dimension)``."""
        ...

    def nearest(self, vectors: VectorArray, n: int) -> Sequence[tuple[Sequence[str], Sequence[float]]]:
        """For each vector, by the store's own search, the ids of up to `n` records and their distances (see `Space`)."""
        ...


@runtime_checkable
class Restarted(Source, Protocol):
    """A store that links its newest records anew at each start; see `protocols.Relinked`."""

    @property
    def unlinked(self) -> int:
        """How many."""
        ...

    def started_anew(self, start: int) -> Source:
        """The same at another start."""
        ...


def one_line(error: Exception, most: int = 160) -> str:
    """What an error says, on one line."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= most else words[: most - 1] + "…"
