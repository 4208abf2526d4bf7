"""Where chunks are: spans of documents, from offsets, texts or ids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.files import field
from ragdiag.core.records import Chunking, Corpus, Document, IntArray, StoredChunk
from ragdiag.sources.occurrences import Occurrences
from ragdiag.sources.settling import Span, settled

__all__ = ["CHUNK", "HintedChunk", "Placer", "chunk_id", "from_spans", "hinted_chunk", "nearest_document", "stored_chunk"]

Place = tuple[int, int, int]
"""A document's number, and a half-open span of its text."""

SUGGESTED_FROM = 75.0
"""An unknown document id suggests a known one that is spelt like it from this similarity (0-100)."""


CHUNK = ("chunk_id", "_id", "id", "doc_id", "start", "end", "text")
"""The fields of a chunk's record."""


@dataclass(frozen=True, slots=True)
class HintedChunk(StoredChunk):
    """A chunk whose text decides where it is, as in a vector store, whose metadata may follow any convention.

    Its `doc_id` (an id, or a path that ends with one) and offsets are hints: they choose between places with the same text, and
    count for nothing where they contradict it.
    """


def chunk_id(corpus: Corpus, chunking: Chunking, chunk: int) -> str:
    """``doc#start-end``: the same chunk has the same id in every report."""
    return f"{corpus.documents[chunking.document[chunk]].id}#{chunking.start[chunk]}-{chunking.end[chunk]}"


def nearest_document(doc_id: str, corpus: Corpus) -> str:
    """``"; did you mean 'x'?"`` for an unknown `doc_id`: the one document of its file name in any folder and
    with any suffix, else one that is spelt like it; nothing where there is neither."""
    from rapidfuzz import fuzz, process

    name = _file_name(doc_id)
    same = [known for known in corpus.position if name in known.casefold() and _file_name(known) == name]
    if len(same) == 1:
        return f"; did you mean {same[0]!r}?"
    near = process.extractOne(doc_id, corpus.position.keys(), scorer=fuzz.ratio, score_cutoff=SUGGESTED_FROM)
    return f"; did you mean {near[0]!r}?" if near else ""


def _file_name(doc_id: str) -> str:
    """Of an id that is a path, without folder and suffix: ``help/Returns.md`` -> ``returns``."""
    return re.sub(r"\.[a-z][a-z0-9]{0,7}$", "", doc_id.replace("\\", "/").rpartition("/")[2].casefold())


def stored_chunk(record: Mapping[str, Any], path: Path, line: int, named: bool = False) -> StoredChunk:
    """A chunk as a JSON record gives it; null is as good as absent.

    Raises `InputError` where it has no document, or neither offsets nor a text. With `named` an id or a document will do.
    """
    fields = {name: value for name, value in record.items() if value is not None}
    name, document = _names(fields, path, line, named)
    if "start" in fields or "end" in fields:
        text = _text(fields, path, line) if "text" in fields else ""
        start, end = (field(fields, (key,), int, path, line) for key in ("start", "end"))
        return StoredChunk(name, document, text, start, end, str(path), line)
    text = _text(fields, path, line) if "text" in fields or not named else ""
    if "text" in fields and not text.strip():
        raise InputError("the chunk has no offsets and its text is empty", path, line, "add start and end")
    return StoredChunk(name, document, text, None, None, str(path), line)


def _names(fields: dict[str, Any], path: Path, line: int, named: bool) -> tuple[str, str]:
    """The ids of a chunk ("" without one) and of its document; in a run (`named`) an ``id`` is not the chunk's."""
    keys = ("chunk_id",) if named else ("chunk_id", "_id", "id")
    key = next((key for key in keys if key in fields), "")
    name = _id(fields, key, path, line) if key else ""
    if named and name and "doc_id" not in fields:
        return name, ""
    document = _id(fields, "doc_id", path, line)
    if not document:
        raise InputError("'doc_id' is empty", path, line, "name the document")
    return name, document


def _id(fields: dict[str, Any], key: str, path: Path, line: int) -> str:
    return str(field(fields, (key,), (str, int), path, line))


def _text(fields: dict[str, Any], path: Path, line: int) -> str:
    text: str = field(fields, ("text",), str, path, line)
    return text


DOCUMENT_KEYS = ("doc_id", "document_id", "source", "file_path", "file", "file_name")
"""Metadata that names a chunk's document, first found first."""


def hinted_chunk(name: str, text: str, metadata: Mapping[str, object], file: str) -> HintedChunk:
    """A chunk of which its text is known for sure; `metadata` may say, by any convention, where it comes from."""
    document = next((str(metadata[key]) for key in DOCUMENT_KEYS if metadata.get(key)), "")
    start, end = metadata.get("start"), metadata.get("end")
    if isinstance(index := metadata.get("start_index"), int):  # LangChain
        start, end = index, index + len(text)
    if isinstance(start, int) and isinstance(end, int):
        return HintedChunk(name, document, text, start, end, file)
    return HintedChunk(name, document, text, file=file)


