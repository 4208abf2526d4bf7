"""Chunks as records, objects and metadata give them, before they are placed: by offsets, by text, by any name of a document."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragdiag.core.errors import InputError
from ragdiag.core.files import field
from ragdiag.core.plain import is_missing
from ragdiag.core.records import StoredChunk

__all__ = ["BESIDE", "CHUNK", "METADATA", "TEXT", "HintedChunk", "hinted_chunk", "names_of", "record_of", "stored_chunk"]

TEXT = ("text", "page_content", "content")
"""What a chunk's text may be called: `page_content` by LangChain, `content` by Haystack."""

CHUNK = ("chunk_id", "_id", "id", "doc_id", "start", "end", "text")
"""The fields of a chunk's record."""

NAMES = ("doc_id", "document_id", "source", "file_path", "path", "url", "file", "file_name", "filename", "ref_doc_id")
"""What may name a chunk's document: `source` in LangChain, `file_path` in LlamaIndex and Haystack, `filename` in unstructured."""

STARTS = ("start_index", "split_idx_start")
"""Where a chunk begins that has its text: in LangChain, in Haystack."""

ENDS = (("start", "end"), ("start_char_idx", "end_char_idx"))
"""Where a chunk begins and ends; the latter in LlamaIndex."""

METADATA = ("metadata", "meta")
"""What metadata is called; the latter in Haystack."""

BESIDE = (*TEXT[1:], *NAMES[1:], *STARTS, *ENDS[1], *METADATA, "type", "element_id", "embedding", "relationships")
"""What records of frameworks have beside the fields of `CHUNK`."""


@dataclass(frozen=True, slots=True)
class HintedChunk(StoredChunk):
    """A chunk whose text decides where it is, as in a vector store, whose metadata may follow any convention.

    Its `doc_id` and the names in `also` (ids, paths, addresses) and its offsets are hints: they choose between places with the
    same text, and count for nothing where they contradict it. `strict` is a record's own ``doc_id``: where that is a document's
    id, it and the offsets must hold. `cut` says that there may be no more of its text than the beginning, with or without a
    mark where it ends.
    """

    also: tuple[str, ...] = ()
    strict: bool = False
    cut: bool = False


def names_of(chunk: StoredChunk) -> tuple[str, ...]:
    """Everything that may name a chunk's document, to be tried in this order."""
    also = chunk.also if isinstance(chunk, HintedChunk) else ()
    return (chunk.doc_id, *also) if chunk.doc_id else also


def names_in(metadata: Mapping[str, object]) -> tuple[str, ...]:
    """The names that `metadata` may give a document by, each once."""
    values = (metadata.get(key) for key in NAMES)
    named = (v for v in values if isinstance(v, (str, int, os.PathLike)) and not isinstance(v, bool) and str(v).strip())
    return tuple(dict.fromkeys(map(str, named)))


def hinted_chunk(name: str, text: str, metadata: Mapping[str, object], file: str, line: int = 0) -> HintedChunk:
    """A chunk of which its text is known for sure; `metadata` may say, by any convention, where it comes from."""
    document, *also = names_in(metadata) or ("",)
    begins = (metadata.get(key) for key in STARTS)
    spans: list[tuple[object, object]] = [(at, at + len(text)) for at in begins if isinstance(at, int)]
    spans += [(metadata.get(first), metadata.get(last)) for first, last in ENDS]
    for start, end in spans:
        if isinstance(start, int) and isinstance(end, int):
            return HintedChunk(name, document, text, start, end, file, line, tuple(also))
    return HintedChunk(name, document, text, file=file, line=line, also=tuple(also))


def stored_chunk(record: Mapping[str, Any], path: Path, line: int, named: bool = False) -> StoredChunk:
    """A chunk as a record gives it, of a file or a dict; null is as good as absent.

    Without a ``doc_id`` its text says where it is, with what its other fields and its metadata say. Raises `InputError` where it
    has no document, or neither offsets nor a text. With `named` an id or a document will do.
    """
    fields = {name: value for name, value in record.items() if not is_missing(value)}
    hints = _hints(fields)
    text = _text(fields, path, line)
    if "doc_id" not in fields and text.strip():
        return hinted_chunk(_own_id(fields, path, line, named), text, hints, str(path), line)
    name, document = _names(fields, path, line, named)
    also = names_in(hints | {"doc_id": None})
    start, end = _offsets(fields, path, line)
    if start is None and not text.strip() and (not named or set(TEXT) & fields.keys()):
        field(fields, ("text",), str, path, line)
        raise InputError("the chunk has no offsets and its text is empty", path, line, "add start and end")
    if also and text:
        return HintedChunk(name, document, text, start, end, str(path), line, also, strict=True)
    return StoredChunk(name, document, text, start, end, str(path), line)


def record_of(chunk: StoredChunk) -> dict[str, object]:
    """The record that `stored_chunk` reads as `chunk`; what it does not say is left out."""
    place: dict[str, object] = {"doc_id": chunk.doc_id, "start": chunk.start, "end": chunk.end}
    metadata = dict[str, object](zip(NAMES[1:], chunk.also, strict=False)) if isinstance(chunk, HintedChunk) else {}
    if isinstance(chunk, HintedChunk) and not chunk.strict:  # its own fields would have to hold
        metadata, place = {name: value for name, value in (place | metadata).items() if value not in ("", None)}, {}
    record = {"chunk_id": chunk.id, **place, "text": chunk.text, "metadata": metadata}
    return {name: value for name, value in record.items() if value not in ("", None, {})}


def _offsets(fields: dict[str, Any], path: Path, line: int) -> tuple[int, int] | tuple[None, None]:
    if not {"start", "end"} & fields.keys():
        return None, None
    start, end = (field(fields, (key,), int, path, line) for key in ("start", "end"))
    return start, end


def _hints(fields: dict[str, Any]) -> dict[str, Any]:
    """What a record's fields, and below them its metadata, say. Whole numbers of `fields` that are written 3.0 become 3."""
    for key in ("start", "end"):
        if isinstance(fields.get(key), float) and fields[key].is_integer():  # a column with an empty cell has no whole numbers
            fields[key] = int(fields[key])
    hints = dict[str, Any]()
    for key in METADATA:
        if isinstance(fields.get(key), Mapping):
            hints |= fields[key]
    return hints | fields


def _text(fields: dict[str, Any], path: Path, line: int) -> str:
    key = next((key for key in TEXT if key in fields), "")
    text: str = field(fields, (key,), str, path, line) if key else ""
    return text


def _own_id(fields: dict[str, Any], path: Path, line: int, named: bool) -> str:
    """The id of a chunk, "" without one; in a run (`named`) an ``id`` is not the chunk's."""
    key = next((key for key in (("chunk_id",) if named else ("chunk_id", "_id", "id")) if key in fields), "")
    return _id(fields, key, path, line) if key else ""


def _names(fields: dict[str, Any], path: Path, line: int, named: bool) -> tuple[str, str]:
    """The ids of a chunk ("" without one) and of its document."""
    name = _own_id(fields, path, line, named)
    if named and name and "doc_id" not in fields:
        return name, ""
    document = _id(fields, "doc_id", path, line)
    if not document:
        raise InputError("'doc_id' is empty", path, line, "name the document")
    return name, document


def _id(fields: dict[str, Any], key: str, path: Path, line: int) -> str:
    return str(field(fields, (key,), (str, int), path, line))
