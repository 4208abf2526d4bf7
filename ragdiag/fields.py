"""Fields of records that nothing reads: said once for each file, never passed over in silence.

A plain slip in the name of a field that is read (``evidnce``) is an error: what it holds was meant to count.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ragdiag.errors import InputError, nearest
from ragdiag.files import shown_name

__all__ = ["Fields", "log"]

log = logging.getLogger("ragdiag")
"""Where notes go that no result has a place for; Python shows them on standard error unless told otherwise."""

LONG = 6
"""Letters: of shorter names too many are one letter away from another word, ``scope`` from ``score``."""

MOST = 8
"""Fields named in one note."""


class Fields:
    """The fields of one file's records: `look` at each record, and what nothing reads is noted at the end of the ``with``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unread: dict[str, int] = {}
        self._first: dict[str, tuple[int, str]] = {}

    def __enter__(self) -> Fields:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None and self._unread:
            log.warning(self._note())

    def look(
        self, record: Mapping[str, Any], read: Collection[str], line: int, where: str = "", known: Collection[str] = ()
    ) -> None:
        """Count the fields of `record`, which stands at `where` in its line, that are not among those `read`.

        Those `known` belong to the format and are passed over. Raises `InputError` for a slip in a name that the record lacks.
        """
        for name in record:
            if name in read or name in known or record[name] is None:
                continue
            meant = [r for r in read if r not in record and _is_slip(name, r)]
            if meant:
                best = max(meant, key=lambda r: _plain(r) == _plain(name))
                what = f"unknown field {name!r}{_at(where)}; did you mean {best!r}?"
                raise InputError(what, self._path, line, "mend its name")
            full = f"{where}.{name}" if where else name
            self._unread[full] = self._unread.get(full, 0) + 1
            self._first.setdefault(full, (line, nearest(name, [r for r in read if r not in record])))

    def _note(self) -> str:
        parts = [self._part(name, n) for name, n in list(self._unread.items())[:MOST]]
        more = len(self._unread) - len(parts)
        return f"{shown_name(self._path)}: fields that are not read: {', '.join(parts)}" + (f" and {more} more" if more else "")

    def _part(self, name: str, count: int) -> str:
        line, meant = self._first[name]
        where = f"in {count} records, first at line {line}" if count > 1 else f"at line {line}"
        return f"{name!r} ({where}{meant})"


def _at(where: str) -> str:
    return f" in {where!r}" if where else ""


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _is_slip(name: str, meant: str) -> bool:
    """Whether two long names differ by case or marks alone, by one letter, or by two that changed places."""
    a, b = _plain(name), _plain(meant)
    if min(len(a), len(b)) < LONG:
        return False
    a, b = _without_common_start(a, b)
    a, b = _without_common_start(a[::-1], b[::-1])
    return max(len(a), len(b)) <= 1 or (len(a) == 2 and a == b[::-1])


def _without_common_start(a: str, b: str) -> tuple[str, str]:
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a[same:], b[same:]
