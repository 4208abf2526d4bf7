"""A retriever whose index exists already, in some store: its chunks, its vectors, its search, asked through a `Source`."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Literal

import numpy as np

from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.core.records import StoredChunk
from ragdiag.search.callables import AnyEncoder, encoder_of_model
from ragdiag.search.models import unit
from ragdiag.search.retrievers._frames import framing
from ragdiag.search.retrievers._source import PAGE, Records, Source
from ragdiag.search.retrievers._stored_index import StoredIndex
from ragdiag.sources.stored import hinted_chunk

__all__ = ["Stored", "chunks_in"]

SAMPLE = 16
SAME_MODEL = 0.3
"""Mean cosine between stored vectors and new ones of the same texts, below which another model made them.

Titles or headings embedded with a chunk leave it above 0.5; between unrelated models it is about 0.
"""


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
        made = encoder.encode([row.text or "" for row in rows], "document", store, no_progress)
        name, remedy = encoder.described, "name the model that made the vectors: model=..."
        if stored.shape[1] != made.shape[1]:
            sizes = f"{stored.shape[1]} dimensions, those of {name} have {made.shape[1]}"
            raise SpecError(f"{source.place}: the collection's vectors have {sizes}; {remedy}")
        if (cosine := float((unit(stored) * made).sum(axis=1).mean())) < SAME_MODEL:
            raise SpecError(f"{source.place}: the collection's vectors are not of {name} (mean cosine {cosine:.2f}); {remedy}")
        found = framing(rows, stored, lambda texts: encoder.encode(texts, "document", store, no_progress))
        length = float(np.median(np.linalg.norm(stored, axis=1)))
        return StoredIndex(source, encoder, ids, store, length, len(ids) * stored[0].nbytes, found)


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
