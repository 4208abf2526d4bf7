"""A retriever whose index exists already, in some store: its chunks, its vectors, its search, asked through a `Source`."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Literal

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.core.records import StoredChunk
from ragdiag.search.models import unit
from ragdiag.search.named import AnyEncoder, encoder_of_model
from ragdiag.search.query_vectors import QueryVectors
from ragdiag.search.retrievers._frames import UNKNOWN, Framing, framing
from ragdiag.search.retrievers._source import PAGE, Records, Row, Source
from ragdiag.search.retrievers._stored_index import StoredIndex
from ragdiag.sources.stored import hinted_chunk

__all__ = ["Stored", "chunks_in"]

SAMPLE = 16
SAME_MODEL = 0.3
"""Mean cosine between stored vectors and new ones of the same texts, below which another model made them.

Titles or headings embedded with a chunk leave it above 0.5; between unrelated models it is about 0.
"""


REMEDY = "name the model that made the vectors: model=..."


class Stored(abc.ABC):
    """A retriever whose index is there already; see `protocols.Collection`. A subclass is a dataclass with `model` and
    `precision`, and says what its `source` is.
    """

    model: str
    precision: Literal["auto", "float32", "bfloat16"]

    @property
    @abc.abstractmethod
    def source(self) -> Source:
        """The one source that everything is asked of, held as long as an index is."""

    @property
    def encoder(self) -> AnyEncoder:
        """The model that makes the vectors of queries."""
        return encoder_of_model(self.model, self.precision)

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """See `protocols.Collection` and `chunks_in`."""
        return chunks_in(self.source, progress)

    def open(self, ids: Sequence[str], store: Store | None) -> StoredIndex:
        """See `protocols.Collection`. Raises `SpecError` where `model` is not the one that made the collection's vectors."""
        source = self.source
        if not ids:
            raise InputError("none of its chunks is of these documents", source.place, remedy="audit the documents that it holds")
        sample, encoder = list(ids[:: -(-len(ids) // SAMPLE)]), self.encoder
        stored, rows = source.vectors(sample), source.records(sample)
        found = self._framing(encoder, rows, stored, store)
        length = float(np.median(np.linalg.norm(stored, axis=1)))
        return StoredIndex(source, encoder, ids, store, length, len(ids) * stored[0].nbytes, found)

    def _framing(self, encoder: AnyEncoder, rows: Sequence[Row], stored: VectorArray, store: Store | None) -> Framing:
        """What was embedded for `rows`, whose vectors are `stored`. Raises `SpecError` where another model made these."""
        if isinstance(encoder, QueryVectors):
            self._check_dimension(stored.shape[1], encoder.dimension, encoder.described)
            return UNKNOWN

        def embed(texts: Sequence[str]) -> VectorArray:
            return encoder.encode(texts, "document", store, no_progress)

        made = embed([row.text or "" for row in rows])
        self._check_dimension(stored.shape[1], made.shape[1], encoder.described)
        if (cosine := float((unit(stored) * made).sum(axis=1).mean())) < SAME_MODEL:
            not_of = f"the collection's vectors are not of {encoder.described} (mean cosine {cosine:.2f})"
            raise SpecError(f"{self.source.place}: {not_of}; {REMEDY}")
        return framing(rows, stored, embed)

    def _check_dimension(self, stored: int, made: int, name: str) -> None:
        if stored != made:
            sizes = f"{stored} dimensions, those of {name} have {made}"
            raise SpecError(f"{self.source.place}: the collection's vectors have {sizes}; {REMEDY}")


def chunks_in(source: Records, progress: Progress) -> list[StoredChunk]:
    """Every record of a store as a chunk. Raises `InputError` where there is none, or where one has no text."""
    chunks, total, place = list[StoredChunk](), source.count(), source.place
    for row in source.rows():
        if row.text is None or not row.text.strip():
            raise InputError(f"record {row.id!r} has no document text", place, remedy="store the chunk's text with its vector")
        chunks.append(hinted_chunk(row.id, row.text, row.metadata, place))
        if len(chunks) % PAGE == 0:
            progress("reading the collection", len(chunks), max(total, len(chunks)))
    progress("reading the collection", len(chunks), len(chunks))
    if not chunks:
        raise InputError("the collection is empty", place, remedy="add the chunks that the application searches")
    return chunks
