"""Where a passage has the words of a claim and says otherwise: it denies, swaps who did what to whom, gives another number."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from ragdiag.answering.judges._forms import meanings, without_decades
from ragdiag.answering.judges._numbers import NUMBER, Quantity, agree, quantities
from ragdiag.answering.judges._roles import swapped

DENIES = r"\b(?:not|no|never|neither|nor|none|cannot|nobody|nothing)\b|n't\b"
NEGATOR = re.compile(DENIES, re.IGNORECASE)
ANY_NEGATOR = re.compile(
    rf"{DENIES}|\b(?:without|unable|refus\w+|avoid\w*|except|exclud\w+|free|forbid\w*|prohibit\w*|den(?:y|ies|ied)|reject\w*)\b"
    r"|\b(?:lack\w*|fail(?:s|ed)? to)\b"
    r"|\bonly (?:if|when|on|for|from|after|to|with|in)\b",
    re.IGNORECASE,
)
NO_DENIAL = re.compile(
    r"\b(?:if|when|where|unless|whether)\b[^,;.]*"
    r"|\bnot (?:all|every|each|always|necessarily)\b|\bcompared (?:to|with) (?:not|no)\b|\bNo\.\s*\d"
    r"|\b(?:not|no) (?:only|just|doubt|more|less|fewer|longer|later|earlier|sooner|until)\b"
    r"|\b(?:not|n't|never|cannot) (?:\w+ ){1,4}?(?:more|longer|later|less|fewer|until|before) (?:than\b|\w+)",
    re.IGNORECASE,
)
"""What has a negator and sets a limit, or adds something."""

CONDITIONAL = re.compile(r".*\b(?:if|whether|unless)\b", re.IGNORECASE | re.DOTALL)

MOST = 0.6
"""The share of what is denied, and of a claim's words, that a sentence has which speaks of the same."""

CAPITALS = re.compile(r"\b[A-Z][\w&'-]*")

BEFORE = 60
"""Characters before a number that are looked at."""

SCOPE = 5
"""Words after a negator that it denies."""

ENDS = re.compile(r"[,;:.()]|\b(?:and|but|because|while|which|who|that|so)\b", re.IGNORECASE)

OPPOSITES = tuple(
    (re.compile(rf"\b(?:{one})\b", re.IGNORECASE), re.compile(rf"\b(?:{other})\b", re.IGNORECASE))
    for one, other in (
        (r"(?:is|are|was|were|turned|switched) on|enabled", r"(?:is|are|was|were|turned|switched) off|disabled"),
        (r"allow\w*|permit\w*|can|may", r"forbid\w*|forbidden|prohibit\w*|ban(?:s|ned)|illegal"),
        (r"required?|mandatory|compulsory|must", r"optional|voluntary"),
        (r"approved?|accept\w*", r"reject\w*|denied"),
        (r"includ(?:es?|ed|ing)", r"exclud(?:es?|ed|ing)"),
        (r"available", r"unavailable"),
        (r"legal", r"illegal"),
        (r"safe", r"unsafe|dangerous"),
        (r"effective", r"ineffective"),
        (r"profitable", r"unprofitable"),
        (r"more", r"less|fewer"),
        (r"minimum|at least", r"maximum|at most|up to"),
        (r"success\w*|succeed\w*", r"fail\w*"),
        (r"full-time", r"part-time"),
        (r"open(?:s|ed)?", r"close[sd]?"),
        (r"upper", r"lower"),
        (r"north\w*", r"south\w*"),
        (r"east\w*", r"west\w*"),
    )
)
"""Words of which one may not stand where the other does; none tell one thing from two sides, as to buy and to sell do."""

TOTAL = re.compile(r"\d[\d,.]*\s+(?:out\s+)?of\s+(?:the\s+)?(?P<total>\d[\d,]*)", re.IGNORECASE)
OF_TOTAL = re.compile(r"\b(?:of|in|among|with)(?: the| all| a total of)*\s*$", re.IGNORECASE)

PARTS = re.compile(
    r";|\b(?:while|whereas|but|from|compared with|against|versus)\b|,\s+(?:and|up from|down from)\b", re.IGNORECASE
)
"""Where a sentence turns from one figure to another."""

SURER = 2
"""Words of a claim that a part of a sentence must have to give its number."""


