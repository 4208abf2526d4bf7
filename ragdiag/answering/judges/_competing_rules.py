"""Rules of the matcher for times of the clock, and for figures that are given to something else than what was asked."""

from __future__ import annotations

from ragdiag.answering.judges import _numeric
from ragdiag.answering.judges._case import Case
from ragdiag.answering.judges._clock import is_time, times
from ragdiag.answering.judges._competing import another_figure
from ragdiag.answering.judges._numbers import quantities
from ragdiag.core.opinions import Opinion


def time_of_day(case: Case) -> Opinion | None:
    """A time of the clock is the same in any form; an answer without one is read as any other."""
    given = times(case.answer) if is_time(case.question, case.gold) else []
    if not given:
        return None
    same = times(case.gold)[0] in given
    return Opinion(same, "the same time of day" if same else f"another time of day than {case.gold!r}")


def competing_figure(case: Case) -> Opinion | None:
    """``Nurses get 5 %, teachers 20 %`` has the right figure, and gives another one to what was asked about."""
    numbers = quantities(case.gold)
    if len(numbers) != 1 or not _numeric.is_numeric(case.question, case.gold):
        return None
    other = another_figure(case.question, numbers[0], case.answer)
    return Opinion(False, f"gives {other} to what was asked about, and {numbers[0].text} to something else") if other else None
