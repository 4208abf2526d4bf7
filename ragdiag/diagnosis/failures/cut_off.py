"""A score threshold, or the packing of the prompt, left out evidence that the stage before still held."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ragdiag.core.proofs import Standing, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._stages import before, rows, seen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.replay import without
from ragdiag.search.changes import Fix

FIX = Fix("hand over more, or lower the threshold")


@dataclass(frozen=True)
class CutOff(FailureMode):
    """Proved by handing over the list before it, as far as a context of this size reaches; residual where only more would do."""

    says = "the packing of the prompt, or a threshold, left the evidence out"
    cannot_tell = "whether the rule that left it out, a threshold or a limit of tokens, is right for other queries"
    place = 24
    levels = ("span", "document")
    stage = "prompted"
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        return seen(case, self.stage)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Hand over what was there before, first as much as fits; then all of it, where no budget of tokens forbids."""
        yield from ()
        after, last = without(case, self.stage), before(case, self.stage)
        how = f"undo the packing: hand over what was {last}"
        if after.rank is None:
            return case.finding("cut_off", observation, how, after, FIX, rows=rows(case, self.stage))
        handed = case.stages[last].tolist()[: after.rank]
        more = sum(case.tokens(case.setting.span(c)) for c in handed if c not in case.context)
        how += f", down to rank {after.rank}: {more} tokens more"
        residual = not after.sufficient and not case.setting.budget
        finding = case.finding(
            "cut_off",
            observation,
            how,
            Standing(after.rank, True) if residual else after,
            FIX,
            detail={"tokens_more": more},
            tokens=sum(case.tokens(case.setting.span(c)) for c in handed),
            rows=rows(case, self.stage),
        )
        return replace(finding, residual=residual)
