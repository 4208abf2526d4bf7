"""Recognises a trace by what the file holds, and reads it: one JSON value, or JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from ragdiag.core.errors import InputError
from ragdiag.core.files import parse_json, read_text
from ragdiag.search.traces import langfuse, langsmith, openinference
from ragdiag.search.traces.steps import Step
from ragdiag.search.traces.values import parsed

__all__ = ["read_traces"]

READERS = (openinference, langsmith, langfuse)
"""Each says whether a record is one of its own (`holds`), and what steps it has (`steps`)."""

PAGES = ("data", "spans", "runs", "observations", "traces")
"""What pages of an API, and groups of spans, call the records that they hold."""


def read_traces(path: Path) -> list[Step] | None:
    """The steps of a trace; None for a file that holds none. Raises `InputError` for a trace that cannot be read."""
    records = list(_records(path))
    readers = [_reader(record) for _, record in records]
    reader = next((each for each in readers if each is not None), None)
    if reader is None:
        return None
    steps = list[Step]()
    for (line, record), own in zip(records, readers, strict=True):
        if own is not reader:
            name = reader.__name__.rpartition(".")[2]
            raise InputError(
                f"a record is none of {name}, as others of the file are: {_fields(record)}", path, line, "leave it out"
            )
        steps += reader.steps(record, path, line)
    if not steps:
        raise InputError("is a trace without any step", path, remedy="export the spans, observations or runs of the questions")
    for step in steps:
        if not step.id:
            message = f"step {step.name!r} has no id, so that nothing tells what is a part of it"
            raise InputError(message, path, step.line, "export the ids of spans")
    return steps


def _fields(record: Mapping[str, object]) -> str:
    return ", ".join(map(repr, list(record)[:4])) or "it is empty"


def _reader(record: Mapping[str, object]) -> ModuleType | None:
    return next((reader for reader in READERS if reader.holds(record)), None)


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The records of a file that may hold a trace, each with its line, 0 in one JSON value; none of another file."""
    text = read_text(path)
    if text.lstrip()[:1] not in ("{", "["):
        return
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    first = parsed(lines[0][1])
    if not isinstance(first, Mapping):
        if not isinstance(first, str) or lines[0][1].strip() in ("{", "["):
            yield from ((0, record) for record in _held(parse_json(text, path)))
    elif all(map(_reader, _held(first))):  # a run's lines are left to its own reader, whose errors say what is wrong with a run
        for number, line in lines:
            yield from ((number, record) for record in _held(parse_json(line, path, number)))


def _held(value: object) -> Iterator[Mapping[str, object]]:
    """The records that a value is, or holds page by page."""
    if isinstance(value, list):
        for each in value:
            yield from _held(each)
    elif isinstance(value, Mapping):
        page = next((value[name] for name in PAGES if isinstance(value.get(name), list)), None)
        if page is None or _reader(value) is not None:
            yield value
        else:
            yield from _held(page)
