"""Embed the chunk with a text that stands for it in a file: a summary, a sentence that situates it, questions that it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.files import field, read_bytes, read_jsonl
from ragdiag.core.plain import is_missing
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Chunking, Corpus, Document, IntArray
from ragdiag.search.contexts._written import Place, Tally, Text, Written
from ragdiag.sources.fields import Fields
from ragdiag.sources.places import chunk_id
from ragdiag.text.phrases import counted

FIELDS = ("doc_id", "start", "end", "chunk_id", "text")


class _Line(NamedTuple):
    """A line of the file; `chunk` is the chunk's id where it gives no offsets."""

    number: int
    about: Text
    chunk: str = ""


@dataclass(frozen=True)
class FromFile:
    """The text of `path` that is about the chunk, a blank line, the chunk; the other way round with ``place=after``.

    A line of JSON each: `text`, with `doc_id`, `start` and `end`, or `chunk_id`, for a chunk; with `doc_id` alone for all chunks
    of the document. Which texts go with a chunk is said by `_written.Written`.
    """

    path: str
    place: Place = "before"

    def __post_init__(self) -> None:
        if not self.path:
            raise SpecError("file: path is empty; name a file of JSON lines")

    @cached_property
    def identity(self) -> str:
        """The hash of the file. Raises `InputError` where it cannot be read, or a line is not as it should be."""
        _ = self._lines
        return hashlib.sha256(read_bytes(Path(self.path))).hexdigest()

    @property
    def described(self) -> str:
        """For a signature: the start of the hash."""
        return self.identity[:12]

    @cached_property
    def _lines(self) -> list[_Line]:
        path, lines = Path(self.path), list[_Line]()
        with Fields(path) as fields:
            for number, record in read_jsonl(path):
                fields.look(record, FIELDS, number)
                lines.append(_line({key: value for key, value in record.items() if not is_missing(value)}, path, number))
        if not lines:
            raise InputError("has no texts", path, remedy='write one {"doc_id", "start", "end", "text"} per line')
        return lines

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`: of the lines that name a document."""
        return Written([line.about for line in self._lines if not line.chunk], self.place).texts(document, starts, ends)

    def told(self, corpus: Corpus, chunking: Chunking, store: Store | None, progress: Progress) -> Written:
        """See `contexts.ToldContext`. Raises `InputError` for offsets beyond a document, and where no text is of any chunk."""
        places = _places(corpus, chunking) if any(line.chunk for line in self._lines) else {}
        known = [line for line in self._lines if not line.chunk or line.chunk in places]
        texts = [places[line.chunk]._replace(text=line.about.text) if line.chunk else line.about for line in known]
        for line, about in zip(known, texts, strict=True):
            self._check(line.number, about, corpus)
        return Written(texts, self.place, self._said(Written(texts, self.place).tally(corpus, chunking)))

    def _check(self, number: int, about: Text, corpus: Corpus) -> None:
        """Raise `InputError` for a text about characters that its document does not have."""
        document = corpus.position.get(about.document)
        if document is not None and about.end is not None and about.end > (length := len(corpus.documents[document].text)):
            what = f"the text is about characters {about.start} to {about.end}, and {about.document!r} has {length}"
            raise InputError(what, self.path, number, "write the texts for the documents as they are now")

    def _said(self, tally: Tally) -> tuple[str, ...]:
        """What a reader should know. Raises `InputError` where no text is of any chunk."""
        n, name, lines = tally.chunks, Path(self.path).name, len(self._lines)
        if tally.without == n:
            remedy = "name documents by their ids, and chunks by offsets in them or by the ids of --chunks"
            raise InputError(f"none of its {counted(lines, 'text')} is about any of {counted(n, 'chunk')}", self.path, 0, remedy)
        said = [
            (tally.without, f"{tally.without} of {n} chunks have no text in {name}, and are indexed without one"),
            (tally.other_bounds, f"{tally.other_bounds} of {n} chunks have texts in {name} that were written for other bounds"),
            (lines - tally.used, f"{lines - tally.used} of {lines} texts in {name} are about no chunk that is indexed"),
        ]
        return tuple(note for count, note in said if count)


def _places(corpus: Corpus, chunking: Chunking) -> dict[str, Text]:
    """Where each chunk is, by its id: the team's own, and the one that reports give."""
    places = dict[str, Text]()
    for c, (d, a, b) in enumerate(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)):
        names = (chunk_id(corpus, chunking, c), *(chunking.ids[c : c + 1] if chunking.ids else ()))
        places |= {name: Text(corpus.documents[d].id, a, b, "") for name in names if name}
    return places


def _line(record: Mapping[str, object], path: Path, number: int) -> _Line:
    """One line, checked. Raises `InputError` for what it lacks."""
    text = field(record, ("text",), str, path, number).strip()
    if not text:
        raise InputError("'text' is empty", path, number, "leave out lines without a text")
    has_offsets, chunk = bool({"start", "end"} & record.keys()), ""
    if "chunk_id" in record and not has_offsets:
        chunk = str(field(record, ("chunk_id",), (str, int), path, number))
    document = "" if chunk else str(field(record, ("doc_id",), (str, int), path, number))
    if not has_offsets:
        return _Line(number, Text(document, None, None, text), chunk)
    start, end = (field(record, (key,), int, path, number) for key in ("start", "end"))
    if not 0 <= start < end:
        raise InputError(f"a text is about characters {start} to {end}", path, number, "start must be 0 or more, and below end")
    return _Line(number, Text(document, start, end, text))
