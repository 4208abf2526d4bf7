"""Reading files: JSON Lines with line numbers, text with byte positions; never what is no regular file."""

from __future__ import annotations

import ast
import codecs
import json
import math
import os
import re
import stat
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ragdiag.core.errors import InputError

__all__ = [
    "GIVEN",
    "MAX_INT",
    "decode",
    "field",
    "is_deep",
    "opened",
    "parse_json",
    "read_bytes",
    "read_jsonl",
    "read_text",
    "shown_name",
    "stream_jsonl",
]

BOM = codecs.BOM_UTF8

GIVEN = "ragdiag-given-"
"""The beginning of the names of folders with files of what was given in Python or on standard input.

The path of such a file means nothing to users: see `shown_name`."""

MAX_BYTES = 512 * 2**20
"""Larger text files are refused: one document of half a gigabyte is a mistake, not a document."""

WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""Byte order marks of encodings in units of more than one byte; that of UTF-32LE begins as that of UTF-16LE."""

MOST_NULLS, FEWEST_NULLS = 0.02, 4
"""A file with a larger share of null bytes, and as many of them, is no text in UTF-8; a stray one is a character as any other."""

MAX_INT = 2**53
"""Larger numbers count nothing that a corpus holds, and would not fit the arrays they go into; ids may be larger."""


MOST_DEEP = 200
"""No record nests its values deeper; what goes through them one inside of the other would not come back from much more."""


def shown_name(file: str | Path) -> str:
    """What users call a file: its path; for what was given without a file, the name of that input (``queries``)."""
    path = Path(file)
    return path.name.removesuffix(".jsonl") if any(part.startswith(GIVEN) for part in path.parts) else str(file)


def opened(path: Path, error: type[InputError] = InputError) -> BinaryIO:
    """A regular file, open to be read. Raises `error` for anything else, which might never end, and for what cannot be opened."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.open("rb")
    except (OSError, ValueError) as e:  # a name with a null byte is a ValueError
        raise _unreadable(path, e, error) from e
    # What comes through a pipe can be read once only, and opening one that nobody writes to would wait for ever.
    what = "is a folder" if stat.S_ISDIR(mode) else "is a pipe or a device, not a regular file"
    raise error(what, path, remedy="name a file")


def _unreadable(path: Path, reason: Exception, error: type[InputError]) -> InputError:
    return error(
        f"cannot be read ({getattr(reason, 'strerror', None) or reason})", path, remedy="check the path and its permissions"
    )


def read_bytes(path: Path, error: type[InputError] = InputError) -> bytes:
    """The content of a file of at most `MAX_BYTES`. Raises `error` where it is larger, no file at all, or cannot be read."""
    with opened(path, error) as file:
        if (n := os.fstat(file.fileno()).st_size) > MAX_BYTES:
            size = f"{n / 2**20:.0f} MB is more than the {MAX_BYTES // 2**20} MB limit"
            raise error(size, path, remedy="split the file")
        try:
            return file.read()
        except OSError as e:
            raise _unreadable(path, e, error) from e


def read_text(path: Path, error: type[InputError] = InputError) -> str:
    """The text of a UTF-8 file, line ends untouched, a byte order mark dropped.

    Raises `error` with the byte position where the file is not UTF-8, and where it cannot be read at all.
    """
    raw = read_bytes(path, error)
    body = raw[len(BOM) :] if raw.startswith(BOM) else raw
    return decode(body, path, error, first_byte=len(raw) - len(body))


def decode(raw: bytes, path: Path, error: type[InputError] = InputError, line: int = 0, first_byte: int = 0) -> str:
    """UTF-8 `raw` as text. Raises `error` with the position in the file, in which `raw` starts at `first_byte`."""
    mark = next((name for mark, name in WIDE_MARKS if raw.startswith(mark)), "") if first_byte == 0 else ""
    if mark:
        raise _wide(mark, path, error, line)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as e:
        if first_byte == 0 and (encoding := _by_nulls(raw)):
            raise _wide(encoding, path, error, line) from e
        message = f"is not UTF-8 (byte 0x{raw[e.start]:02x})"
        remedy = "convert it from the encoding that it has; a Western European one: iconv -f WINDOWS-1252 -t UTF-8"
        raise error(message, path, line, remedy, byte=first_byte + e.start) from e
    if (nulls := raw.count(0)) > max(len(raw) * MOST_NULLS, FEWEST_NULLS - 1):
        if first_byte == 0 and (encoding := _by_nulls(raw)):
            raise _wide(encoding, path, error, line)
        message = f"is no text: {nulls} of {len(raw)} bytes are null"
        raise error(message, path, line, "remove it, or convert it to text", byte=first_byte + raw.index(0))
    return text


def _wide(encoding: str, path: Path, error: type[InputError], line: int) -> InputError:
    """The error of a text whose characters take two or four bytes each."""
    return error(f"is {encoding[:6]}, not UTF-8", path, line, f"convert it: iconv -f {encoding} -t UTF-8", byte=0)


