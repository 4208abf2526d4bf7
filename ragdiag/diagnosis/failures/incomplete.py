"""Some of what the query needs is in its context, the rest is not."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Row, Standing, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import other_retrievers, with_context, within
from ragdiag.text.phrases import listed

FIX = "ask in parts: one search for each thing that the query needs; or raise k to {k}"


@dataclass(frozen=True)
class Incomplete(FailureMode):
    """Residual: named where nothing more specific suffices. Proved by the least k that covers all."""

    says = "some of what the query needs is in its context, the rest is not"
    place = 120
    residual = True
    remedies = (within("mmr"), other_retrievers, with_context("neighbours"))

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        covered = [g.number for g in case.groups if g.covered]
        if not covered or len(covered) == len(case.groups):
            return None
        return Observation(case.targets, {"covered": covered, "lacking": [g.number for g in case.targets]})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Raise k."""
        yield from ()
        k = case.standing.rank
        tokens = case.tokens_down_to(k) if k else None
        detail = {"least_k": k} | ({} if tokens is None else {"tokens": tokens})
        after = Standing(k, k is not None)
        fix = FIX.format(k=k) if k else FIX.split(";")[0]
        has, lacks = (listed([str(n) for n in observation.detail[name]]) for name in ("covered", "lacking"))
        rows = [Row.of("has", f"its context holds evidence {has}, and lacks {lacks}")]
        return case.finding("incomplete", observation, f"raise k to {k}", after, fix, detail=detail, tokens=tokens, rows=rows)
