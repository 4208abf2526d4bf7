"""The rules of the matcher, as ordered tables: the first rule that applies decides, and its name is in `Opinion.rule`.

`WHOLE` or `WRITTEN` read a reference and an answer as they are written; then `WORDLESS` and `RULES` read them without marks and
courtesies. The other tables are those of single rules.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ragdiag.answering.judges import _dates, _facts, _numeric, _polarity, _spans
from ragdiag.answering.judges._case import Case, Table, decide, decided
from ragdiag.answering.judges._competing_rules import competing_figure, time_of_day
from ragdiag.answering.judges._explained import doubt
from ragdiag.answering.judges._hedged import two_figures
from ragdiag.answering.judges._numbers import quantities
from ragdiag.answering.judges._refusals import ENGLISH, unable
from ragdiag.answering.judges._text import UNSUITED, answering, content, first_sentence, normalised, refuses, sentences, words
from ragdiag.answering.judges._wording import IN_WORDS, PROSE
from ragdiag.core.opinions import DOUBTFUL, Opinion

EXPLAINED = 0.5
"""Share of what a reference adds to its yes or no that stands for the yes or no itself."""

NOTHING = re.compile(r"\b(?:there (?:is|are|were|was) (?:none|no)|none|nothing|does not|do not|not)\b", re.IGNORECASE)


NONE = re.compile(r"\W*(?:none|neither|nobody|no one|nothing|no-one)\b", re.IGNORECASE)
FEW_WORDS = 4
"""Words up to which a reference that begins so says no more."""


# Of texts as they are written.


def equal_as_a_whole(case: Case) -> Opinion:
    """Equality after normalisation, as the labels of SQuAD and HotpotQA were made: a date in another form is not equal."""
    if normalised(case.gold) == normalised(case.answer):
        return Opinion(True, "the same as the reference")
    return Opinion(False, "not the reference as a whole", "refusal" if refuses(case.answer) else "")


def same_as_written(case: Case) -> Opinion | None:
    """What equals the reference is right before anything is taken off either: a courtesy may be what was asked for."""
    return same_as_reference(case) if normalised(case.gold) else None


WHOLE: Table = (equal_as_a_whole,)
WRITTEN: Table = (same_as_written,)


# Of texts without any words. What is read afterwards has some.


def no_words_in_reference(case: Case) -> Opinion | None:
    """A reference such as ``+`` holds nothing that a rule could read."""
    if words(case.gold):
        return None
    return Opinion(case.gold == case.answer, "compared mark by mark: the reference holds no words")


def empty_answer(case: Case) -> Opinion | None:
    """Who says nothing declines to answer."""
    return None if words(case.answer) else Opinion(False, "the answer is empty", "refusal")


WORDLESS: Table = (no_words_in_reference, empty_answer)


# Before the kind of answer is asked for: equality, and references and answers that decline.


def same_as_reference(case: Case) -> Opinion | None:
    """What equals the reference is right, whatever its words would mean to other rules."""
    same = normalised(case.gold) == normalised(case.answer) and _numeric.same_marks(case.gold, case.answer)
    return Opinion(True, "the same as the reference") if same else None


def reference_does_not_apply(case: Case) -> Opinion | None:
    """Where the right answer is that a measure does not fit what is asked about, an answer must say so."""
    if not UNSUITED.search(case.gold) or quantities(case.gold) or _polarity.WORD.match(case.gold):
        return None
    same = bool(UNSUITED.search(case.answer))
    return Opinion(same, "the reference says that it does not apply; the answer " + ("agrees" if same else "does not"))


def reference_refuses(case: Case) -> Opinion | None:
    """Where the right answer is that the documents do not say, an answer must decline or deny."""
    if not refuses(case.gold) or quantities(case.gold):
        return None
    denied = refuses(case.answer) or bool(NOTHING.search(first_sentence(case.answer)))
    return Opinion(denied, "the reference says it is not given; the answer " + ("agrees" if denied else "gives one"))


def declines(case: Case) -> Opinion | None:
    """An answer that declines is wrong, unless it says yes or no, or what it says besides is right without the refusal."""
    if not case.declines:
        return None
    if case.asks_yes_or_no:
        silent = _polarity.spoken(case.answer) is None and not _denies_what_was_asked(case)
        return _refusal() if silent or _denies_to_answer(case) else None
    if decided(BY_KIND, case).correct and (_polarity.NEGATIVE.search(case.gold) or _right_besides(case)):
        return None
    return _refusal()


def _refusal() -> Opinion:
    return Opinion(False, "refusal", "refusal")


def _denies_what_was_asked(case: Case) -> bool:
    """Whether what reads as a refusal answers the question: ``Breakfast is not provided.`` where that is asked."""
    found = ENGLISH.search(case.answer)
    return found is not None and bool(set(content(found[0])[-1:]) & set(content(case.question)))


def _denies_to_answer(case: Case) -> bool:
    """Whether a "no" denies that there is an answer (``No information is given.``, ``No, I cannot tell.``)."""
    rest = answering(case.answer)
    if _polarity.spoken(rest) is not None or (words(rest) and _polarity.restates(case.question, rest)):
        return False
    return unable(case.answer)


def _right_besides(case: Case) -> bool:
    """Whether what the answer says in sentences that do not refuse is right."""
    rest = answering(case.answer)
    return bool(words(rest)) and decided(BY_KIND, replace(case, answer=rest)).correct


# Of a reference that says yes or no.


def explains_the_same(case: Case) -> Opinion | None:
    """Who says neither yes nor no, and gives the reference's reason without repeating the question, means the same."""
    if _polarity.spoken(case.answer) is not None or not words(case.beside_yes_or_no):
        return None
    if _polarity.restates(case.question, case.answer) or _polarity.contrary(case.gold, case.answer):
        return None
    if _polarity.moves_otherwise(case.beside_yes_or_no, case.answer):
        return None
    share, _, _ = replace(case, gold=case.beside_yes_or_no).covered
    return Opinion(True, "explains what the reference explains") if share >= EXPLAINED else None


