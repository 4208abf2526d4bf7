"""What two texts that say nearly the same say differently: other values (numbers, dates, negations), or other names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from ragdiag.text.dates import MONTHS
from ragdiag.text.titles import no_title
from ragdiag.text.words import words

__all__ = ["Difference", "about_other_things", "differences", "other_values"]

NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half twice third quarter "
    "monday tuesday wednesday thursday friday saturday sunday daily weekly monthly quarterly yearly annually".split()
) | (MONTHS.keys() - {"may", ""})
"""Words that are values; "may" is mostly none."""

NEGATIONS = frozenset("not no never none neither nor without cannot except unless t".split())
"""Words that turn a statement round; "t" is what is left of "don't"."""

_OPPOSITES = """
increase decrease, increases decreases, increased decreased, increasing decreasing, rise fall, rises falls, rose fell, higher
lower, high low, highest lowest, more less, more fewer, most least, most few, largest smallest, larger smaller, large small,
longer shorter, long short, maximum minimum, above below, over under, before after, first last, first second, second third,
first third, early late, earlier later, earliest latest, north south, northern southern, east west, eastern western, left
right, all some, all none, always never, always rarely, often rarely, every some, can cannot, may must, must should, required
optional, mandatory optional, allowed forbidden, allowed prohibited, permitted prohibited, include exclude, included excluded,
including excluding, enabled disabled, enable disable, on off, true false, yes no, accept reject, accepted rejected, open
closed, free paid, public private, internal external, new old, same other, same different, positive negative, male female, men
women, win lose, won lost, success failure, safe unsafe, better worse, best worst, fast slow, faster slower, hot cold, up
down, with without
"""
OPPOSITES = frozenset(frozenset(pair.split()) for pair in _OPPOSITES.split(","))
"""Pairs of words of which one turns what the other says round, or puts another amount, order or duty in its place."""

LONGEST = 800
"""Words of a text that are compared."""

AGREEING = 0.5
"""Of the shorter text's words, those that must stand in the other in the same order: below, they do not say the same."""

FEW = 6
"""Words of a stretch in which a number, or a negation, replaces another; longer ones are other text."""

TWICE = 2
"""Times that one name stands where the other text has another, from which the two are about different things."""

_WORD = re.compile(r"\w+")


class Difference(NamedTuple):
    """What one text has where the other has something else; "" where it has nothing there."""

    one: str
    other: str


def differences(one: str, other: str) -> list[Difference]:
    """The stretches that differ between two texts which say nearly the same, in order; none where they do not.

    What only stands before or behind what they share is none: texts are cut where their documents are.
    """
    mine, theirs = _WORD.findall(one)[:LONGEST], _WORD.findall(other)[:LONGEST]
    matcher = SequenceMatcher(None, [w.casefold() for w in mine], [w.casefold() for w in theirs], autojunk=False)
    steps = matcher.get_opcodes()
    while steps and steps[0][0] in ("insert", "delete"):
        steps = steps[1:]
    while steps and steps[-1][0] in ("insert", "delete"):
        steps = steps[:-1]
    agreeing = sum(b - a for tag, a, b, _, _ in steps if tag == "equal")
    if agreeing < AGREEING * min(len(mine), len(theirs)):
        return []
    return [Difference(" ".join(mine[a:b]), " ".join(theirs[c:d])) for tag, a, b, c, d in steps if tag != "equal"]


def other_values(of: Sequence[Difference]) -> list[Difference]:
    """The differences in which a value stands in place of another, or an opposite, or a negation is added or taken away."""
    tests = (_replaced, _turned, _opposed)
    return [difference for difference in of if _short(difference) and any(test(difference) for test in tests)]


def about_other_things(of: Sequence[Difference], titles: tuple[str, str], texts: tuple[str, str]) -> bool:
    """Whether two texts that read alike are about different things, as pages of one kind are: each has its own name.

    By their titles, where each has a word that the other's title and text lack; or by a name that stands again and again where
    the other has another one.
    """
    one, other = (frozenset() if no_title(title) else _telling(title) for title in titles)
    if one - other - _telling(texts[1]) and other - one - _telling(texts[0]):
        return True
    names = Counter(pair for difference in of for pair in _names(difference))
    return any(n >= TWICE for n in names.values())


def _short(difference: Difference) -> bool:
    return max(len(difference.one.split()), len(difference.other.split())) <= FEW


def _replaced(difference: Difference) -> bool:
    one, other = (sorted(word for word in words(side) if _is_value(word)) for side in difference)
    return bool(one) and bool(other) and one != other


def _turned(difference: Difference) -> bool:
    one, other = (sum(word in NEGATIONS for word in words(side)) for side in difference)
    return one != other


def _opposed(difference: Difference) -> bool:
    one, other = (words(side) for side in difference)
    return len(one) == len(other) and any(frozenset(pair) in OPPOSITES for pair in zip(one, other, strict=True))


def _is_value(word: str) -> bool:
    return word in NUMBERS or any(sign.isdigit() for sign in word)


def _names(difference: Difference) -> Iterator[tuple[str, str]]:
    """What stands where the other text has another word, in stretches of as many words; no values, and no function words."""
    one, other = difference.one.casefold().split(), difference.other.casefold().split()
    if len(one) == len(other) <= FEW:
        yield from ((a, b) for a, b in zip(one, other, strict=True) if a != b and _telling(a) and _telling(b))


def _telling(text: str) -> frozenset[str]:
    """The words that say what a text is about: no values, none of one or two letters."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(word for word in words(text) if len(word) > 2 and not _is_value(word) and word not in ENGLISH_STOP_WORDS)
