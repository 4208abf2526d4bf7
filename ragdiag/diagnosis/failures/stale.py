"""A superseded version of the evidence stands above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ragdiag.core.proofs import Edit, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._removals import holds, others_dropped
from ragdiag.diagnosis.failures._rows import chunk_rows
from ragdiag.diagnosis.failures._twins import is_version, twin
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, within

FIX = Fix("drop superseded versions", (within("latest"),))
UNMARKED = Fix("remove superseded versions from the index, or mark them by metadata, by which each ranking can drop them")
NEAR = "near-duplicate of an older document"


@dataclass(frozen=True)
class Stale(FailureMode):
    """Proved by dropping the superseded versions of this evidence, and nothing else.

    A version is known by what documents say of themselves (`Versions.link`), or as a near-duplicate in other words whose document
    is older. Age alone is no reason. What repeats much of the evidence is a version of the evidence itself and wrong in
    any context, however long, so that dropping others is no control of it; other parts of superseded documents have one.
    """

    says = "a superseded version stands above the evidence"
    cannot_tell = "whether the model would use the old text even with the new one beside it"
    place = 60
    of_copies = True
    levels = ("span", "document")
    exposes = True
    fixes = (FIX, UNMARKED)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        old = superseded(case)
        if not old:
            return None
        rows = [row | said for row, said in zip(described(case, list(old)), old.values(), strict=False)]
        return Observation(case.targets, {"versions": rows}, {chunk: said["by"] for chunk, said in old.items()})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Drop those of the evidence itself, and all of them; other parts of old documents are held against as many others."""
        by: dict[int, str] = observation.held
        every = frozenset(by)
        itself = frozenset(c for c in every if is_version(case, c))
        edits = [Edit(chunks) for chunks in dict.fromkeys((itself, every)) if chunks]
        outcomes = yield edits
        outcome, edit = next(
            ((o, e) for o, e in zip(outcomes, edits, strict=True) if o.standing.sufficient), (outcomes[-1], edits[-1])
        )
        control = None
        if outcome.standing.sufficient and edit.removed != itself:
            control = yield from others_dropped(case, edit.removed)
        return case.finding(
            "stale",
            observation,
            "drop the superseded versions",
            outcome.standing,
            UNMARKED if any(by[chunk] == NEAR for chunk in edit.removed) else FIX,
            proved=outcome.standing.sufficient and holds(control),
            control=control,
            rows=chunk_rows("above", observation.detail["versions"], lambda chunk: f" ({_how(chunk)})"),
            edit=edit,
        )


def _how(chunk: Mapping[str, object]) -> str:
    """How a chunk is known to be an old version, and what it says otherwise."""
    return ", ".join(str(part) for part in (chunk["by"], chunk.get("older_by"), chunk.get("values")) if part)


def superseded(case: Case) -> dict[int, dict[str, str]]:
    """The chunks above that belong to a superseded version of the query's evidence, and how that is known."""
    current = sorted({s.document for g in case.groups for s in g.spans})
    old: dict[int, dict[str, str]] = {}
    for chunk in case.above:
        document = int(case.setting.chunking.document[chunk])
        if document not in current and (known := next(_known(case, chunk, document, current), None)):
            old[chunk] = known
    return old


def _known(case: Case, chunk: int, document: int, current: list[int]) -> Iterator[dict[str, str]]:
    """The ways in which a chunk is known to be of an older version of one of the documents `current`."""
    versions = case.setting.versions
    yield from ({"by": by} for d in current if (by := versions.link(document, d)))
    near = twin(case, chunk, in_any_words=True) if any(versions.older(document, d) for d in current) else None
    if near is not None and (by := versions.older(document, near.document)):
        yield {"by": NEAR, "older_by": by, "values": near.says}
