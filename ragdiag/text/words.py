r"""Words: what search, overlaps and duplicates compare. The same thing everywhere.

Told on the normal form of a text (`text.normal`) in lower case. A word is a match of ``\w+``, with the combining marks of its
letters; scripts that put no space between words are cut into overlapping pairs of characters, as Lucene's CJK analysis does. On
plain English that is exactly ``\w+`` in lower case.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ragdiag.text.scripts import APOSTROPHES, INVISIBLE, NUMBERS_IN_ONE_SIGN, letters_without_spaces, marks
from ragdiag.text.unicode import is_normalized, normalize

__all__ = ["DEFINITION", "inside_a_word", "pairs", "plain", "spelled", "unspaced", "words"]

DEFINITION = "words:1"
"""Names this notion of a word, in signatures and keys of caches."""

_PLAIN_WORD = re.compile(r"\w+")
_LOOSE = re.compile(f"[{INVISIBLE}{APOSTROPHES}]")
_FIGURE = re.compile(r"[^\D0-9]")
"""A figure of a script that has its own."""

_NUMBER = re.compile(f"[{NUMBERS_IN_ONE_SIGN}]")
_MARKS_OR_UNSPACED = "\u0300-\u036f\u0483-\u0489\u0591-\u1fff\u20d0-\u20ff\u2c80-\U0010ffff"
_WITH_MARKS_OR_UNSPACED = re.compile(f"[{_MARKS_OR_UNSPACED}]")
"""What may be a combining mark, or a letter of a script without spaces; where there is none, ``\\w+`` finds the words."""

_ODD = re.compile(f"[{INVISIBLE}{APOSTROPHES}{_MARKS_OR_UNSPACED}]")
"""What may have to be dropped, joined or cut before the words are known."""


def words(text: str) -> list[str]:
    """The words of `text`, in order."""
    if text.isascii():
        return _PLAIN_WORD.findall(text.lower())
    folded = text.casefold()
    if _ODD.search(folded) is None and is_normalized("NFKC", folded):  # most texts in Latin letters
        return _PLAIN_WORD.findall(folded)
    form = plain(text)
    if _WITH_MARKS_OR_UNSPACED.search(form) is None:
        return _PLAIN_WORD.findall(form)
    found: list[str] = _word().findall(form)
    if unspaced().search(form) is None:
        return found
    return [part for word in found for part in _parts(word)]


def plain(text: str) -> str:
    """`text` in its normal form in lower case, figures of all scripts as 0 to 9; marks that no word holds stay as they are."""
    form = _LOOSE.sub(lambda match: "'" if match[0] in APOSTROPHES else "", text)
    if not is_normalized("NFKC", form):
        form = normalize("NFKC", _NUMBER.sub(_apart, form))
    form = _FIGURE.sub(lambda match: str(unicodedata.decimal(match[0])), form)
    return normalize("NFC", form.casefold())


def _apart(match: re.Match[str]) -> str:
    """A number in one sign, with a space before it where a figure stands there."""
    behind_figure = match.start() > 0 and match.string[match.start() - 1].isdecimal()
    return f" {match[0]}" if behind_figure else match[0]


def spelled(text: str) -> Iterator[tuple[int, int, str]]:
    """Where `text` has words that spaces or marks part, as they are written there: start, end, and the word."""
    for match in (_PLAIN_WORD if text.isascii() else _word()).finditer(text):
        of_it = words(match[0])
        if len(of_it) == 1:
            yield *match.span(), of_it[0]


@functools.cache
def _word() -> re.Pattern[str]:
    return re.compile(rf"\w[\w{marks()}]*")


@functools.cache
def unspaced() -> re.Pattern[str]:
    """A letter of a script that puts no spaces between words."""
    return re.compile(f"[{letters_without_spaces()}]")


@functools.cache
def _runs() -> re.Pattern[str]:
    letters = letters_without_spaces()
    return re.compile(rf"((?:[{letters}][{marks()}]*)+)|[^{letters}]+")


@functools.cache
def _letter() -> re.Pattern[str]:
    return re.compile(rf".[{marks()}]*", re.DOTALL)


def _parts(word: str) -> Iterator[str]:
    """A word, its runs of a script without spaces as pairs of characters; one that stands alone as itself."""
    if unspaced().search(word) is None:
        yield word
        return
    for run in _runs().finditer(word):
        yield from pairs(_letter().findall(run[0])) if run[1] else [run[0]]


def pairs(letters: Sequence[str]) -> list[str]:
    """Each letter with the one that follows it; a letter that stands alone as itself."""
    return [a + b for a, b in pairwise(letters)] or list(letters)


def inside_a_word(text: str, position: int) -> bool:
    """Whether a word, or a letter with its marks, goes on at a position; where words are not set apart, only a letter may."""
    if not 0 < position < len(text):
        return False
    before, behind = text[position - 1], text[position]
    if unicodedata.category(behind)[0] == "M":
        return True
    letters = before.isalnum() or unicodedata.category(before)[0] == "M"
    return letters and behind.isalnum() and not unspaced().match(before) and not unspaced().match(behind)
