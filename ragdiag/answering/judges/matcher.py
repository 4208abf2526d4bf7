"""The deterministic matcher: rules that read numbers, dates, yes and no, lists, names and prose. No model, no network."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ragdiag.answering.judges._case import Case, decide, decided
from ragdiag.answering.judges._competing import corrected
from ragdiag.answering.judges._glued import unglued
from ragdiag.answering.judges._matching import RULES, WHOLE, WORDLESS, WRITTEN
from ragdiag.answering.judges._numbers import quantities
from ragdiag.answering.judges._plain import plain, unthought
from ragdiag.answering.judges._probability import with_probability
from ragdiag.answering.judges._references import by_any, readings
from ragdiag.answering.judges._separators import european, measured, regular
from ragdiag.answering.judges._spelt import figured, untitled
from ragdiag.answering.judges._text import readable
from ragdiag.answering.judges._tongues import in_its_language
from ragdiag.answering.judges._wrapped import unwrapped
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, Query

FINAL = frozenset(("declines", "hedged_figure", "hedged_name", "name_set_aside", "denied"))
"""Rules that find something in an answer as it stands which no other reading of it takes back."""

BATCH = 32
"""Answers judged together: what is read of one is kept for its query's next reference."""

NOTE = re.compile(r"(?<=\w)\[\d{1,3}\]")
"""The mark of a note that was copied with a reference."""

SHORT = 4
"""Words: where half of a set's golds and of its answers have no more, the set asks for short answers."""


@dataclass(frozen=True)
class Matcher:
    """Compares an answer with the reference by rules.

    `style` "free": the answer must say what the reference says; "whole": it must be the reference, after the normalisation of
    SQuAD and HotpotQA; "auto": whole where the answers and references of the set are a few words each, as the labels of such
    sets are made. `coverage` is the share of a prose reference's facts that an answer must have, on the whole; more of a short
    reference, less of a long one.
    """

    reads: ClassVar[str] = "reference"
    style: Literal["auto", "whole", "free"] = "free"
    coverage: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.coverage <= 1:
            raise SpecError("matcher: coverage must be above 0, up to 1")

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`."""
        whole = self.style == "whole" or (self.style == "auto" and short_answers(asked))
        at_once = (asked[at : at + BATCH] for at in range(0, len(asked), BATCH))
        return [opinion for batch in at_once for opinion in self._opinions(batch, whole)]

    def _opinions(self, asked: Sequence[tuple[Query, Answer]], whole: bool) -> list[Opinion | None]:
        opinions = by_any(asked, lambda pairs: [self._opinion(q.text, q.answer, a.answer, whole) for q, a in pairs])
        return [
            None if opinion is None else with_probability(query.text, query.answers, answer.answer, opinion)
            for (query, answer), opinion in zip(asked, opinions, strict=True)
        ]

    def _opinion(self, question: str, gold: str, answer: str, whole: bool) -> Opinion:
        """By the texts as they are written, else by what they say."""
        as_written = Case(question, gold, answer, self.coverage)
        said = corrected(plain(unwrapped(question, unthought(answer))))
        own = untitled(readable(NOTE.sub("", gold)).strip())
        reference, said = (measured(question, regular(figured(text, own))) for text in (own, said))
        as_read = Case(readable(question), reference, said, self.coverage)
        first_table = WHOLE if whole and not _measured(as_read.gold) else WRITTEN
        return decide(first_table, as_written) or decide(WORDLESS, as_read) or in_its_language(as_read, _by_readings(as_read))


def _by_readings(case: Case) -> Opinion:
    """Right where the answer, as it stands or with words set apart, says what a reading of the reference says.

    Where no reading finds it right, the opinion is that of the texts as they stand.
    """
    as_it_stands: Opinion | None = None
    for answer in dict.fromkeys((case.answer, unglued(case.answer), european(case.answer))):
        for gold in readings(case.gold):
            opinion = decided(RULES, replace(case, gold=gold, answer=answer))
            if opinion.correct:
                return opinion
            as_it_stands = as_it_stands or opinion
        if as_it_stands is not None and as_it_stands.rule in FINAL:
            break
    assert as_it_stands is not None
    return as_it_stands


def short_answers(asked: Sequence[tuple[Query, Answer]]) -> bool:
    """Whether a set asks for a few words in one form: half of its references and of its answers have `SHORT` words or fewer.

    Where a query has several references, the form is not what counts.
    """
    judgeable = [(query.answers, answer.answer) for query, answer in asked if not answer.failed and query.answers]
    if any(len(references) > 1 for references, _ in judgeable):
        return False
    lengths = [(len(references[0].split()), len(answer.split())) for references, answer in judgeable]
    return len(lengths) > 1 and all(statistics.median(of_one) <= SHORT for of_one in zip(*lengths, strict=True))


def _measured(gold: str) -> bool:
    """Whether `gold` is one number with a unit, a scale or decimals: it may be written in many ways however short it is."""
    numbers = quantities(gold)
    if len(numbers) != 1 or numbers[0].text != gold:
        return False
    return numbers[0].unit not in ("", "year") or bool(numbers[0].scale) or numbers[0].step < 1
