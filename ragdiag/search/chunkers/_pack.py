"""Where a text may be cut, and how pieces are packed into chunks.

All chunkers tile: the first chunk starts at 0, each next one where the last ended (or `overlap` before), the last ends with the
text. White space between two chunks belongs to the first. A text without a token has no chunk.

A cut is named by the token it comes before, 0 for the first: sizes are then differences of numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from ragdiag.core.arrays import BoolArray, IntArray
from ragdiag.core.errors import SpecError
from ragdiag.text.tokens import (
    CLOSER,
    ITEM,
    LOWER,
    NEWLINE,
    SPACED,
    STOP,
    WIDE_STOP,
    blank,
    char_classes,
    inside_letters,
    starts_of,
    token_starts,
    where,
)

ABBREVIATIONS = frozenset(
    "al art ca cf co corp dept dr ed eds eq est etc fig figs inc jan feb mar apr jun jul aug sep sept oct nov dec "
    "jr ltd max min mr mrs ms no nos nr op pp prof ref sec sect sr st tab vol vs "
    "bspw bzw evtl geb ggf inkl mme mlle sra srta usw vgl zzgl डॉ श्री".split()
)
"""Words whose full stop does not end a sentence."""

MONTHS = (
    "januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|jänner|januari|februari|maj|jahrhundert"
)
GOES_ON = re.compile(rf"\d{{1,2}}\.\s(?i:{MONTHS})|[^\W\d_]\.\s[^\W\d_]\.")
"""An ordinal number and what it counts ("3. Oktober"), an abbreviation in single letters ("z. B."): no end of a sentence."""

LETTER_BEFORE = re.compile(r"[^\W\d_]\.\s")

LONGEST_ABBREVIATION = max(map(len, ABBREVIATIONS))

MOST_DIGITS = 3
"""Digits that the number of a list item has at most; four are a year."""

MOST_CLOSING_MARKS = 4
"""Quotation marks and brackets that may close a sentence together."""

WIDEST_INDENT = 20
"""White space that may stand before such a number."""

NUMBERED = re.compile(rf"\n[ \t]{{0,{WIDEST_INDENT}}}(\d{{1,{MOST_DIGITS}}})[.)]\s")


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


class Cuts:
    """The places where a text may be cut: before tokens that start a line, a paragraph, a sentence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._classes = char_classes(text)
        self.tokens = starts_of(self._classes)
        self._first = self._classes[self.tokens]
        # The token after each line feed; one that comes after several starts a paragraph.
        after = self.tokens.searchsorted(where(self._classes, NEWLINE))
        after = after[: after.searchsorted(len(self.tokens))]
        repeated = after[1:] == after[:-1]
        self.lines: IntArray = np.concatenate([after[:1], after[1:][~repeated]])
        self.paragraphs: IntArray = after[1:][repeated]

    def is_blank(self, positions: IntArray) -> BoolArray:
        """Whether there is white space at each of `positions`."""
        return blank(self._classes[positions])

    def sentences(self) -> IntArray:
        """Tokens that start a sentence, a paragraph, or a line that is a list item, heading or table row."""
        first = self._first
        starts = np.zeros(len(first), dtype=bool)
        begins, closed = self._behind(where(first[:-1], STOP) + 1)
        starts[begins] = True
        starts[self._after_abbreviations(begins)] = False
        for _ in range(MOST_CLOSING_MARKS):
            if not len(closed):
                break
            begins, closed = self._behind(closed)
            starts[begins] = True
        wide = where(first[:-1], WIDE_STOP) + 1  # Chinese stops need no white space
        for _ in range(MOST_CLOSING_MARKS):
            if not len(wide):
                break
            starts[wide[(first[wide] & (CLOSER | STOP | WIDE_STOP)) == 0]] = True
            wide = self._behind(wide)[1]
        starts[self._after_spaces_that_end()] = True
        starts[self.paragraphs] = True
        starts[self.lines[where(first[self.lines], ITEM)]] = True
        starts[self.tokens.searchsorted([m.start(1) for m in NUMBERED.finditer(self.text)])] = True
        return starts.nonzero()[0]

    def _behind(self, tokens: IntArray) -> tuple[IntArray, IntArray]:
        """Of `tokens`, which follow a sentence's end: those that start a new one, and what follows those that close the old one.

        White space precedes a start, and it is no small letter; a quotation mark or bracket that follows at once closes.
        """
        first = self._first[tokens]
        spaced = blank(self._classes[self.tokens[tokens] - 1])
        closed = tokens[(first & CLOSER).astype(bool) & ~spaced] + 1
        return tokens[spaced & ((first & SPACED) != LOWER)], closed[closed < len(self._first)]

    def _after_abbreviations(self, begins: IntArray) -> list[int]:
        """Those of `begins`, each the token after a stop, that follow "Fig.", an initial, or the number of a list item."""
        begins = begins[begins > 1]
        word, stop = self.tokens[begins - 2], self.tokens[begins - 1]
        near = (stop - word <= LONGEST_ABBREVIATION).nonzero()[0]
        pairs = zip(begins[near].tolist(), word[near].tolist(), stop[near].tolist(), strict=True)
        return [
            t
            for t, a, b in pairs
            if (before := self.text[a:b]).lower() in ABBREVIATIONS
            or (b - a <= MOST_DIGITS and (self._is_initial_or_item(a, before) or GOES_ON.match(self.text, a)))
        ]

    def _after_spaces_that_end(self) -> IntArray:
        """The tokens after a space in scripts where that ends a sentence."""
        if self.text.isascii():
            return np.empty(0, dtype=np.int64)
        letters: IntArray = ((self._first & SPACED) == SPACED).nonzero()[0]
        letters = letters[1:][np.diff(letters) == 1]  # those that follow another one
        after: IntArray = letters[self.is_blank(self.tokens[letters] - 1)]
        return after

    def _is_initial_or_item(self, position: int, word: str) -> object:
        if word.isdigit():
            indent = self.text[max(0, position - WIDEST_INDENT) : position].rstrip(" \t")
            return not indent or indent[-1] == "\n"
        before = self.text[max(0, position - 3) : position]
        return len(word) == 1 and (word.isupper() or (word.isalpha() and (before[-1:] == "." or LETTER_BEFORE.fullmatch(before))))


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
