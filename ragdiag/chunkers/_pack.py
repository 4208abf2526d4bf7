"""Where a text may be cut, and how pieces are packed into chunks.

All chunkers tile: the first chunk starts at 0, each next one where the last ended (or `overlap` before), the last ends with the
text. White space between two chunks belongs to the first. A text without a token has no chunk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from ragdiag.errors import SpecError
from ragdiag.records import BoolArray, IntArray
from ragdiag.tokens import (
    CLOSER,
    ITEM,
    LOWER,
    MARK,
    NEWLINE,
    STOP,
    WIDE_STOP,
    WORD,
    Classes,
    char_classes,
    starts_of,
    token_starts,
)

ABBREVIATIONS = frozenset(
    "al art ca cf co corp dept dr ed eds eq est etc fig figs inc jan feb mar apr jun jul aug sep sept oct nov dec "
    "jr ltd max min mr mrs ms no nos nr op pp prof ref sec sect sr st tab vol vs".split()
)
"""Words whose full stop does not end a sentence."""


def check_size(name: str, size: int, overlap: int = 0) -> None:
    """Raise `SpecError` for a size below 1, or an overlap that is negative or not below the size."""
    if size < 1:
        raise SpecError(f"{name}: size must be 1 or more, not {size}")
    if not 0 <= overlap < size:
        raise SpecError(f"{name}: overlap must be from 0 to size - 1 ({size - 1}), not {overlap}")


class Cuts:
    """The places where a text may be cut: positions of tokens that start a line, a paragraph, a sentence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._classes = char_classes(text)
        self.tokens = starts_of(self._classes)
        breaks = np.flatnonzero(self._classes & NEWLINE)
        # The token after each line feed; one that comes after several starts a paragraph.
        after = np.searchsorted(self.tokens, breaks)
        after = after[(after > 0) & (after < len(self.tokens))]
        repeated = after[1:] == after[:-1]
        self._line_tokens = np.concatenate([after[:1], after[1:][~repeated]])
        self.lines: IntArray = self.tokens[self._line_tokens]
        self._paragraph_tokens = np.unique(after[1:][repeated])
        self.paragraphs: IntArray = self.tokens[self._paragraph_tokens]

    def grid(self, unit: str) -> IntArray:
        """Where the tokens by which sizes are counted start."""
        return self.tokens if unit == "tokens" else token_starts(self.text, unit)

    def sentences(self) -> IntArray:
        """Positions where a sentence, a paragraph, or a line that is a list item, heading or table row starts."""
        first = self._classes[self.tokens]
        starts = np.zeros(len(first), dtype=bool)
        stop = np.flatnonzero(first & STOP)
        stop = stop[stop + 1 < len(first)]
        starts[self._begins(first, stop + 1)] = True
        self._drop_abbreviations(starts, stop)
        # A quotation mark or bracket that follows at once still belongs to the sentence it closes.
        closed = stop[(first[stop + 1] & CLOSER) != 0] + 2
        starts[self._begins(first, closed[closed < len(first)])] = True
        wide = np.flatnonzero(first & WIDE_STOP) + 1
        starts[wide[wide < len(first)]] = True
        starts[self._line_tokens[(first[self._line_tokens] & ITEM) != 0]] = True
        starts[self._paragraph_tokens] = True
        return self.tokens[starts]

    def _begins(self, first: Classes, tokens: IntArray) -> IntArray:
        """Those of `tokens` that white space precedes and that do not start with a small letter."""
        spaced = (self._classes[self.tokens[tokens] - 1] & (WORD | MARK)) == 0
        begins: IntArray = tokens[spaced & ((first[tokens] & LOWER) == 0)]
        return begins

    def _drop_abbreviations(self, starts: BoolArray, stop: IntArray) -> None:
        """Unmark what follows "Fig.", an initial, or the number of a list item."""
        stop = stop[(stop > 0) & starts[stop + 1]]
        word, point = self.tokens[stop - 1], self.tokens[stop]
        near = point - word <= 4
        for t, a, b in zip(stop[near].tolist(), word[near].tolist(), point[near].tolist(), strict=True):
            before = self.text[a:b]
            if (
                before.lower() in ABBREVIATIONS
                or (len(before) == 1 and before.isalpha())
                or (before.isdigit() and self._starts_line(a))
            ):
                starts[t + 1] = False

    def _starts_line(self, position: int) -> bool:
        return not self.text[max(0, self.text.rfind("\n", 0, position)) : position].strip()


def pack(
    cuts: Cuts, size: int, levels: Sequence[IntArray], unit: str, overlap: int = 0, always: IntArray | None = None
) -> tuple[IntArray, IntArray]:
    """Cut a text into spans of at most `size` units, each as long as the cuts allow.

    A chunk ends at the last cut of the coarsest of `levels` (positions, ascending) that leaves it at least a quarter full, at the
    last cut of the finest level whatever it leaves, else after exactly `size` units; and at every position of `always`. With
    `overlap`, the next chunk starts at the first cut of the finest level that is at most `overlap` units back.
    """
    grid, end_of_text = cuts.grid(unit) if len(cuts.tokens) else cuts.tokens, len(cuts.text)
    allowed = [level.tolist() for level in levels]
    forced = [] if always is None else always.tolist()
    starts, ends = [], []
    start = 0
    while len(grid):
        first = int(grid.searchsorted(start))
        full = int(grid[first + size]) if first + size < len(grid) else end_of_text
        hard = bisect_right(forced, start)
        limit = min(full, forced[hard]) if hard < len(forced) else full
        end = limit if limit < full or limit == end_of_text else _last_cut(allowed, start, limit, int(grid[first + size // 4]))
        starts.append(start)
        ends.append(end)
        if end >= end_of_text:
            break
        start = end
        if overlap:
            start = _step_back(grid, allowed[-1], starts[-1], end, overlap)
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


def _last_cut(cuts: list[list[int]], start: int, limit: int, quarter: int) -> int:
    for n, level in enumerate(cuts, 1):
        i = bisect_right(level, limit) - 1
        if i >= 0 and level[i] > start and (level[i] >= quarter or n == len(cuts)):
            return level[i]
    return limit


def _step_back(grid: IntArray, finest: list[int], last_start: int, end: int, overlap: int) -> int:
    """Where the chunk after the one that ended at `end` starts: at a cut, later than the last start."""
    earliest = int(grid[max(0, int(grid.searchsorted(end)) - overlap)])
    i = bisect_right(finest, earliest - 1)
    start = finest[i] if i < len(finest) and finest[i] <= end else end
    return start if start > last_start else end
