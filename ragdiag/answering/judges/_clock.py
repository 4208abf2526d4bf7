"""Times of the clock: ``8 p.m.``, ``20:00``, ``20 Uhr`` and ``20h`` are one."""

from __future__ import annotations

import re

from ragdiag.answering.judges._text import content

TIME = re.compile(
    r"(?<![\d:.,])(?P<h>[01]?\d|2[0-4])(?:(?P<half>(?:[:.](?P<m>[0-5]\d))?\s?(?P<ap>[ap])\.?\s?m\b\.?)"
    r"|:(?P<m2>[0-5]\d)(?!:?\d)|[.:]?(?P<m3>[0-5]\d)?\s?uhr\b(?:\s?(?P<m5>[0-5]\d)\b)?|\s?h(?P<m4>[0-5]\d)?\b)",
    re.IGNORECASE,
)


def times(text: str) -> list[int]:
    """The times of the clock in `text`, in minutes after midnight."""
    return [_minutes(m) for m in TIME.finditer(text)]


def _minutes(m: re.Match[str]) -> int:
    hours, minutes = int(m["h"]), int(next((m[g] for g in ("m", "m2", "m3", "m4", "m5") if m[g]), 0))
    if m["half"]:
        hours = hours % 12 + (12 if m["ap"].lower() == "p" else 0)
    return (60 * hours + minutes) % 1440


def is_time(question: str, gold: str) -> bool:
    """Whether `gold` is one time of the clock, and `question` asks when."""
    asks = re.search(
        r"\b(?:when|what time|which hour|wann|um wie viel|quand|à quelle heure|cuándo|a qué hora)\b", question, re.IGNORECASE
    )
    return bool(asks) and len(times(gold)) == 1 and not content(TIME.sub(" ", gold))
