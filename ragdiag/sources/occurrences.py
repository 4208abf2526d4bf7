"""Every place at which a text stands in another one: as it is, or else however the two are typed."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ragdiag.core.records import BoolArray, IntArray
from ragdiag.text.normal import Normal
from ragdiag.text.scripts import letters_without_spaces

__all__ = ["Even", "Occurrences"]

NO_WHOLE_WORD = 2
"""A text of so many words, or fewer, may have none that is whole: its ends may cut off the first and the last."""

_SPACE: BoolArray = np.array([chr(code).isspace() for code in range(0x2100)])
"""By code: whether a character is white space; no other is in a normal form."""

_SOFT_AT_LINE_END = re.compile("\u00ad(?=[ \t\r]*\n)")
_HYPHEN = re.compile(r"-(\s+)?")
_WIDE_MARKS = "\u3001-\u3003\u3008-\u301f"
"""Marks of Chinese and Japanese, which take no space either."""


@functools.cache
def _beside_unspaced() -> re.Pattern[str]:
    letters = letters_without_spaces() + _WIDE_MARKS
    return re.compile(f"(?<=[{letters}]) | (?=[{letters}])")


class Even:
    """A text evened out: in its normal form (`ragdiag.text.normal`), with one space for all white space and none at its ends.

    Words that a hyphen breaks at a line end are whole, hyphens between small letters are left out, and so is white space beside
    letters of scripts that write none between words: a line may end anywhere there.
    """

    def __init__(self, text: str) -> None:
        # Unlike any other, a soft hyphen at a line end is seen, and breaks a word.
        self._normal = Normal(_SOFT_AT_LINE_END.sub("-", text))
        self.text, self._positions = _evened(self._normal.text)

    def own(self, start: int, end: int) -> tuple[int, int]:
        """Where the text itself has what stands at ``[start, end)`` here."""
        return self._normal.source(int(self._positions[start]), int(self._positions[end - 1]) + 1)


def _evened(text: str) -> tuple[str, IntArray]:
    """A normal form with its white space and hyphens evened out, and for each character its position in `text`."""
    codes = np.frombuffer(text.encode() if text.isascii() else text.encode("utf-32-le", "surrogatepass"), dtype=_code_type(text))
    space = _SPACE.take(codes, mode="clip")
    kept: BoolArray = ~space
    kept[1:] |= ~space[:-1]  # the first of several stays
    for start, end in _left_out(text):
        kept[start:end] = False
    positions = np.flatnonzero(kept)
    codes = np.where(space, 32, codes)[positions].astype(codes.dtype)
    evened = codes.tobytes().decode("ascii" if text.isascii() else "utf-32-le", "surrogatepass")
    beside = [match.start() for match in _beside_unspaced().finditer(evened)] if not text.isascii() else []
    if beside:
        evened, positions = _beside_unspaced().sub("", evened), np.delete(positions, beside)
    lead = len(evened) - len(evened.lstrip(" "))
    return evened.strip(" "), positions[lead:].astype(np.int64)


def _code_type(text: str) -> type[np.unsignedinteger]:
    return np.uint8 if text.isascii() else np.uint32


def _left_out(text: str) -> Iterator[tuple[int, int]]:
    """The hyphens and line breaks inside words: of a word broken at a line end, and of one that some write with a hyphen."""
    for match in _HYPHEN.finditer(text) if "-" in text else ():
        start, end = match.span()
        before, behind = text[start - 1 : start], text[end : end + 1]
        if not (_of_a_word(before) and _of_a_word(behind)):
            continue
        # White space stands for a line end, which whoever collapsed it made a space.
        if match[1]:  # "Franco-\nGerman" and "COVID-\n19" keep their hyphen
            own_hyphen = behind.isdecimal() or before.isdecimal() or (behind.isupper() and not before.isupper())
            yield start + own_hyphen, end
        elif before.islower() and behind.islower():
            yield start, end


def _of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character or " ")[0] == "M"


class Occurrences:
    """A text, to find other texts in. It is read through once, however many are looked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    def of(self, searched: str) -> list[tuple[int, int]]:
        """Where `searched` stands, ``(start, end)`` in order: as it is, else however the two are typed."""
        if exact := [(start, start + len(searched)) for start in self._exact.starts(searched)]:
            return exact
        even = Even(searched).text
        return [self._even.own(start, start + len(even)) for start in self._evened.starts(even)]

    def __contains__(self, searched: str) -> bool:
        return bool(self.of(searched))

    @cached_property
    def _exact(self) -> _Words:
        return _Words(self.text)

    @cached_property
    def _even(self) -> Even:
        return Even(self.text)

    @cached_property
    def _evened(self) -> _Words:
        return _Words(self._even.text)


class _Words:
    """A text by its words, so that another is looked for at its rarest word alone."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: dict[str, list[int]] = {}
        for match in re.finditer(r"\S+", text):
            self._starts.setdefault(match[0], []).append(match.start())

    def starts(self, searched: str) -> Iterator[int]:
        """Every position at which `searched`, if it has a word, stands."""
        words = [(match.start(), match[0]) for match in re.finditer(r"\S+", searched)]
        if len(words) <= NO_WHOLE_WORD:
            start = self._text.find(searched) if words else -1
            while start >= 0:
                yield start
                start = self._text.find(searched, start + 1)
            return
        before, rarest = min(words[1:-1], key=lambda word: len(self._starts.get(word[1], ())))
        for start in self._starts.get(rarest, ()):
            if start >= before and self._text.startswith(searched, start - before):
                yield start - before
