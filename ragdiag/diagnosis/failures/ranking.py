"""The evidence was found, but ranked too low."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, other_retrievers, with_context

RERANK = Fix("re-rank the first {depth} chunks, with a model that you name")
MORE = Fix("raise k to {k} ({tokens} tokens of context)")


@dataclass(frozen=True)
class Ranking(FailureMode):
    """Residual: named where nothing more specific suffices. The evidence is within `contexts` times the context."""

    contexts: int = 10

    says = "the evidence was found, but ranked too low"
    cannot_tell = "whether a re-ranker would put it first: none was run"
    place = 130
    levels = ("span", "document")
    residual = True
    fixes = (RERANK, MORE)
    remedies = (other_retrievers, with_context("title"), with_context("neighbours"))

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        k = case.standing.rank
        if k is None or not case.length < k <= self.contexts * case.length or any(g.covered for g in case.groups):
            return None
        return Observation(case.groups, {"above": described(case, list(case.above), case.length)})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Raise k."""
        yield from ()
        k, depth = case.standing.k, self.contexts * case.length
        tokens = case.tokens_down_to(case.standing.rank or 0)
        fix = case.setting.advice(RERANK, MORE, depth=depth, k=k, tokens=tokens)
        after, detail = case.standing._replace(sufficient=True), {"least_k": k, "tokens": tokens}
        return case.finding("ranking", observation, f"raise k to {k}", after, fix, detail=detail, tokens=tokens, rows=())
