"""The label is wrong about the corpus: nothing can be said of retrieval."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix

FIX = Fix("mend the label; ragdiag check names file and line")


@dataclass(frozen=True)
class LabelDefect(FailureMode):
    """Checked before anything else; such a query is excluded, and no cause is looked for."""

    says = "the label is wrong about the corpus"
    cannot_tell = "anything of retrieval: until the label is mended, nobody knows what would serve this query"
    place = 10
    levels = ("excluded",)
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        defects = [{"kind": d.kind, "line": d.line, "message": d.message} for d in case.defects]
        return Observation((), {"defects": defects}) if defects else None

    def prove(self, case: Case, observation: Observation) -> Trial:
        """The file is the proof."""
        yield from ()
        return case.finding("label_defect", observation, "none: the label is not used", case.standing, FIX, proved=False, rows=())