class Placer:
    """Finds the spans of chunks.

    A text is found as it stands, else with other white space. Where it stands several times in its document, `settled` assigns
    the places to many chunks at once; chunks placed one by one get the places in their order. `doubtful` has the chunks whose
    place is a guess.
    """

    def __init__(self, corpus: Corpus, among: Collection[Place] = ()) -> None:
        """`among`: the only places there are for texts that stand there, as when the chunks are known already."""
        self.corpus, self.doubtful = corpus, list[StoredChunk]()
        self._among = frozenset(among)
        self._used: dict[tuple[int, str], int] = {}
        self._texts: dict[int, Occurrences] = {}
        self._places_of: dict[tuple[int, str], list[Span]] = {}

    def span(self, chunk: StoredChunk) -> Place:
        """``(document, start, end)``. Raises `InputError` for a chunk that leaves its document, or whose text is not there."""
        i = self._document(chunk)
        return (i, *(_offsets(chunk, self.corpus.documents[i]) or self._next(chunk, i)))

    def spans(self, chunks: Sequence[StoredChunk]) -> list[Place]:
        """`span` of each of the chunks that make up an index, which are all there are."""
        documents = [self._document(chunk) for chunk in chunks]
        offsets = [_offsets(chunk, self.corpus.documents[i]) for chunk, i in zip(chunks, documents, strict=True)]
        place_of: dict[int, Place] = {}
        of_document: dict[int, list[int]] = {}
        for n, i in enumerate(documents):
            of_document.setdefault(i, []).append(n)
        for i, numbers in of_document.items():
            places = [[span] if (span := offsets[n]) else self._places(chunks[n], i) for n in numbers]
            spans, doubtful = settled([chunks[n].text for n in numbers], places, self.corpus.documents[i].text)
            self.doubtful += [chunks[numbers[n]] for n in doubtful]
            place_of |= {n: (i, *span) for n, span in zip(numbers, spans, strict=True)}
        return [place_of[n] for n in range(len(chunks))]

    def start_over(self) -> None:
        """The next chunk of any text gets its first place again."""
        self._used.clear()

    def notes(self) -> tuple[str, ...]:
        """A note on `doubtful`, where there are any."""
        texts = {(c.doc_id, c.text): None for c in self.doubtful}
        if not texts:
            return ()
        (document, text), n = next(iter(texts)), len(texts)
        where = f" in {document}" if document else ""
        return (
            f"{n} chunk texts stand in several places of their documents, and nothing tells in which they are meant "
            f"(the first: {text.strip()[:40]!r}{where}): each is taken for the first that is left; give start and end",
        )

    def _document(self, chunk: StoredChunk) -> int:
        return self._hinted(chunk) if isinstance(chunk, HintedChunk) else self._named(chunk)

    def _text(self, i: int) -> Occurrences:
        if i not in self._texts:
            self._texts[i] = Occurrences(self.corpus.documents[i].text)
        return self._texts[i]

    @cached_property
    def _search(self) -> _Search:
        return _Search([self._text(i) for i in range(len(self.corpus.documents))])

    def _named(self, chunk: StoredChunk) -> int:
        if chunk.doc_id in self.corpus.position:
            return self.corpus.position[chunk.doc_id]
        if not chunk.doc_id and chunk.text.strip():
            return self._holding(chunk)
        message = f"no document {chunk.doc_id!r} in the corpus{nearest_document(chunk.doc_id, self.corpus)}"
        raise InputError(message, chunk.file, chunk.line, "chunk the corpus that is audited")

    def _hinted(self, chunk: StoredChunk) -> int:
        parts = chunk.doc_id.replace("\\", "/").split("/")
        known = self.corpus.position
        i = next((known[name] for n in range(len(parts)) if (name := "/".join(parts[n:])) in known), None)
        return self._holding(chunk) if i is None or chunk.text not in self._text(i) else i

    def _holding(self, chunk: StoredChunk) -> int:
        """The one document that holds a chunk's text."""
        holding = self._search.documents(chunk.text)
        if len(holding) == 1:
            return holding[0]
        names = "names no document" + (f" that holds it ({chunk.doc_id!r})" if chunk.doc_id else "")
        called = repr(chunk.id) if chunk.id else f"{chunk.text[:40]!r}…"
        where = f"in {len(holding)} documents" if holding else "in no document"
        remedy = "add doc_id" if holding else "chunk the corpus that is audited"
        raise InputError(f"chunk {called} {names} and its text is {where}", chunk.file, chunk.line, remedy)

    def _next(self, chunk: StoredChunk, i: int) -> Span:
        """The next place of a chunk's text in document `i`; after the last, the first again."""
        places = self._places(chunk, i)
        if len(places) > 1:
            self.doubtful.append(chunk)
        n = self._used[i, chunk.text] = self._used.get((i, chunk.text), -1) + 1
        return places[n % len(places)]

    def _places(self, chunk: StoredChunk, i: int) -> list[Span]:
        """All places of a chunk's text in document `i`; of those, the ones in `among` where any is."""
        if not chunk.text.strip():
            raise InputError(f"chunk {chunk.id!r} has neither offsets nor text", chunk.file, chunk.line, "add start and end")
        if (i, chunk.text) not in self._places_of:
            spans = self._text(i).of(chunk.text)
            self._places_of[i, chunk.text] = [span for span in spans if (i, *span) in self._among] or spans
        if not (places := self._places_of[i, chunk.text]):
            message = f"chunk text {chunk.text[:40]!r} is not in {self.corpus.documents[i].id}"
            raise InputError(message, chunk.file, chunk.line, "give start and end, or the text as it stands in the document")
        return places


