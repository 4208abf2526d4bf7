r"""Words: what search, overlaps and duplicates compare. The same thing everywhere.

Told on the normal form of a text (`text.normal`) in lower case. A word is a match of ``\w+``, with the combining marks of its
letters; scripts that put no space between words are cut into overlapping pairs of characters, as Lucene's CJK analysis does. On
plain English that is exactly ``\w+`` in lower case.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from ragdiag.text.scripts import INVISIBLE, letters_without_spaces, marks

__all__ = ["DEFINITION", "plain", "spelled", "words"]

DEFINITION = "words 1"
"""Names this notion of a word, in signatures and keys of caches."""

_PLAIN_WORD = re.compile(r"\w+")
_LOOSE = re.compile(f"[{INVISIBLE}]")
_APOSTROPHES = re.compile("[ʹʻʼ]")
_JOINED = re.compile(r"(?<=\d)(?=[^\W\d_a-zA-Z])")
"""Behind a figure: where a number written in one sign ("½", "²") may follow."""


def words(text: str) -> list[str]:
    """The words of `text`, in order."""
    if text.isascii():
        return _PLAIN_WORD.findall(text.lower())
    form = plain(text)
    if form.isascii():
        return _PLAIN_WORD.findall(form)
    found: list[str] = _word().findall(form)
    if _unspaced().search(form) is None:
        return found
    return [part for word in found for part in _parts(word)]


def plain(text: str) -> str:
    """`text` in its normal form in lower case, but for what no word holds: quotation marks, dashes and spaces stay."""
    form = _APOSTROPHES.sub("'", _LOOSE.sub("", text))
    if not unicodedata.is_normalized("NFKC", form):
        form = unicodedata.normalize("NFKC", _JOINED.sub(_apart, form))
    return form.casefold()


def _apart(match: re.Match[str]) -> str:
    """A space where the next sign is a whole number."""
    return " " if unicodedata.category(match.string[match.start()]) == "No" else ""


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
def _unspaced() -> re.Pattern[str]:
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
    if _unspaced().search(word) is None:
        yield word
        return
    for run in _runs().finditer(word):
        letters = _letter().findall(run[0]) if run[1] else [run[0]]
        yield from [a + b for a, b in pairwise(letters)] or letters
