"""The team's own Milvus collection, with the chunks and vectors it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ragdiag.core.errors import SpecError
from ragdiag.search.retrievers._milvus import MilvusSource, Searched
from ragdiag.search.retrievers._source import address, check_path
from ragdiag.search.retrievers._stored import Stored


@dataclass(frozen=True)
class Milvus(Stored):
    """A collection that exists, in a database of Milvus Lite (`path`) or behind a server (`url`).

    `vector` names the field that is searched, where a record has several. `text` is the field that holds the chunk, by default
    the first that a record has of ``page_content``, ``text``, ``document`` and ``content``. `where` is a filter in Milvus's own
    language, which both the chunks and every search are limited to. `ef` and `nprobe` are how wide a search looks, 0 for the
    server's default. Queries are embedded by `model` as in `Dense`; it must be the model that made the collection's vectors. A
    server's token is read from the environment variable ``MILVUS_TOKEN``.

    Opening a database of Milvus Lite locks it and may write to it. So a temporary copy is opened, and yours stays as it is.
    Raises `SpecError` for a `url` that cannot be one, and for a negative `ef` or `nprobe`.
    """

    collection: str
    path: str = ""
    url: str = ""
    vector: str = ""
    text: str = ""
    where: str = ""
    ef: int = 0
    nprobe: int = 0
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.url):
            raise SpecError('milvus needs either path="milvus.db" or url="http://host:port"')
        check_path(self.path, "milvus")
        if self.url:
            address(self.url, "milvus")
        for name, value in (("ef", self.ef), ("nprobe", self.nprobe)):
            if value < 0:
                raise SpecError(f"milvus: {name} must be 0 (Milvus's default) or more, not {value}")

    @cached_property
    def source(self) -> MilvusSource:
        """One client, of one copy of the database or of the server."""
        searched = Searched(self.vector, self.text, self.where, self.ef, self.nprobe)
        return MilvusSource(self.collection, self.path, self.url, searched)
