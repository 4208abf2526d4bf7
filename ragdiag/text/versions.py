"""Which document is an older version of which, by their metadata."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ragdiag.core.records import BoolArray, Document
from ragdiag.text.titles import no_title

__all__ = ["could_be_older", "current_titles", "link", "superseded"]

Metadata = Mapping[str, Any]
"""A document's metadata, as its file has it."""

AGES = ("version", "date")
"""The fields that order versions: of two documents, the first field that both have."""


def link(old: Document, new: Document, current_titles: Mapping[str, int]) -> str:
    """How metadata says that `old` is a superseded version of `new`; "" where it does not.

    A title binds them only where it is one, and of the current documents (`current_titles`) `new` alone bears it: what a
    program writes by default, or a site on each of its pages, says nothing.
    """
    mine, other = old.metadata, new.metadata
    if mine.get("superseded_by") is not None and str(mine["superseded_by"]) == new.id:
        return "superseded_by"
    if other.get("superseded"):
        return ""
    if mine.get("family") is not None and mine.get("family") == other.get("family"):
        return "family" if mine.get("superseded") or _older(mine, other) else ""
    if not mine.get("superseded") or _title(old) != _title(new):
        return ""
    return "superseded, same title" if current_titles.get(_title(old)) == 1 and not no_title(old.title) else ""


class _Family:
    """Of the documents of a family that are not superseded, the last value of each of `AGES`, as it is and as text.

    There is one for each type of value, and for documents with and without a version.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, bool], dict[type, tuple[Any, str]]] = defaultdict(dict)

    def add(self, metadata: Metadata) -> None:
        """Take a document's values into account."""
        versioned = metadata.get("version") is not None
        for key in AGES:
            value = metadata.get(key)
            if value is not None:
                known, text = self._last[key, versioned].get(type(value), (value, str(value)))
                self._last[key, versioned][type(value)] = max(known, value), max(text, str(value))

    def has_newer(self, metadata: Metadata) -> bool:
        """Whether a document that was added comes after the one of this metadata, as `_older` says."""
        version, date = (metadata.get(key) for key in AGES)
        # Those that have a version are ordered by date only beside one that has none.
        dated = [False] if version is not None else [True, False]
        return self._after("version", True, version) or any(self._after("date", versioned, date) for versioned in dated)

    def _after(self, key: str, versioned: bool, value: Any) -> bool:
        last = self._last[key, versioned].items() if value is not None else ()
        return any(bool(value < known) if kind is type(value) else str(value) < text for kind, (known, text) in last)


def superseded(documents: Sequence[Document]) -> BoolArray:
    """Whether each document is, by `link`, a superseded version of another one of `documents`: shape ``(n_documents,)``."""
    named = {d.id: d for d in documents}
    titles = current_titles(documents)
    titled, families = dict[str, Document](), defaultdict[str, _Family](_Family)
    for d in documents:
        if not d.metadata.get("superseded"):
            titled[_title(d)] = d
            families[repr(d.metadata.get("family"))].add(d.metadata)

    def is_old(old: Document) -> bool:
        mine = old.metadata
        others = [named.get(str(mine.get("superseded_by"))), titled.get(_title(old)) if mine.get("superseded") else None]
        if any(new is not None and new is not old and link(old, new, titles) for new in others):
            return True
        family = repr(mine["family"]) if mine.get("family") is not None else ""
        return family in families and (bool(mine.get("superseded")) or families[family].has_newer(mine))

    return np.array([is_old(d) for d in documents], dtype=bool)


def current_titles(documents: Iterable[Document]) -> Mapping[str, int]:
    """How many documents that are not superseded bear each title, in lower case."""
    return Counter(_title(d) for d in documents if not d.metadata.get("superseded"))


def could_be_older(old: Document, new: Document) -> bool:
    """Whether metadata puts `old` before `new`, without saying that they are versions of one another."""
    return bool(old.metadata.get("superseded") and not new.metadata.get("superseded")) or _older(old.metadata, new.metadata)


def _title(document: Document) -> str:
    return document.title.strip().casefold()


def _older(one: Metadata, other: Metadata) -> bool:
    """Whether one document comes before another by `AGES`."""
    for key in AGES:
        a, b = one.get(key), other.get(key)
        if a is not None and b is not None:
            # ISO dates order as text.
            return bool(a < b) if type(a) is type(b) else str(a) < str(b)
    return False
