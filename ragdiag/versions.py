"""Which document is an older version of which, by their metadata."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ragdiag.records import BoolArray, Document

__all__ = ["could_be_older", "link", "superseded"]

AGES = ("version", "date")
"""Metadata that orders versions, the first that both have."""


def link(old: Document, new: Document) -> str:
    """How metadata says that `old` is a superseded version of `new`; "" where it does not."""
    mine, other = old.metadata, new.metadata
    if mine.get("superseded_by") is not None and str(mine["superseded_by"]) == new.id:
        return "superseded_by"
    if other.get("superseded"):
        return ""
    if mine.get("family") is not None and mine.get("family") == other.get("family"):
        return "family" if mine.get("superseded") or _older(mine, other) else ""
    same_title = bool(_title(old)) and _title(old) == _title(new)
    return "superseded, same title" if mine.get("superseded") and same_title else ""


def superseded(documents: Sequence[Document]) -> BoolArray:
    """Whether each document is, by `link`, a superseded version of another one of `documents`: shape ``(n_documents,)``."""
    named = {d.id: d for d in documents}
    titled, families = dict[str, Document](), defaultdict[str, dict[str, Document]](dict)
    for d in documents:
        if not d.metadata.get("superseded"):
            titled[_title(d)] = d
            # Of a family's documents of one version and date, one tells as much as all.
            families[repr(d.metadata.get("family"))][repr([d.metadata.get(key) for key in AGES])] = d

    def is_old(old: Document) -> bool:
        mine = old.metadata
        others = [named.get(str(mine.get("superseded_by"))), titled.get(_title(old)) if mine.get("superseded") else None]
        others += families[repr(mine["family"])].values() if mine.get("family") is not None else ()
        return any(new is not None and new is not old and link(old, new) for new in others)

    return np.array([is_old(d) for d in documents], dtype=bool)


def could_be_older(old: Document, new: Document) -> bool:
    """Whether metadata puts `old` before `new`, without saying that they are versions of one another."""
    return bool(old.metadata.get("superseded") and not new.metadata.get("superseded")) or _older(old.metadata, new.metadata)


def _title(document: Document) -> str:
    return document.title.strip().casefold()


def _older(mine: Any, other: Any) -> bool:
    for key in AGES:
        a, b = mine.get(key), other.get(key)
        if a is not None and b is not None:
            # ISO dates order as text.
            return bool(a < b) if type(a) is type(b) else str(a) < str(b)
    return False
