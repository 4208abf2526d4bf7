"""The evidence was found, but ranked too low."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.core.proofs import Standing, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described

FIX = "re-rank the first {depth} chunks; or raise k to {k} ({tokens} tokens of context)"


@dataclass(frozen=True)
class Ranking:
    """Residual: named where nothing more specific suffices. The evidence is within `contexts` times the context."""

    contexts: int = 10

    levels: ClassVar[tuple[str, ...]] = ("span", "document")
    residual: ClassVar[bool] = True
    exposes: ClassVar[bool] = False

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        k = case.standing.rank
        if k is None or not case.length < k <= self.contexts * case.length or any(g.covered for g in case.groups):
            return None
        return Observation(case.groups, {"above": described(case, list(case.above), case.length)})

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Raise k."""
        yield from ()
        k, depth = case.standing.rank or 0, self.contexts * case.length
        tokens = case.tokens_down_to(k)
        fix = FIX.format(depth=depth, k=k, tokens=tokens)
        return case.finding("ranking", seen, f"raise k to {k}", Standing(k, True), fix, detail={"least_k": k, "tokens": tokens})
