"""The team's own Elasticsearch or OpenSearch index, searched by vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Progress
from ragdiag.core.records import StoredChunk
from ragdiag.search.retrievers._elastic import ElasticIndex, check_filter
from ragdiag.search.retrievers._elastic_vectors import ElasticSource
from ragdiag.search.retrievers._source import address
from ragdiag.search.retrievers._stored import Stored


@dataclass(frozen=True)
class ElasticKnn(Stored):
    """An index that exists, behind a server (`url`), asked by ``knn`` searches of its field `vector`; by words see `Elastic`.

    `text` is the field that holds the chunk. `where` is a query of the server's, as JSON, which both the chunks and every search
    are limited to. `candidates` is how many vectors a shard of Elasticsearch looks at (``num_candidates``), 0 for its default.
    Queries are embedded by `model` as in `Dense`; it must be the model that made the index's vectors. Keys are read as by
    `Elastic`.

    Raises `SpecError` for a `url`, a `where` or a number of `candidates` that cannot be one.
    """

    url: str
    index: str
    vector: str
    text: str = "text"
    where: str = ""
    candidates: int = 0
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        address(self.url, "elastic_knn")
        check_filter(self.where, "elastic_knn")
        if self.candidates < 0:
            raise SpecError(f"elastic_knn: candidates must be 0 (the server's default) or more, not {self.candidates}")

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """See `protocols.Collection`. Raises `SpecError` for a field that is none, or that holds no vectors to be searched."""
        self.source.check()
        return super().stored_chunks(progress)

    @cached_property
    def source(self) -> ElasticSource:
        """The index, with one connection to its server."""
        index = ElasticIndex(self.url, self.index, self.text, self.where, left_out=self.vector)
        return ElasticSource(index, self.vector, self.candidates)
