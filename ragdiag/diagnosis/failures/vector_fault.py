"""Stored vectors that are not of their texts: of other texts, of another model, of another length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragdiag.core.proofs import Addition, Control, Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described
from ragdiag.diagnosis.failures._rows import MOST, beginning, left_out
from ragdiag.diagnosis.failures._words import beside
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix
from ragdiag.text.phrases import counted

FIX = Fix("embed these records anew, with one model, and normalise where the store compares by inner product")
OTHERS = 20
"""Other chunks whose vectors are looked at beside them."""


@dataclass(frozen=True)
class VectorFault(FailureMode):
    """The vector of the evidence's chunk, or of one above it, is not what the encoder makes of the stored text.

    Proved by embedding these texts anew, in their places, and nothing else: of texts whose vectors are right that changes
    nothing. How many vectors beside them are right is shown in place of a control.
    """

    says = "stored vectors are not of their texts"
    cannot_tell = "how the vectors came to be wrong: another model, a mixed-up batch, texts edited in place"
    place = 57
    by_degrees = True
    alone = "embedding the same texts anew"
    levels = ("span", "document")
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        drifted = case.setting.drifted
        if drifted is None or case.standing.sufficient:
            return None
        lacking = [c for g in case.targets for span in g.spans for c in case.setting.overlapping(span)]
        concerned = list(dict.fromkeys([*lacking, *case.above]))
        faulty = [c for c, fault in zip(concerned, drifted(concerned), strict=True) if fault]
        return Observation(case.targets, {"chunks": described(case, faulty, len(faulty))}, faulty) if faulty else None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Embed their texts anew."""
        setting, faulty = case.setting, observation.held
        edit = Edit(frozenset(faulty), tuple(_anew(case, chunk) for chunk in faulty))
        (outcome,) = yield [edit]
        others = [c for c in beside(case, faulty[0], OTHERS) if c not in faulty]
        wrong = sum(setting.drifted(others)) if setting.drifted else 0
        says = f"of {counted(len(others), 'other chunk')} near them {wrong} have such a vector"
        return case.finding(
            "vector_fault",
            observation,
            f"embed {counted(len(faulty), 'stored text')} anew",
            outcome.standing,
            FIX,
            control=Control(0, 0, None, says),
            rows=_rows(observation.detail["chunks"]),
            edit=edit,
        )


def _anew(case: Case, chunk: int) -> Addition:
    """The text of a chunk, in its place."""
    return case.setting.addition(case.setting.span(chunk))._replace(place=float(chunk))


def _rows(chunks: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """The chunks concerned."""
    for i, chunk in enumerate(chunks[:MOST]):
        yield Row.of("" if i else "vectors", f"{chunk['chunk']}, at rank {chunk['rank'] or 'none'}: ", beginning(chunk))
    yield from left_out(chunks, "chunk")
