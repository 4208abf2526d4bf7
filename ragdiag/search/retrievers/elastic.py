"""The team's own Elasticsearch or OpenSearch index, searched by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import StoredChunk
from ragdiag.search.retrievers._elastic import ElasticIndex, check_filter
from ragdiag.search.retrievers._elastic_words import ElasticWords
from ragdiag.search.retrievers._source import address
from ragdiag.search.retrievers._stored import chunks_in


@dataclass(frozen=True)
class Elastic:
    """An index that exists, behind a server (`url`), asked by ``match`` queries; for its vectors see `ElasticKnn`.

    `text` is the field that holds the chunk, `field` the one that is searched, where that is another one (``text.english``).
    `where` is a query of the server's, as JSON, which both the chunks and every search are limited to. A key, or a user and a
    password, are read from the environment variables ``ELASTICSEARCH_API_KEY``, ``ELASTICSEARCH_USER`` and
    ``ELASTICSEARCH_PASSWORD``.

    Raises `SpecError` for a `url` or a `where` that cannot be one.
    """

    url: str
    index: str
    text: str = "text"
    field: str = ""
    where: str = ""

    def __post_init__(self) -> None:
        address(self.url, "elastic")
        check_filter(self.where, "elastic")

    @cached_property
    def source(self) -> ElasticIndex:
        """The index, with one connection to its server."""
        return ElasticIndex(self.url, self.index, self.text, self.where)

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """See `protocols.Collection`. Raises `SpecError` for a field that is none, or whose words are not indexed."""
        field = self.field or self.text
        kind = self.source.kind(field)
        if kind["type"] not in WORDS or kind.get("index") is False:
            remedy = "name a field of the type text: field=..., or search by vectors: elastic_knn(...)"
            raise SpecError(f"{self.source.place}: the words of {field!r} are not indexed (type {kind['type']}); {remedy}")
        return chunks_in(self.source, progress)

    def open(self, ids: Sequence[str], store: Store | None) -> ElasticWords:
        """See `protocols.Collection`."""
        if not ids:
            remedy = "audit the documents that it holds"
            raise InputError("none of its chunks is of these documents", self.source.place, remedy=remedy)
        return ElasticWords(self.source, self.field or self.text, ids)


WORDS = ("text", "match_only_text", "search_as_you_type")
"""Types of fields whose words are indexed."""
