"""A filter, or a permission, dropped evidence that the search had found."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._stages import rows, seen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.replay import without
from ragdiag.search.changes import Fix

FIX = Fix("let the filter pass what the question may need, or filter before the search")

UNSEEN = "the reranker never saw what was dropped: put back at the rank at which it was found"


@dataclass(frozen=True)
class FilteredOut(FailureMode):
    """Proved by putting back what the filter dropped, with the later stages as they were."""

    says = "a filter dropped the evidence"
    cannot_tell = "whether the filter is right: it may keep the page from those who must not see it"
    place = 22
    levels = ("span", "document")
    stage = "filtered"
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        return seen(case, self.stage)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Put the dropped chunks back at the ranks at which they were found."""
        yield from ()
        reranked = "reranked" in case.stages
        how, after = "undo the filter: put back what it dropped", without(case, self.stage)
        shown = [*rows(case, self.stage), *([Row.of("placed", UNSEEN)] if reranked else [])]
        detail = {"placed": UNSEEN if reranked else "in the order in which it was found"}
        return case.finding("filtered_out", observation, how, after, FIX, detail=detail, rows=shown)
