"""Records of a store that are of no document as it is now stand above the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._removals import holds, others_dropped
from ragdiag.diagnosis.failures._rows import MOST, beginning, left_out
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix

FIX = Fix("index changed documents anew, and delete the records of documents that are gone")


@dataclass(frozen=True)
class Foreign(FailureMode):
    """A store holds what its documents said once, or documents that are gone.

    Proved by dropping such records from above the evidence; the control drops as many others.
    """

    says = "records of no document stand above the evidence"
    cannot_tell = "whether such a record is wrong: what it says may still hold, in other words than its document's"
    place = 55
    levels = ("span", "document")
    exposes = True
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        documents, of = case.setting.corpus.documents, case.setting.chunking.document
        above = case.context if case.standing.sufficient else case.above
        records = [c for c in above if documents[int(of[c])].foreign]
        if not records:
            return None
        kinds = [documents[int(of[c])].foreign for c in records]
        rows = [row | {"kind": kind} for row, kind in zip(described(case, records, len(records)), kinds, strict=True)]
        return Observation(case.targets, {"records": rows}, records)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Drop them."""
        edit = Edit(frozenset(observation.held))
        (outcome,) = yield [edit]
        control = (yield from others_dropped(case, observation.held)) if outcome.standing.sufficient else None
        return case.finding(
            "foreign",
            observation,
            "drop the records of no document",
            outcome.standing,
            FIX,
            proved=outcome.standing.sufficient and holds(control),
            control=control,
            rows=_rows(observation.detail["records"]),
            edit=edit,
        )


def _rows(records: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Each record, why it is of no document, and how it begins."""
    for record in records[:MOST]:
        yield Row.of(record["kind"], (f"rank {record['rank']}, ", "strong"), f"{record['chunk']} ", beginning(record))
    yield from left_out(records, "record")
