"""The figures that an answer gives where another was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.answering.judges._numbers import Quantity, agree, quantities
from ragdiag.answering.judges._numeric import is_numeric
from ragdiag.answering.judges._plain import plain
from ragdiag.answering.judges._text import readable

__all__ = ["other_figures", "stands_in"]


def other_figures(question: str, references: Sequence[str], answer: str) -> list[Quantity]:
    """The numbers in an answer to a question whose references are numbers, where none of them is a reference; else none.

    Numbers that the question gives are no answers to it.
    """
    golds = [readable(gold) for gold in references]
    if not golds or not all(is_numeric(question, gold) for gold in golds):
        return []
    given = [q for q in quantities(plain(answer)) if not _any_is(quantities(readable(question)), q)]
    return [] if any(_any_is(quantities(gold), q) for gold in golds for q in given) else given


def _any_is(known: Sequence[Quantity], figure: Quantity) -> bool:
    """Whether any of the known quantities is the figure, in another scale or more exactly."""
    return any(agree(one, figure) or agree(figure, one) for one in known)


def stands_in(figures: Sequence[Quantity], contexts: Sequence[str]) -> bool:
    """Whether any of the figures stands in a context."""
    there = [q for context in contexts for q in quantities(readable(context))]
    return any(_any_is(there, figure) for figure in figures)
