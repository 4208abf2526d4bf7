"""What the context lacks stands right beside chunks that it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ragdiag.core.proofs import Edit, Standing, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import neighbours
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, expanded

FIX = Fix("hand over neighbours", (expanded,), "; {tokens} tokens of context instead of {tokens_now}")


@dataclass(frozen=True)
class Adjacent(FailureMode):
    """Residual, as it gives more context. Proved by handing over the neighbours of the chunks found, whose ranks stay.

    Where the context holds nothing of what it lacks, a neighbour that does is chance: a whole passage that ranks within
    `contexts` times the context is `ranking`'s.
    """

    contexts: int = 10

    says = "what lacks stands right beside chunks that were found"
    cannot_tell = "why the passage was not found by itself; it may need its heading, or other words"
    place = 124
    residual = True
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient or self._only_low(case):
            return None
        wide = [*case.context, *(c for c in dict.fromkeys(neighbours(case)) if c not in set(case.context))]
        if case.stand(np.array(wide, dtype=np.int64), Edit()).standing.rank is None:
            return None
        return Observation(case.targets, {"tokens": _tokens(case, wide), "tokens_now": case.tokens_down_to(case.length)})

    def _only_low(self, case: Case) -> bool:
        """Whether what the query needs is whole, in no part in the context, and found not far below it."""
        reached = case.standing.rank is not None and case.standing.rank <= self.contexts * case.length
        whole = all(case.holder(group) for group in case.targets)
        pieces = {c for group in case.targets for part in group.needed for c in case.setting.overlapping(part)}
        return reached and whole and pieces.isdisjoint(case.context) and len(case.targets) == len(case.groups)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Hand them over: seen above, as no rank changes."""
        yield from ()
        fix = case.setting.advice(FIX, **observation.detail)
        how = "hand over the chunk before and after each one found"
        after = Standing(case.length, True, case.passage(case.length))
        return case.finding("adjacent", observation, how, after, fix, tokens=observation.detail["tokens"], rows=())


def _tokens(case: Case, chunks: list[int]) -> int:
    """Tokens of the text in any of `chunks`, which may overlap."""
    total, reach = 0, Span(-1, 0, 0)
    for span in sorted(map(case.setting.span, chunks)):
        start = max(span.start, reach.end) if span.document == reach.document else span.start
        if span.end > start:
            total += case.tokens(Span(span.document, start, span.end))
            reach = span
    return total
