"""Abbreviations that texts spell out where they bring them in: "long form (LF)", "LF (long form)", "LF stands for long form",
or in a line of a glossary: "LF: long form", "| LF | long form |".

Found as Schwartz and Hearst (2003) do: the letters of the short form stand in this order in the words before its bracket, the
first of them at the start of a word.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

__all__ = ["abbreviations"]

_BRACKET = re.compile(r"\(([^()\n]{2,80})\)")
BEFORE = 120
"""Characters before a bracket that may hold the long form."""

_SHORT = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,9}")


_GLOSSED = re.compile(
    r"(?:^(?:[^\S\n]|[>*+|-])*(?P<line>[A-Za-z][A-Za-z0-9-]{1,9})\**\s*(?::|=|\||\s[-\u2013\u2014]\s)"
    r"|\b(?P<prose>[A-Z][A-Za-z0-9-]{1,9}) stands for)"
    r"\W*(?P<long>[^\n|.,;:()]{5,80})",
    re.MULTILINE,
)
"""A short form at the start of a line with what stands behind its colon, dash or cell; or with what it is said to stand for."""


def abbreviations(texts: Iterable[str]) -> dict[str, str]:
    """Each short form with its long form: the one that the texts give it most often."""
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for bracket in _BRACKET.finditer(text):
            start = bracket.start()
            if pair := _spelled_out(text[max(start - BEFORE, 0) : start].split(), bracket[1].strip()):
                forms[pair[0]][pair[1].lower()] += 1
        for entry in _GLOSSED.finditer(text):
            short, long = entry["line"] or entry["prose"], " ".join(entry["long"].split())
            if _is_short(short) and _long_form(short, long) == long:
                forms[short][long.lower()] += 1
    return {short: min(longs, key=lambda long: (-longs[long], long)) for short, longs in forms.items()}


def _spelled_out(before: list[str], inside: str) -> tuple[str, str] | None:
    """The short and the long form that a bracket and the words before it give; None where they do not."""
    if not before:
        return None
    if _is_short(inside):
        long = _long_form(inside, " ".join(before[-min(len(inside) + 5, 2 * len(inside)) :]))
        return (inside, long) if long else None
    if _is_short(before[-1]) and " " in inside:
        long = _long_form(before[-1], inside)
        return (before[-1], long) if long == inside else None
    return None


def _is_short(word: str) -> bool:
    """Whether a word may be an abbreviation: short, with two capitals."""
    return _SHORT.fullmatch(word) is not None and sum(c.isupper() for c in word) >= 2


def _long_form(short: str, text: str) -> str:
    """The end of `text` that has the letters of `short` in their order, the first at the start of a word; "" for none."""
    at = len(text)
    for i, letter in reversed(list(enumerate(c.lower() for c in short if c.isalnum()))):
        at -= 1
        while at >= 0 and (text[at].lower() != letter or (i == 0 and at > 0 and text[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return ""
    long = text[at:]
    return long if len(long) > len(short) and " " in long else ""
