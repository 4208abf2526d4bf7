"""The language of a text, as far as its script and its commonest words tell; the words that say nothing in it."""

from __future__ import annotations

import re
from collections import Counter

from ragdiag.core.documents import Corpus
from ragdiag.text.words import words

__all__ = ["FUNCTION_WORDS", "function_words", "language", "language_of"]

FUNCTION_WORDS = {
    "english": "the of and to in is a for that it with as are be was on by or this an from at which not what how have has do can",
    "german": "der die das und ist von zu den dem ein eine einer einen nicht mit sich auf für als auch an im in wurde wie was",
    "french": "le la les des et est un une du de dans que qui pour pas sur au aux avec par plus ce cette sont il elle ne en",
    "spanish": "el la los las de y que en un una es por con para del se no su al como lo más fue son qué",
    "italian": "il lo la gli le di e che un una è per con del della nel non si da dei sono come alla più i",
    "portuguese": "o a os as de e que em um uma é por com para do da no na não se dos das como mais foi são",
    "dutch": "de het een en van is in dat op te zijn voor met niet aan er om ook als bij door wordt hoe wat",
    "swedish": "och att det som en på är av för med den till inte har de ett om var hur vad",
    "danish": "og at det som en på er af for med den til ikke har de et om var hvordan hvad",
}
"""By language, its commonest words."""

SCRIPTS = {"hindi": "\u0900-\u097f", "greek": "\u0370-\u03ff", "arabic": "\u0600-\u06ff", "russian": "\u0400-\u04ff"}
"""Languages that are told by their script: the commonest of those written in it for which there are stems."""

LEAST_SHARE = 0.12
"""Of the words of a text, the share that the commonest words of its language make up at least."""

SAMPLE, BEGINNING = 50, 2000
"""Documents of a corpus that its language is told by, and characters of each."""

LEAST_TOLD = 0.1
"""The share of these that tell its language, at least."""

_COMMON = {name: frozenset(listed.split()) for name, listed in FUNCTION_WORDS.items()}


_AUXILIARIES = frozenset("does did doing having isn aren wasn weren don doesn didn".split())
_SUBJECTS = frozenset(
    "amount bill bottom call computer cry describe detail eg etc empty fill find fire found full give hundred interest mill mine "
    "move name part serious show side sincere system thick thin top".split()
)
"""Words of scikit-learn's list that say what a text may be about."""


def language(text: str) -> str:
    """The language of `text` by its name in Snowball; "" where its script or its commonest words do not tell."""
    letters = max(sum(c.isalpha() for c in text), 1)
    for name, characters in SCRIPTS.items():
        if 2 * len(re.findall(f"[{characters}]", text)) > letters:
            return name
    counts = Counter(words(text))
    held = sorted(((sum(counts[w] for w in own), name) for name, own in _COMMON.items()), reverse=True)
    (most, name), (next_most, _) = held[:2]
    return name if most > next_most and most >= LEAST_SHARE * counts.total() else ""


def language_of(corpus: Corpus) -> str:
    """The language of most documents that tell theirs, by the beginnings of some; "" where hardly any does."""
    step = max(len(corpus.documents) // SAMPLE, 1)
    told = Counter(language(document.text[:BEGINNING]) for document in corpus.documents[::step])
    total, silent = told.total(), told.pop("", 0)
    name, n = told.most_common(1)[0] if told else ("", 0)
    return name if 2 * n > total - silent and n >= LEAST_TOLD * total else ""


def function_words(name: str) -> frozenset[str]:
    """The words that say nothing in a language; none where it is not known."""
    if name == "english":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return (frozenset(ENGLISH_STOP_WORDS) | _AUXILIARIES) - _SUBJECTS
    return _COMMON.get(name, frozenset())
