"""Retrieved documents as frameworks write them into a trace: OpenInference, LangChain, LlamaIndex, Haystack, or bare texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.records import StoredChunk
from ragdiag.search.traces.values import first, mapping, parsed, text_of
from ragdiag.sources.stored import METADATA, TEXT, hinted_chunk

__all__ = ["are_documents", "chunks_of", "listed", "read_in"]

Chunks = tuple[StoredChunk, ...]

LISTS = (
    "documents",
    "output",
    "outputs",
    "results",
    "result",
    "nodes",
    "chunks",
    "docs",
    "matches",
    "hits",
    "context",
    "contexts",
)
"""What an output may call its documents."""

INSIDE = ("document", "node", "kwargs", "payload", "_source")
"""Where a result may keep the document itself: beside a score in LlamaIndex and stores, in LangChain's own form of objects."""

IDS = ("chunk_id", "id", "_id", "id_", "node_id")
"""What a document's id may be called."""

OBJECT = re.compile(r"<\w+\(.*\)>", re.DOTALL)
"""A Python object that was written as its name: ``<NodeWithScore(...)>`` of LlamaIndex tells nothing."""

HIDDEN = "__REDACTED__"
"""What OpenInference writes in place of what it was told to hide."""


def listed(value: object) -> list[object] | None:
    """The documents of an output, which may be a list, an object with one, or JSON; None where it has no list."""
    found = parsed(value)
    if isinstance(found, list):
        return None if any(isinstance(each, str) and OBJECT.fullmatch(each) for each in found) else found
    if not isinstance(found, Mapping):
        return None
    return next((inner for name in LISTS if (inner := listed(found.get(name))) is not None), None)


def are_documents(items: list[object] | None) -> bool:
    """Whether a list is of documents, by their texts; one without any is of documents that were not found."""
    return items is not None and all(_text(_fields(item)) for item in items)


def chunks_of(items: list[object] | None, where: str, file: Path, line: int) -> Chunks | None:
    """Documents as chunks, found by their texts, else by their ids. Raises `InputError` for one that has neither."""
    return None if items is None else tuple(_chunk(item, f"document {n} of {where}", file, line) for n, item in enumerate(items))


def read_in(*reads: Callable[[], Chunks | None]) -> tuple[list[Chunks | None], InputError | None]:
    """What each of `reads` gives, and the first error that one raised, in place of what it gives None."""
    found, fault = list[Chunks | None](), None
    for read in reads:
        try:
            found.append(read())
        except InputError as e:
            found.append(None)
            fault = fault or e
    return found, fault


def _chunk(item: object, where: str, file: Path, line: int) -> StoredChunk:
    fields = _fields(item)
    text = _text(fields)
    name = text_of(first(fields, *IDS))
    if text.strip() == HIDDEN:
        remedy = "trace without OPENINFERENCE_HIDE_OUTPUTS, OPENINFERENCE_HIDE_INPUTS and the like"
        raise InputError(f"{where} is hidden: its text is {HIDDEN}", file, line, remedy)
    if not text and not name:
        raise InputError(
            f"{where} has neither a text nor an id", file, line, "record the texts that were retrieved, or their ids"
        )
    if not text:
        return StoredChunk(name, file=str(file), line=line)
    metadata = dict[str, object]()
    for key in METADATA:
        metadata |= mapping(fields.get(key))
    return hinted_chunk(name, text, metadata | fields, str(file), line)


def _text(fields: Mapping[str, object]) -> str:
    return next((text for key in TEXT if isinstance(text := fields.get(key), str) and text.strip()), "")


def _fields(item: object) -> dict[str, object]:
    """A document's own fields, and those of the object that it stands in."""
    found = parsed(item)
    if isinstance(found, str):
        return {"text": found}
    if isinstance(found, list) and len(found) == 2:  # with its score
        return _fields(found[0])
    if not isinstance(found, Mapping):
        return {}
    fields = dict[str, object](found)
    for name in INSIDE:
        if isinstance(inner := parsed(found.get(name)), Mapping):
            fields |= _fields(inner)
    resource = found.get("text_resource")  # LlamaIndex since 0.12
    return fields | ({"text": resource.get("text")} if isinstance(resource, Mapping) else {})
