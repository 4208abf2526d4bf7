"""The deterministic matcher: rules that read numbers, dates, yes and no, lists, names and prose. No model, no network."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ragdiag.answering.judges import _dates, _facts, _numeric, _polarity
from ragdiag.answering.judges._conclusion import main_sentences
from ragdiag.answering.judges._glued import unglued
from ragdiag.answering.judges._numbers import agree, quantities, scale_asked
from ragdiag.answering.judges._plain import plain
from ragdiag.answering.judges._references import by_any, readings
from ragdiag.answering.judges._text import UNSUITED, answering, content, normalised, readable, refuses, sentences, words
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, Query

LEAST = 0.35
"""Share of a long reference's facts that an answer has which says nothing else."""

EXPLAINED = 0.5
"""Share of what a reference adds to its yes or no that stands for the yes or no itself."""

AGAINST = 0.2
"""How much more of the reference's facts an answer needs that gives another figure, or says the opposite of one of its words."""

MANY = 12
"""Facts from which on a reference is long."""

SHORT = 4
"""Words: where half of a set's golds and of its answers have no more, the set asks for short answers."""

NOTHING = re.compile(r"\b(?:there (?:is|are|were|was) (?:none|no)|none|nothing|does not|do not|not)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Matcher:
    """Compares an answer with the reference by rules.

    `style` "whole": the answer must be the reference, after the normalisation of SQuAD and HotpotQA; "free": it must say what the
    reference says; "auto": whole where the answers and references of the set are a few words each, as the labels of such sets
    are made. `coverage` is the share of a prose reference's facts that an answer must have, on the whole; more of a short
    reference, less of a long one.
    """

    reads: ClassVar[str] = "reference"
    style: Literal["auto", "whole", "free"] = "auto"
    coverage: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.coverage <= 1:
            raise SpecError("matcher: coverage must be above 0, up to 1")

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`."""
        whole = self.style == "whole" or (self.style == "auto" and short_answers(asked))
        return by_any(asked, lambda pairs: [self._opinion(query, answer.answer, whole) for query, answer in pairs])

    def _opinion(self, query: Query, answer: str, whole: bool) -> Opinion:
        if whole and not _measured(query.answer):
            return as_a_whole(query.answer, answer)
        return self._free(query.text, query.answer, answer)

    def _free(self, question: str, gold: str, answer: str) -> Opinion:
        """What is the same as it stands, else by the rules."""
        if normalised(gold) == normalised(answer) and normalised(gold) and _numeric.same_marks(gold, answer):
            return Opinion(True, "the same as the reference")
        question, gold, said = readable(question), readable(gold).strip(), plain(answer)
        if not words(gold):
            return Opinion(gold == said, "compared mark by mark: the reference holds no words")
        if not words(said):
            return Opinion(False, "the answer is empty", "refusal")
        return self._read(question, gold, said)

    def _read(self, question: str, gold: str, answer: str) -> Opinion:
        """Right where the answer, as it stands or with words set apart, says what a reading of the reference says."""
        first: Opinion | None = None
        for said in dict.fromkeys((answer, unglued(answer))):
            for meant in readings(gold):
                found = self._by_rules(question, meant, said)
                if found.correct:
                    return found
                first = first or found
        assert first is not None
        return first

    def _by_rules(self, question: str, gold: str, answer: str) -> Opinion:
        """The rules in order; the first that applies decides."""
        if normalised(gold) == normalised(answer) and _numeric.same_marks(gold, answer):
            return Opinion(True, "the same as the reference")
        if UNSUITED.search(gold) and not quantities(gold) and not _polarity.WORD.match(gold):
            same = bool(UNSUITED.search(answer))
            return Opinion(same, "the reference says that it does not apply; the answer " + ("agrees" if same else "does not"))
        if refuses(gold) and not quantities(gold):
            denied = refuses(answer) or bool(NOTHING.search(sentences(answer)[0]))
            return Opinion(denied, "the reference says it is not given; the answer " + ("agrees" if denied else "gives one"))
        decided = self._by_kind(question, gold, answer)
        if not _declines(answer) or _polar(question, gold, answer) or (decided.correct and _polarity.NEGATIVE.search(gold)):
            return decided
        rest = answering(answer)
        answered = decided.correct and bool(words(rest)) and self._by_kind(question, gold, rest).correct
        return decided if answered else Opinion(False, "refusal", "refusal")

    def _by_kind(self, question: str, gold: str, answer: str) -> Opinion:
        if _polar(question, gold, answer):
            if _declines(answer) and _polarity.spoken(answer) is None:
                return Opinion(False, "refusal", "refusal")
            decided = _yes_or_no(question, gold, answer)
            told = _polarity.WORD.sub("", gold)
            more = decided.correct and _polarity.ALSO.search(question) and content(told)
            return self._prose(question, told, answer) if more else decided
        if _polarity.asks_direction(question) and _polarity.same_direction(gold, gold):
            spoken = " ".join(main_sentences(answer))
            if _polarity.same_direction(gold, spoken) or _polarity.reverses(gold, spoken):
                same = _polarity.same_direction(gold, spoken)
                return Opinion(same, "the same direction as the reference" if same else "the opposite direction of the reference")
        options = _facts.choices(question)
        wanted = _facts.chosen(options, gold)
        if wanted:
            given = _facts.chosen(options, answer)
            return Opinion(given == wanted, f"chooses {given!r}" + ("" if given == wanted else f", not {wanted!r}"))
        if _dates.is_date(gold):
            return _dated(question, gold, answer)
        dated = _dates.dates(gold)
        if dated and _dates.WHEN.search(question):
            return _dates.compare(gold[dated[0].start : dated[0].end], answer)
        if quantities(gold) and _numeric.is_numeric(question, gold):
            if len(quantities(gold)) > 1 and _polarity.reverses(gold, answer):
                return Opinion(False, "says the opposite direction of the reference")
            return _numeric.compare(question, gold, answer)
        asks_amount = _numeric.asks_quantity(question) and not _facts.WHY.search(question)
        key = _numeric.key_number(question, gold) if asks_amount else ""
        if key and quantities(answer):
            decided = _numeric.compare(question, key, answer)
            if decided.correct:
                return decided
        return self._text(question, gold, answer)

    def _text(self, question: str, gold: str, answer: str) -> Opinion:
        """Lists, names, prose."""
        if _facts.CHOICE.search(question) and not _facts.WHY.search(question):
            answer = " ".join(_facts.BECAUSE.split(s)[0] for s in sentences(answer)) or answer  # a reason names others
        gold = _facts.place(question, gold) or gold
        listed = _facts.items(gold)
        if listed:
            said = answer if _polarity.NEGATIVE.search(gold) else _polarity.affirmed(answer)
            missing = [item for item in listed if not _facts.lists(said, item, question) and not _has_number(item, said)]
            if not missing:
                return Opinion(True, f"all {len(listed)} items are named")
            if all(len(content(item)) <= 2 for item in listed):
                return Opinion(False, f"{missing[0]!r} is not in the answer")
        name = ("" if listed else _facts.named(question, gold)) or (gold.rstrip(".") if len(gold.split()) <= 5 else "")
        if name:
            spoken = " ".join(main_sentences(answer)) if len(gold.split()) > 5 else answer
            if _facts.holds(spoken, name, question) and not _polarity.moves_against(question, gold, answer):
                return Opinion(True, f"names {name!r}")
            if _facts.set_aside(answer, name):
                return Opinion(False, f"{name!r} is named only to be set aside")
            proper = all(w[:1].isupper() for w in name.split())
            if (
                name != gold.rstrip(".")
                or len(content(gold)) < 2
                or any(c.isdigit() for c in gold)
                or (proper and len(gold.split()) > 1)
            ):
                return Opinion(False, f"{name!r} is not in the answer")
        return self._prose(question, gold, answer)

    def _prose(self, question: str, gold: str, answer: str) -> Opinion:
        share, missing, facts = _facts.covered(question, gold, answer, scale_asked(question))
        lacking = f"; lacks {', '.join(missing[:3])}" if missing else ""
        if share >= self.coverage and (_polarity.reverses(gold, answer) or _polarity.moves_against(question, gold, answer)):
            return Opinion(False, "says the opposite direction of the reference")
        # Of few facts most are needed; a long reference is a summary that may be summed up otherwise.
        needed = self.coverage + (0.1 if len(content(gold)) <= 4 else -0.1 if facts > MANY else 0.0)
        against = _facts.differs(question, gold, answer), _polarity.contrary(gold, answer)
        if share >= needed + AGAINST * any(against):
            return Opinion(True, f"has {share:.0%} of the reference's facts{lacking}")
        if share >= LEAST and _facts.contained(question, gold, answer):
            return Opinion(True, f"all that it says is in the reference, {share:.0%} of whose facts it has")
        return Opinion(False, f"has {share:.0%} of the reference's facts, {needed:.0%} needed{lacking}")


def short_answers(asked: Sequence[tuple[Query, Answer]]) -> bool:
    """Whether a set asks for a few words in one form: half of its references and of its answers have `SHORT` words or fewer.

    Where a query has several references, the form is not what counts.
    """
    told = [(q, a) for q, a in asked if not a.failed and q.answers]
    if any(len(q.answers) > 1 for q, _ in told):
        return False
    pairs = [(len(q.answers[0].split()), len(a.answer.split())) for q, a in told]
    return len(pairs) > 1 and all(statistics.median(lengths) <= SHORT for lengths in zip(*pairs, strict=True))


def _measured(gold: str) -> bool:
    """Whether `gold` is one number with a unit, a scale or decimals: it may be written in many ways however short it is."""
    text = readable(gold).strip()
    found = quantities(text)
    return (
        len(found) == 1
        and found[0].text == text
        and (found[0].unit not in ("", "year") or bool(found[0].scale) or found[0].step < 1)
    )


def as_a_whole(gold: str, answer: str) -> Opinion:
    """Equality after normalisation, as the labels of SQuAD and HotpotQA were made: a date in another form is not equal."""
    if normalised(gold) == normalised(answer):
        return Opinion(True, "the same as the reference")
    return Opinion(False, "not the reference as a whole", "refusal" if refuses(answer) else "")


def _declines(answer: str) -> bool:
    """Whether the answer's main sentences refuse."""
    return any(refuses(sentence) for sentence in main_sentences(answer))


def _polar(question: str, gold: str, answer: str) -> bool:
    if _polarity.WORD.match(gold):
        return True
    if not _polarity.is_yes_no(question) or _numeric.is_numeric(question, gold):
        return False
    # A reference that says neither is read by its negation; one that tells more than was asked is prose.
    return bool(_polarity.NEGATIVE.search(gold)) or len(set(content(gold)) - set(content(question))) <= 1


def _yes_or_no(question: str, gold: str, answer: str) -> Opinion:
    wanted, said = _polarity.spoken(gold), _polarity.spoken(answer)
    want = _polarity.implied(question, gold) if wanted is None else wanted
    if said is None and not _polarity.restates(question, answer) and not _polarity.contrary(gold, answer):
        told = _polarity.WORD.sub("", gold)
        if words(told) and _facts.covered(question, told, answer, scale_asked(question))[0] >= EXPLAINED:
            return Opinion(True, "explains what the reference explains")
    if said is None and not _polarity.speaks(question, answer):
        return Opinion(False, "the answer says neither yes nor no")
    given = _polarity.implied(question, answer) if said is None else said
    names = {True: "yes", False: "no"}
    how = "says" if said is not None else "means"
    return Opinion(want == given, f"the reference says {names[want]}, the answer {how} {names[given]}")


def _dated(question: str, gold: str, answer: str) -> Opinion:
    """A reference that is a date; four digits alone may be an amount as well, unless the question tells which."""
    if _dates.is_bare(gold) and not _dates.WHEN.search(question):
        amount = _numeric.compare(question, gold, answer)
        if amount.correct or _numeric.asks_amount(question):
            return amount
    return _dates.compare(gold, answer)


def _has_number(item: str, answer: str) -> bool:
    wanted, told = quantities(item), quantities(answer)
    return bool(wanted) and not content(item) and all(any(agree(w, t) for t in told) for w in wanted)
