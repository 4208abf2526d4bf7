"""Questions that point at something that they do not name: "what did this study show". No index can know which is meant."""

from __future__ import annotations

import math

from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.failures._filler import POINTING, REQUESTS, SOURCES
from ragdiag.diagnosis.failures._words import telling
from ragdiag.text.words import words

__all__ = ["is_unspecific"]

LEAST = 1.2
"""What the telling words of a question weigh together at least, as a multiple of a word that one chunk has: less than that stands
in many chunks.
"""


def is_unspecific(case: Case) -> bool:
    """Whether an English question points at a text or a thing without a name, and its other words hardly tell texts apart."""
    text, setting = case.query.text, case.setting
    own = [w for w in dict.fromkeys(telling(text)) if w not in REQUESTS and w not in SOURCES]
    if setting.language != "english" or (POINTING.isdisjoint(words(text)) and SOURCES.isdisjoint(words(text))):
        return False
    return sum(map(setting.idf, own)) < LEAST * math.log(1 + max(len(setting.chunking), 1))
