"""The label is wrong about the corpus: nothing can be said of retrieval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.core.proofs import Trial
from ragdiag.diagnosis.cases import Case, Observation

FIX = "mend the label; ragdiag check names file and line"


@dataclass(frozen=True)
class LabelDefect:
    """Checked before anything else; such a query is excluded, and no cause is looked for."""

    levels: ClassVar[tuple[str, ...]] = ("excluded",)
    residual: ClassVar[bool] = False
    exposes: ClassVar[bool] = False

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        defects = [{"kind": d.kind, "line": d.line, "message": d.message} for d in case.defects]
        return Observation((), {"defects": defects}) if defects else None

    def prove(self, case: Case, seen: Observation) -> Trial:
        """The file is the proof."""
        yield from ()
        return case.finding("label_defect", seen, "none: the label is not used", case.standing, FIX, proved=False)
