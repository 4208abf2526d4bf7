"""What of a document is in no record."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from ragdiag.diagnosis.health._opened import Opened

__all__ = ["Gap", "held_of", "plain", "uncovered"]


class Gap(NamedTuple):
    """A stretch of a document that is in no record, and its characters, blanks aside."""

    start: int
    end: int
    characters: int


def plain(text: str) -> str:
    """A text with one space wherever it has any white space."""
    return " ".join(text.split())


def held_of(opened: Opened) -> frozenset[str]:
    """The texts of all records. A passage that a document has twice is there when it was stored once."""
    return frozenset(plain(record.text) for record in opened.records)


def uncovered(opened: Opened, document: int, held: Collection[str]) -> list[Gap]:
    """The stretches of a document that no record has. Those without a letter or a digit, such as rules and marks, are none."""
    text, chunking = opened.corpus.documents[document].text, opened.chunking
    first, last = np.searchsorted(chunking.document, [document, document + 1])
    gaps, reached = list[Gap](), 0
    ends = np.maximum.accumulate(chunking.end[first:last]).tolist()
    for start, end in [*zip(chunking.start[first:last].tolist(), ends, strict=True), (len(text), len(text))]:
        between = text[reached:start]
        if any(map(str.isalnum, between)) and plain(between) not in held:
            gaps.append(Gap(reached, start, len("".join(between.split()))))
        reached = max(reached, end)
    return gaps
