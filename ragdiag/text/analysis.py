"""Analyzers: from a text to the terms that a sparse index knows it by.

`words` by default; with stemming, without stop words, compound identifiers by their parts, or as Lucene's analyzers do it, which
OpenSearch and Elasticsearch use by these names.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import Stemmer

from ragdiag.core.errors import SpecError
from ragdiag.text.scripts import letters_without_spaces, marks
from ragdiag.text.words import pairs, plain, words

__all__ = ["Analysis", "Analyzer", "Stem", "Stop", "stemmed"]

Analyzer = Literal["words", "standard", "english", "cjk"]

Stem = Literal[
    "", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hindi",
    "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "porter", "portuguese", "romanian",
    "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip
"""Snowball's stemmers, by language."""

Stop = Literal["", "english"]

STOP_WORDS = {
    "english": frozenset(
        "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was "
        "will with".split()
    )
}
"""By language: the words that Lucene's analyzer of that language leaves out."""

_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_COMPOUND = re.compile(
    r"(?<!\S)[!-~]*(?:(?:[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z][0-9]|[0-9][A-Za-z]|_|[A-Za-z0-9]-[A-Za-z0-9_])|[^\s!-~])\S*"
)
"""From space to space, what may hold an identifier of more than one part, or a letter that is not ASCII."""

_POSSESSIVE = re.compile(r"['’＇][sS]$")


@dataclass(frozen=True)
class Analysis:
    """How a text becomes terms. Raises `SpecError` where one of Lucene's analyzers is given a stemmer or the like."""

    analyzer: Analyzer = "words"
    stem: Stem = ""
    stop: Stop = ""
    parts: bool = False

    def __post_init__(self) -> None:
        if self.analyzer != "words" and (self.stem or self.stop or self.parts):
            raise SpecError(f"analyzer={self.analyzer} is what Lucene does by that name: leave out stem, stop and parts")

    def __call__(self, text: str) -> list[str]:
        """The terms of `text`, in order."""
        terms = self.written(text)
        if self.stop:
            terms = [term for term in terms if term not in STOP_WORDS[self.stop]]
        return stemmed(terms, self.stem) if self.stem else terms

    def written(self, text: str) -> list[str]:
        """The terms of `text`, stop words too, before they are stemmed."""
        if self.analyzer != "words":
            return PRESETS[self.analyzer](text)
        return _with_parts(text) if self.parts else words(text)

    def of_written(self, terms: Sequence[str]) -> list[list[str]]:
        """What becomes of each of `terms`, as they are written: its stem; nothing where it is left out."""
        left_out = STOP_WORDS[self.stop] if self.stop else frozenset[str]()
        become = stemmed(terms, self.stem) if self.stem else terms
        return [[] if term in left_out else [new] for term, new in zip(terms, become, strict=True)]


def stemmed(terms: Sequence[str], language: str) -> list[str]:
    """The stems of `terms` by Snowball's stemmer of a language, see `Stem`."""
    stems: list[str] = _stemmer(language).stemWords(terms)
    return stems


@functools.cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(language)


def _with_parts(text: str) -> list[str]:
    """The words of a text, and with each identifier its parts (``CORSMiddleware``, ``snake_case``), ``AB-1234`` in one as well.

    An identifier is of ASCII letters, figures and underscores; letters of scripts without spaces may stand beside it.
    """
    terms, last = list[str](), 0
    for match in _COMPOUND.finditer(text):
        terms += words(text[last : match.start()])
        terms += _taken_apart(match[0])
        last = match.end()
    return terms + words(text[last:])


def _taken_apart(text: str) -> Iterator[str]:
    """As `_with_parts`, identifier by identifier."""
    last = 0
    for match in _identifier().finditer(text):
        whole, parts = words(match[0]), [part.lower() for part in _HUMPS.findall(match[0])]
        known = set(whole)
        yield from words(text[last : match.end()])
        yield from (part for part in parts if part not in known)
        if len(whole) > 1 and not match[0].replace("-", "").isalpha() and not match[0].replace("-", "").isdigit():
            yield "".join(whole)
        last = match.end()
    yield from words(text[last:])


@functools.cache
def _identifier() -> re.Pattern[str]:
    beside = rf"[^\W{letters_without_spaces()}]"
    return re.compile(rf"(?<!{beside})(?<!{beside}-)[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*(?!-?{beside})")


def _standard(text: str) -> list[str]:
    """As Lucene's standard analyzer: words by Unicode's rules (UAX 29) in lower case; ideographs and hiragana one by one."""
    return [token.lower() for token in _tokens(text)]


def _english(text: str) -> list[str]:
    """As Lucene's English analyzer: no possessive, no stop words, Porter's stems."""
    terms = [_POSSESSIVE.sub("", token).lower() for token in _tokens(text)]
    return stemmed([term for term in terms if term not in STOP_WORDS["english"]], "porter")


def _cjk(text: str) -> list[str]:
    """As Lucene's CJK analyzer: overlapping pairs of Chinese, Japanese and Korean characters, English stop words left out."""
    tokens = _cjk_tokens().finditer(plain(text))
    terms = [term for match in tokens for term in (pairs(match[1]) if match[1] else [match[0]])]
    return [term for term in terms if term not in STOP_WORDS["english"]]


PRESETS: dict[str, Callable[[str], list[str]]] = {"standard": _standard, "english": _english, "cjk": _cjk}
"""By the name that Lucene has for it."""

_IDEOGRAPHS = "\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_CJK = _IDEOGRAPHS + "\u30a1-\u30ff\u31f0-\u31ff\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"


def _joined_words(letters: str) -> str:
    """A word by UAX 29, as a pattern: alphanumeric but for `letters`, with a point between letters, a comma between figures."""
    body = rf"[\w{marks()}]"
    own = f"(?![{letters}]){body}"
    return rf"(?:{own})+(?:(?:(?<=[^\W\d_])[.'’·:](?=[^\W\d_])|(?<=\d)[.,;'’](?=\d))(?:{own})+)*"


@functools.cache
def _standard_tokens() -> re.Pattern[str]:
    return re.compile(rf"[{_IDEOGRAPHS}][{marks()}]*|{_joined_words(_IDEOGRAPHS)}")


@functools.cache
def _cjk_tokens() -> re.Pattern[str]:
    return re.compile(rf"([{_CJK}]+)|{_joined_words(_CJK)}")


def _tokens(text: str) -> Iterable[str]:
    return (match[0] for match in _standard_tokens().finditer(text))
