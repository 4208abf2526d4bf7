"""The question does not say what it is about: "what did this study show". No index can know which is meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ragdiag.core.proofs import Control, Edit, Row, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._unspecific import is_unspecific
from ragdiag.diagnosis.failures._words import added
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.unproved import hint
from ragdiag.search.changes import Fix
from ragdiag.text.phrases import counted, one_line

FIX = Fix("ask which is meant, or say it in the question before it is searched (from the conversation, or a filter by document)")
HOW = "name the document as well: {}"
UNNAMED = "none: no title says which document is meant"
MEANT = "no search can know what is meant"
SHOWN = 80
"""Characters of a title shown."""


@dataclass(frozen=True)
class Unspecific(FailureMode):
    """The question points at something without naming it, and its other words stand in many texts: see `_unspecific`.

    Proved by naming the document as well. The control names each of `controls` other documents, those found first, in its place:
    at most `most_as_well` of them may do as well. A hint where that is not enough, or there is no title to name: no search can
    know what is meant.
    """

    controls: int = 9
    fewest: int = 5
    most_as_well: float = 0.25

    says = "the question does not say what it is about"
    cannot_tell = "which document users mean: the label says one, and the question fits others as well"
    place = 112
    levels = ("span", "document")
    by_degrees = True
    reads = True
    fixes = (FIX,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient or not is_unspecific(case):
            return None
        titles = _titles(case, dict.fromkeys(span.document for g in case.targets for span in g.needed[:1]))
        return Observation(case.targets, {"titles": titles})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Name the document; then others in its place."""
        if len(observation.detail["titles"]) != 1:
            return hint(case.finding("unspecific", observation, UNNAMED, case.standing, FIX, proved=True), MEANT)
        (title,) = observation.detail["titles"]
        edit = Edit(query=added(case.query.text, [title]))
        own = {span.document for g in case.groups for span in g.spans}
        found = dict.fromkeys(int(case.setting.chunking.document[c]) for c in case.ranking.tolist())
        others = _titles(case, (d for d in found if d not in own))[: self.controls]
        outcome, *controls = yield [edit, *(Edit(query=added(case.query.text, [other])) for other in others)]
        as_well = sum(o.standing.sufficient for o in controls)
        says = f"{as_well} of {counted(len(others), 'other document')} named in its place do as well"
        finding = case.finding(
            "unspecific",
            observation,
            HOW.format(one_line(title, SHOWN)),
            outcome.standing,
            FIX,
            proved=outcome.standing.sufficient and len(others) >= self.fewest and as_well <= self.most_as_well * len(others),
            control=Control(len(others), as_well, None, says),
            rows=[Row.of("about", one_line(title, SHOWN))],
            edit=edit,
        )
        return finding if outcome.standing.sufficient else hint(replace(finding, proved=True), MEANT)


def _titles(case: Case, documents: Iterable[int]) -> list[str]:
    """The titles of documents, each once."""
    return list(dict.fromkeys(t for d in documents if (t := case.setting.corpus.documents[d].title)))
