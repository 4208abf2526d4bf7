"""Text copied from a page, where the marks of notes and the ends of links have grown together with words."""

from __future__ import annotations

import re

REPAIRS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"[⁰¹²³⁴-⁹]+", ""),
        (r"\b(in|on|by|of|for|the|at|to|from|is|was|with|and|between|until|since)(?=[A-Z][a-z]|\d)", r"\1 "),  # inOslo
        (r"(?<=[a-z]{2})\d{1,4}(?=[.,;:!?)\"']|\s|$)", ""),  # played by Ada Bell12.
        (r"(?<=\d)(?=(?:on|in|at|as|by|for|from|to|with|and|was|is|of|until|when)\b)", " "),  # 1973on CBS
        (r"\b((?:1\d|20)\d\d)\d{1,3}(?=[.!?](?:\s|$))", r"\1"),  # in 19691.
        (r"(?<=[a-z]{2})(?=[A-Z][a-z]{2})", " "),  # starredAda Bell
        (r"\b([A-Z][a-z]{2,}?)(from|during|with|was|were)(?=\s)", r"\1 \2"),  # Ada Bellwas
        # Ada Bellin 1901; of Boris, Okafor and Ferdinand these are part
        (r"\b([A-Z][a-z]{2,}?)(in|as|is|for|and)(?=\s+(?:\d|the\b|an?\b))", r"\1 \2"),
    )
)


def unglued(text: str) -> str:
    """`text` with such words set apart again. It may part what belongs together, so it counts only beside the text as it is."""
    for pattern, instead in REPAIRS:
        text = pattern.sub(instead, text)
    return text
