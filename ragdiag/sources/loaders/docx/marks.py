"""Marks that hold places in a text while it is put together: control characters, which no XML can hold.

An edge parts what would be read as one number or word otherwise. A raised number stays apart from what it stands at ("2^8",
"m²"), and what was left out has its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ragdiag.core.records import Omission
from ragdiag.text.raised import NEAR, is_power, superscript

__all__ = ["EDGE", "LOWERED", "MARKS", "NOTE", "RAISED", "place", "settled", "without_places"]

EDGE = "\x00"
"""Where a formula, a fraction, a power starts or ends."""
NOTE = "\x01"
"""Where a note is called, whose number is no part of the text."""
RAISED, LOWERED = "\x02", "\x03"
"""What stands before and behind raised text, and lowered text."""
_PLACE = "\x04"

MARKS = re.compile(f"{_PLACE}\\d+{_PLACE}|[\x00-\x03]")
"""Every mark."""


def place(index: int) -> str:
    """The mark of the omission of that index."""
    return f"{_PLACE}{index}{_PLACE}"


def settled(text: str) -> str:
    """`text` with every mark resolved but those of places."""
    if RAISED in text or LOWERED in text:
        text = _shifts(text)
    if EDGE in text:
        text = re.sub(f"(?<=\\w){EDGE}+(?=\\w)", " ", text).replace(EDGE, "")
    return re.sub(f"(?<=\\d){NOTE}+(?=\\d)", " ", text).replace(NOTE, "") if NOTE in text else text


def _shifts(text: str) -> str:
    # One run may be cut into several by a spelling mark or a revision.
    text = text.replace(RAISED * 2, "").replace(LOWERED * 2, "")
    parts: list[str] = []
    last = 0
    for match in re.finditer(f"([{RAISED}{LOWERED}])(.*?)\\1", text, re.DOTALL):
        before, behind = text[max(match.start() - NEAR, 0) : match.start()], text[match.end() : match.end() + 1]
        parts += [text[last : match.start()], _shifted(before, match[2], raised=match[1] == RAISED)]
        if match[2][-1:].isdecimal() and behind.isdecimal():
            parts.append(" ")
        last = match.end()
    return "".join([*parts, text[last:]])


def _shifted(before: str, text: str, raised: bool) -> str:
    """Raised or lowered text behind the characters `before`, so that no other number comes of it."""
    if before[-1:].isdecimal() and re.match(r"[+\-−–]?\d", text):
        return ("^" if raised else "_") + text
    if not raised or text.isalpha() or not before[-1:].strip() or not re.search(r"\w", text):
        return text
    return superscript(text) if is_power(before, text) else "^" + text


def without_places(text: str, left_out: Sequence[Omission]) -> tuple[str, tuple[Omission, ...]]:
    """`text` without its marks, and the omissions with their places in it, in order."""
    parts: list[str] = []
    at, last, places = 0, 0, dict[int, int]()
    for match in re.finditer(f"{_PLACE}(\\d+){_PLACE}", text):
        parts.append(text[last : match.start()])
        at += match.start() - last
        places.setdefault(int(match[1]), at)
        last = match.end()
    placed = [replace(each, at=places.get(i, each.at)) for i, each in enumerate(left_out)]
    return "".join([*parts, text[last:]]), tuple(sorted(placed, key=lambda each: each.at))
