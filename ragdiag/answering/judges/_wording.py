"""Rules of the matcher for references that are told in words: lists, names, prose (`IN_WORDS`, in this order)."""

from __future__ import annotations

import re

from ragdiag.answering.judges import _facts, _polarity
from ragdiag.answering.judges._case import FEW, Case, Table
from ragdiag.answering.judges._competing import another_name, turned_round
from ragdiag.answering.judges._hedged import two_names
from ragdiag.answering.judges._kindred import kindred, most_of_name
from ragdiag.answering.judges._numbers import agree, quantities
from ragdiag.answering.judges._spelling import spelt_otherwise
from ragdiag.answering.judges._text import content, flat, words
from ragdiag.core.opinions import Opinion

LEAST = 0.35
"""Share of a long reference's facts that an answer has which says nothing else."""

GROWN = 6
"""Letters of a name that is looked for within longer words."""

AGAINST = 0.2
"""How much more of the reference's facts an answer needs that gives another figure, or says the opposite of one of its words."""


# Of prose.


def denied(case: Case) -> Opinion | None:
    """An answer may have all words of the reference behind a "not"."""
    if case.covered[0] < case.coverage:
        return None
    short = len(content(case.gold)) <= FEW and _polarity.negated_words(case.gold, case.answer)
    turned = turned_round(case.question, case.gold, case.answer)
    denies = short or turned or _polarity.denies(case.question, case.gold, case.answer)
    return Opinion(False, "denies what the reference says") if denies else None


def opposite_direction(case: Case) -> Opinion | None:
    """An answer may have all words of the reference and say that what rose fell."""
    share, _, _ = case.covered
    against = _polarity.reverses(case.gold, case.answer) or _polarity.moves_against(case.question, case.gold, case.answer)
    return Opinion(False, "says the opposite direction of the reference") if share >= case.coverage and against else None


def enough_facts(case: Case) -> Opinion | None:
    """Prose says what the reference says where it has enough of its facts; more are needed where something speaks against it."""
    share, _, _ = case.covered
    against = _facts.differs(case.question, case.gold, case.answer), _polarity.contrary(case.gold, case.answer)
    if share < case.needed + AGAINST * any(against):
        return None
    return Opinion(True, f"has {share:.0%} of the reference's facts{case.lacking}")


def all_in_reference(case: Case) -> Opinion | None:
    """An answer that gives the point of a long reference, and nothing else, is right with fewer facts."""
    share, _, _ = case.covered
    if share < LEAST or not _facts.contained(case.question, case.gold, case.answer):
        return None
    return Opinion(True, f"all that it says is in the reference, {share:.0%} of whose facts it has")


def too_few_facts(case: Case) -> Opinion:
    """What nothing above found right is wrong."""
    return Opinion(False, f"has {case.covered[0]:.0%} of the reference's facts, {case.needed:.0%} needed{case.lacking}")


PROSE: Table = (denied, opposite_direction, enough_facts, all_in_reference, too_few_facts)


# Of lists and names; what is neither is prose.


def all_items_named(case: Case) -> Opinion | None:
    """A list is right where each of its items is named, in any order."""
    if not case.items or _missing_items(case):
        return None
    return Opinion(True, f"all {len(case.items)} items are named")


def item_missing(case: Case) -> Opinion | None:
    """Items of a word or two are named or not; longer ones may be told in other words, and are read as prose."""
    if not case.items or any(len(content(item)) > 2 for item in case.items):
        return None
    return Opinion(False, f"{_missing_items(case)[0]!r} is not in the answer")


def _missing_items(case: Case) -> list[str]:
    """The items of the reference that the answer does not name; what it denies does not count unless the reference denies."""
    answer = case.answer if _polarity.NEGATIVE.search(case.gold) else _polarity.affirmed(case.answer)
    return [item for item in case.items if not _facts.lists(answer, item, case.question) and not _has_number(item, answer)]


def _has_number(item: str, answer: str) -> bool:
    """Whether an item that is nothing but numbers has all of them in `answer`."""
    numbers, given = quantities(item), quantities(answer)
    return bool(numbers) and not content(item) and all(any(agree(n, g) for g in given) for n in numbers)