def neither_yes_nor_no(case: Case) -> Opinion | None:
    """An answer that speaks of nothing that was asked about says neither."""
    if _polarity.spoken(case.answer) is not None or _polarity.speaks(case.question, case.answer):
        return None
    return Opinion(False, "the answer says neither yes nor no")


def same_yes_or_no(case: Case) -> Opinion:
    """Yes is yes, in the word itself or by what the sentence about the question says."""
    expected, spoken = _polarity.spoken(case.gold), _polarity.spoken(case.answer)
    if expected is None:
        expected = _polarity.implied(case.question, case.gold)
    given = _polarity.implied(case.question, case.answer) if spoken is None else spoken
    how = "says" if spoken is not None else "means"
    reason = f"the reference says {_yes_or_no(expected)}, the answer {how} {_yes_or_no(given)}"
    against = doubt(case.question, case.gold, case.answer) if expected == given else ""
    return Opinion(False, f"{reason}, but {against}", DOUBTFUL) if against else Opinion(expected == given, reason)


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


YES_OR_NO: Table = (explains_the_same, neither_yes_nor_no, same_yes_or_no)


# By the kind of answer that the reference is.


def reference_says_none(case: Case) -> Opinion | None:
    """``Neither`` is ``none of them``, and anything that denies."""
    if not NONE.match(case.gold) or len(words(case.gold)) > FEW_WORDS or quantities(case.gold):
        return None
    denies = bool(_polarity.NEGATIVE.search(first_sentence(case.answer)))
    return Opinion(denies, "the reference says that there is none; the answer " + ("agrees" if denies else "names one"))


def more_than_yes_or_no(case: Case) -> Opinion | None:
    """Where a question asks for more than yes or no (``and why?``), the right one of the two is not enough: the rest is prose."""
    if not case.asks_yes_or_no or not _polarity.ALSO.search(case.question) or not content(case.beside_yes_or_no):
        return None
    return decide(PROSE, replace(case, gold=case.beside_yes_or_no)) if decided(YES_OR_NO, case).correct else None


def yes_or_no(case: Case) -> Opinion | None:
    """A yes or no is judged by what it says, not by its words."""
    return decide(YES_OR_NO, case) if case.asks_yes_or_no else None


def rise_or_fall(case: Case) -> Opinion | None:
    """To a question that asks whether something rose or fell, the direction is the answer."""
    if not _polarity.asks_direction(case.question) or not _polarity.same_direction(case.gold, case.gold):
        return None
    same = _polarity.same_direction(case.gold, case.main_part)
    if not same and not _polarity.reverses(case.gold, case.main_part):
        return None
    return Opinion(same, "the same direction as the reference" if same else "the opposite direction of the reference")


