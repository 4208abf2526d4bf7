"""The evidence is in the source, but in no indexed text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragdiag.core.errors import Untestable
from ragdiag.core.proofs import Addition, Edit, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._passages import gaps, placements
from ragdiag.diagnosis.failures._rows import EXCERPT, MOST
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix
from ragdiag.sources.omissions import held
from ragdiag.text.phrases import one_line

FIX = {
    "changed since": Fix("index the document anew: what is indexed is what it said before"),
    "not ingested": Fix("index the document: no chunk of it is in the index"),
    "lost by the loader": Fix(
        "mend the loader: it left something out at this very place (ragdiag check says what; --keep reads it)"
    ),
    "lost by the chunker or the index": Fix(
        "cut and index the document anew: other parts of it are indexed, this passage is not"
    ),
}


@dataclass(frozen=True)
class MissingContent(FailureMode):
    """Some of every alternative is in no chunk. Proved by adding the text that is missing, in pieces as long as other chunks."""

    says = "the evidence is in the source, but in no indexed text"
    cannot_tell = "how your chunker would cut the missing text, nor why it was not indexed"
    place = 20
    levels = ("span", "document")
    fixes = tuple(FIX.values())

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        groups = tuple(g for g in case.targets if all(gaps(case.setting, s) for s in g.spans))
        if not groups:
            return None
        return Observation(groups, {"kind": _kind(case, groups)})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Add the missing text. A cause even where that does not suffice: no other repair brings back what is not there.

        Raises `Untestable` where there may be more chunks than are known.
        """
        if not case.setting.chunking.complete:
            raise Untestable("its text is in no chunk that is known, and there may be others: give --chunks")
        ways = zip(*(_pieces(case, group) for group in observation.groups), strict=True)
        edits = [Edit(added=tuple(a for pieces in way for a in pieces)) for way in ways]
        outcomes = yield edits
        best = min(range(len(edits)), key=lambda i: (not outcomes[i].standing.sufficient, i))
        missing = [case.setting.text(s)[:400] for g in observation.groups for s in g.spans[:1]]
        rows = [Row.of("kind", observation.detail["kind"])]
        rows += [Row.of("missing", (one_line(text, 2 * EXCERPT), "good")) for text in missing[:MOST]]
        return case.finding(
            "missing_content",
            observation,
            "add the missing text to the index",
            outcomes[best].standing,
            FIX[observation.detail["kind"]],
            proved=True,
            detail={"missing": missing},
            rows=rows,
            edit=edits[best],
        )


def _kind(case: Case, groups: Sequence[Group]) -> str:
    """Who lost the passages, as far as it is known: the loader only where it says that it left something out there."""
    setting, spans = case.setting, [s for g in groups for s in g.spans]
    if any(setting.corpus.documents[s.document].id in setting.changed for s in spans):
        return "changed since"
    if not any(setting.first[s.document] < setting.first[s.document + 1] for s in spans):
        return "not ingested"
    for span in spans:
        document = setting.corpus.documents[span.document]
        if any(span.start < o.at < span.end for o in document.left_out) or held(document, setting.text(span)):
            return "lost by the loader"
    return "lost by the chunker or the index"


def _pieces(case: Case, group: Group) -> list[list[Addition]]:
    """What is missing around the group's first alternative, cut in three ways: whole where it is about a chunk long, else a
    chunk's length of it.
    """
    setting, span = case.setting, group.spans[0]
    ways: list[list[Addition]] = [[], [], []]
    for gap in gaps(setting, span):
        inside = Span(span.document, max(gap.start, span.start), min(gap.end, span.end))
        if gap.end - gap.start <= 1.5 * setting.size:
            pieces = [[gap]] * 3
        elif inside.end - inside.start <= setting.size:
            pieces = [[window] for window in placements(setting, inside, setting.typical, gap)]
        else:  # longer than a chunk, or a whole document: cut as it comes
            starts = range(inside.start, inside.end, setting.typical)
            cut = [Span(span.document, s, min(s + setting.typical, inside.end)) for s in starts]
            pieces = [[piece for piece in cut if setting.text(piece).strip()]] * 3
        for way, of_way in zip(ways, pieces, strict=True):
            way += [setting.addition(piece) for piece in of_way]
    return ways
