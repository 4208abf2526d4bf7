"""Spelling: which words of a text one word may be a slip of."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ragdiag.text.analysis import stemmed
from ragdiag.text.unicode import normalize

__all__ = ["near", "slips", "spellable"]

SHORTEST, LONG = 5, 8
"""Letters: shorter words are one letter away from too many others; from `LONG` on two slips are allowed."""

TAIL = 4
"""Letters at the end of words in which inflections of one word differ, in other languages than English."""

ENDINGS = frozenset("s es ed d ing e er ers y ies ied ly al ic ion or is us um a i on en n t st est th ty ce se ve".split())
"""Endings in which inflections of one English word differ, and words near to it."""

VARIANTS = ({"r", "ur"}, {"er", "re"}, {"se", "ze"}, {"ing", "zing"}, {"l", "ll"}, {"ed", "led"}, {"ing", "ling"})
"""Endings that English writes in two ways."""

VOWELS = re.compile("[aeiouy]")


def spellable(word: str) -> bool:
    """Whether a word may be misspelt: of letters alone, and long enough to be known by most of them."""
    return len(word) >= SHORTEST and word.isalpha()


def near(word: str, vocabulary: Collection[str], most: int) -> dict[str, int]:
    """Words of a `vocabulary` within `most` slips of `word`, with their number, the nearest first.

    A slip is a letter left out, added or changed, or two of them swapped.
    """
    hits = process.extract_iter(word, list(vocabulary), scorer=OSA.distance, score_cutoff=most)
    return dict(sorted(((str(other), int(n)) for other, n, _ in hits), key=lambda pair: (pair[1], pair[0])))


def slips(word: str, vocabulary: Collection[str], english: bool) -> dict[str, int]:
    """Words of a `vocabulary` that `word` may be a slip of, with the number of slips (two only in long words), nearest first.

    No other forms of it: those of the same stem, and those that differ in their last letters only. A first letter is seldom
    wrong, so it must be the same, or swapped with the second. In other languages than English, whose words have more forms, one
    slip counts, and no vowel in another's place ("singen", "sangen").
    """
    most = 2 if english and len(word) >= LONG else 1
    return {other: n for other, n in near(word, vocabulary, most).items() if n and _may_be(word, other, english)}


@functools.lru_cache(4096)
def _may_be(word: str, other: str, english: bool) -> bool:
    if not spellable(other) or (word[0] != other[0] and word[1::-1] != other[:2]):
        return False
    plain, plain_other = _without_marks(word), _without_marks(other)
    if plain == plain_other:  # typed without its accents; the other way round it may be another form, such as a plural
        return plain == word
    if english:
        return stemmed([word], "english") != stemmed([other], "english") and not _other_english(plain, plain_other)
    return VOWELS.sub("a", plain) != VOWELS.sub("a", plain_other) and not _other_ending(plain, plain_other)


def _other_english(word: str, other: str) -> bool:
    """Whether English words are the same but for an ending; a double letter written once ("illnes") is a slip all the same."""
    same, rest, rest_other = _ends(word, other)
    if {rest, rest_other} == {"", word[same - 1]}:
        return False
    return {rest, rest_other} <= {"", *ENDINGS} or {rest, rest_other} in VARIANTS


def _other_ending(word: str, other: str) -> bool:
    """Whether words are the same but for an ending; a double letter written once and a swap are slips all the same."""
    same, rest, rest_other = _ends(word, other)
    if {rest, rest_other} == {"", word[same - 1]} or (len(rest) == 2 and rest == rest_other[::-1]):
        return False
    return max(len(rest), len(rest_other)) <= TAIL or not rest or not rest_other


def _ends(word: str, other: str) -> tuple[int, str, str]:
    """How many letters words have in common from their start, and what is left of each."""
    same = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return same, word[same:], other[same:]


def _without_marks(word: str) -> str:
    return "".join(c for c in normalize("NFD", word) if not unicodedata.combining(c))
