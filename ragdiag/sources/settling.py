"""Which place is whose, where the texts of chunks stand several times in their document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

__all__ = ["Span", "settled"]

Span = tuple[int, int]
"""Half-open, in characters of a document."""


def settled(texts: Sequence[str], places: Sequence[Sequence[Span]], document: str) -> tuple[list[Span], list[int]]:
    """A place for each of the chunks of one document, and the numbers of those whose place is a guess.

    `places` are those at which a chunk's text stands, in order; a chunk with one stands there. Of the others, no chunk lies
    within another one, as long as there are enough places that do not. Where as many are left as there are chunks of that text,
    each has one. Else, if the chunks come in the order of the document, a chunk stands between those before and after it, and
    where one place is left, or one adjoins its neighbour, it is that. Whatever else is taken, the first left, is a guess.
    """
    certain = [own[0] if len(own) == 1 else None for own in places]
    left, alike = _left(texts, places, [span for span in certain if span])
    spans, last, guessed = list[Span](), dict[str, int](), list[int]()
    between = _Between(certain, document)
    for n, text in enumerate(texts):
        if (span := certain[n]) is None:
            own, turn = left[text], last.get(text, -1) + 1
            at, sure = turn % len(own), alike[text] >= len(own)
            if not sure and between.ordered:
                at, sure = between.chosen(own, min(turn, len(own) - 1), n, spans[-1] if spans else None)
            guessed += [] if sure else [n]
            last[text], span = at, own[at]
        spans.append(span)
    return spans, guessed


def _left(
    texts: Sequence[str], places: Sequence[Sequence[Span]], certain: Sequence[Span]
) -> tuple[dict[str, Sequence[Span]], dict[str, int]]:
    """For each text with several places, those that lie in no other chunk (all, if these are too few), and its chunks' number."""
    own = {text: each for text, each in zip(texts, places, strict=True) if len(each) > 1}
    alike = dict.fromkeys(own, 0)
    for text in texts:
        if text in alike:
            alike[text] += 1
    ordered = sorted(certain)
    starts, reach = [start for start, _ in ordered], np.maximum.accumulate([end for _, end in ordered] or [0]).tolist()

    def within(span: Span) -> bool:
        before = bisect_right(starts, span[0])
        return before > 0 and reach[before - 1] >= span[1]

    outside = {text: [span for span in each if not within(span)] for text, each in own.items()}
    return {text: few if len(few := outside[text]) >= alike[text] else each for text, each in own.items()}, alike


class _Between:
    """What neighbours tell of a chunk's place. `ordered`: the chunks that are `certain` come in the order of the document."""

    def __init__(self, certain: Sequence[Span | None], document: str) -> None:
        starts = [span[0] for span in certain if span]
        self._document, self._after = document, _following(certain)
        self.ordered = len(starts) > 0 and starts == sorted(starts)

    def chosen(self, own: Sequence[Span], first: int, n: int, before: Span | None) -> tuple[int, bool]:
        """Which of the places from `first` on chunk `n` has, the one before it being at `before`, and whether that is sure."""
        after = self._after[n]
        low = max(first, bisect_left(own, before) if before else 0)
        high = bisect_left(own, after) if after else len(own)
        if low >= high:
            return min(first, len(own) - 1), False
        adjoining = self._adjoining(own, low, high, before)
        return (adjoining[0] if adjoining else low), len(adjoining or range(low, high)) == 1

    def _adjoining(self, own: Sequence[Span], low: int, high: int, before: Span | None) -> range:
        """Those that begin where the chunk before ends, white space apart; else those that begin in it and end behind it."""
        if before is None:
            return range(low, low + (not self._document[: own[low][0]].strip()))
        start = bisect_left(own, (before[1], 0), low, high)
        touching = range(start, bisect_right(own, (_next_word(self._document, before[1]), len(self._document)), start, high))
        return touching or range(bisect_right(own, before[1], low, start, key=lambda span: span[1]), start)


def _following(certain: Sequence[Span | None]) -> list[Span | None]:
    """For each chunk, the place of the next one that is certain."""
    found: list[Span | None] = [None] * len(certain)
    for n in range(len(certain) - 2, -1, -1):
        found[n] = certain[n + 1] or found[n + 1]
    return found


def _next_word(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
