"""Fields of records that nothing reads: said once for each file, never passed over in silence.

A plain slip in the name of a field that is read (``evidnce``) is an error: what it holds was meant to count.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType

from rapidfuzz.distance import OSA

from ragdiag.core.errors import InputError, nearest
from ragdiag.core.files import shown_name

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
        self._unread: Counter[str] = Counter()
        self._first: dict[str, tuple[int, str]] = {}

    def __enter__(self) -> Fields:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None and self._unread:
            log.warning(self._note())

    def look(
        self, record: Mapping[str, object], read: Collection[str], line: int, where: str = "", known: Collection[str] = ()
    ) -> None:
        """Count the fields of `record`, which stands at `where` in its line, that are not among those `read`.

        Those `known` belong to the format and are passed over. Raises `InputError` for a slip in a name that the record lacks.
        """
        for name in record:
            if name in read or name in known or record[name] is None:
                continue
            if meant := [r for r in _meant(name, tuple(read)) if r not in record]:
                what = f"unknown field {name!r}{_at(where)}; did you mean {meant[0]!r}?"
                raise InputError(what, self._path, line, "mend its name")
            full = f"{where}.{name}" if where else name
            if full not in self._first:
                self._first[full] = line, nearest(name, [r for r in read if r not in record])
            self._unread[full] += 1

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


@functools.lru_cache(4096)  # a file has the same fields in record after record
def _meant(name: str, read: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `read` that a long `name` is a slip of, the likest first: by case or marks, one letter, or two swapped."""
    letters, long = _plain(name), [r for r in read if min(len(_plain(r)), len(_plain(name))) >= LONG]
    distances = [(OSA.distance(letters, _plain(r), score_cutoff=1), r) for r in long]
    return tuple(r for distance, r in sorted(distances, key=lambda pair: pair[0]) if distance <= 1)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()
