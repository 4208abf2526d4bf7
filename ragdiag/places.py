"""Where chunks are: spans of documents, from offsets, texts or ids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.errors import InputError, nearest
from ragdiag.files import field
from ragdiag.records import Chunking, Corpus, Document, IntArray, StoredChunk

__all__ = ["HintedChunk", "Placer", "chunk_id", "from_spans", "hinted_chunk", "stored_chunk"]


@dataclass(frozen=True, slots=True)
class HintedChunk(StoredChunk):
    """A chunk whose text decides where it is, as in a vector store, whose metadata may follow any convention.

    Its `doc_id` (an id, or a path that ends with one) and offsets are hints: they choose between places with the same text, and
    count for nothing where they contradict it.
    """


def chunk_id(corpus: Corpus, chunking: Chunking, chunk: int) -> str:
    """``doc#start-end``: the same chunk has the same id in every report."""
    return f"{corpus.documents[chunking.document[chunk]].id}#{chunking.start[chunk]}-{chunking.end[chunk]}"


def stored_chunk(record: Mapping[str, Any], path: Path, line: int, named: bool = False) -> StoredChunk:
    """A chunk as a JSON record gives it; null is as good as absent.

    Raises `InputError` where it has no document, or neither offsets nor a text. With `named` an id or a document will do.
    """
    given = {name: value for name, value in record.items() if value is not None}
    key = "chunk_id" if named else next((k for k in ("chunk_id", "_id", "id") if k in given), "")
    name = str(field(given, (key,), (str, int), path, line)) if key in given else ""
    document = str(field(given, ("doc_id",), (str, int), path, line)) if "doc_id" in given or not (named and name) else ""
    if "doc_id" in given and not document:
        raise InputError("'doc_id' is empty", path, line, "name the document")
    offsets = "start" in given or "end" in given
    text = field(given, ("text",), str, path, line) if "text" in given or not (offsets or named) else ""
    if "text" in given and not text.strip() and not offsets:
        raise InputError("the chunk has no offsets and its text is empty", path, line, "add start and end")
    start, end = (field(given, (k,), int, path, line) if offsets else None for k in ("start", "end"))
    return StoredChunk(name, document, text, start, end, str(path), line)


NAMES = ("doc_id", "document_id", "source", "file_path", "file", "file_name")
"""Metadata that names a chunk's document, first found first."""


def hinted_chunk(name: str, text: str, metadata: Mapping[str, Any], file: str) -> HintedChunk:
    """A chunk of which its text is known for sure; `metadata` may say, by any convention, where it comes from."""
    document = next((str(metadata[key]) for key in NAMES if metadata.get(key)), "")
    start, end = metadata.get("start"), metadata.get("end")
    if isinstance(index := metadata.get("start_index"), int):  # LangChain
        start, end = index, index + len(text)
    if isinstance(start, int) and isinstance(end, int):
        return HintedChunk(name, document, text, start, end, file)
    return HintedChunk(name, document, text, file=file)


class Placer:
    """Finds the span of each chunk in turn.

    A text is found as it stands, else whatever its white space. Of one that stands several times in a document, the first chunk
    gets the first place, the next the next.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._used: dict[tuple[int, str], int] = {}
        self._texts: dict[int, _Text] = {}

    def span(self, chunk: StoredChunk) -> tuple[int, int, int]:
        """``(document, start, end)``. Raises `InputError` for a chunk that leaves its document, or whose text is not there."""
        i = self._hinted(chunk) if isinstance(chunk, HintedChunk) else self._named(chunk)
        return (i, *(_offsets(chunk, self.corpus.documents[i]) or self._next(chunk, i)))

    def start_over(self) -> None:
        """The next chunk of any text gets its first place again."""
        self._used.clear()

    def _text(self, i: int) -> _Text:
        return self._texts.setdefault(i, _Text(self.corpus.documents[i].text))

    @cached_property
    def _search(self) -> _Search:
        return _Search([self._text(i) for i in range(len(self.corpus.documents))])

    def _named(self, chunk: StoredChunk) -> int:
        if chunk.doc_id in self.corpus.position:
            return self.corpus.position[chunk.doc_id]
        if not chunk.doc_id and chunk.text.strip():
            return self._holding(chunk)
        message = f"no document {chunk.doc_id!r} in the corpus{nearest(chunk.doc_id, self.corpus.position)}"
        raise InputError(message, chunk.file, chunk.line, "chunk the corpus that is audited")

    def _hinted(self, chunk: StoredChunk) -> int:
        parts = chunk.doc_id.replace("\\", "/").split("/")
        known = self.corpus.position
        i = next((known[name] for n in range(len(parts)) if (name := "/".join(parts[n:])) in known), None)
        return self._holding(chunk) if i is None or not self._text(i).find(chunk.text) else i

    def _holding(self, chunk: StoredChunk) -> int:
        """The one document that holds a chunk's text."""
        found = self._search.documents(chunk.text)
        if len(found) == 1:
            return found[0]
        names = "names no document" + (f" that holds it ({chunk.doc_id!r})" if chunk.doc_id else "")
        called = repr(chunk.id) if chunk.id else f"{chunk.text[:40]!r}…"
        where = f"in {len(found)} documents" if found else "in no document"
        remedy = "add doc_id" if found else "chunk the corpus that is audited"
        raise InputError(f"chunk {called} {names} and its text is {where}", chunk.file, chunk.line, remedy)

    def _next(self, chunk: StoredChunk, i: int) -> tuple[int, int]:
        """The next place of a chunk's text in document `i`; after the last, the first again."""
        if not chunk.text.strip():
            raise InputError(f"chunk {chunk.id!r} has neither offsets nor text", chunk.file, chunk.line, "add start and end")
        place = self._text(i).find(chunk.text, self._used.get((i, chunk.text), 0)) or self._text(i).find(chunk.text)
        if place is None:
            message = f"chunk text {chunk.text[:40]!r} is not in {self.corpus.documents[i].id}"
            raise InputError(message, chunk.file, chunk.line, "give start and end, or the text as it stands in the document")
        self._used[i, chunk.text] = place[0] + 1
        return place


