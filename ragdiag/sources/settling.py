"""The place of each chunk, where the texts of chunks stand several times in their document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

__all__ = ["Span", "in_order", "settled", "tiling"]

Span = tuple[int, int]
"""Half-open, in characters of a document."""


TILING = 0.95
"""Of neighbouring chunks so many touch where its splitter's chunks are all there."""

IN_ORDER = 0.95
"""Of a list's chunks whose place is certain so many follow the one before; else its order is that of no document."""


def in_order(places: Iterable[Sequence[Sequence[Span]]]) -> bool:
    """Whether the chunks of a list come in the order of their documents, as far as those with one place tell.

    `places` has, for each document, those of its chunks.
    """
    certain = ([spans[0] for spans in of_document if len(spans) == 1] for of_document in places)
    follows = [before <= span for of_document in certain for before, span in pairwise(of_document)]
    return sum(follows) >= IN_ORDER * len(follows)


def tiling(places: Iterable[tuple[str, Sequence[Sequence[Span]]]]) -> bool:
    """Whether a list's chunks cover their documents, as far as neighbours with one place each tell.

    `places` has the text of each document, and those of its chunks.
    """
    touch = [
        _touch(document, one[0], other[0])
        for document, of_document in places
        for one, other in pairwise(of_document)
        if len(one) == len(other) == 1
    ]
    return sum(touch) >= TILING * len(touch)


def settled(
    texts: Sequence[str], places: Sequence[Sequence[Span]], document: str, ordered: bool, tiled: bool
) -> tuple[list[Span], list[int]]:
    """A place for each of the chunks of one document, and the numbers of those whose place is a guess.

    `places` are those at which a chunk's text stands, in order; a chunk with one stands there. Of the others, no chunk lies
    within another one, as long as there are enough places that do not. Where as many are left as there are chunks of that text,
    each has one. Else, if the chunks come in the order of the document (and `ordered`, those of the whole list do), a chunk
    stands between those before and after it, and where one place is left, or one adjoins its neighbour, it is that. Whatever
    else is taken, the first left, is a guess.
    """
    certain = [spans[0] if len(spans) == 1 else None for spans in places]
    alike = Counter(texts)
    left = _left(texts, places, alike, [span for span in certain if span])
    spans_so_far, last, guessed = list[Span](), dict[str, int](), list[int]()
    between = _Between(certain, document, tiled)
    ordered, before, sure_before = ordered and between.ordered, None, _Before(None, True)
    for n, text in enumerate(texts):
        if (span := certain[n]) is None:
            spans, turn = left[text], last.get(text, -1) + 1
            at, sure = turn % len(spans), alike[text] >= len(spans)
            if not sure and ordered:
                at, sure = between.chosen(spans, min(turn, len(spans) - 1), n, before)
                sure = sure and between.is_sure(spans, at, n, sure_before)
            guessed += [] if sure else [n]
            last[text], span = at, spans[at]
        spans_so_far.append(span)
        before, sure_before = span, sure_before.then(span, n not in guessed[-1:])
    return spans_so_far, guessed


def _left(
    texts: Sequence[str], places: Sequence[Sequence[Span]], alike: Mapping[str, int], certain: Sequence[Span]
) -> dict[str, Sequence[Span]]:
    """For each text with several places, those in no chunk that is `certain`; all of them, if those are fewer than its chunks."""
    ordered = sorted(certain)
    starts, reach = [start for start, _ in ordered], np.maximum.accumulate([end for _, end in ordered] or [0]).tolist()

    def within(span: Span) -> bool:
        # Of the chunks that start no later, the farthest end decides: one of them holds the span, or none does.
        before = bisect_right(starts, span[0])
        return before > 0 and reach[before - 1] >= span[1]

    left: dict[str, Sequence[Span]] = {}
    for text, spans in zip(texts, places, strict=True):
        if len(spans) > 1 and text not in left:
            outside = [span for span in spans if not within(span)]
            left[text] = outside if len(outside) >= alike[text] else spans
    return left


class _Before(NamedTuple):
    """The last chunk whose place is no guess, and whether that is the one just before."""

    span: Span | None
    adjacent: bool

    def then(self, span: Span, sure: bool) -> _Before:
        """After one chunk more."""
        return _Before(span, True) if sure else _Before(self.span, False)


class _Between:
    """What neighbours say about a chunk's place. `ordered`: the chunks that are `certain` come in the order of the document."""

    def __init__(self, certain: Sequence[Span | None], document: str, tiled: bool) -> None:
        starts = [span[0] for span in certain if span]
        self._document, self._certain, self._after = document, certain, _following(certain)
        self.ordered = len(starts) > 0 and starts == sorted(starts)
        # Where chunks were left out, one that begins where the last one ends may be the one that was left out.
        self._tiled = tiled

    def is_sure(self, spans: Sequence[Span], at: int, n: int, before: _Before) -> bool:
        """Whether chunk `n`, which adjoins the one before it or has one place left, must stand at the place of number `at`."""
        after = self._after[n]
        low = bisect_left(spans, before.span) if before.span else 0
        high = bisect_left(spans, after) if after else len(spans)
        if high - low == 1:
            return True
        following = self._certain[n + 1] if n + 1 < len(self._certain) else None
        return before.adjacent and (self._tiled or (following is not None and _touch(self._document, spans[at], following)))

    def chosen(self, spans: Sequence[Span], first: int, n: int, before: Span | None) -> tuple[int, bool]:
        """The number of chunk `n`'s place, which is `first` or later, and whether it is sure; `before` is the last chunk's."""
        after = self._after[n]
        low = max(first, bisect_left(spans, before) if before else 0)
        high = bisect_left(spans, after) if after else len(spans)
        if low >= high:
            return min(first, len(spans) - 1), False
        adjoining = self._adjoining(spans, low, high, before)
        return (adjoining[0] if adjoining else low), len(adjoining or range(low, high)) == 1

    def _adjoining(self, spans: Sequence[Span], low: int, high: int, before: Span | None) -> range:
        """Those that begin where the chunk before ends, white space apart; else those that begin in it and end behind it."""
        if before is None:
            return range(low, low + (not self._document[: spans[low][0]].strip()))
        start = bisect_left(spans, (before[1], 0), low, high)
        touching = range(start, bisect_right(spans, (_next_word(self._document, before[1]), len(self._document)), start, high))
        return touching or range(bisect_right(spans, before[1], low, start, key=lambda span: span[1]), start)


def _touch(document: str, one: Span, other: Span) -> bool:
    """Whether nothing but white space lies between two places."""
    return not document[one[1] : other[0]].strip()


def _following(certain: Sequence[Span | None]) -> list[Span | None]:
    """For each chunk, the place of the next one that is certain."""
    following: list[Span | None] = [None] * len(certain)
    for n in range(len(certain) - 2, -1, -1):
        following[n] = certain[n + 1] or following[n + 1]
    return following


def _next_word(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
