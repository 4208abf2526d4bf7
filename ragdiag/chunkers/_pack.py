"""Where a text may be cut, and how pieces are packed into chunks.

All chunkers tile: the first chunk starts at 0, each next one where the last ended (or `overlap` before), the last ends with the
text. White space between two chunks belongs to the first. A text without a token has no chunk.

A cut is named by the token it comes before, 0 for the first: sizes are then differences of numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from ragdiag.errors import SpecError
from ragdiag.records import BoolArray, IntArray
from ragdiag.tokens import CLOSER, ITEM, LOWER, MARK, NEWLINE, STOP, WIDE_STOP, WORD, char_classes, starts_of, token_starts

ABBREVIATIONS = frozenset(
    "al art ca cf co corp dept dr ed eds eq est etc fig figs inc jan feb mar apr jun jul aug sep sept oct nov dec "
    "jr ltd max min mr mrs ms no nos nr op pp prof ref sec sect sr st tab vol vs".split()
)
"""Words whose full stop does not end a sentence."""

LONGEST = max(map(len, ABBREVIATIONS))


def check_size(name: str, size: int, overlap: int = 0) -> None:
    """Raise `SpecError` for a size below 1, or an overlap that is negative or not below the size."""
    if size < 1:
        raise SpecError(f"{name}: size must be 1 or more, not {size}")
    if not 0 <= overlap < size:
        raise SpecError(f"{name}: overlap must be from 0 to size - 1 ({size - 1}), not {overlap}")


def boundaries(text: str, unit: str, tokens: IntArray) -> IntArray:
    """Where each unit of `text` starts, the first with the text, and where the text ends: shape ``(n_units + 1,)``.

    `tokens` are the starts of its tokens; without any there is no unit either.
    """
    starts = tokens if unit == "tokens" or not len(tokens) else token_starts(text, unit)
    places = np.append(starts, len(text))
    places[0] = 0
    return places


class Cuts:
    """The places where a text may be cut: before tokens that start a line, a paragraph, a sentence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._classes = char_classes(text)
        # Line feeds stand among the tokens for a moment: what follows one starts a line, what follows two a paragraph.
        places = starts_of(self._classes, NEWLINE)
        first = self._classes[places]
        feed = first >= NEWLINE  # its bit is the highest
        token = ~feed
        self.tokens: IntArray = places[token]
        self._first = first[token]
        self._line = _after(feed)[token]
        self._paragraph = _after(feed & _after(feed))[token]

    @property
    def lines(self) -> IntArray:
        """Tokens that start a line."""
        return np.flatnonzero(self._line)

    @property
    def paragraphs(self) -> IntArray:
        """Tokens that start a line after a blank one."""
        return np.flatnonzero(self._paragraph)

    def sentences(self) -> IntArray:
        """Tokens that start a sentence, a paragraph, or a line that is a list item, heading or table row."""
        first, last = self._first, len(self._first) - 1
        starts = np.zeros(len(first), dtype=bool)
        after = _tokens(first[:last], STOP) + 1
        begins = self._begins(after)
        starts[begins] = True
        starts[self._after_abbreviations(begins)] = False
        # A quotation mark or bracket that follows at once still belongs to the sentence it closes.
        while len(after := self._after_closers(after)):
            starts[self._begins(after)] = True
        after = _tokens(first[:last], WIDE_STOP) + 1
        while len(after):
            starts[after[(first[after] & (CLOSER | STOP | WIDE_STOP)) == 0]] = True
            after = self._after_closers(after)
        starts |= self._paragraph
        starts |= self._line & ((first & ITEM) != 0)
        starts[self._numbered()] = True
        return np.flatnonzero(starts)

    def _spaced(self, tokens: IntArray) -> BoolArray:
        """Whether white space comes before each of `tokens`, none of them the first."""
        return (self._classes[self.tokens[tokens] - 1] & (WORD | MARK)) == 0

    def _begins(self, tokens: IntArray) -> IntArray:
        """Those of `tokens` that white space precedes and that do not start with a small letter."""
        begins: IntArray = tokens[self._spaced(tokens) & ((self._first[tokens] & LOWER) == 0)]
        return begins

    def _after_closers(self, tokens: IntArray) -> IntArray:
        """The tokens that follow those of `tokens` that may close a sentence and stand directly behind it."""
        after = tokens[((self._first[tokens] & CLOSER) != 0) & ~self._spaced(tokens)] + 1
        return after[after < len(self._first)]

    def _after_abbreviations(self, begins: IntArray) -> list[int]:
        """Those of `begins`, each the token after a stop, that follow "Fig.", an initial, or the number of a list item."""
        begins = begins[begins > 1]
        word, stop = self.tokens[begins - 2], self.tokens[begins - 1]
        near = stop - word <= LONGEST
        found = []
        for t, a, b in zip(begins[near].tolist(), word[near].tolist(), stop[near].tolist(), strict=True):
            before = self.text[a:b]
            if (
                before.lower() in ABBREVIATIONS
                or (len(before) == 1 and before.isalpha())
                or (self._line[t - 2] or t == 2)
                and before.isdigit()
            ):
                found.append(t)
        return found

    def _numbered(self) -> list[int]:
        """Tokens that are the number of a list item, as in ``12. `` and ``3) ``, at the start of a line."""
        lines = self.lines
        lines = lines[lines + 2 < len(self._first)]
        lines = lines[((self._first[lines + 1] & (STOP | CLOSER)) != 0) & self._spaced(lines + 2)]
        numbers = zip(lines.tolist(), self.tokens[lines].tolist(), self.tokens[lines + 1].tolist(), strict=True)
        return [t for t, a, b in numbers if b - a <= 2 and self.text[a:b].isdigit()]