def _by_nulls(raw: bytes) -> str:
    """Which encoding in units of two or four bytes has its null bytes where `raw` has them; "" where none does.

    Most texts have letters, digits, spaces or line ends of the first 256 characters: all bytes of such a one but one are null.
    """
    head = raw[: 2**16]
    first, second, third, fourth = (head[i::4].count(0) for i in range(4))
    units = len(head) // 4
    if first < 0.1 * units and third > 0.9 * units and fourth > 0.9 * units:
        return "UTF-32LE"
    if fourth < 0.1 * units and first > 0.9 * units and second > 0.9 * units:
        return "UTF-32BE"
    even, odd = first + third, second + fourth
    if len(raw) % 2 or even + odd < FEWEST_NULLS:
        return ""
    return "UTF-16LE" if odd > 3 * even else "UTF-16BE" if even > 3 * odd else ""


def _reject_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys: set[str] = set()
        for key, _ in pairs:
            if key in keys:
                raise ValueError(f"key {key!r} stands twice")
            keys.add(key)
    return record


def parse_json(text: str, path: Path, line: int = 0) -> Any:
    """`text` as strict JSON: no NaN or Infinity, no key twice, no half of a surrogate pair, nothing `is_deep`.

    Anything else is an `InputError` that names the line.
    """
    try:
        value = json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_unique_keys)
        if "\\ud" in text or "\\uD" in text:
            _reject_half_pairs(value)
        if is_deep(value, text):
            raise ValueError(f"it nests more than {MOST_DEEP} deep")
        return value
    except json.JSONDecodeError as e:
        where = line or e.lineno
        raise InputError(f"broken JSON: {e.msg} at column {e.colno}", path, where, _remedy(text) or "mend that line") from e
    except (ValueError, RecursionError) as e:
        raise InputError(f"broken JSON: {e}", path, line, "mend that line") from e


def is_deep(value: object, text: str | None = None) -> bool:
    """Whether a JSON value nests deeper than `MOST_DEEP`; the `text` that it was read from often tells it at once."""
    if text is not None and text.count("[") + text.count("{") <= MOST_DEEP:
        return False
    level: list[Any] = [value]
    for _ in range(MOST_DEEP):
        level = [part for part in level if isinstance(part, (dict, list))]
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return False
    return any(isinstance(part, (dict, list)) for part in level)


def _remedy(text: str) -> str:
    """What to do about text that is nearly JSON; "" where it is none of the usual mistakes."""
    try:
        _, end = json.JSONDecoder().raw_decode(text.strip())
        rest = text.strip()[end:].strip()
        return (
            "leave out the comma behind the record"
            if rest == ","
            else "write one JSON value on each line"
            if rest[:1] in "{["
            else ""
        )
    except (ValueError, RecursionError):
        pass
    if re.search(r",\s*[}\]]", text) and _parses(json.loads, re.sub(r",(?=\s*[}\]])", "", text)):
        return "leave out the comma before the closing bracket"
    if _parses(ast.literal_eval, text.strip()):
        return "that is Python, not JSON: write it with json.dumps"
    return ""


def _parses(parser: Callable[[str], object], text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes that Python does not know
            return isinstance(parser(text), (dict, list))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):  # TypeError: a dict as a key
        return False


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, record)`` for each non-blank line of a JSON Lines file; every record must be an object."""
    # str.splitlines would also cut at U+2028 and friends, which JSON allows unescaped inside strings.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield number, _json_object(line, path, number)


def stream_jsonl(path: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Like `read_jsonl` for a file of any size: one line in memory at a time.

    Yields ``(line number, bytes read so far, record)``.
    """
    done = 0
    with opened(path) as lines:
        try:
            for number, raw in enumerate(lines, 1):
                bom = len(BOM) if number == 1 and raw.startswith(BOM) else 0
                line = decode(raw[bom:], path, line=number, first_byte=done + bom)
                done += len(raw)
                if line.strip():
                    yield number, done, _json_object(line, path, number)
        except OSError as e:
            raise _unreadable(path, e, InputError) from e


def _json_object(line: str, path: Path, number: int) -> dict[str, Any]:
    record = parse_json(line, path, number)
    if not isinstance(record, dict):
        raise InputError("a JSON object is expected on each line", path, number, 'write one {"...": ...} per line')
    return record


def _reject_half_pairs(value: object) -> None:
    """Raise `ValueError` where a text in `value` has half of a surrogate pair: no file in UTF-8 can hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as e:
        raise ValueError("a \\u escape is half of a surrogate pair, so no character") from e


def field(record: Mapping[str, Any], names: tuple[str, ...], kind: type | tuple[type, ...], path: Path, line: int) -> Any:
    """The first of `names` that `record` has; `InputError` where there is none, or its value is not of `kind`."""
    name = next((name for name in names if name in record), None)
    if name is None:
        raise InputError(f"field {names[0]!r} is missing", path, line, "add it")
    if fault := _fault(record[name], kind if isinstance(kind, tuple) else (kind,)):
        raise InputError(f"{name!r} {fault}", path, line, "mend that field")
    return record[name]


def _fault(value: object, kinds: tuple[type, ...]) -> str:
    """What is wrong with the value of a field that must be of one of `kinds`; "" where nothing is."""
    if isinstance(value, int) and str not in kinds and abs(value) > MAX_INT:
        return f"is beyond {MAX_INT}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, not {value}"
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return f"must be {' or '.join(k.__name__ for k in kinds)}, not {type(value).__name__}"
    return ""
