"""The language that a text is in, as far as that is clear: by its script, and in Latin letters by words that only one has; the
words that say nothing in a language.
"""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter

from ragdiag.core.documents import Corpus
from ragdiag.text.words import words

__all__ = ["function_words", "language", "language_of", "of_other_languages"]

MAIN, FEWEST_LETTERS = 0.6, 4
"""The share of a text's letters that are of its script, at least, and how many letters tell."""

FEWEST_WORDS, AHEAD = 2, 3
"""Different words that tell a language, at least, and how many times the runner-up's they must be; beside another script one
does, which tells that it is a question and no list of names."""

LATIN = "Latin"

EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO"}
"""Scripts of Chinese and Japanese, which short texts do not tell apart."""

_FUNCTION_WORDS = {
    "English": "the of and is are was were what which who whom how when where why does did do has have had with that this these "
    "those from by be been it its their they he she his her to not on at as than there you your can much many a an for in no or",
    "German": "der die das und ist ein eine einer eines einem einen wie was wer wo wann warum welche welcher welches wird wurde "
    "wurden werden sind war waren nicht mit von zu zum zur den dem des für auf im bei nach über aus hat haben sich auch oder als",
    "French": "le la les des du de un une et est sont que qui quel quelle quels quelles dans pour par avec sur ne pas au aux ce "
    "cette ont été il elle comment où pourquoi combien sous leur",
    "Spanish": "el la los las de del y es son que qué quién quiénes cuál cuáles cómo dónde cuándo cuántos en por para con un "
    "una no se su al fue fueron han lo más",
    "Italian": "il lo la gli le di del della dei delle e è sono che chi quale quali come dove quando quanti per con un una non "
    "si su al nel nella ha stato perché più",
    "Portuguese": "o a os as de do da dos das e é são que quem qual quais como onde quando em no na nos nas por para com um uma "
    "não se foi seu sua mais ao",
    "Dutch": "de het een en is zijn wat wie hoe waar wanneer waarom welke van voor met op in te niet dat die er aan bij naar "
    "door werd wordt worden hebben heeft om ook",
    "Swedish": "och att det som är på av för den inte med hur vad vilken vilka till från har var när en ett i om",
    "Danish or Norwegian": "og at det som er på af av for den ikke med hvor hvad hva hvilken til fra har var når en et i om",
}
"""Frequent words that say nothing of a subject; those that several languages have count for none."""

STEMS = {"Devanagari": "hindi", "Greek": "greek", "Arabic": "arabic", "Cyrillic": "russian", "Danish or Norwegian": "danish"}
"""What Snowball calls the languages that are told under another name; of a script the commonest one that it has stems for."""

SAMPLE, BEGINNING = 50, 2000
"""Documents of a corpus that its language is told by, and characters of each."""

LEAST_TOLD = 0.1
"""The share of these that tell its language, at least."""

_AUXILIARIES = frozenset("does did doing having isn aren wasn weren don doesn didn".split())
_SUBJECTS = frozenset(
    "amount bill bottom call computer cry describe detail eg etc empty fill find fire found full give hundred interest mill mine "
    "move name part serious show side sincere system thick thin top".split()
)
"""Words of scikit-learn's list that say what a text may be about."""


@functools.cache
def _telling() -> dict[str, str]:
    """Words that one language of `_FUNCTION_WORDS` has alone, with it."""
    counts = Counter(word for text in _FUNCTION_WORDS.values() for word in text.split())
    return {word: name for name, text in _FUNCTION_WORDS.items() for word in text.split() if counts[word] == 1}


@functools.lru_cache(4096)
def language(text: str) -> str:
    """The language of `text`, or where its script tells no more that script ("Cyrillic"); "" where neither is clear."""
    script = _script(text)
    return _latin(text, FEWEST_WORDS) if script == LATIN else script


def _script(text: str) -> str:
    letters = Counter[str]()
    for letter, n in Counter(filter(str.isalpha, text)).items():
        letters[_script_of(letter)] += n
    if letters.total() < FEWEST_LETTERS:
        return ""
    name, n = letters.most_common(1)[0]
    return name if n >= MAIN * letters.total() else ""


@functools.lru_cache(4096)
def _script_of(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ")[0]
    return "Chinese or Japanese" if name in EAST_ASIAN else name.capitalize()


def _latin(text: str, fewest: int) -> str:
    """The language of a text in Latin letters."""
    telling = _telling()
    hits = Counter(telling[word] for word in set(words(text)) & telling.keys())
    (name, n), (_, second) = [*hits.most_common(2), ("", 0), ("", 0)][:2]
    return name if n >= fewest and n >= AHEAD * second else ""


def of_other_languages(text: str, other: str) -> tuple[str, str] | None:
    """The languages of two texts, or their scripts, where they are clear and not the same."""
    told = language if _script(text) == _script(other) else _beside_another
    languages = told(text), told(other)
    return languages if all(languages) and languages[0] != languages[1] else None


def _beside_another(text: str) -> str:
    """The language of a text beside one in another script: in Latin letters one word tells that it is no list of names."""
    script = _script(text)
    return language(text) or (f"{LATIN} letters" if _latin(text, 1) else "") if script == LATIN else script


def language_of(corpus: Corpus) -> str:
    """The language of most documents that tell theirs, by the beginnings of some; "" where hardly any does."""
    step = max(len(corpus.documents) // SAMPLE, 1)
    told = Counter(language(document.text[:BEGINNING]) for document in corpus.documents[::step])
    total, silent = told.total(), told.pop("", 0)
    name, n = told.most_common(1)[0] if told else ("", 0)
    clear = 2 * n > total - silent and n >= LEAST_TOLD * total
    return STEMS.get(name, name.lower()) if clear else ""


@functools.cache
def function_words(name: str) -> frozenset[str]:
    """The words that say nothing in a language, which is named as `language_of` does; none where it is not known."""
    if name == "english":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return (frozenset(ENGLISH_STOP_WORDS) | _AUXILIARIES) - _SUBJECTS
    known = {STEMS.get(n, n.lower()): listed for n, listed in _FUNCTION_WORDS.items()}
    return frozenset(known.get(name, "").split())
