"""The team's own Chroma collection, with the chunks and vectors it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Progress
from ragdiag.core.records import StoredChunk
from ragdiag.search.retrievers._chroma import ChromaSource
from ragdiag.search.retrievers._source import address, check_path
from ragdiag.search.retrievers._stored import Stored


@dataclass(frozen=True)
class Chroma(Stored):
    """A collection that exists, in a folder (`path`) or behind a server (`url`, such as ``http://localhost:8000``).

    Queries are embedded by `model` as in `Dense`; it must be the model that made the collection's vectors. Tenant and database
    are the default ones; Chroma's own environment variables (``CHROMA_CLIENT_AUTH_PROVIDER`` and such) hold.

    Chroma has no read-only mode: opening a folder writes to it, and may migrate it beyond what the team's own version reads. So a
    temporary copy is opened, and the folder stays as it is, byte for byte.
    """

    collection: str
    path: str = ""
    url: str = ""
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.url):
            raise SpecError('chroma needs either path="folder" or url="http://host:port"')
        check_path(self.path, "chroma")
        if self.url:
            address(self.url, "chroma")

    @cached_property
    def source(self) -> ChromaSource:
        """One client of one copy of the folder, and one graph."""
        return ChromaSource(self.collection, self.path, self.url)

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """See `Stored`."""
        self.source.connect(progress)
        return super().stored_chunks(progress)
