"""Spans by where they are: which of many share a character with another one, without looking at them all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate

from ragdiag.core.documents import Span

__all__ = ["Placed"]


class Placed:
    """Spans of any documents, known by their numbers: their positions in `spans`."""

    def __init__(self, spans: Iterable[Span]) -> None:
        by_document: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for number, (document, start, end) in enumerate(spans):
            by_document[document].append((start, end, number))
        self._rows = {document: sorted(rows) for document, rows in by_document.items()}
        self._starts = {document: [start for start, _, _ in rows] for document, rows in self._rows.items()}
        # How far a row and those before it reach: no row before the first that reaches beyond a point holds anything behind it.
        self._reached = {document: list(accumulate((end for _, end, _ in rows), max)) for document, rows in self._rows.items()}

    def over(self, span: Span) -> list[int]:
        """The numbers of the spans that share a character with `span`, in order."""
        document, start, end = span
        if document not in self._rows:
            return []
        first, last = bisect_right(self._reached[document], start), bisect_left(self._starts[document], end)
        near = self._rows[document][first:last]
        return sorted(number for begin, reach, number in near if max(begin, start) < min(reach, end))
