"""Words of one family: ``Protestant`` and ``Protestantism``, ``Spain`` and ``Spanish``."""

from __future__ import annotations

import functools
import re

from ragdiag.answering.judges._names import person
from ragdiag.answering.judges._text import STOP_WORDS, readable, unaccented, words

TOKEN = re.compile(r"[^\W_]+(?:[.'&-][^\W_]+)*")
TELLS_APART = re.compile(
    r"(?i:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|north\w*|south\w*|east\w*|west\w*|central|new|old"
    r"|upper|lower|greater|lesser|great|little|big|small|senior|junior|non|anti|pre|post|un\w*|not)|[IVX]+|[A-Z]",
)
"""Words by which things of one name are told apart."""

LEAST = 3
"""Words of a name that may be told without one of them."""

PEOPLES = dict(
    pair.split()
    for pair in (
        "france french|spain spanish|england english|britain british|netherlands dutch|germany german|greece greek|ireland irish"
        "|scotland scottish|wales welsh|denmark danish|sweden swedish|finland finnish|poland polish|turkey turkish"
        "|switzerland swiss|portugal portuguese|china chinese|japan japanese|vietnam vietnamese|norway norwegian"
        "|iceland icelandic"
        "|philippines filipino|thailand thai|belgium belgian|peru peruvian|israel israeli|iraq iraqi|pakistan pakistani"
        "|europe european|hungary hungarian|italy italian|brazil brazilian|argentina argentine|mexico mexican|canada canadian"
        "|egypt egyptian|rome roman|venice venetian|ukraine ukrainian|serbia serbian|cuba cuban|lebanon lebanese|nepal nepalese"
    ).split("|")
)
"""Places with what belongs to them, where no ending tells."""

ENDINGS = ("", "s", "n", "an", "ian", "ist", "ists", "ism", "al", "ial", "ic", "ous", "um", "us", "y", "ish", "ese")
ROOT = 5
"""Letters that two words of a family share, at least."""


def kindred(gold: str, answer: str) -> str:
    """The word of `answer` that is of the family of the one word `gold`; "" where none is, or `gold` is several words."""
    wanted = words(gold)
    family = _family(wanted[0]) if len(wanted) == 1 else set()
    return next((word for word in words(answer) if word in family), "") if family else ""


@functools.lru_cache(maxsize=1024)
def _family(word: str) -> set[str]:
    """The words of the family of `word`, itself among them."""
    roots = [root for ending in ENDINGS if word.endswith(ending) and len(root := word.removesuffix(ending)) >= ROOT]
    forms = {root + ending for root in roots for ending in ENDINGS}
    return forms | {other for pair in PEOPLES.items() if word in pair for other in pair}


def most_of_name(name: str, answer: str) -> str:
    """All of `name` but its first or last word, where `answer` says that together and puts no other word in place of the one.

    Of a person, and of a name whose figure is left out, nothing: these are told apart by what is missing.
    """
    wanted = [t for t in TOKEN.findall(unaccented(readable(name))) if t.lower() not in ("the", "a", "an")]
    if len(wanted) < LEAST or person(name):
        return ""
    tokens = TOKEN.findall(unaccented(readable(answer)))
    parts = ((-1, wanted[:-1]), (0, wanted[1:]))
    return next((" ".join(part) for at, part in parts if _told(wanted[at], part, at, tokens)), "")


def _told(left_out: str, part: list[str], missing: int, tokens: list[str]) -> bool:
    """Whether `part` stands among `tokens`, and beside it, where `left_out` is missing, no word that tells it from `name`."""
    if left_out[0].isdigit() or TELLS_APART.fullmatch(left_out) or part[missing].lower() in STOP_WORDS:
        return False
    lower, folded = [t.lower() for t in tokens], [p.lower() for p in part]
    starts = [at for at in range(len(lower) - len(part) + 1) if lower[at : at + len(part)] == folded]
    return any(_stands_alone(tokens, at - 1 if missing == 0 else at + len(part), missing) for at in starts)


def _stands_alone(tokens: list[str], beside: int, missing: int) -> bool:
    """Whether what stands at `beside` is no part of a name: nothing, a word that says nothing, behind it one in small letters."""
    other = tokens[beside] if 0 <= beside < len(tokens) else ""
    return not other or other.lower() in STOP_WORDS or (missing == -1 and other.islower())
