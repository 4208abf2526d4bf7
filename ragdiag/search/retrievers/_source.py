"""What a store of records with vectors can be asked, whatever it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable
from urllib.parse import urlsplit

from ragdiag.core.arrays import VectorArray
from ragdiag.core.errors import RagdiagError, SpecError
from ragdiag.core.secrets import as_cause, without_secrets

__all__ = ["PAGE", "Opaque", "Records", "Restarted", "Row", "Source", "Space", "address", "asked", "check_path", "one_line"]

PAGE = 1000
"""Records read in one request."""

Opaque = Any
"""An object of a store's own library, which declares no types."""

Space = Literal["l2", "cosine", "ip"]
"""A store's distance: squared L2, one less the cosine, one less the inner product."""


class Row(NamedTuple):
    """A record of a store: its id, its text (None or empty where it has none), its metadata."""

    id: str
    text: str | None
    metadata: Mapping[str, object]


class Records(Protocol):
    """A store's records, opened once an audit and only read. What the store raises is raised as `RagdiagError`."""

    @property
    def place(self) -> str:
        """Where it is, for people: no secret is in it."""
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


class Source(Records, Protocol):
    """Records with their vectors, and a search for those that are near one."""

    @property
    def space(self) -> Space:
        """Its distance."""
        ...

    @property
    def remedy(self) -> str:
        """What makes its search miss less, by the names that this store has for it; "" where it compares all vectors."""
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
    """What an error says, on one line, without keys that a server may have repeated."""
    words = " ".join(without_secrets(str(error)).split()) or type(error).__name__
    return words if len(words) <= most else words[: most - 1] + "…"


@contextlib.contextmanager
def asked(place: str, remedy: str) -> Iterator[None]:
    """While a store is asked: what its library raises is raised as a `RagdiagError` of one line, with `place` and `remedy`."""
    try:
        yield
    except RagdiagError:
        raise
    except Exception as e:
        raise RagdiagError(f"{place}: {one_line(e)}; {remedy}") from as_cause(e)


def check_path(path: str, store: str) -> None:
    """Raises `SpecError`, which names the `store`, for a path that a store's library may take for an address (``s3://...``)."""
    if "://" in path:
        raise SpecError(f"{store}: path must be that of a file or folder of this machine, not {path.partition('://')[0]}://...")


def address(url: str, store: str) -> tuple[str, int, bool]:
    """Host, port and whether it is https. Raises `SpecError`, which names the `store`, for a `url` that says anything else."""
    wrong = SpecError(f"{store}: url must be http://host:port or https://host:port, and no more")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as e:
        raise wrong from e
    if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise wrong
    return f"[{host}]" if ":" in host else host, port, parts.scheme == "https"
