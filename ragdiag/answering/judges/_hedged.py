"""Who gives two figures, of which one may be right, gives none: ``12 or 14``, ``12, though some sources say 14``."""

from __future__ import annotations

import itertools
import re

from ragdiag.answering.judges._numbers import Quantity, agree, quantities
from ragdiag.answering.judges._text import sentences

SPACES = re.compile(r"\s+")
OR = re.compile(
    r"(?:\s*[\w%°]+){0,2}?\s*[,;(]?\s*(?:/|or|oder|ou|versus|vs\.?)(?:,?\s+(?:maybe|possibly|perhaps|even|about"
    r"|around|it|is|was|in))*\s*",
    re.IGNORECASE,
)
UNSURE = re.compile(
    r"\beither\b[^.]*\bor\b|\b(?:possibly|maybe|perhaps)\b.*\b(?:possibly|maybe|perhaps|or)\b"
    r"|\b(?:some|other|others|another|different) (?:\w+ )?(?:sources?|reports?|accounts?|say|says|claim|claims"
    r"|put|suggests?|estimates?)\b"
    r"|\b(?:could|might|may) (?:also )?(?:be|have been)\b.*\b(?:or|but|also)\b|\b(?:differ|disagree|conflict|contradict)\w*\b",
    re.IGNORECASE,
)
CHOICE = re.compile(
    r"\beither\b[^.]*\bor\b[^.,;]*|\b(?:possibly|maybe|perhaps)\b[^.]*\b(?:or|possibly|maybe|perhaps)\b[^.,;]*", re.IGNORECASE
)


_NAME = r"[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3}"
SHORT = re.compile(rf"\W*(?:it (?:is|was) )?{_NAME} or (?:the )?{_NAME}\W*")
YEARS = re.compile(r"\b((?:19|20)\d\d)/((?:19|20)\d\d)\b")


def two_figures(gold: Quantity, answer: str) -> tuple[str, str] | None:
    """Two unlike figures of the kind of `gold` that `answer` gives without choosing, of which one is `gold`; else None."""
    years = YEARS.search(answer)
    if years and gold.text in years.groups():
        return years[1], years[2]
    return next((both for sentence in sentences(answer) if (both := _without_choosing(gold, sentence))), None)


def _without_choosing(gold: Quantity, sentence: str) -> tuple[str, str] | None:
    """Two figures of `sentence` that stand beside each other, one of which is `gold`, and between which it does not choose."""
    found = [q for q in quantities(sentence) if q.unit == gold.unit or not (q.unit and gold.unit)]
    unsure = len(found) > 1 and bool(UNSURE.search(sentence))
    for one, other in itertools.pairwise(found):
        offered = unsure or OR.fullmatch(SPACES.sub(" ", sentence[one.end : other.start]))
        if offered and agree(gold, one, falling=True) != agree(gold, other, falling=True):
            return one.text, other.text
    return None


def two_names(question: str, answer: str) -> list[str]:
    """Where `answer` names one thing or another without choosing; nowhere, to a question that gives the choice itself."""
    if " or " in question:
        return []
    return [answer] if SHORT.fullmatch(answer) else [m[0] for m in CHOICE.finditer(answer)]