def contradiction(claim: str, near: Sequence[str]) -> str:
    """Why none of the sentences `near` a claim, the nearest first, says what it says; "" where one may."""
    return next((why for check in CHECKS if near and (why := check(claim, near))), "")


def _denies(text: str) -> bool:
    """Whether `text` denies anything, in whatever way."""
    return bool(ANY_NEGATOR.search(NO_DENIAL.sub(" ", text)))


def _denied_words(text: str, said: Collection[str] = ()) -> Iterator[str]:
    """What `text` denies: the words after each negator, up to the end of what it is said of; only of what is `said`, if given."""
    text = NO_DENIAL.sub(" ", text)
    for m in NEGATOR.finditer(text):
        of = set(meanings(ENDS.split(text[: m.start()])[-1]))
        if said and of and not of & set(said):  # others are denied it
            continue
        yield from meanings(" ".join(ENDS.split(text[m.end() :], maxsplit=1)[0].split()[:SCOPE]))


def _denied(claim: str, near: Sequence[str]) -> str:
    """Does the claim deny what all that speak of it affirm, or affirm what they deny?"""
    said = set(meanings(CAPITALS.sub(" ", claim)) or meanings(claim))  # who it is may be "he" there
    sentences = [s for s in near if 2 * len(said & set(meanings(s))) >= len(said)]
    denied = set(_denied_words(claim))
    if CONDITIONAL.match(claim):
        return ""
    if denied:
        return "its context says so where the answer denies it" if _affirmed(denied, sentences) else ""
    deny = not _denies(claim) and any(_all_deny(s, claim, said, sentences) for s in sentences)
    return "its context denies it" if deny else ""


def _affirmed(denied: set[str], sentences: Sequence[str]) -> bool:
    """Whether there are sentences that speak of what is denied, and none denies anything."""
    of_it = [s for s in sentences if len(denied & set(meanings(s))) >= MOST * len(denied)]
    return bool(of_it) and not any(map(_denies, of_it))


def _all_deny(sentence: str, claim: str, said: set[str], sentences: Sequence[str]) -> bool:
    """Whether `sentence` denies most of what it denies of what is `said`, and all that speak of that do."""
    denied = set(_denied_words(sentence, set(meanings(claim))))
    shared = denied & said
    others = [s for s in sentences if shared <= set(meanings(s))]
    return bool(shared) and len(shared) >= MOST * len(denied) and all(set(_denied_words(s)) & shared for s in others)


def _opposite(claim: str, near: Sequence[str]) -> str:
    """Is the opposite said of the same thing?"""
    clause = _nearest(claim, [part for text in near for part in ENDS.split(text) if part])
    if _denies(claim) or _denies(clause):
        return ""
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if one.search(claim) and not other.search(claim) and other.search(clause) and not one.search(clause):
                return "its context says the opposite"
    return ""


def _nearest(claim: str, near: Sequence[str]) -> str:
    """The one of `near` that has most of the words of `claim`."""
    said = set(meanings(claim))
    return max(near, key=lambda s: len(said & set(meanings(s))), default="")


def _other_number(claim: str, near: Sequence[str]) -> str:
    """Does a number of the claim stand beside something else, and another one of its kind where it should stand?"""
    parts = [part for sentence in near for part in _figures(sentence)]
    for of_claim in _figures(claim):
        for quantity in _numbers(of_claim):
            other = _instead(quantity, of_claim, near if quantity.unit == "year" else parts)
            if other and not _of_a_name(of_claim, quantity):
                return f"its context gives {other.text!r} where the answer gives {quantity.text!r}"
    return ""


def _instead(quantity: Quantity, of_claim: str, parts: Sequence[str]) -> Quantity | None:
    """The number that the part with most of the words of `of_claim` has, where it is another one than `quantity`."""
    year = quantity.unit == "year"
    beside = _beside(of_claim, year)
    shared = [(len(beside & _beside(part, year)), part) for part in parts]
    has = [n for n, part in shared if any(_alike(quantity, q) for q in _numbers(part))]
    if not has and any(c.isdigit() for c in quantity.text):
        return None  # what follows from others need not be there
    instead = [(n, q) for n, part in shared if n >= SURER and (q := _of_kind(quantity, of_claim, part))]
    most, other = max(instead, key=lambda each: each[0], default=(0, None))
    return other if most > max(has, default=0) else None


