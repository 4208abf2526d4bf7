"""Words by how telling they are: their stems with weights, and how much of that weight a text carries."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Set

from ragdiag.core.records import Corpus
from ragdiag.text.analysis import Analysis
from ragdiag.text.words import words

__all__ = ["Idf", "Rarity", "carried", "share", "stems_of", "weighed"]

STRETCH, MOST_STRETCHES = 1000, 5000
"""How rare a word is, is told on stretches of so many characters; in a large corpus on so many of them, evenly spread."""

Idf = Callable[[str], float]
"""How telling a word is."""

_STEMS = Analysis(stem="english")


class Rarity:
    """How rare words are in a corpus, however it is cut: told on stretches of its documents, when first asked."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @functools.cached_property
    def _counts(self) -> tuple[Counter[str], int]:
        """In how many stretches each word stands, and how many there are."""
        stretches = [(d, at) for d, n in enumerate(self._corpus.lengths.tolist()) for at in range(0, n, STRETCH)]
        some = stretches[:: len(stretches) // MOST_STRETCHES + 1]
        texts = (self._corpus.documents[d].text[at : at + STRETCH] for d, at in some)
        counts = Counter[str]()
        for text in texts:
            counts.update(set(words(text)))
        return counts, len(some)

    def idf(self, word: str) -> float:
        """``log(1 + n / df)``; a word in no stretch is as rare as one in a single stretch."""
        frequency, n = self._counts
        return math.log(1 + n / max(frequency[word], 1))


def weighed(text: str, idf: Idf) -> dict[str, float]:
    """The stems of the words of a text, with their weights; English function words are none."""
    telling = [word for word in words(text) if word not in _function_words()]
    return {stem: idf(word) for word in telling for stem in _STEMS(word)}


@functools.cache
def _function_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


@functools.lru_cache(4096)
def stems_of(text: str) -> Set[str]:
    """The stems of all words of a text."""
    return frozenset(_STEMS(text))


def carried(weights: Mapping[str, float], stems: Set[str]) -> float:
    """The weight of those among `stems`."""
    return sum(weights[stem] for stem in weights.keys() & stems)


def share(weights: Mapping[str, float], stems: Set[str]) -> float:
    """The same as a share of the weight of all; 0 of none."""
    return carried(weights, stems) / (sum(weights.values()) or 1.0)
