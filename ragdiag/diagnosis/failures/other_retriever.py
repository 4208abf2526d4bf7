"""Nothing more specific is shown to be wrong, and another retriever would serve the query."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import EXACT, Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._rows import at
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, other_retrievers, swapped

FIX = Fix("search as {retriever} does", (other_retrievers,), "; no more is known than that it finds this one")


@dataclass(frozen=True)
class OtherRetriever(FailureMode):
    """Residual: another retriever orders everything anew, so that it serves a query says little of what was wrong with it.

    It is asked about every failing query. How many it serves is the control of causes that rest on it: see `swaps`.
    """

    says = "another retriever finds it; why this one does not is not known"
    cannot_tell = "what is wrong with this retriever: another one orders everything anew, and may lose other queries"
    place = 125
    levels = ("span", "document")
    residual = True
    reads = True
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        return Observation(case.targets, {}) if others(case) and not case.standing.sufficient else None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Ask each of them."""
        edits = [Edit(retriever=name) for name in others(case)]
        outcomes = yield edits
        standings = {e.retriever: o.standing for e, o in zip(edits, outcomes, strict=True)}
        tried = {name: {"rank": standing.rank, "sufficient": standing.sufficient} for name, standing in standings.items()}
        edit, best = min(zip(edits, outcomes, strict=True), key=lambda pair: pair[1].standing.rank or math.inf)
        return case.finding(
            "other_retriever",
            observation,
            f"search with {edit.retriever} instead",
            best.standing,
            case.setting.advice(FIX._replace(changes=(swapped(edit.retriever),)), retriever=edit.retriever),
            detail={"tried": tried},
            rows=_rows(tried),
            edit=edit,
        )


def others(case: Case) -> list[str]:
    """The other retrievers that a query can be put to: not the same one, searched exactly."""
    return [name for name in case.setting.swaps if name != EXACT]


def _rows(tried: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """Where each of them has the evidence."""
    for name, standing in tried.items():
        yield Row.of(
            "instead", f"{name}: all of it by {at(standing['rank'])}" + (", sufficient" if standing["sufficient"] else "")
        )
