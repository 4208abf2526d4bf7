"""A near-duplicate of the evidence says something else, and nothing tells which of them holds."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Edit, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._rows import chunk_rows
from ragdiag.diagnosis.failures._twins import Twin, twin
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix
from ragdiag.text.versions import Versions

FIX = Fix("decide which of them holds; remove the other, or mark it as superseded")

MOST_VERSIONS = 7
"""Values that may stand in one place of near-duplicates: more are a series, a page for each branch or year, and no conflict."""


@dataclass(frozen=True)
class Conflicting(FailureMode):
    """Near-duplicates of the evidence with other values, which no date, version or mark orders, in the context or above it.

    Which of them is right is for their owner to say: a finding wherever it is seen, and a cause where dropping those above serves
    the query. As with old versions of the evidence itself, they are wrong in a context of any length beside it, so that dropping
    others is no control.
    """

    says = "near-duplicates of the evidence say something else, and nothing tells which holds"
    cannot_tell = "which of the texts is right: their owner knows"
    place = 65
    of_copies = True
    levels = ("span", "document")
    exposes = True
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        twins = unordered(case)
        if not twins:
            return None
        rows = [row | {"values": t.says} for row, t in zip(described(case, list(twins)), twins.values(), strict=False)]
        return Observation(case.targets, {"conflicts": rows}, frozenset(twins) & frozenset(case.above))

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Drop them."""
        edit = Edit(observation.held)
        (outcome,) = yield [edit]
        return case.finding(
            "conflicting",
            observation,
            "drop the near-duplicates with other values",
            outcome.standing,
            FIX,
            rows=chunk_rows("beside", observation.detail["conflicts"], lambda chunk: f" (says {chunk['values']})"),
            edit=edit,
        )


def unordered(case: Case) -> dict[int, Twin]:
    """The chunks in the context or above the evidence that say something else in its words, and that nothing orders."""
    versions, documents = case.setting.versions, case.setting.chunking.document
    current = {s.document for g in case.groups for s in g.spans}
    twins: dict[int, Twin] = {}
    for chunk in dict.fromkeys([*case.context, *case.above]):
        mine = int(documents[chunk])
        if chunk in case.evidence or mine in current or not (near := twin(case, chunk)):
            continue
        if not _ordered(versions, mine, near.document):
            twins[chunk] = near
    stated = {value.other.casefold() for near in twins.values() for value in near.values[:1]}
    return {} if len(stated) > MOST_VERSIONS else twins


def _ordered(versions: Versions, one: int, other: int) -> bool:
    """Whether something tells which of two documents is the older one."""
    return any(versions.link(*pair) or versions.older(*pair) for pair in ((one, other), (other, one)))
