"""What the rules of the matcher read, and how a table of them decides."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from ragdiag.answering.judges import _facts, _numeric, _polarity
from ragdiag.answering.judges._conclusion import main_sentences
from ragdiag.answering.judges._names import person
from ragdiag.answering.judges._numbers import scale_asked
from ragdiag.answering.judges._text import content, refuses
from ragdiag.core.opinions import Opinion

FEW, MANY = 4, 12
"""Words of meaning up to which a reference is short, and facts above which it is long."""

NAME_WORDS = 5
"""Words up to which a reference may be a name."""


SAYS = re.compile(r"\w \b(?:is|are|was|were|has|have|had|can|could|may|will|would)\b \w")
"""What makes a few words a sentence."""


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
        """The items of a reference that is a list; else none: a person with what stands behind the name is no list."""
        return [] if person(self.gold) else _facts.items(self.gold)

    @functools.cached_property
    def whole_name(self) -> str:
        """A reference that is short enough to be a name."""
        return self.gold.rstrip(".") if len(self.gold.split()) <= NAME_WORDS and not SAYS.search(self.gold) else ""

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
"""Gives an opinion, or None where it does not apply; its docstring says why it is there."""

Table = tuple[Rule, ...]
"""Rules in the order of judging: the first that applies decides."""


def decide(table: Table, case: Case) -> Opinion | None:
    """The opinion of the first rule that applies, with that rule's name; None where none does."""
    for rule in table:
        opinion = rule(case)
        if opinion is not None:
            why = opinion.why.replace("\n", " ")  # a reason quotes texts, and is one line
            return opinion._replace(why=why, rule=opinion.rule or rule.__name__)
    return None


def decided(table: Table, case: Case) -> Opinion:
    """`decide` by a table whose last rule always applies."""
    opinion = decide(table, case)
    assert opinion is not None
    return opinion