def _offsets(chunk: StoredChunk, document: Document) -> Span | None:
    """The offsets that a chunk gives, None without; of a `HintedChunk` also where they are wrong. Raises `InputError`."""
    if chunk.start is None or chunk.end is None:
        return None
    text, inside = document.text, 0 <= chunk.start < chunk.end <= len(document.text)
    if isinstance(chunk, HintedChunk):
        return (chunk.start, chunk.end) if inside and text[chunk.start : chunk.end] == chunk.text else None
    if not inside:
        leaves = f"chunk [{chunk.start}, {chunk.end}) leaves {document.id}, which has {len(text)} characters"
        leaves += _misread(text, chunk.start, chunk.end, chunk.text) if chunk.text else ""
        message = leaves if chunk.start < chunk.end else f"chunk start {chunk.start} is not before its end {chunk.end}"
        raise InputError(message, chunk.file, chunk.line, "0 <= start < end <= length must hold")
    if chunk.text and text[chunk.start : chunk.end] != chunk.text:
        differs = f"chunk text differs from {document.id}[{chunk.start}:{chunk.end}]"
        message = differs + _misread(text, chunk.start, chunk.end, chunk.text)
        raise InputError(message, chunk.file, chunk.line, "leave out the text, or the offsets, or chunk the same version")
    return chunk.start, chunk.end


def _misread(text: str, start: int, end: int, chunk_text: str) -> str:
    """What offsets that miss a chunk's text seem to be instead of half-open characters; "" where they fit nothing."""
    if text[start : end + 1] == chunk_text:
        return "; its end seems to be the last character: write the one behind it"
    for name, unit, width in (("bytes", "utf-8", 1), ("UTF-16 units", "utf-16-le", 2)):
        raw = text.encode(unit, "surrogatepass")
        if raw[width * start : width * end] == chunk_text.encode(unit, "surrogatepass"):
            first = len(raw[: width * start].decode(unit, "surrogatepass"))
            return f"; its offsets seem to be of {name}: in characters they are {first} and {first + len(chunk_text)}"
    return ""


class _Search:
    """Finds the documents that hold a text among those that have its rarest words."""

    def __init__(self, texts: Sequence[Occurrences]) -> None:
        self._texts = texts
        self._having: dict[str, list[int]] = defaultdict(list)
        for i, text in enumerate(texts):
            for word in set(re.findall(r"\w+", text.text)):
                self._having[word].append(i)

    def documents(self, chunk_text: str) -> list[int]:
        """The numbers of the documents that hold a text: as it stands, else with other white space."""
        # A chunk may cut its first and last word; those between are whole wherever it stands.
        words = set(re.findall(r"\w+", chunk_text)[1:-1])
        rarest = sorted((self._having.get(w, []) for w in words), key=len)[:8]
        likely = sorted(set(rarest[0]).intersection(*rarest)) if rarest else range(len(self._texts))
        exactly = [i for i in likely if chunk_text.strip() in self._texts[i].text]
        return exactly or [i for i in likely if chunk_text in self._texts[i]]


def from_spans(spans: Iterable[Place], ids: Sequence[str], chunks: Sequence[StoredChunk] = ()) -> Chunking:
    """``(document, start, end)`` rows as a sorted chunking. Raises `InputError` for an id that stands twice."""
    table: IntArray = np.array(list(spans), dtype=np.int64).reshape(-1, 3)
    order = np.lexsort((np.arange(len(table)), table[:, 2], table[:, 1], table[:, 0]))
    names = tuple(ids[i] for i in order) if any(ids) else ()
    used: set[str] = set()
    for name, chunk in zip(ids if names else (), chunks, strict=False):
        if not name:
            raise InputError("this chunk has no id, others have one", chunk.file, chunk.line, "name all chunks or none")
        if name in used:
            raise InputError(f"chunk id {name!r} stands twice", chunk.file, chunk.line, "make ids unique")
        used.add(name)
    document, start, end = table[order].T
    return Chunking(document, start, end, names)
