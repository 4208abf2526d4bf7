"""Names from other scripts are spelt in many ways: ``Tchaikovsky``, ``Tschaikowski``; and anybody may miss a letter."""

from __future__ import annotations

import functools
import re

from rapidfuzz.distance import Levenshtein

from ragdiag.answering.judges._names import KIN, Person, other_sex, person, short
from ragdiag.answering.judges._text import STOP_WORDS, readable, unaccented

SOUNDS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"tsch|tch|cz|ch|tsh|c(?=i|e)", "c"),
        (r"sch|sh|sz", "s"),
        (r"ph", "f"),
        (r"w|ff", "v"),
        (r"ck|c(?=[aou])|q|kh", "k"),
        (r"x", "ks"),
        (r"z(?!h)", "s"),
        (r"zh|dzh|dj", "j"),
        (r"(?<=[bdgklrst])h", ""),
        (r"[yij]+e?(?=$)|ie|ee|[yij]+", "i"),
        (r"ou|oo", "u"),
        (r"([a-z])\1+", r"\1"),
    )
)
LONG, LONGER = 7, 9
"""Letters of a name from which a vowel or two may differ, and one letter may be missing."""

FAMILIES = ("ate", "ite", "ide", "ine", "ane", "ene", "yne", "ol", "one", "ic", "ous")
"""Endings that tell chemicals apart: a nitrate is no nitrite."""

VOWELS = 2

CAPITALISED = re.compile(r"\b[A-Z][\w'-]+")


@functools.lru_cache(maxsize=16384)
def sound(name: str) -> str:
    """`name` in letters that sound alike."""
    name = unaccented(readable(name)).lower()
    for pattern, instead in SOUNDS:
        name = pattern.sub(instead, name)
    return name


def alike(name: str, other: str) -> bool:
    """Whether two names are spellings of one: they sound alike, up to a letter or two of a long one."""
    one, two = sound(name), sound(other)
    if not one or not two or one[0] != two[0] or _ending(name) != _ending(other) or other_sex(name, other):
        return False
    most = 1 if max(len(name), len(other)) >= LONGER and len(one) != len(two) else 0
    apart = Levenshtein.distance(one, two)
    return apart <= most or (apart <= VOWELS and min(len(one), len(two)) >= LONG - 1 and _skeleton(name) == _skeleton(other))


def _ending(name: str) -> str:
    return next((ending for ending in FAMILIES if name.lower().endswith(ending)), "")


def spelt_otherwise(gold: str, answer: str) -> str:
    """How `answer` spells the name `gold`, where it does so otherwise; "" where it does not name it."""
    who, tokens = person(gold), _capitalised(answer)
    if who is not None:
        return next((token for start, token in tokens if _is(who, answer, start, token)), "")
    wanted = [word for _, word in _capitalised(gold)]
    if not wanted or len(wanted) != len(gold.split()) or min(map(len, wanted)) < LONG:
        return ""
    found = [next((token for _, token in tokens if alike(word, token)), "") for word in wanted]
    return " ".join(found) if all(found) else ""


def _capitalised(text: str) -> list[tuple[int, str]]:
    """The words in capitals of `text`, each with its place; what starts a sentence and names nothing is left out."""
    return [(m.start(), m[0].removesuffix("'s")) for m in CAPITALISED.finditer(text) if m[0].lower() not in STOP_WORDS]


def _is(who: Person, text: str, start: int, token: str) -> bool:
    """Whether a word is the last name of `who`, and no other given name stands before it."""
    exact = unaccented(token).lower() == who.last
    if (len(token) < LONG and not exact) or not alike(who.last, token) or KIN.match(text, start + len(token)):
        return False
    given = _given_before(text, start)
    known = any(short(given[0], name) for name in who.given) if given else True
    if exact and known:
        return False  # the same letters are for other rules to judge
    return known or any(_skeleton(given[0]) == _skeleton(name) and not other_sex(given[0], name) for name in who.given)


def _given_before(text: str, start: int) -> list[str]:
    """The given names that stand right before a last name, in lower case."""
    before = re.search(r"((?:[A-Z][\w.'-]*\s+){1,3})$", text[max(0, start - 40) : start])
    names = [name.strip(".").lower() for name in before[1].split()] if before else []
    return [name for name in names if name not in STOP_WORDS]


def _skeleton(name: str) -> str:
    """``Pyotr``, ``Peter`` and ``Piotr`` differ in vowels alone."""
    return re.sub(r"(?<=.)[aeiou]", "", sound(name))
