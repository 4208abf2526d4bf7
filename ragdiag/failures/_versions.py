"""Which document is an older version of which, by their metadata."""

from __future__ import annotations

from typing import Any

from ragdiag.records import Document


def link(old: Document, new: Document) -> str:
    """How metadata says that `old` is a superseded version of `new`; "" where it does not."""
    mine, other = old.metadata, new.metadata
    if mine.get("superseded_by") is not None and str(mine["superseded_by"]) == new.id:
        return "superseded_by"
    if other.get("superseded"):
        return ""
    if mine.get("family") is not None and mine.get("family") == other.get("family"):
        return "family" if mine.get("superseded") or _older(mine, other) else ""
    same_title = bool(old.title.strip()) and old.title.strip().casefold() == new.title.strip().casefold()
    return "superseded, same title" if mine.get("superseded") and same_title else ""


def could_be_older(old: Document, new: Document) -> bool:
    """Whether metadata puts `old` before `new`, without saying that they are versions of one another."""
    return bool(old.metadata.get("superseded") and not new.metadata.get("superseded")) or _older(old.metadata, new.metadata)


def _older(mine: Any, other: Any) -> bool:
    for key in ("version", "date"):
        a, b = mine.get(key), other.get(key)
        if a is not None and b is not None:
            # ISO dates order as text.
            return bool(a < b) if type(a) is type(b) else str(a) < str(b)
    return False
