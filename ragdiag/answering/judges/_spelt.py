"""Figures and names as people spell them out: ``an hour and a half``, ``two thirds``, ``St. Paul``; in one form for all rules."""

from __future__ import annotations

import functools
import re

ONES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
VALUES = {w: i for i, w in enumerate(ONES, 1)} | {w: 10 * i for i, w in enumerate(TENS, 2)} | {"a": 1, "an": 1}
FRACTIONS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}

_ONE = "|".join(ONES)
_TEN = "|".join(TENS)
_SMALL = rf"(?:(?:{_TEN})(?:[\s-](?:{_ONE}))?|(?:{_ONE}))"
_SCALED = r"(?:million|billion|trillion|thousand|hundred|dozen)"
_UNIT = r"(?:hours?|days?|weeks?|months?|years?|decades?|miles?|minutes?|kilomet(?:er|re)s?|met(?:er|re)s?|percent|points?)"
WHOLE = re.compile(
    rf"\b(?:a |{_SMALL}[\s-])(?:hundred|thousand)(?:(?:,? and |,? |-)(?:{_SMALL}[\s-](?:hundred|thousand)"
    rf"|{_SMALL}))*\b|\b(?:{_TEN})[\s-](?:{_ONE})\b",
    re.IGNORECASE,
)
HALF = re.compile(rf"\bhalf (?:of )?an? (?=(?:{_SCALED}|{_UNIT})\b)", re.IGNORECASE)
AND_A_HALF = re.compile(rf"\b(?P<n>an?|{_ONE}|\d+)(?: (?P<unit>{_SCALED}|{_UNIT}))? and a half\b", re.IGNORECASE)
DOZEN = re.compile(rf"\b(?P<n>an?|{_ONE}|\d+(?:\.\d+)?)[\s-]dozen\b", re.IGNORECASE)
PART = re.compile(
    rf"\b(?P<n>an?|{_ONE})[\s-](?P<part>halves|thirds?|quarters?|fourths?|fifths?|sixths?|eighths?"
    rf"|tenths?)\b(?! (?:quarter|place|of (?:the )?\d|century|year|time|day|season|edition))",
    re.IGNORECASE,
)
SHARE = re.compile(rf"%|\d/\d|\bper ?cent\b|{PART.pattern}", re.IGNORECASE)
FEW = 6
"""Words up to which a reference is read as a figure."""

CLOCK = re.compile(r"\b(?P<h>\d{1,3})\s?(?:h|hrs?|hours?)(?:,? and|,)?\s?(?P<m>\d{1,2})\s?(?:m|mins?|minutes?)\b", re.IGNORECASE)
MINUS = re.compile(rf"\b(?:minus|negative) (?=[$€£]?\d)|\b(?:minus|negative) (?P<n>{_ONE}|{_TEN})\b", re.IGNORECASE)

SHORT_NAMES = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\b(?:St|Ste)\.? (?=[A-Z])", "Saint "),
        (r"\bMt\.? (?=[A-Z])", "Mount "),
        (r"\bFt\.? (?=[A-Z])", "Fort "),
        (r"\b(?:[Nn]ew [Yy]ear's [Dd]ay)\b", "January 1,"),
        (r"\b(?:[Nn]ew [Yy]ear's [Ee]ve)\b", "December 31,"),
        (r"\b[Cc]hristmas [Dd]ay\b", "December 25,"),
        (r"\b[Cc]hristmas [Ee]ve\b", "December 24,"),
    )
)
TITLE = re.compile(r"\A(?:(?:Prof|Dr|Sen|Gov|Gen|Rev|Hon|Capt|Col|Lt|Sgt|Mr|Mrs|Ms|Pres|Rep|Fr|Sr)\.\s?)+(?=[A-Z]\S* \S)")


def figured(text: str, gold: str) -> str:
    """`text` with what is spelt out as figures, and what is shortened in names spelt out.

    ``A third`` is read as a figure where the reference `gold` is a share; a `gold` that tells more than a figure is left alone.
    """
    tells_more = text == gold and len(text.split()) > FEW
    return _named(text) if tells_more else _figured(_named(text), bool(SHARE.search(gold)))


@functools.lru_cache(maxsize=512)
def _named(text: str) -> str:
    for pattern, instead in SHORT_NAMES:
        text = pattern.sub(instead, text)
    return text


@functools.lru_cache(maxsize=512)
def _figured(text: str, shares: bool) -> str:
    text = CLOCK.sub(lambda m: f"{60 * int(m['h']) + int(m['m'])} minutes", text)
    text = AND_A_HALF.sub(lambda m: f"{_number(m['n'])}.5" + (f" {m['unit']}" if m["unit"] else ""), text)
    text = HALF.sub("0.5 ", text)
    text = DOZEN.sub(lambda m: f"{12 * float(_number(m['n'])):g}", text)
    if shares:
        text = PART.sub(lambda m: f"{_number(m['n'])}/{_parts(m['part'])}", text)
    text = WHOLE.sub(lambda m: str(_whole(m[0])), text)
    return MINUS.sub(lambda m: "-" + (_number(m["n"]) if m["n"] else ""), text)


def untitled(name: str) -> str:
    """`name` without shortened titles before it: the point behind one ends no sentence."""
    return TITLE.sub("", name)


def _number(spelt: str) -> str:
    return str(VALUES.get(spelt.lower(), spelt))


def _parts(spelt: str) -> int:
    return FRACTIONS.get(spelt.lower()) or FRACTIONS[spelt.lower().removesuffix("s")]


def _whole(spelt: str) -> int:
    """``two hundred and five`` as 205."""
    total = group = 0
    for word in re.findall(r"[a-z]+", spelt.lower()):
        if word == "thousand":
            total, group = total + max(group, 1) * 1000, 0
        elif word == "hundred":
            group = max(group, 1) * 100
        else:
            group += VALUES.get(word, 0)
    return total + group
