"""Where chunks are: spans of documents, from offsets, texts or ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ragdiag.errors import InputError, did_you_mean
from ragdiag.records import Chunking, Corpus, IntArray, StoredChunk

__all__ = ["Placer", "chunk_id", "from_spans"]


def chunk_id(corpus: Corpus, chunking: Chunking, chunk: int) -> str:
    """``doc#start-end``: the same chunk has the same id in every report."""
    return f"{corpus.documents[chunking.document[chunk]].id}#{chunking.start[chunk]}-{chunking.end[chunk]}"


class Placer:
    """Finds the span of each chunk in turn.

    Of a text that stands several times in a document, the first chunk gets the first place, the next the next.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._used: dict[tuple[int, str], int] = {}

    def span(self, chunk: StoredChunk) -> tuple[int, int, int]:
        """``(document, start, end)``. Raises `InputError` for a chunk that leaves its document, or whose text is not there."""
        document = _document(chunk, self._corpus)
        return (document, *_span(chunk, self._corpus, document, self._used))


def _document(chunk: StoredChunk, corpus: Corpus) -> int:
    if chunk.doc_id in corpus.position:
        return corpus.position[chunk.doc_id]
    if not chunk.doc_id and chunk.text:
        found = [i for i, d in enumerate(corpus.documents) if chunk.text.strip() in d.text]
        if len(found) == 1:
            return found[0]
        where = f"in {len(found)} documents" if found else "in no document"
        raise InputError(f"chunk {chunk.id!r} names no document and its text is {where}", chunk.file, chunk.line, "add doc_id")
    near = did_you_mean(chunk.doc_id, corpus.position).split(" (known")[0]
    raise InputError(
        f"no document {chunk.doc_id!r} in the corpus{near}", chunk.file, chunk.line, "chunk the corpus that is audited"
    )


def _span(chunk: StoredChunk, corpus: Corpus, document: int, used: dict[tuple[int, str], int]) -> tuple[int, int]:
    text, name = corpus.documents[document].text, corpus.documents[document].id
    if chunk.start is not None and chunk.end is not None:
        if not 0 <= chunk.start < chunk.end <= len(text):
            message = f"chunk [{chunk.start}, {chunk.end}) leaves {name}, which has {len(text)} characters"
            raise InputError(message, chunk.file, chunk.line, "0 <= start < end <= length must hold")
        if chunk.text and text[chunk.start : chunk.end] != chunk.text:
            message = f"chunk text differs from {name}[{chunk.start}:{chunk.end}]"
            raise InputError(message, chunk.file, chunk.line, "leave out the text, or the offsets, or chunk the same version")
        return chunk.start, chunk.end
    if not chunk.text.strip():
        raise InputError(f"chunk {chunk.id!r} has neither offsets nor text", chunk.file, chunk.line, "add start and end")
    after = used.get((document, chunk.text), 0)
    start = text.find(chunk.text, after)
    if start < 0:
        start = text.find(chunk.text)
    if start < 0:
        message = f"chunk text {chunk.text[:40]!r} is not in {name}"
        raise InputError(message, chunk.file, chunk.line, "give start and end, or the text as it stands in the document")
    used[document, chunk.text] = start + 1
    return start, start + len(chunk.text)


def from_spans(spans: Iterable[tuple[int, int, int]], ids: Sequence[str], chunks: Sequence[StoredChunk] = ()) -> Chunking:
    """``(document, start, end)`` rows as a sorted chunking. Raises `InputError` for an id that stands twice."""
    table: IntArray = np.array(list(spans), dtype=np.int64).reshape(-1, 3)
    order = np.lexsort((np.arange(len(table)), table[:, 2], table[:, 1], table[:, 0]))
    names = tuple(ids[i] for i in order) if any(ids) else ()
    if len(set(names)) < len(names):
        twice = next(n for i, n in enumerate(ids) if n in ids[:i])
        at = next((c for c in reversed(chunks) if c.id == twice), StoredChunk())
        raise InputError(f"chunk id {twice!r} stands twice", at.file, at.line, "make ids unique")
    document, start, end = table[order].T
    return Chunking(document, start, end, names)
