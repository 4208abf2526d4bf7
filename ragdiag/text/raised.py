"""Raised numbers on one line: the power of a unit is one word with it, however a file raises it; a note at a word is none."""

from __future__ import annotations

import re

__all__ = ["NEAR", "is_power", "superscript"]

NEAR = 3
"""Characters before a raised number that tell what it is."""

_UNIT = re.compile(r"(?<![^\W\d_])[^\W\d_]{1,2}\Z")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_power(before: str, raised: str) -> bool:
    """Whether what is raised behind `before` is the power of a unit or a quantity of one or two letters: "m²", "km²", "x²"."""
    return raised.isascii() and raised.isdecimal() and _UNIT.search(before[-NEAR:]) is not None


def superscript(number: str) -> str:
    """A number in the signs that Unicode has for raised figures."""
    return number.translate(_SUPERSCRIPTS)
