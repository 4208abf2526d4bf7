"""Words, sentences and refusals: what the rules of the matcher read."""

from __future__ import annotations

import functools
import re
import string
import unicodedata

from ragdiag.answering.judges._meanings import GROUPS
from ragdiag.answering.judges._refusals import ABOUT, declined
from ragdiag.text.unicode import normalize

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

STOP_WORDS = frozenset(
    "a an the and or but nor of in on at to for from by with without as is are was were be been being am it its this that these "
    "those there their they them he she his her we our you your i my me "
    "which who whom whose what when where why how than then so such "
    "do does did done has have had having will would shall should can could may might must if because due since about into over "
    "under between among during per via through also both each all any some other more most very much only just not no "
    "company companys based following respectively approximately roughly around primarily mainly while however year years fiscal "
    "fy s t driven owing resulted resulting result relate relates related relating include includes included including reflect "
    "reflects reflected reflecting report reports reported attributable account accounts accounted compared number "
    "amount use uses used using make makes part".split()
)

SUFFIXES = frozenset("inc incorporated llp llc ltd limited corp corporation co company plc ag gmbh sa nv group holdings".split())
"""What a company's name may be written with or without."""

UP = (
    r"(?:increas\w*|grew|grow\w*|rose|ris(?:e|es|en|ing)|up|higher|improv\w*|gain\w*|expand\w*|widen\w*|jump\w*|climb\w*|"
    r"rais(?:e|es|ed|ing)|strengthen\w*|accelerat\w*|rebound\w*|recover\w*)"
)
DOWN = (
    r"(?:decreas\w*|declin\w*|fell|fall(?:s|en|ing)?|drop\w*|down|lower\w*|shr[aiu]nk\w*|reduc\w*|worsen\w*|"
    r"contract(?:ed|ing|ion|s)|narrow\w*|deteriorat\w*|weaken\w*|cut(?:s|ting)?|slow(?:s|ed|er|ing)?|decelerat\w*)"
)

TURNS = re.compile(
    r"\b(?:however|but|nevertheless|nonetheless|that said|still|aber|allerdings|jedoch|dennoch|trotzdem|doch|mais|cependant"
    r"|toutefois|pourtant|néanmoins|pero|sin embargo|no obstante|aunque)\b,?\s+",
    re.IGNORECASE,
)
"""Where one who first says what is lacking goes on to answer."""

CONCEDED = re.compile(r"^\W*(?:although|though|even though|while|whilst)\b[^,]*,\s*", re.IGNORECASE)
"""What one who answers all the same says first."""

UNSUITED = re.compile(
    r"(?:\bnot|n't) (?:\w+ ){0,3}?(?:relevant|useful|meaningful|applicable|appropriate|suitable)\b"
    r"|\b(?:irrelevant|inapplicable)\b",
    re.IGNORECASE,
)
"""What one says of a measure that does not fit what is asked about."""

BREAK = re.compile(r"(?<=[.!?])[\"')\]*]*\s+(?=[\"'(*$]?[A-Z0-9\\-])|\n+")
ABBREVIATED = re.compile(
    r"(?:\b(?:[A-Z]|Inc|Corp|Ltd|Co|vs|approx|e\.g|i\.e|U\.S|No|Mr|Mrs|Ms|Dr|St|Jan|Feb|Aug|Sept?|Oct|Nov|Dec))\.$"
)


LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)
"""Letters that are more than another one with a mark on it."""

INITIALS = re.compile(r"\b[a-z](?:\.[a-z])+\b\.?|\b[a-z]\.(?:\s[a-z]\.)+")
POINTED = re.compile(r"\b(the|this|that|these|those|another|any|some|each|every|which) ones?\b(?!-)", re.IGNORECASE)
"""A word that points at something named elsewhere, and counts nothing."""

WORD = re.compile(r"[^\W_]+(?:&[^\W_]+)*")


PERIOD = re.compile(r"(?:fy|q)\d+")
"""A word that only says when."""

LONGEST = 8
"""Characters that are enough to tell whether a part ends in an abbreviation."""


