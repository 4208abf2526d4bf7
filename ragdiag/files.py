"""Reading and writing files: JSON Lines with line numbers, text with byte positions, atomic writes."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragdiag.errors import InputError, UsageError

__all__ = ["field", "parse_json", "read_jsonl", "read_text", "write_atomically"]

MAX_BYTES = 512 * 2**20
"""Larger text files are refused: one document of half a gigabyte is a mistake, not a document."""


def read_text(path: Path, error: type[InputError] = InputError) -> str:
    """The text of a UTF-8 file, line ends untouched, a byte order mark dropped.

    Raises `error` with the byte position where the file is not UTF-8, and where it cannot be read at all.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise error(f"{size / 2**20:.0f} MB is more than the {MAX_BYTES // 2**20} MB limit", path, remedy="split the file")
        raw = path.read_bytes()
    except OSError as e:
        raise error(f"cannot be read ({e.strerror or e})", path, remedy="check the path and its permissions") from e
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise error("is UTF-16, not UTF-8", path, byte=0, remedy="convert it: iconv -f UTF-16 -t UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        start = e.start + (3 if raw.startswith(b"\xef\xbb\xbf") else 0)
        raise error(
            f"is not UTF-8 (byte 0x{raw[start]:02x})", path, byte=start, remedy="convert it, e.g. iconv -f WINDOWS-1252 -t UTF-8"
        ) from e


def _reject_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"key {next(k for k in keys if keys.count(k) > 1)!r} stands twice")
    return record


def parse_json(text: str, path: Path, line: int = 0) -> Any:
    """`text` as strict JSON: no NaN or Infinity, no key twice. Raises `InputError` naming the line."""
    try:
        return json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as e:
        where = line or e.lineno
        raise InputError(f"broken JSON: {e.msg} at column {e.colno}", path, where, "mend that line") from e
    except (ValueError, RecursionError) as e:
        raise InputError(f"broken JSON: {e}", path, line, "mend that line") from e


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, record)`` for each non-blank line of a JSON Lines file; every record must be an object."""
    # str.splitlines would also cut at U+2028 and friends, which JSON allows unescaped inside strings.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            record = parse_json(line, path, number)
            if not isinstance(record, dict):
                raise InputError("a JSON object is expected on each line", path, number, 'write one {"...": ...} per line')
            yield number, record


def field(record: dict[str, Any], names: tuple[str, ...], kind: type | tuple[type, ...], path: Path, line: int) -> Any:
    """The first of `names` that `record` has, checked to be of `kind`; `InputError` where none is there or it is of another kind."""
    for name in names:
        if name in record:
            value = record[name]
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wrong_bool = isinstance(value, bool) and bool not in kinds
            not_finite = isinstance(value, float) and not math.isfinite(value)
            if wrong_bool or not_finite or not isinstance(value, kinds):
                wanted = " or ".join(k.__name__ for k in kinds)
                raise InputError(f"{name!r} must be {wanted}, not {type(value).__name__}", path, line, "mend that field")
            return value
    raise InputError(f"field {names[0]!r} is missing", path, line, "add it")


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write the whole file or nothing: a reader never sees half of it, a failed write leaves the old file."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as e:
        raise UsageError(f"cannot write {path}: {e.strerror}; choose a folder that exists and can be written") from e
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data.encode("utf-8") if isinstance(data, str) else data)
        # mkstemp makes files private; a report should have the permissions any new file gets.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
