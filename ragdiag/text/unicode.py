"""Unicode's normal forms, in time that grows with the text.

Python sorts the marks on one letter by exchanging neighbours, so that a run of thousands takes hours. Such a run is no writing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

__all__ = ["is_normalized", "normalize"]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

MOST_MARKS = 30
"""So many marks in a row are sorted together, as in Unicode's Stream-Safe Text Format (UAX #15): more than any script has."""

_ONE = r"(?:[^\w\s\x00-\x7f]|[\uff9e\uff9f])"
"""Among which marks are: all but two are neither part of a word nor space."""

_ANY, _RUN = re.compile(_ONE), re.compile(rf"{_ONE}{{{MOST_MARKS + 1},}}")


def normalize(form: Form, text: str) -> str:
    """As `unicodedata.normalize`; of a longer run of marks each `MOST_MARKS` are sorted on their own."""
    return "".join(unicodedata.normalize(form, piece) for piece in _pieces(text))


def is_normalized(form: Form, text: str) -> bool:
    """As `unicodedata.is_normalized`, so far."""
    return all(unicodedata.is_normalized(form, piece) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    # A run has one of every so many characters: most texts need not be read for it.
    may_have = not text.isascii() and _ANY.search(text[MOST_MARKS :: MOST_MARKS + 1])
    for run in _RUN.finditer(text) if may_have else ():
        if any(map(unicodedata.combining, run[0])):
            for end in range(run.start() + MOST_MARKS, run.end(), MOST_MARKS):
                yield text[start:end]
                start = end
    yield text[start:]
