"""Where a text may be cut, and how pieces are packed into chunks.

All chunkers tile: the first chunk starts at 0, each next one where the last ended (or `overlap` before), the last ends with the
text. White space between two chunks belongs to the first. A text without a token has no chunk.

A cut is named by the token it comes before, 0 for the first: sizes are then differences of numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from ragdiag.core.arrays import IntArray
from ragdiag.core.errors import SpecError
from ragdiag.text.sentences import Cuts
from ragdiag.text.tokens import inside_letters, token_starts


def check_size(name: str, size: int, overlap: int = 0) -> None:
    """Raise `SpecError` for a size below 1, or an overlap that is negative or not below the size."""
    if size < 1:
        raise SpecError(f"{name}: size must be 1 or more, not {size}")
    if not 0 <= overlap < size:
        raise SpecError(f"{name}: overlap must be from 0 to size - 1 ({size - 1}), not {overlap}")


def boundaries(text: str, unit: str, tokens: IntArray) -> IntArray:
    """Where each unit of `text` starts, and where the text ends: shape ``(n_units + 1,)``.

    `tokens` are the starts of its tokens; without any there is no unit either.
    """
    starts = tokens if unit == "tokens" or not len(tokens) else token_starts(text, unit)
    return np.append(starts, len(text))


def pack(
    cuts: Cuts, size: int, levels: Sequence[IntArray], unit: str, overlap: int = 0, always: Sequence[int] = ()
) -> tuple[IntArray, IntArray]:
    """Cut a text into spans of at most `size` units, each as long as the cuts allow.

    A chunk ends at the last cut of the coarsest of `levels` (tokens, ascending) that leaves it at least a quarter full, at the
    last cut of the finest level whatever it leaves, else between words, else (a word longer than `size`) after exactly `size`
    units, or before the letter or emoji that this would cut; and at every position of `always`. With `overlap`, the next chunk
    starts at the first cut of the finest level that is at most `overlap` units back.
    """
    places = boundaries(cuts.text, unit, cuts.tokens)
    natural = places.copy()
    allowed = [level.tolist() if unit == "tokens" else _move(places, cuts.tokens[level]) for level in levels]
    forced = _move(places, np.array(always, dtype=np.int64)) if always else []
    words: Sequence[int] = range(len(places))
    if unit != "tokens":
        allowed += _between(places, natural, cuts)
        words = [*allowed[len(levels)], len(places) - 1]
    finest = max(len(levels) - 1, 0)
    back = allowed[finest : finest + 1] if levels else allowed
    places[0] = start = end = 0
    starts, ends = [], []
    n = len(places) - 1
    while end < n:
        full = min(start + size, n)
        hard = bisect_right(forced, start)
        if hard < len(forced) and forced[hard] <= full:
            end = forced[hard]
        else:
            end = full if full == n else _last_cut(allowed, end, full, start + size // 4, finest)
        starts.append(start)
        ends.append(end)
        start = _step_back(back, words, start, end, size, overlap) if overlap else end
    return places[np.array(starts, dtype=np.int64)], places[np.array(ends, dtype=np.int64)]


def _move(places: IntArray, positions: IntArray) -> list[int]:
    """The units to cut before so as to cut at `positions`, to which the starts of those units are moved back."""
    units = places.searchsorted(positions)
    inside = units < len(places) - 1
    places[units[inside]] = positions[inside]
    moved: list[int] = units[inside].tolist()
    return moved


def _between(places: IntArray, natural: IntArray, cuts: Cuts) -> list[list[int]]:
    """The units to cut before so that no word is cut: that start a token; or white space; else no letter or emoji.

    White space in one unit with the token after it is left to what it follows: such units are moved from their `natural` places.
    """
    starts = natural[:-1]
    is_blank = cuts.is_blank(starts)
    following = np.append(cuts.tokens, len(cuts.text))[cuts.tokens.searchsorted(starts)]
    before_token = (following == starts) | (is_blank & (following < natural[1:]))
    still = before_token & (places[:-1] == starts)
    places[:-1][still] = following[still]
    levels = (before_token, before_token | is_blank, ~inside_letters(cuts.text)[starts])
    return [np.flatnonzero(level).tolist() for level in levels]


def _last_cut(levels: Sequence[list[int]], after: int, limit: int, quarter: int, finest: int) -> int:
    """The best cut later than `after` and not beyond `limit`, not before `quarter` either at a level coarser than `finest`."""
    for n, level in enumerate(levels):
        i = bisect_right(level, limit) - 1
        if i >= 0 and level[i] > after and (n >= finest or level[i] >= quarter):
            return level[i]
    return limit


def _step_back(levels: Sequence[Sequence[int]], words: Sequence[int], last_start: int, end: int, size: int, overlap: int) -> int:
    """Where the chunk after the one that ended at `end` starts: at a cut as fine as that end, later than the last start.

    At `end` itself where the overlap would leave no room for the next of `words`, so that the next chunk would end inside it.
    """
    for level in levels:
        i = bisect_left(level, max(end - overlap, last_start + 1))
        if i < len(level) and level[i] <= end:
            following = bisect_right(words, end)
            return level[i] if following < len(words) and words[following] <= level[i] + size else end
    return end
