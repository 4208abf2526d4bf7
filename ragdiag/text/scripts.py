"""What scripts do with characters: which are marks of the letter before them, which are written without spaces between words."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from itertools import chain

__all__ = ["APOSTROPHES", "INVISIBLE", "NUMBERS_IN_ONE_SIGN", "letters_without_spaces", "marks", "spaced_by_sentence"]

INVISIBLE = (
    "\u00ad\u034f\u061c\u0640\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef"
)
"""Characters that nobody reads, as the inside of a character class: soft hyphens, joiners, byte order marks and the like, and the
stroke that draws Arabic words out."""

APOSTROPHES = "ʹʻʼ"
"""Apostrophes that Unicode counts as letters; every other one parts words."""

NUMBERS_IN_ONE_SIGN = (
    "\xb2\xb3\xb9\xbc-\xbe\u2070\u2074-\u2079\u2080-\u2089\u2150-\u215f\u2189\u2460-\u2473\u2488-\u249b\u24ea"
    "\u3251-\u325f\u32b1-\u32bf\U0001f100-\U0001f10a"
)
"""Signs whose compatibility form starts with a figure ("½", "²", "①"), as the inside of a character class."""

_WITH_MARKS = (
    (0x300, 0x30A0), (0xA600, 0xAC00), (0xFB00, 0xFE30), (0x10000, 0x12000), (0x13400, 0x13460),
    (0x16000, 0x17000), (0x1BC00, 0x1F000), (0xE0100, 0xE01F0),
)  # fmt: skip
"""Code points among which all marks are; a test holds them against all of Unicode."""

_SPACED_BY_SENTENCE = ((0x0E00, 0x0F00), (0x1780, 0x1800))
"""Code points of Thai and Lao, and of Khmer."""

_WITHOUT_SPACES = (
    *_SPACED_BY_SENTENCE,
    (0x1000, 0x10A0), (0xA9E0, 0xAA00), (0xAA60, 0xAA80),  # Burmese
    (0x1950, 0x19E0), (0x1A20, 0x1AB0), (0x1B00, 0x1B80), (0xA980, 0xA9E0),  # Tai Le and Lue, Tai Tham, Balinese, Javanese
    (0x3005, 0x3008), (0x3021, 0x302A), (0x3038, 0x303C), (0x3041, 0x3130), (0x31A0, 0x3200),  # kana, Bopomofo
    (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00),  # Han
    (0xFF66, 0xFFA0),  # narrow kana
    (0x1AFF0, 0x1B170), (0x20000, 0x323B0),  # old kana, rare Han
)  # fmt: skip
"""Code points of scripts whose words no spaces part."""


@functools.cache
def marks() -> str:
    """All combining marks, as the inside of a character class."""
    return _as_ranges(i for i in _points(_WITH_MARKS) if unicodedata.category(chr(i))[0] == "M")


@functools.cache
def letters_without_spaces() -> str:
    """The letters of scripts that put no space between words, as the inside of a character class; no figures, no marks."""
    return _as_ranges(i for i in _points(_WITHOUT_SPACES) if unicodedata.category(chr(i)) in ("Lo", "Lm", "Nl"))


@functools.cache
def spaced_by_sentence() -> str:
    """The letters of Thai, Lao and Khmer, whose sentences end with a space, as the inside of a character class."""
    return _as_ranges(i for i in _points(_SPACED_BY_SENTENCE) if unicodedata.category(chr(i)) in ("Lo", "Lm"))


def _points(ranges: Iterable[tuple[int, int]]) -> Iterable[int]:
    return chain.from_iterable(range(a, b) for a, b in ranges)


def _as_ranges(points: Iterable[int]) -> str:
    """Code points as the inside of a character class."""
    runs = list[list[int]]()
    for point in points:
        if runs and point == runs[-1][1] + 1:
            runs[-1][1] = point
        else:
            runs.append([point, point])
    return "".join(re.escape(chr(a)) + (f"-{re.escape(chr(b))}" if b > a else "") for a, b in runs)