def _offsets(chunk: StoredChunk, document: Document) -> tuple[int, int] | None:
    if chunk.start is None or chunk.end is None:
        return None
    text, inside = document.text, 0 <= chunk.start < chunk.end <= len(document.text)
    if isinstance(chunk, HintedChunk):
        return (chunk.start, chunk.end) if inside and text[chunk.start : chunk.end] == chunk.text else None
    if not inside:
        leaves = f"chunk [{chunk.start}, {chunk.end}) leaves {document.id}, which has {len(text)} characters"
        message = leaves if chunk.start < chunk.end else f"chunk start {chunk.start} is not before its end {chunk.end}"
        raise InputError(message, chunk.file, chunk.line, "0 <= start < end <= length must hold")
    if chunk.text and text[chunk.start : chunk.end] != chunk.text:
        message = f"chunk text differs from {document.id}[{chunk.start}:{chunk.end}]"
        raise InputError(message, chunk.file, chunk.line, "leave out the text, or the offsets, or chunk the same version")
    return chunk.start, chunk.end


class _Text:
    """A document's text, to find others in."""

    def __init__(self, text: str) -> None:
        self.text = text

    def find(self, wanted: str, after: int = 0) -> tuple[int, int] | None:
        """Where `wanted` stands from `after` on, as it is or else whatever its white space."""
        start = self.text.find(wanted, after)
        if start >= 0:
            return start, start + len(wanted)
        even, own, evened = self._even
        wanted = " ".join(wanted.split())
        start = even.find(wanted, int(np.interp(after, own, evened))) if wanted and even else -1
        if start < 0:
            return None
        first, last = np.interp([start, start + len(wanted)], evened, own)
        return round(first), round(last)

    @cached_property
    def _even(self) -> tuple[str, IntArray, IntArray]:
        """The text with one space for all white space, and where each word starts and ends: in the text, and in that."""
        own: IntArray = np.array([m.span() for m in re.finditer(r"\S+", self.text)], dtype=np.int64).reshape(-1, 2)
        lengths = own[:, 1] - own[:, 0]
        ends = np.cumsum(lengths + 1) - 1
        return " ".join(self.text.split()), own.ravel(), np.stack([ends - lengths, ends], axis=1).ravel()


class _Search:
    """Finds the documents that hold a text among those that have its rarest words."""

    def __init__(self, texts: Sequence[_Text]) -> None:
        self._texts = texts
        self._having: dict[str, list[int]] = defaultdict(list)
        for i, text in enumerate(texts):
            for word in set(re.findall(r"\w+", text.text)):
                self._having[word].append(i)

    def documents(self, wanted: str) -> list[int]:
        # A chunk may cut its first and last word; those between are whole wherever it stands.
        words = set(re.findall(r"\w+", wanted)[1:-1])
        rarest = sorted((self._having.get(w, []) for w in words), key=len)[:8]
        likely = sorted(set(rarest[0]).intersection(*rarest)) if rarest else range(len(self._texts))
        exactly = [i for i in likely if wanted.strip() in self._texts[i].text]
        return exactly or [i for i in likely if self._texts[i].find(wanted)]


def from_spans(spans: Iterable[tuple[int, int, int]], ids: Sequence[str], chunks: Sequence[StoredChunk] = ()) -> Chunking:
    """``(document, start, end)`` rows as a sorted chunking. Raises `InputError` for an id that stands twice."""
    table: IntArray = np.array(list(spans), dtype=np.int64).reshape(-1, 3)
    order = np.lexsort((np.arange(len(table)), table[:, 2], table[:, 1], table[:, 0]))
    names = tuple(ids[i] for i in order) if any(ids) else ()
    seen: set[str] = set()
    for name, chunk in zip(ids if names else (), chunks, strict=False):
        if not name:
            raise InputError("this chunk has no id, others have one", chunk.file, chunk.line, "name all chunks or none")
        if name in seen:
            raise InputError(f"chunk id {name!r} stands twice", chunk.file, chunk.line, "make ids unique")
        seen.add(name)
    document, start, end = table[order].T
    return Chunking(document, start, end, names)
