"""How values are read out of what tracers write: JSON inside of texts, times in any unit, questions in any input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone

from ragdiag.core.files import is_deep

__all__ = ["first", "instant", "mapping", "number_of", "parsed", "questions", "strings", "text_of"]

UNITS = (1e17, 1e14, 1e11)
"""A count of seconds since 1970 that is larger than these is one of nano-, micro- or milliseconds: see `instant`."""

PER_SECOND = (1e9, 1e6, 1e3)
"""How many of these units a second has."""

USERS = ("user", "human")
"""What tracers call whoever asks."""


def parsed(value: object) -> object:
    """What a JSON text says where it is an object or a list; anything else, and what is no JSON or nests too deep, as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        found: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if is_deep(found, value) else found


def mapping(value: object) -> Mapping[str, object]:
    """An object, also where it is written as JSON; an empty one for anything else."""
    found = parsed(value)
    return found if isinstance(found, Mapping) else {}


def first(record: Mapping[str, object], *names: str) -> object:
    """The value under the first of `names` that has one."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def text_of(value: object) -> str:
    """A text, or a number as a text; "" for anything else."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def number_of(value: object) -> int:
    """A whole number of few digits, also where it is a text; 0 for anything else."""
    return int(text_of(value)) if re.fullmatch(r"[0-9]{1,18}", text_of(value)) else 0


def instant(value: object) -> float | None:
    """A time as seconds since 1970: from ISO 8601, where no zone means UTC, or from a count of seconds or of parts of them."""
    try:
        if isinstance(value, (int, float)) or (isinstance(value, str) and value.isdecimal()):
            return _of_count(float(value))
        return _of_text(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _of_count(count: float) -> float:
    return next((count / per for most, per in zip(UNITS, PER_SECOND, strict=True) if count > most), count)


def _of_text(text: str) -> float:
    # Before Python 3.11 there must be three or six digits behind the point, and no Z.
    even = re.sub(r"\.(\d+)", lambda match: f".{match[1][:6]:0<6}", text.strip().replace("Z", "+00:00"))
    at = datetime.fromisoformat(even)
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def strings(value: object) -> Iterator[str]:
    """Every text inside of a value."""
    found = parsed(value)
    if isinstance(found, str):
        yield found
    elif isinstance(found, Mapping):
        for inner in found.values():
            yield from strings(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from strings(inner)


def questions(value: object) -> tuple[str, ...]:
    """What may be the question of an input: the text that it is, the texts of an object, what the user said last of messages.

    Other lists of an object are passed over: a history of the conversation has questions that were asked before.
    """
    found = parsed(value)
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list):
        return _said_last(found)
    if not isinstance(found, Mapping):
        return ()
    asked = [inner for inner in found.values() if isinstance(inner, str)]
    for name, inner in found.items():
        if isinstance(inner, Mapping) or (isinstance(inner, list) and name in ("messages", "args")):
            asked += questions(inner)
    return tuple(asked)


def _said_last(items: Sequence[object]) -> tuple[str, ...]:
    """The last message of the user; of a list without messages, its texts."""
    if len(items) == 1 and isinstance(items[0], list):
        return _said_last(items[0])
    for item in reversed(items):
        role, content = _message(item)
        if role in USERS:
            return tuple(strings(content))
    return tuple(item for item in items if isinstance(item, str))


def _message(item: object) -> tuple[str, object]:
    """Who says what: of ``{"role", "content"}``, of LangChain's message as an object, or of a pair."""
    if isinstance(item, list) and len(item) == 2:
        return text_of(item[0]).lower(), item[1]
    if not isinstance(item, Mapping):
        return "", None
    inner = mapping(item.get("kwargs")) or item
    return text_of(first(inner, "role", "type")).lower(), inner.get("content")