def normalised(text: str) -> str:
    """Lower case, without punctuation and articles: how SQuAD and HotpotQA compare answers (Rajpurkar et al. 2016)."""
    plain = text.lower().translate(NO_PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


@functools.lru_cache(maxsize=512)
def readable(text: str) -> str:
    """`text` with one kind of each quote, minus and space, and LaTeX's marks as plain ones, so that one rule reads them all."""
    text = re.sub(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}", r"\1", text).replace("{,}", ",").replace("\\approx", "≈")
    text = re.sub(r"\\(?:[,;!() \[\]]|(?=[$%&]))", " ", text) if "\\" in text else text
    text = re.sub("[\u00a0\u2009\u202f]", " ", text).replace("’", "'").replace("‘", "'").replace("−", "-")
    return text.replace("–", "-").replace("—", " - ").replace("“", '"').replace("”", '"')


def sentences(text: str) -> list[str]:
    """The sentences and lines of `text`, in order."""
    return list(_sentences(text))


def first_sentence(text: str) -> str:
    """The first of them; "" where there is none, as where all that was written is a sign that was read as nothing."""
    return next(iter(_sentences(text)), "")


@functools.lru_cache(maxsize=512)
def _sentences(text: str) -> tuple[str, ...]:
    pieces: list[list[str]] = []  # those of each sentence: an abbreviation's point ends none
    for part in BREAK.split(text):
        if not part or not part.strip():
            continue
        if pieces and ABBREVIATED.search(pieces[-1][-1][-LONGEST:]):
            pieces[-1].append(part.strip())
        else:
            pieces.append([part.strip()])
    return tuple(" ".join(of_sentence) for of_sentence in pieces)


NOUN_ENDINGS = ("ities", "ity", "ness", "ments", "ment", "ings", "ing", "ally", "edly", "ions", "ion", "ers", "er")
OTHER_ENDINGS = ("ies", "es", "ed", "ly", "al", "ar", "s", "e", "y")
"""Endings that a stem goes without, the longer before the shorter."""


@functools.lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A light stem: plural, -ing, -ed, -ly and a few endings of nouns taken off; directions become "up" and "down"."""
    if re.fullmatch(UP, word):
        return "up"
    if re.fullmatch(DOWN, word):
        return "down"
    word = re.sub(r"(?<=[aeiou])ll$", "l", _american(word))  # distil, distill
    word = word[:-2] if word.endswith("ly") and len(word) > 6 else word
    ending = _ending(word, NOUN_ENDINGS, 4)
    if ending:
        return word[: -len(ending)].rstrip("eiy")
    ending = "" if word.endswith("ss") else _ending(word, OTHER_ENDINGS, 3)
    if ending:
        base = word[: -len(ending)]
        return (base[:-1] if base.endswith("y") and len(base) > 3 else base).rstrip("ei")  # kidneys, kidney
    return word


def _american(word: str) -> str:
    """``recognised`` as recognized, ``favourable`` as favorable."""
    word = re.sub(r"(?<=[a-z]{3})is(?=e[sd]?$|ing$|ations?$)", "iz", word)
    return word.replace("our", "or") if len(word) > 5 else word


def _ending(word: str, endings: tuple[str, ...], least: int) -> str:
    """The first of `endings` that leaves `least` letters of `word` or more; "" for none."""
    return next((ending for ending in endings if word.endswith(ending) and len(word) - len(ending) >= least), "")


ALIKE = {word: stem(group.split()[0]) for group in GROUPS.strip().splitlines() for word in group.split()}
ALIKE_STEMS = {stem(word): first for word, first in ALIKE.items()}


@functools.lru_cache(maxsize=16384)
def meaning(word: str) -> str:
    """The stem of `word`, or the one that stands for its group of words alike; ``sale`` and ``sales`` are told apart."""
    return ALIKE.get(word) or ALIKE_STEMS.get(stem(word), stem(word))


def unaccented(text: str) -> str:
    """`text` with its letters as an English keyboard has them: ``é`` is e, ``ß`` is ss."""
    if text.isascii():
        return text
    parts = normalize("NFKD", text).translate(LETTERS)  # in this order: some marks stand for such a letter
    return normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


@functools.lru_cache(maxsize=512)
def flat(text: str) -> str:
    """`text` in lower case, without accents, and with initials as one word: ``u.s.`` is us, ``j. k.`` is jk."""
    return INITIALS.sub(lambda m: re.sub(r"[.\s]", "", m[0]) + " " * (m[0][-1] == " "), unaccented(readable(text)).lower())


def words(text: str) -> list[str]:
    """The words of `text` in lower case; ``R&D`` is one word, ``raw-material`` two."""
    return list(_words(text))


@functools.lru_cache(maxsize=512)
def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(POINTED.sub(r"\1", flat(text)).replace("'s ", " ").replace("n't", " not")))


def content(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order, numbers left out."""
    return list(_content(text))


@functools.lru_cache(maxsize=512)
def _content(text: str) -> tuple[str, ...]:
    return tuple(meaning(w) for w in _words(text) if w not in STOP_WORDS and not w[0].isdigit() and not PERIOD.fullmatch(w))


def refuses(text: str) -> bool:
    """Whether `text` says that it does not answer."""
    return declined(readable(text))


def answering(text: str) -> str:
    """What `text`, which refuses, says in sentences that do not, and in those that turn from refusing to answering."""
    return "\n".join(part for sentence in sentences(text) if (part := _answering(sentence)))


def _answering(sentence: str) -> str:
    if not declined(sentence):
        return "" if ABOUT.search(sentence) else sentence
    turned = [*TURNS.split(sentence)[1:], CONCEDED.sub("", sentence)]
    return next((part for part in turned if not declined(part) and not ABOUT.search(part)), "")
