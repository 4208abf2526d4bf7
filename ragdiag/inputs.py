"""What Python code has in hand instead of files: records, a data frame, texts by id. Written to a file and read as any other.

So one reader checks everything, and errors name the row (``queries: row 3``) as they would name a line.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import GIVEN, shown_name
from ragdiag.core.holding import temporary_folder
from ragdiag.core.plain import frame_rows, is_frame, plain
from ragdiag.core.writing import json_lines

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from ragdiag.core.records import Defect

__all__ = ["Given", "Spool", "records", "spool", "unspooled"]

Given = object
"""A path; a list of records (dicts); a data frame; of a corpus also a dict of texts by id."""

R = TypeVar("R", bound="DataclassInstance")


DEFECTS = {"defects", "warnings", "label_defects", "label_warnings"}
"""Fields of records that hold defects."""

RECORDS = {"labels", "report"}
"""Fields of records that hold a record with such fields."""


class Spool:
    """A folder for the time of one call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, given: object, name: str) -> str | Path:
        """The path itself where one was given; else a file of the records. Raises `UsageError` for what is neither."""
        if isinstance(given, (str, Path)):
            return given
        folder = self._folder / name
        folder.mkdir()
        file = folder / f"{name}.jsonl"
        file.write_bytes(b"".join(_line(record, name, row) for row, record in enumerate(records(given, name), 1)))
        return file

    def file(self, name: str, data: bytes) -> Path:
        """A file of bytes, under a name for users; a second one of that name gets a number."""
        path, n = self._folder / name, 1
        while path.exists():
            n += 1
            path = self._folder / f"{name} {n}"
        path.write_bytes(data)
        return path


@contextlib.contextmanager
def spool() -> Iterator[Spool]:
    """A `Spool`; an error inside names what was given, not the file it was spooled to."""
    with temporary_folder(GIVEN) as folder:
        try:
            yield Spool(Path(folder))
        except InputError as e:
            name = shown_name(e.file)
            if name == e.file:
                raise
            row = f"row {e.line}: " if e.line else ""
            raise InputError(f"{row}{e.message}", name, remedy=e.remedy) from e


def unspooled(record: R) -> R:
    """A record whose defects name what was given where they named the file that it was spooled to."""

    def renamed(defects: Sequence[Defect]) -> tuple[Defect, ...]:
        return tuple(dataclasses.replace(d, file=shown_name(d.file)) for d in defects)

    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    changes: dict[str, Any] = {name: renamed(values[name]) for name in DEFECTS & values.keys()}
    changes |= {name: unspooled(values[name]) for name in RECORDS & values.keys() if values[name] is not None}
    return dataclasses.replace(record, **changes)


def records(given: object, name: str) -> Sequence[object]:
    """The records of what Python has in hand: a list, a data frame, texts by id. Raises `UsageError` for anything else."""
    if is_frame(given):
        return frame_rows(given)
    if isinstance(given, Mapping):
        return [{"_id": key, "text": text} for key, text in given.items()]
    if isinstance(given, Sequence) and not isinstance(given, (bytes, bytearray)):
        return list(given)
    raise UsageError(f"{name}: give a path, a list of records, a data frame, or texts by id; not a {type(given).__name__}")


def _line(record: object, name: str, row: int) -> bytes:
    if not isinstance(record, Mapping):
        raise UsageError(f"{name}, row {row}: a record is a dict, not a {type(record).__name__}")
    try:
        return json_lines([dict(record)], ascii_only=True, default=_plain)
    except (TypeError, ValueError) as e:
        raise UsageError(f"{name}, row {row}: {e}") from e


def _plain(value: object) -> object:
    """Arrays, numbers and dates of other libraries, as JSON has them."""
    if (converted := plain(value)) is value:
        raise TypeError(f"holds a {type(value).__name__}, which no record has")
    return converted