@functools.lru_cache(maxsize=4096)
def _figures(sentence: str) -> tuple[str, ...]:
    """`sentence` in parts that each tell of a figure; what comes before the first one belongs to it."""
    parts: list[str] = []
    begun = ""
    for part in PARTS.split(sentence):
        begun = f"{begun} {part}" if begun else part
        if any(q.unit != "year" for q in _numbers(begun)):
            parts.append(begun)
            begun = ""
    return (*parts, begun) if begun else tuple(parts)


def _numbers_swapped(claim: str, near: Sequence[str]) -> str:
    """Have two numbers changed places, by the words before them?"""
    ours, theirs = (_by_word_before(text) for text in (claim, _nearest(claim, near)))
    for before, quantity in ours.items():
        other = theirs.get(before)
        if not other or _alike(quantity, other):
            continue
        beside = [(other, ours), (quantity, theirs)]
        if all(any(_alike(number, q) for b, q in numbers.items() if b != before) for number, numbers in beside):
            return f"its context gives {other.text!r} where the answer gives {quantity.text!r}"
    return ""


def _by_word_before(text: str) -> dict[str, Quantity]:
    """The numbers of `text` that no other follows upon the same word, by that word."""
    by_word: dict[str, Quantity] = {}
    twice = set()
    for q in _numbers(text):
        before = re.findall(r"[^\W\d_]+", text[max(0, q.start - BEFORE) : q.start])[-1:]
        for word in map(str.lower, before):
            twice |= {word} if word in by_word else set()
            by_word[word] = q
    return {word: q for word, q in by_word.items() if word not in twice}


def _total(claim: str, near: Sequence[str]) -> str:
    """Does the claim say of some what its context says of all that these are of: ``4 of 200``?"""
    text = _nearest(claim, near)
    totals = {m["total"].rstrip(",") for m in TOTAL.finditer(text)}
    for m in re.finditer(r"\d[\d,]*", claim):
        number = m[0].rstrip(",")
        alone = number in totals and len(re.findall(rf"(?<![\d,.]){number}(?![\d])", text)) == 1
        if alone and not OF_TOTAL.search(claim[max(0, m.start() - BEFORE) : m.start()]):
            return f"its context gives {number!r} as what others are of"
    return ""


@functools.lru_cache(maxsize=4096)
def _numbers(text: str) -> tuple[Quantity, ...]:
    return tuple(quantities(without_decades(text)))


def _of_kind(quantity: Quantity, text: str, other: str) -> Quantity | None:
    """A number of the kind of `quantity` of `text` in `other`, where none is equal to it; bare ones count one thing."""
    numbers = _numbers(other)
    if any(_alike(quantity, q) for q in numbers):
        return None
    of_unit = (q for q in numbers if q.unit == quantity.unit)
    return next((q for q in of_unit if q.unit or ((thing := _thing(text, quantity)) and thing == _thing(other, q))), None)


def _thing(text: str, quantity: Quantity) -> tuple[str, ...]:
    """What a bare number counts: the word after it."""
    after = re.match(r"\W*([^\W\d_]+)", without_decades(text)[quantity.end :])
    return meanings(after[1]) if after else ()


def _of_a_name(text: str, quantity: Quantity) -> bool:
    """Whether a bare number belongs to the name before it: ``Claude 3``."""
    before = re.search(r"([^\W_]+)[ -]$", without_decades(text)[max(0, quantity.start - BEFORE) : quantity.start])
    return not quantity.unit and bool(before and before.start() and before[1][:1].isupper())


def _alike(quantity: Quantity, other: Quantity) -> bool:
    return agree(quantity, other, falling=True)


@functools.lru_cache(maxsize=4096)
def _beside(text: str, year: bool) -> frozenset[str]:
    """What a number is said of: the words of `text`, and where it is no `year` itself its years."""
    years = set() if year else {q.text for q in _numbers(text) if q.unit == "year"}
    return frozenset(meanings(NUMBER.sub(" ", without_decades(text)))) | years


CHECKS: tuple[Callable[[str, Sequence[str]], str], ...] = (
    _denied,
    _opposite,
    _other_number,
    _numbers_swapped,
    _total,
    swapped,
)
"""Why what a claim says is not what the texts near it say, "" where it may be; the first that finds something decides."""
