"""A superseded version of the evidence stands above it."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Edit, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described, says_nearly
from ragdiag.diagnosis.failures._rows import chunk_rows
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import within
from ragdiag.text.versions import could_be_older, link

FIX = "drop superseded versions from the index, or filter them out at query time"


@dataclass(frozen=True)
class Stale(FailureMode):
    """Proved by dropping the superseded versions of this evidence, and nothing else.

    A version is known by metadata (`superseded_by`, a `family` with `version` or `date`, `superseded` under the same title), or
    as a near-duplicate with other values whose document is older. Age alone is no reason.
    """

    says = "a superseded version stands above the evidence"
    place = 60
    of_copies = True
    levels = ("span", "document")
    exposes = True
    remedies = (within("latest"),)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        old = superseded(case)
        if not old:
            return None
        rows = [row | {"by": by} for row, by in zip(described(case, list(old)), old.values(), strict=False)]
        return Observation(case.targets, {"versions": rows}, frozenset(old))

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Drop them."""
        edit = Edit(observation.held)
        (outcome,) = yield [edit]
        rows = chunk_rows("above", observation.detail["versions"], lambda chunk: f" ({chunk['by']})")
        return case.finding("stale", observation, "drop the superseded versions", outcome.standing, FIX, rows=rows, edit=edit)


def superseded(case: Case) -> dict[int, str]:
    """The chunks above that belong to a superseded version of the query's evidence, and how that is known."""
    documents, titles = case.setting.corpus.documents, case.setting.titles
    current = {s.document for g in case.groups for s in g.spans}
    old: dict[int, str] = {}
    for chunk in case.above:
        document = int(case.setting.chunking.document[chunk])
        if document in current:
            continue
        by = next((b for d in sorted(current) if (b := link(documents[document], documents[d], titles))), "")
        if not by and any(could_be_older(documents[document], documents[d]) for d in current) and says_nearly(case, chunk):
            by = "near-duplicate of an older document"
        if by:
            old[chunk] = by
    return old
