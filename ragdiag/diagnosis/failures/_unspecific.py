"""Questions that point at something that they do not name: "what did this study show". No index can know which is meant."""

from __future__ import annotations

import math

from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.failures._filler import POINTING, REQUESTS, SOURCES
from ragdiag.diagnosis.failures._words import telling
from ragdiag.text.words import words

__all__ = ["TELLS", "is_unspecific", "weight"]

LEAST = 1.2
"""What the telling words of such a question weigh together at most (`weight`): they stand in many chunks."""

TELLS = 1.7
"""What the words of a question weigh at least that tells one text from others. Of ten questions of less whose evidence a smaller
window brought in, none was a matter of dilution when read.
"""


def is_unspecific(case: Case) -> bool:
    """Whether an English question points at a text or a thing without a name, and its other words hardly tell texts apart."""
    asked = set(words(case.query.text))
    points = not (POINTING.isdisjoint(asked) and SOURCES.isdisjoint(asked))
    return points and case.setting.language == "english" and weight(case) < LEAST


def weight(case: Case) -> float:
    """What a question's telling words weigh together by idf, as a multiple of a word that one chunk has; none of requests."""
    text, setting = case.query.text, case.setting
    own = [w for w in dict.fromkeys(telling(text, setting.language)) if w not in REQUESTS and w not in SOURCES]
    return sum(map(setting.idf, own)) / math.log(1 + max(len(setting.chunking), 1))
