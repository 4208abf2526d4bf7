"""The team's own Qdrant collection, with the chunks and vectors it has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ragdiag.core.errors import SpecError
from ragdiag.search.retrievers._qdrant import QdrantSource
from ragdiag.search.retrievers._source import address, check_path
from ragdiag.search.retrievers._stored import Stored


@dataclass(frozen=True)
class Qdrant(Stored):
    """A collection that exists, in a folder of the Python client (`path`) or behind a server (`url`).

    `vector` names one of several vectors that a point has. `text` is the field of the payload that holds the chunk, by default
    the first that it has of ``page_content``, ``text``, ``document`` and ``content``. `where` is a filter of Qdrant's as JSON,
    which both the chunks and every search are limited to. Queries are embedded by `model` as in `Dense`; it must be the model
    that made the collection's vectors. A server's key is read from the environment variable ``QDRANT_API_KEY``.

    Opening a folder locks it and may write to it. So a temporary copy is opened, and the folder stays as it is, byte for byte.
    Raises `SpecError` for a `url` or a `where` that cannot be one.
    """

    collection: str
    path: str = ""
    url: str = ""
    vector: str = ""
    text: str = ""
    where: str = ""
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.url):
            raise SpecError('qdrant needs either path="folder" or url="http://host:port"')
        check_path(self.path, "qdrant")
        if self.url:
            address(self.url, "qdrant")
        try:
            is_filter = not self.where or isinstance(json.loads(self.where), dict)
        except (ValueError, RecursionError):
            is_filter = False
        if not is_filter:
            example = '{"must": [{"key": "lang", "match": {"value": "en"}}]}'
            raise SpecError(f"qdrant: where must be a filter as JSON, e.g. '{example}'")

    @cached_property
    def source(self) -> QdrantSource:
        """One client, of one copy of the folder or of the server."""
        return QdrantSource(self.collection, self.path, self.url, self.vector, self.text, self.where)
