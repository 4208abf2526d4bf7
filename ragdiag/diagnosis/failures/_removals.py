"""The control of causes that are proved by dropping chunks: dropping as many others that stand above."""

from __future__ import annotations

import random
from collections.abc import Collection, Generator, Sequence

from ragdiag.core.proofs import Control, Edit, Outcome
from ragdiag.diagnosis.cases import Case
from ragdiag.text.phrases import counted

DRAWS = 5
"""Sets of other chunks that are dropped, each drawn at random."""

MOST_OF_THEM = "most of what stands above: there are not as many other chunks to drop"


def others_dropped(
    case: Case, removed: Collection[int], alike: Collection[int] = ()
) -> Generator[Sequence[Edit], Sequence[Outcome], Control]:
    """What dropping as many other chunks comes to, drawn from those above the evidence that are neither `removed` nor `alike`.

    Where there are not as many, the removed chunks are most of what stands above: there is nothing to hold against them, and
    nothing is tried.
    """
    above = case.ranking[: min(case.standing.rank or 10 * case.length, 10 * case.length)].tolist()
    n = sum(c in removed for c in above)  # copies of the evidence among them
    others = [c for c in case.above if c not in removed and c not in alike]
    if n > len(others):
        return Control(0, 0, None, MOST_OF_THEM)
    rng = random.Random(case.number)  # the same draws in every run
    draws = {frozenset(rng.sample(others, n)) for _ in range(DRAWS)}
    outcomes = yield [Edit(draw) for draw in sorted(draws, key=sorted)]
    as_well = sum(outcome.standing.sufficient for outcome in outcomes)
    which = f"dropping {counted(n, 'other chunk')} that stand{'s' if n == 1 else ''} above"
    return Control(len(draws), as_well, None, f"{which} does as well in {as_well} of {counted(len(draws), 'draw')}")


def holds(control: Control | None) -> bool:
    """Whether a control did not do as well: in less than half of its draws."""
    return control is None or control.tried == 0 or 2 * control.as_well < control.tried
