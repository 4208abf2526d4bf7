"""Some of what the query needs is in its context, the rest is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.core.proofs import Standing, Trial
from ragdiag.diagnosis.cases import Case, Observation

FIX = "ask in parts: one search for each thing that the query needs; or raise k to {k}"


@dataclass(frozen=True)
class Incomplete:
    """Residual: named where nothing more specific suffices. Proved by the least k that covers all."""

    levels: ClassVar[tuple[str, ...]] = ("span",)
    residual: ClassVar[bool] = True
    exposes: ClassVar[bool] = False

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        covered = [g.number for g in case.groups if g.covered]
        if not covered or len(covered) == len(case.groups):
            return None
        return Observation(case.targets, {"covered": covered, "lacking": [g.number for g in case.targets]})

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Raise k."""
        yield from ()
        k = case.standing.rank
        detail = {"least_k": k} | ({"tokens": case.tokens_down_to(k)} if k else {})
        after = Standing(k, k is not None)
        fix = FIX.format(k=k) if k else FIX.split(";")[0]
        return case.finding("incomplete", seen, f"raise k to {k}", after, fix, detail=detail)
