"""Near-duplicates of one another fill the context, and the evidence finds no place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.core.proofs import Edit, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described, says_nearly
from ragdiag.text.duplicates import near_duplicates
from ragdiag.text.versions import link

FIX = "drop near-duplicates, from the index or from each ranking"


@dataclass(frozen=True)
class CrowdedOut:
    """Proved by keeping the first of each cluster of near-duplicates; versions of the evidence are left alone."""

    levels: ClassVar[tuple[str, ...]] = ("span", "document")
    residual: ClassVar[bool] = False
    exposes: ClassVar[bool] = True

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        repeats = repeated(case)
        context = set(case.context)
        if not any(c in context for c in repeats):
            return None
        clusters = [
            {
                "first": described(case, [kept])[0],
                "repeats": described(case, [c for c, first in repeats.items() if first == kept]),
            }
            for kept in dict.fromkeys(repeats.values())
        ]
        return Observation(case.targets, {"clusters": clusters}, frozenset(repeats))

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Drop the repeats."""
        edit = Edit(seen.held)
        (outcome,) = yield [edit]
        return case.finding(
            "crowded_out", seen, "keep the first of each cluster of near-duplicates", outcome.standing, FIX, edit=edit
        )


def repeated(case: Case) -> dict[int, int]:
    """The chunks, down to a context's worth of distinct ones, that repeat one ranked above them, and which."""
    setting = case.setting
    kept: dict[int, frozenset[tuple[str, str]]] = {}
    found: dict[int, int] = {}
    last = case.length if case.standing.sufficient else (case.standing.rank or 10 * case.length)
    for chunk in case.ranking[:last].tolist():
        own = setting.shingles(chunk)
        first = next((c for c, known in kept.items() if near_duplicates(own, known)), None)
        if first is None or chunk in case.evidence or _version(case, chunk):
            kept[chunk] = own
        else:
            found[chunk] = first
        if len(kept) >= case.length:
            break
    return found


def _version(case: Case, chunk: int) -> bool:
    """Whether a chunk is a version of the evidence: by what it says, or by its document's metadata."""
    documents = case.setting.corpus.documents
    mine = documents[int(case.setting.chunking.document[chunk])]
    current = {s.document for g in case.groups for s in g.spans}
    linked = any(link(mine, documents[d]) or link(documents[d], mine) for d in current)
    return linked or says_nearly(case, chunk)