def hedged_name(case: Case) -> Opinion | None:
    """``Either X or Y`` names X, and does not say that it is X."""
    if not case.name or not any(_facts.holds(choice, case.name) for choice in two_names(case.question, case.answer)):
        return None
    return Opinion(False, f"names {case.name!r} beside another, without choosing") if name_given(case) else None


def name_denied(case: Case) -> Opinion | None:
    """``X was not chosen`` names X, and says that it is not X."""
    last = words(case.name)[-1:]
    if not last or _polarity.NEGATIVE.search(case.question + " " + case.gold):
        return None
    said = flat(case.answer)
    denied = len(re.findall(rf"\b{re.escape(last[0])}\W+(?:was|is|were|are|did|does|has|had|will)(?:\s+not|n't)\b", said))
    return Opinion(False, f"denies {case.name!r}") if 0 < denied == len(re.findall(rf"\b{re.escape(last[0])}\b", said)) else None


def competing_name(case: Case) -> Opinion | None:
    """``The office is in Oslo. It also has a shop in Bergen.`` names Bergen, and says Oslo."""
    if not case.name or not another_name(case.question, case.name, case.answer):
        return None
    return Opinion(False, f"names another where it speaks of what was asked, and {case.name!r} beside it")


def name_given(case: Case) -> Opinion | None:
    """A name is right where the answer names it; of what a reference names and goes on about, in its main sentences."""
    spoken = case.answer if case.whole_name else case.main_part
    if not case.name or not _facts.holds(spoken, case.name, case.question):
        return None
    if _polarity.moves_against(case.question, case.gold, case.answer):
        return None
    return Opinion(True, f"names {case.name!r}")


def name_grown_together(case: Case) -> Opinion | None:
    """A page copied without its spaces, ``themedulla oblongataof``, still has the name."""
    name, said = (re.sub(r"[\W_]+", "", flat(text)) for text in (case.name, case.answer))
    apart = flat(case.name).strip() in flat(case.answer)
    if len(name) < GROWN or name not in said or apart or _facts.set_aside(case.answer, case.name):
        return None
    return Opinion(True, f"names {case.name!r}, grown together with other words")


def name_spelt_otherwise(case: Case) -> Opinion | None:
    """A name from another script, or with a letter missed, is the same name."""
    found = spelt_otherwise(case.name, case.answer) or kindred(case.name, _polarity.affirmed(case.answer)) if case.name else ""
    return Opinion(True, f"{found!r} is {case.name!r}") if found else None


def name_but_for_a_word(case: Case) -> Opinion | None:
    """A name of three words or more may be told without its first or its last, unless another stands in its place."""
    found = most_of_name(case.name, case.answer) if case.name else ""
    return Opinion(True, f"names {found!r} of {case.name!r}") if found else None


def name_set_aside(case: Case) -> Opinion | None:
    """``Not X`` and ``rather than X`` have the words of X, and say that it is something else."""
    if not case.name or not _facts.set_aside(case.answer, case.name):
        return None
    return Opinion(False, f"{case.name!r} is named only to be set aside")


def name_missing(case: Case) -> Opinion | None:
    """A name cannot be told in other words. A short reference in small letters, without figures, may be a phrase, which can."""
    if not case.name or (case.name == case.gold.rstrip(".") and not _is_plainly_a_name(case)):
        return None
    return Opinion(False, f"{case.name!r} is not in the answer")


def _is_plainly_a_name(case: Case) -> bool:
    """Whether a reference that may be a phrase as well is one word, holds a figure, or is several words in capitals."""
    several = len(case.gold.split()) > 1
    proper = several and not case.name.isupper() and all(word.strip("\"'(")[:1].isupper() for word in case.name.split())
    return proper or len(content(case.gold)) < 2 or any(character.isdigit() for character in case.gold)


IN_WORDS: Table = (
    all_items_named,
    item_missing,
    hedged_name,
    name_denied,
    competing_name,
    name_given,
    name_set_aside,
    name_grown_together,
    name_spelt_otherwise,
    name_but_for_a_word,
    name_missing,
    *PROSE,
)
