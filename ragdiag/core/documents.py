"""Documents and places in them: what a corpus holds.

A position is a Python `str` index into a document's text, a span is half-open. `Corpus.base` turns ``(document, position)``
into one *corpus-wide* coordinate, so that span arithmetic is array arithmetic (see `ragdiag.text.spans`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import IntArray

__all__ = ["Corpus", "Document", "Omission", "Problem", "Span"]


class Span(NamedTuple):
    """A stretch of one document, which is given by its position in the corpus: half-open, in characters."""

    document: int
    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Whether at least one character is in both."""
        return self.document == other.document and max(self.start, other.start) < min(self.end, other.end)


@dataclass(frozen=True, slots=True)
class Omission:
    """What a loader left out of a document: its kind (`sources.omissions.KINDS`), its text where it has one, where in the
    document's text it would stand, and what it is called there ("page 3", "<nav>").
    """

    kind: str
    text: str = field(default="", repr=False)
    at: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One source text. `pages` holds the position where each page starts, for formats that have pages; `left_out` what its loader
    left out, in the order of the source. `foreign` is not empty for a record of a store that is of no document of the corpus: it
    says why, "changed" or "orphan", and the text is the record's; `was` is the document that a changed one was of.
    """

    id: str
    text: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    pages: tuple[int, ...] = ()
    left_out: tuple[Omission, ...] = ()
    foreign: str = ""
    was: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A document that could not be read, or `partly` so: what, where, and what to do."""

    file: str
    message: str
    partly: bool = False


@dataclass(frozen=True)
class Corpus:
    """Documents sorted by id, what of them is unread (`problems`, `notes`), and how many files are of unknown kinds by suffix."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def position(self) -> dict[str, int]:
        """Document id -> its place in `documents`."""
        return {d.id: i for i, d in enumerate(self.documents)}

    @cached_property
    def lengths(self) -> IntArray:
        """Characters in each document, shape ``(n_documents,)``."""
        return np.array([len(d.text) for d in self.documents], dtype=np.int64)

    @cached_property
    def base(self) -> IntArray:
        """Corpus-wide coordinate of each document's first character, and of the end: shape ``(n_documents + 1,)``."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
