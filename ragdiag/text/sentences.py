"""Where a text may be cut: before tokens that start a line, a paragraph, a sentence."""

from __future__ import annotations

import re

import numpy as np

from ragdiag.core.arrays import BoolArray, IntArray
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
    starts_of,
    where,
)

__all__ = ["Cuts", "sentences"]

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


def sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of `text` stand, without the white space between them; list items, headings and table rows are some."""
    cuts = Cuts(text)
    starts = sorted({0, *cuts.tokens[cuts.sentences()].tolist()} if len(cuts.tokens) else set())
    places = zip(starts, [*starts[1:], len(text)][: len(starts)], strict=True)
    whole = ((a + len(text[a:b]) - len(text[a:b].lstrip()), b - len(text[a:b]) + len(text[a:b].rstrip())) for a, b in places)
    return [(a, b) for a, b in whole if a < b]
