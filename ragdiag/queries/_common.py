"""What several readers share: a look at a file's content, optional fields, ids, and line numbers inside one JSON value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ragdiag.errors import InputError
from ragdiag.files import field, parse_json, read_text

__all__ = ["Kinds", "Sample", "identifier", "key_lines", "naming", "optional", "others", "sample"]

Kinds = type | tuple[type, ...]


class Sample(NamedTuple):
    """A file as detection sees it. `first` is its first JSON value: all of a JSON file, the first record of JSON Lines."""

    path: Path
    qrels: Path | None
    text: str
    first: Any


def sample(path: Path, qrels: Path | None) -> Sample:
    """Look into `path`. Raises `InputError` for a file that starts like JSON and is not."""
    text = read_text(path)
    return Sample(path, qrels, text, _first_json(path, text))


def _first_json(path: Path, text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    number, line = next((n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        if path.suffix.lower() not in (".jsonl", ".ndjson"):
            return parse_json(text, path)
    return parse_json(line, path, number)


def optional(record: dict[str, Any], name: str, kind: Kinds, path: Path, line: int, default: Any) -> Any:
    """The field `name`, checked as `files.field` does; `default` where it is absent or null."""
    return default if record.get(name) is None else field(record, (name,), kind, path, line)


def identifier(record: dict[str, Any], names: tuple[str, ...], path: Path, line: int) -> str:
    """The first of `names` that `record` has, an id: text, or an integer as text. Raises `InputError` where it is empty."""
    value = str(field(record, names, (str, int), path, line))
    if not value:
        raise InputError(f"{next(n for n in names if n in record)!r} is empty", path, line, "give it an id")
    return value


def others(record: dict[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The fields of `record` that no reader knows and that hold something: kept as metadata."""
    return {name: value for name, value in record.items() if name not in known and value is not None}


def key_lines(text: str, names: tuple[str, ...], count: int) -> list[int]:
    """The lines where the keys `names` stand in a JSON text: `count` of them, or 1 for each where the text has more or fewer.

    A quotation mark inside a JSON string follows a backslash, so a match can only be a key.
    """
    places = [m.start() for m in re.finditer(rf'(?<!\\)"(?:{"|".join(names)})"\s*:', text)]
    if len(places) != count:
        return [1] * count
    lines, line, before = [], 1, 0
    for place in places:
        line += text.count("\n", before, place)
        lines.append(line)
        before = place
    return lines


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Put `where` (``data[0].paragraphs[2]``) before the message of an `InputError`: in one long line, its number says little."""
    try:
        yield
    except InputError as e:
        raise InputError(f"{where}: {e.message}", e.file, e.line, e.remedy) from e
