"""A reranker moved evidence out of the context, or dropped it."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._stages import before, rows, seen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.replay import without
from ragdiag.search.changes import Fix

FIX = Fix("rerank fewer chunks, or drop the reranker for such questions")


@dataclass(frozen=True)
class RerankedAway(FailureMode):
    """Proved by the order of the stage before, cut to the size of the context."""

    says = "the reranker moved the evidence out of the context"
    cannot_tell = "whether another reranker would do better: none was run"
    place = 26
    levels = ("span", "document")
    stage = "reranked"
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        return seen(case, self.stage)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Take the order of the stage before."""
        yield from ()
        how = f"undo the reranker: the order of what was {before(case, self.stage)}"
        after = without(case, self.stage)
        return case.finding("reranked_away", observation, how, after, FIX, rows=rows(case, self.stage))
