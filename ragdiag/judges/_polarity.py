"""Yes or no: which of the two a text says, in the word itself or by negation."""

from __future__ import annotations

import re

from ragdiag.judges._conclusion import THUS
from ragdiag.judges._text import DOWN, UP, content, sentences

ASKS = re.compile(
    r"(?:^|[.?!,;:]\s+|\band\s+)(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)\b[^?]*\?",
    re.IGNORECASE,
)
WORD = re.compile(
    r"^\W*(?:(?:answer|final answer|so|therefore|thus|hence|in short|overall|in conclusion)\W+(?:is\W+)?)?(yes|no)\b",
    re.IGNORECASE,
)
ANYWHERE = re.compile(
    r"(?:answer is|answer:|therefore|thus|hence|so|conclusion|overall)\W+\"?(yes|no)\b(?!\s+(?:\w+\s+){0,2}(?:debt|longer|more))",
    re.IGNORECASE,
)
NEGATIVE = re.compile(
    r"\b(?:not|no|none|never|neither|nor|cannot|unlikely|lacks?|fails?|failed|nothing|nobody|denied|false|incorrect)\b|n't\b",
    re.IGNORECASE,
)
NOT_ONLY = re.compile(r"\bnot only\b|\bno doubt\b|\bno longer than\b|\bnot just\b|\bNo\.\s*\d", re.IGNORECASE)
OPPOSITES = tuple(
    (good, bad)
    for good, *bads in (
        ("positive", "negative"),
        ("healthy", "unhealthy", "weak", "poor"),
        ("strong", "weak", "poor"),
        ("profitable", "unprofitable"),
        ("efficient", "inefficient"),
        ("stable", "unstable", "volatile"),
        ("safe", "unsafe", "dangerous"),
        ("effective", "ineffective"),
    )
    for bad in bads
)
POINT = re.compile(rf"{THUS.pattern}|\b(?:this|which) (?:means|suggests|indicates|implies|shows)\b", re.IGNORECASE)
"""Where a text comes to its point, if not to a figure."""


def is_yes_no(question: str) -> bool:
    """Whether `question` opens by asking for yes or no, without giving other choices."""
    opening = re.match(ASKS, question.strip())
    return bool(opening) and not re.search(r"\bor\b", opening[0] if opening else "")


def spoken(text: str) -> bool | None:
    """True or False where `text` opens with yes or no, or concludes with one; else None."""
    opens = WORD.match(text)
    closes = list(ANYWHERE.finditer(text))
    if opens:
        return opens[1].lower() == "yes"
    return closes[-1][1].lower() == "yes" if closes else None


def implied(question: str, text: str) -> bool:
    """What the sentence of `text` that answers `question` says: False where it negates, or says the opposite."""
    asked = set(content(question))
    # The sentence that speaks most of what was asked; one that concludes goes before others.
    parts = sentences(text) or [""]
    sentence = NOT_ONLY.sub(" ", max(parts, key=lambda s: len(asked & set(content(s))) + 2 * bool(POINT.search(s))))
    against = bool(NEGATIVE.search(sentence))
    return against == _opposite(question, sentence)


def _opposite(question: str, sentence: str) -> bool:
    """Whether `sentence` speaks of the reverse of what `question` asks about: a fall where it asks for a rise."""
    asked, told = (_direction(t) for t in (question, sentence))
    if asked and told and asked != told:
        return True
    low, said = question.lower(), sentence.lower()
    for good, bad in OPPOSITES:
        for one, other in ((good, bad), (bad, good)):
            if re.search(rf"\b{one}\b", low) and re.search(rf"\b{other}\b", said) and not re.search(rf"\b{one}\b", said):
                return True
    return False


def _direction(text: str) -> int:
    """1 where `text` speaks only of rises, -1 where only of falls, else 0."""
    up, down = (bool(re.search(rf"\b{words}\b", text, re.IGNORECASE)) for words in (UP, DOWN))
    return up - down


def asks_direction(question: str) -> bool:
    """Whether `question` gives the choice between a rise and a fall."""
    return all(re.search(rf"\b{words}\b", question, re.IGNORECASE) for words in (UP, DOWN)) and " or " in question


def same_direction(gold: str, given: str) -> bool:
    """Whether both speak only of rises, or only of falls."""
    return _direction(gold) * _direction(given) == 1


def reverses(gold: str, given: str) -> bool:
    """Whether `given` speaks only of rises and `gold` only of falls, or the other way round."""
    return _direction(gold) * _direction(given) == -1
