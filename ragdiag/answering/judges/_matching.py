"""The rules of the matcher: ordered tables, whose first rule that applies decides.

A rule is a function that gives an opinion, or None where it does not apply. Its name is in `Opinion.rule`, and its docstring
says why it is there. `WHOLE` or `WRITTEN` read a reference and an answer as they are written; then `WORDLESS` and `RULES` read
them without marks and courtesies. The other tables are those of single rules.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ragdiag.answering.judges import _dates, _facts, _numeric, _polarity
from ragdiag.answering.judges._conclusion import main_sentences
from ragdiag.answering.judges._numbers import agree, quantities, scale_asked
from ragdiag.answering.judges._text import UNSUITED, answering, content, normalised, refuses, sentences, words
from ragdiag.core.opinions import Opinion

LEAST = 0.35
"""Share of a long reference's facts that an answer has which says nothing else."""

EXPLAINED = 0.5
"""Share of what a reference adds to its yes or no that stands for the yes or no itself."""

AGAINST = 0.2
"""How much more of the reference's facts an answer needs that gives another figure, or says the opposite of one of its words."""

FEW, MANY = 4, 12
"""Words of meaning up to which a reference is short, and facts above which it is long."""

NAME_WORDS = 5
"""Words up to which a reference may be a name."""

NOTHING = re.compile(r"\b(?:there (?:is|are|were|was) (?:none|no)|none|nothing|does not|do not|not)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A reference, `gold`, and an answer to a question; `coverage` is the share of a prose reference's facts that is needed."""

    question: str
    gold: str
    answer: str
    coverage: float

    @functools.cached_property
    def asks_yes_or_no(self) -> bool:
        """Whether the reference is a yes or a no, in the word itself or by what it denies."""
        if _polarity.WORD.match(self.gold):
            return True
        if not _polarity.is_yes_no(self.question) or _numeric.is_numeric(self.question, self.gold):
            return False
        # A reference that says neither is read by its negation; one that tells more than was asked is prose.
        more = set(content(self.gold)) - set(content(self.question))
        return bool(_polarity.NEGATIVE.search(self.gold)) or len(more) <= 1

    @functools.cached_property
    def declines(self) -> bool:
        """Whether one of the answer's main sentences refuses."""
        return any(refuses(sentence) for sentence in main_sentences(self.answer))

    @functools.cached_property
    def beside_yes_or_no(self) -> str:
        """What the reference says beside its yes or no."""
        return _polarity.WORD.sub("", self.gold)

    @functools.cached_property
    def main_part(self) -> str:
        """The answer's main sentences."""
        return " ".join(main_sentences(self.answer))

    @functools.cached_property
    def items(self) -> list[str]:
        """The items of a reference that is a list; else none."""
        return _facts.items(self.gold)

    @functools.cached_property
    def whole_name(self) -> str:
        """A reference that is short enough to be a name."""
        return self.gold.rstrip(".") if len(self.gold.split()) <= NAME_WORDS else ""

    @functools.cached_property
    def name(self) -> str:
        """What the reference names before it goes on to tell more, else all of a short one; "" where it names nothing."""
        return ("" if self.items else _facts.named(self.question, self.gold)) or self.whole_name

    @functools.cached_property
    def covered(self) -> tuple[float, list[str], int]:
        """The share of the reference's facts that the answer has, those it lacks, and the number of facts."""
        return _facts.covered(self.question, self.gold, self.answer, scale_asked(self.question))

    @functools.cached_property
    def needed(self) -> float:
        """The share of the reference's facts that an answer needs: more of few, less of a summary, which may differ."""
        if len(content(self.gold)) <= FEW:
            return self.coverage + 0.1
        return self.coverage + (-0.1 if self.covered[2] > MANY else 0.0)

    @functools.cached_property
    def lacking(self) -> str:
        """The first facts that the answer lacks, as the end of a reason."""
        missing = self.covered[1]
        return f"; lacks {', '.join(missing[:3])}" if missing else ""


Rule = Callable[[Case], Opinion | None]
Table = tuple[Rule, ...]


def decide(table: Table, case: Case) -> Opinion | None:
    """The opinion of the first rule that applies, with that rule's name; None where none does."""
    for rule in table:
        opinion = rule(case)
        if opinion is not None:
            return opinion if opinion.rule else opinion._replace(rule=rule.__name__)
    return None


def decided(table: Table, case: Case) -> Opinion:
    """`decide` by a table whose last rule always applies."""
    opinion = decide(table, case)
    assert opinion is not None
    return opinion


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
    denied = refuses(case.answer) or bool(NOTHING.search(sentences(case.answer)[0]))
    return Opinion(denied, "the reference says it is not given; the answer " + ("agrees" if denied else "gives one"))


def declines(case: Case) -> Opinion | None:
    """An answer that declines is wrong, unless it says yes or no, or what it says besides is right without the refusal."""
    if not case.declines:
        return None
    if case.asks_yes_or_no:
        return _refusal() if _polarity.spoken(case.answer) is None else None
    if decided(BY_KIND, case).correct and (_polarity.NEGATIVE.search(case.gold) or _right_besides(case)):
        return None
    return _refusal()


def _refusal() -> Opinion:
    return Opinion(False, "refusal", "refusal")


def _right_besides(case: Case) -> bool:
    """Whether what the answer says in sentences that do not refuse is right."""
    rest = answering(case.answer)
    return bool(words(rest)) and decided(BY_KIND, replace(case, answer=rest)).correct


# Of prose.


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


PROSE: Table = (opposite_direction, enough_facts, all_in_reference, too_few_facts)


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


def name_given(case: Case) -> Opinion | None:
    """A name is right where the answer names it; of what a reference names and goes on about, in its main sentences."""
    spoken = case.answer if case.whole_name else case.main_part
    if not case.name or not _facts.holds(spoken, case.name, case.question):
        return None
    if _polarity.moves_against(case.question, case.gold, case.answer):
        return None
    return Opinion(True, f"names {case.name!r}")


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
    proper = several and all(word[:1].isupper() for word in case.name.split())
    return proper or len(content(case.gold)) < 2 or any(character.isdigit() for character in case.gold)


IN_WORDS: Table = (all_items_named, item_missing, name_given, name_set_aside, name_missing, *PROSE)


# Of a reference that says yes or no.


def explains_the_same(case: Case) -> Opinion | None:
    """Who says neither yes nor no, and gives the reference's reason without repeating the question, means the same."""
    if _polarity.spoken(case.answer) is not None or not words(case.beside_yes_or_no):
        return None
    if _polarity.restates(case.question, case.answer) or _polarity.contrary(case.gold, case.answer):
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
    return Opinion(expected == given, reason)


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


YES_OR_NO: Table = (explains_the_same, neither_yes_nor_no, same_yes_or_no)


# By the kind of answer that the reference is.


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


def amount_like_a_year(case: Case) -> Opinion | None:
    """Four digits alone may be an amount as well as a year, unless the question tells which."""
    if not _dates.is_date(case.gold) or not _dates.is_bare(case.gold) or _dates.WHEN.search(case.question):
        return None
    opinion = _numeric.compare(case.question, case.gold, case.answer)
    return opinion if opinion.correct or _numeric.asks_amount(case.question) else None


def date(case: Case) -> Opinion | None:
    """A date is the same in any form."""
    return _dates.compare(case.gold, case.answer) if _dates.is_date(case.gold) else None


def date_in_prose(case: Case) -> Opinion | None:
    """To a question that asks when, the first date of a reference is the answer, whatever it tells besides."""
    dates = _dates.dates(case.gold)
    if not dates or not _dates.WHEN.search(case.question):
        return None
    return _dates.compare(case.gold[dates[0].start : dates[0].end], case.answer)


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
    more_than_yes_or_no,
    yes_or_no,
    rise_or_fall,
    choice,
    amount_like_a_year,
    date,
    date_in_prose,
    numbers_reversed,
    numbers,
    number_in_prose,
    in_words,
)

RULES: Table = (same_as_reference, reference_does_not_apply, reference_refuses, declines, *BY_KIND)
