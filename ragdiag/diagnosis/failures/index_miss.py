"""An approximate index does not return a chunk that exact search finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ragdiag.core.proofs import EXACT, Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._rows import MOST, beginning, left_out
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix

FIX = Fix(
    "raise ef_search or nprobe (the index then looks at more vectors), search exactly, or rebuild the index with more links"
)
OWN = Fix("{remedy}, search exactly, or build the index anew")


@dataclass(frozen=True)
class IndexMiss(FailureMode):
    """Proved by searching the same vectors exactly, and nothing else."""

    says = "the index does not return a chunk that exact search finds"
    cannot_tell = "why the index misses it: its settings, how it was built, or what was deleted since"
    place = 100
    alone = "exact search"
    levels = ("span", "document")
    fixes = (FIX, OWN)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`. Whether something is missed is not known before the search."""
        return Observation(case.targets, {}) if EXACT in case.setting.swaps and not case.standing.sufficient else None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Search exactly; nothing is found where no evidence stands higher then than in the index's own ranking."""
        edit = Edit(retriever=EXACT)
        (outcome,) = yield [edit]
        nowhere = len(outcome.order) + 1
        ranked = [(c, i) for i, c in enumerate(outcome.order.tolist(), 1) if c in case.evidence]
        ranks = {c: i for c, i in ranked if i < case.rank_of.get(c, nowhere) and c not in case.context}
        if not ranks:
            return None
        rows = described(case, list(ranks))
        missed = [row | {"exact": rank} for row, rank in zip(rows, ranks.values(), strict=False)]
        how = "search the same vectors exactly"
        detail, own = {"missed": missed}, case.setting.remedy
        fix = case.setting.advice(OWN if own else FIX, remedy=own)
        return case.finding("index_miss", observation, how, outcome.standing, fix, detail=detail, rows=_rows(missed), edit=edit)


def _rows(missed: Sequence[Mapping[str, object]]) -> Iterator[Row]:
    """The chunks that the index does not return, and where exact search has them."""
    for i, chunk in enumerate(missed[:MOST]):
        yield Row.of("" if i else "missed", f"{chunk['chunk']}, in exact search at rank {chunk['exact']}: ", beginning(chunk))
    yield from left_out(missed, "chunk")
