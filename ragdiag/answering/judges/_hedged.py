"""Who gives two figures, of which one may be right, gives none: ``12 or 14``, ``12, though some sources say 14``."""

from __future__ import annotations

import itertools
import re

from ragdiag.answering.judges._numbers import Quantity, agree, quantities
from ragdiag.answering.judges._text import sentences

OR = re.compile(
    r"(?:\s*[\w%°]+){0,2}?\s*[,;(]?\s*(?:or|oder|ou|versus|vs\.?)(?:,?\s+(?:maybe|possibly|perhaps|even|about"
    r"|around|it|is|was|in))*\s*",
    re.IGNORECASE,
)
UNSURE = re.compile(
    r"\beither\b[^.]*\bor\b|\b(?:possibly|maybe|perhaps)\b.*\b(?:possibly|maybe|perhaps|or)\b"
    r"|\b(?:some|other|others|another|different) (?:\w+ )?(?:sources?|reports?|accounts?|say|says|claim|claims"
    r"|put|suggests?|estimates?)\b"
    r"|\b(?:could|might|may) (?:also )?(?:be|have been)\b.*\b(?:or|but|also)\b|\bsources (?:differ|disagree)\b",
    re.IGNORECASE,
)
CHOICE = re.compile(
    r"\beither\b[^.]*\bor\b[^.,;]*|\b(?:possibly|maybe|perhaps)\b[^.]*\b(?:or|possibly|maybe|perhaps)\b[^.,;]*", re.IGNORECASE
)


def two_figures(gold: Quantity, answer: str) -> tuple[str, str] | None:
    """Two unlike figures of the kind of `gold` that `answer` gives without choosing, of which one is `gold`; else None."""
    for sentence in sentences(answer):
        found = [q for q in quantities(sentence) if q.unit == gold.unit or not (q.unit and gold.unit)]
        for one, other in itertools.pairwise(found):
            offered = OR.fullmatch(sentence[one.end : other.start]) or UNSURE.search(sentence)
            if offered and (agree(gold, one, falling=True) != agree(gold, other, falling=True)):
                return one.text, other.text
    return None


def two_names(question: str, answer: str) -> list[str]:
    """Where `answer` names one thing or another without choosing; nowhere, to a question that gives the choice itself."""
    return [] if " or " in question else [m[0] for m in CHOICE.finditer(answer)]
