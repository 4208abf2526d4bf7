"""Span arithmetic on arrays: unions, overlaps and coverage of half-open intervals of integers.

Everything takes corpus-wide coordinates (`records.Corpus.base`), so that spans of different documents never meet.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ragdiag.core.records import FloatArray, IntArray
from ragdiag.text.tokens import blank, char_classes

__all__ = ["NonSpace", "covered", "expand", "overlapping_pairs", "ratio", "union"]


def union(start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """The same points as disjoint intervals in order, empty ones left out, touching ones joined."""
    real = end > start
    order = np.argsort(start[real], kind="stable")
    start, end = start[real][order], end[real][order]
    if not len(start):
        return start, end
    reach = np.maximum.accumulate(end)
    first = np.concatenate([[True], start[1:] > reach[:-1]])
    return start[first], reach[np.concatenate([first[1:], [True]])]


def covered(start: IntArray, end: IntArray, by_start: IntArray, by_end: IntArray) -> IntArray:
    """How many points of each ``[start, end)`` lie in the disjoint, ordered intervals ``[by_start, by_end)``."""
    if not len(by_start):
        return np.zeros(len(start), dtype=np.int64)
    total = np.concatenate([[0], np.cumsum(by_end - by_start)])

    def below(x: IntArray) -> IntArray:
        i = np.searchsorted(by_start, x, side="right")
        inside = np.minimum(x, by_end[np.maximum(i - 1, 0)]) - by_start[np.maximum(i - 1, 0)]
        return np.where(i > 0, total[np.maximum(i - 1, 0)] + inside, 0)

    return np.where(end > start, below(end) - below(start), 0).astype(np.int64)


def overlapping_pairs(start: IntArray, end: IntArray, by_start: IntArray, by_end: IntArray) -> tuple[IntArray, IntArray]:
    """All pairs ``(i, j)`` where span i of the first set and span j of the second share a point, sorted by i, then j.

    The second set must be ordered by its starts; it may overlap itself.
    """
    reach = np.maximum.accumulate(by_end) if len(by_end) else by_end
    low = np.searchsorted(reach, start, side="right")
    high = np.searchsorted(by_start, end, side="left")
    i, j = expand(low, np.maximum(high - low, 0))
    real = (np.minimum(end[i], by_end[j]) > np.maximum(start[i], by_start[j])).astype(bool)
    return i[real], j[real]


class NonSpace:
    """Maps positions to the number of non-space characters before them, so that lengths count only those.

    Only the documents in `texts` are mapped; positions elsewhere stay as they are, which keeps a corpus of millions of chunks
    cheap and every comparison within one document right.
    """

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = texts

    def __call__(self, document: IntArray, position: IntArray) -> IntArray:
        """Non-space characters before each `position` of its `document`; the arrays have one shape.

        Nothing is kept from call to call: ask for all positions at once.
        """
        mapped = np.array(position, dtype=np.int64)
        order = np.argsort(document, kind="stable")
        known = np.array(list(self._texts), dtype=np.int64)
        low, high = (np.searchsorted(document[order], known, side).tolist() for side in ("left", "right"))
        for text, a, b in zip(self._texts.values(), low, high, strict=True):
            rows = order[a:b]
            spaces = np.flatnonzero(blank(char_classes(text)))
            mapped[rows] -= np.searchsorted(spaces, mapped[rows], side="left")
        return mapped


def expand(first: IntArray, n: IntArray) -> tuple[IntArray, IntArray]:
    """``n[i]`` positions from ``first[i]`` on, for each row i: which row, and which position."""
    owner = np.repeat(np.arange(len(n)), n)
    return owner, np.arange(len(owner)) + np.repeat(first - (np.cumsum(n) - n), n)


def ratio(above: IntArray | FloatArray, below: IntArray | FloatArray) -> FloatArray:
    """above / below, 0 where below is 0."""
    return np.divide(above, below, out=np.zeros(len(above)), where=np.asarray(below) > 0)