def _after(marked: BoolArray) -> BoolArray:
    """Which places follow a marked one."""
    following = np.zeros_like(marked)
    following[1:] = marked[:-1]
    return following


def _tokens(first: np.ndarray, bit: int) -> IntArray:
    return np.flatnonzero((first & bit) != 0)


def pack(
    cuts: Cuts, size: int, levels: Sequence[IntArray], unit: str, overlap: int = 0, always: Sequence[int] = ()
) -> tuple[IntArray, IntArray]:
    """Cut a text into spans of at most `size` units, each as long as the cuts allow.

    A chunk ends at the last cut of the coarsest of `levels` (tokens, ascending) that leaves it at least a quarter full, at the
    last cut of the finest level whatever it leaves, else after exactly `size` units; and at every position of `always`. With
    `overlap`, the next chunk starts at the first cut of the finest level that is at most `overlap` units back.
    """
    places = boundaries(cuts.text, unit, cuts.tokens)
    allowed = [level.tolist() if unit == "tokens" else _move(places, cuts.tokens[level]) for level in levels]
    forced = _move(places, np.array(always, dtype=np.int64))
    starts, ends = [], []
    start = end = 0
    n = len(places) - 1
    while end < n:
        full = min(start + size, n)
        hard = bisect_right(forced, start)
        if hard < len(forced) and forced[hard] <= full:
            end = forced[hard]
        else:
            end = full if full == n else _last_cut(allowed, end, full, start + size // 4)
        starts.append(start)
        ends.append(end)
        start = _step_back(allowed[-1], start, end, overlap) if overlap else end
    return places[np.array(starts, dtype=np.int64)], places[np.array(ends, dtype=np.int64)]


def _move(places: IntArray, positions: IntArray) -> list[int]:
    """The units to cut before so as to cut at `positions`, to which the starts of those units are moved back."""
    units = np.searchsorted(places[1:-1], positions) + 1  # the first stays where it is
    inside = units < len(places) - 1
    places[units[inside]] = positions[inside]
    moved: list[int] = units[inside].tolist()
    return moved


def _last_cut(levels: Sequence[list[int]], after: int, limit: int, quarter: int) -> int:
    """The best cut later than `after` and not beyond `limit`."""
    for n, level in enumerate(levels, 1):
        i = bisect_right(level, limit) - 1
        if i >= 0 and level[i] > after and (level[i] >= quarter or n == len(levels)):
            return level[i]
    return limit


def _step_back(finest: list[int], last_start: int, end: int, overlap: int) -> int:
    """Where the chunk after the one that ended at `end` starts: at a cut, later than the last start."""
    i = bisect_left(finest, end - overlap)
    start = finest[i] if i < len(finest) and finest[i] < end else end
    return start if start > last_start else end
