"""Chunks as columns: cut by a chunker, or the team's own placed in their documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.files import read_jsonl
from ragdiag.core.protocols import Chunker, Context, CorpusChunker, Progress, Store
from ragdiag.core.records import Chunking, Corpus, StoredChunk
from ragdiag.sources.fields import Fields
from ragdiag.sources.foreign import sorted_out, with_foreign
from ragdiag.sources.places import Placer, from_spans
from ragdiag.sources.stored import BESIDE, CHUNK, stored_chunk

__all__ = ["Placed", "cut", "embed_texts", "place", "place_stored", "read_chunks", "within"]


def cut(corpus: Corpus, chunker: Chunker, progress: Progress, store: Store | None = None) -> Chunking:
    """Every document of `corpus` through `chunker`; one that takes all at once looks up and adds to `store` what is costly."""
    texts = [document.text for document in corpus.documents]
    spans = chunker.spans_of_all(texts, store, progress) if isinstance(chunker, CorpusChunker) else map(chunker.spans, texts)
    documents, starts, ends = [], [], []
    for i, (start, end) in enumerate(spans):
        documents.append(np.full(len(start), i, dtype=np.int64))
        starts.append(start)
        ends.append(end)
        if i % 1000 == 0:
            progress("chunking documents", i, len(texts))
    progress("chunking documents", len(texts), len(texts))
    return Chunking(np.concatenate(documents), np.concatenate(starts), np.concatenate(ends))


def embed_texts(corpus: Corpus, chunking: Chunking, context: Context) -> list[str]:
    """What is indexed for each chunk: its text with its context."""
    texts: list[str] = []
    bounds = np.searchsorted(chunking.document, np.arange(len(corpus.documents) + 1))
    for document, a, b in zip(corpus.documents, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if b > a:
            texts += context.texts(document, chunking.start[a:b], chunking.end[a:b])
    return texts


def read_chunks(path: Path) -> list[StoredChunk]:
    """The team's own chunks: JSONL ``{"doc_id","start","end"}`` or ``{"doc_id","text"}``, an id optional."""
    chunks = []
    with Fields(path) as fields:
        for line, record in read_jsonl(path):
            fields.look(record, CHUNK, line, known=BESIDE)
            chunks.append(stored_chunk(record, path, line))
    if not chunks:
        raise InputError("has no chunks", path, remedy='write one {"doc_id", "start", "end"} per line')
    return chunks


class Placed(NamedTuple):
    """Chunks in their documents, and notes on what was guessed. For `altered` and `several` see `foreign.Sorted`."""

    chunking: Chunking
    notes: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    several: tuple[str, ...] = ()


def place(chunks: Sequence[StoredChunk], corpus: Corpus) -> Placed:
    """Chunks as spans of their documents; one that has no offsets is found by its text.

    Raises `InputError` for a chunk that leaves its document, contradicts its text or is nowhere in it.
    """
    placer = Placer(corpus)
    chunking = from_spans(placer.spans(chunks), [c.id for c in chunks], chunks)
    return Placed(chunking, tuple(placer.notes()))


def place_stored(chunks: Sequence[StoredChunk], whole: Corpus, part: Corpus) -> tuple[Placed, Corpus]:
    """The chunks of a store that are in documents of `part`, and those that are of none of `whole` (see `foreign`); `part` with a
    document for each of these. Raises `InputError` where no record is of the corpus.
    """
    try:
        placed, foreign = place(chunks, whole), list[tuple[StoredChunk, str]]()
    except InputError:  # a store that is in order is sorted out by none
        known = sorted_out(chunks, whole)
        placed, foreign = place(known.placed, whole), known.foreign
        notes = (*placed.notes, *known.notes)
        placed = placed._replace(notes=notes, altered=known.altered, several=known.several)
    chunking, corpus = with_foreign(within(placed.chunking, whole, part), part, foreign)
    return placed._replace(chunking=chunking), corpus


def within(chunking: Chunking, whole: Corpus, part: Corpus) -> Chunking:
    """The chunks of `whole` that are in documents of `part`, in its numbering."""
    if part is whole:
        return chunking
    number = np.array([part.position.get(d.id, -1) for d in whole.documents], dtype=np.int64)[chunking.document]
    inside = np.flatnonzero(number >= 0)
    ids = tuple(chunking.ids[i] for i in inside) if chunking.ids else ()
    return Chunking(number[inside], chunking.start[inside], chunking.end[inside], ids, chunking.complete)