def choice(case: Case) -> Opinion | None:
    """Where the question gives what to choose from, the answer's first choice counts: its reasons name the others."""
    options = _facts.choices(case.question)
    right = _facts.chosen(options, case.gold)
    if not right:
        return None
    given = _facts.chosen(options, case.answer)
    return Opinion(given == right, f"chooses {given!r}" + ("" if given == right else f", not {right!r}"))


def hedged_figure(case: Case) -> Opinion | None:
    """``Either 12 or 14`` names the right figure and does not say which it is."""
    numbers = quantities(case.gold)
    if len(numbers) != 1 or not (_numeric.is_numeric(case.question, case.gold) or _dates.is_date(case.gold)):
        return None
    both = two_figures(numbers[0], case.answer)
    return Opinion(False, f"gives {both[0]} and {both[1]} without choosing") if both else None


def stretch_of_years(case: Case) -> Opinion | None:
    """A decade or a century is told by its name, or by a year within it."""
    return _spans.compare(case.question, case.gold, case.answer)


def amount_like_a_year(case: Case) -> Opinion | None:
    """Four digits alone may be an amount as well as a year, unless the question tells which."""
    if not _dates.is_date(case.gold) or not _dates.is_bare(case.gold) or _dates.WHEN.search(case.question):
        return None
    opinion = _numeric.compare(case.question, case.gold, case.answer)
    return opinion if opinion.correct or _numeric.asks_amount(case.question) else None


def date(case: Case) -> Opinion | None:
    """A date is the same in any form."""
    return _dates.compare(case.gold, case.answer, case.question) if _dates.is_date(case.gold) else None


def date_in_prose(case: Case) -> Opinion | None:
    """To a question that asks when, the first date of a reference is the answer, whatever it tells besides."""
    dates = _dates.dates(case.gold)
    if not dates or not _dates.WHEN.search(case.question):
        return None
    return _dates.compare(case.gold[dates[0].start : dates[0].end], case.answer, case.question)


def numbers_reversed(case: Case) -> Opinion | None:
    """Of a change told by two numbers the order counts: the same numbers, told as a fall, do not say that something rose."""
    if len(quantities(case.gold)) < 2 or not _numeric.is_numeric(case.question, case.gold):
        return None
    reverses = _polarity.reverses(case.gold, case.answer)
    return Opinion(False, "says the opposite direction of the reference") if reverses else None


def numbers(case: Case) -> Opinion | None:
    """A reference that is numbers is right where each is stated as a result, in any unit, scale or rounding."""
    numeric = _numeric.is_numeric(case.question, case.gold)
    return _numeric.compare(case.question, case.gold, case.answer) if numeric else None


def number_in_prose(case: Case) -> Opinion | None:
    """To a question that asks how much, the number is enough, whatever else the reference tells; without it, the rest may do."""
    if not _numeric.asks_quantity(case.question) or _facts.WHY.search(case.question):
        return None
    number = _numeric.key_number(case.question, case.gold)
    if not number or not quantities(case.answer):
        return None
    opinion = _numeric.compare(case.question, number, case.answer)
    return opinion if opinion.correct else None


def in_words(case: Case) -> Opinion | None:
    """What is left is a list, a name or prose; reasons and surroundings, which name other things, are left out before."""
    answer = case.answer
    if _facts.CHOICE.search(case.question) and not _facts.WHY.search(case.question):
        answer = " ".join(_facts.BECAUSE.split(sentence)[0] for sentence in sentences(answer)) or answer
    return decide(IN_WORDS, replace(case, gold=_facts.place(case.question, case.gold) or case.gold, answer=answer))


BY_KIND: Table = (
    reference_says_none,
    more_than_yes_or_no,
    yes_or_no,
    rise_or_fall,
    choice,
    hedged_figure,
    time_of_day,
    competing_figure,
    stretch_of_years,
    amount_like_a_year,
    date,
    date_in_prose,
    numbers_reversed,
    numbers,
    number_in_prose,
    in_words,
)

RULES: Table = (same_as_reference, reference_does_not_apply, reference_refuses, declines, *BY_KIND)
