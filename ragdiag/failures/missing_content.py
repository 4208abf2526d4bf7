"""The evidence is in the source, but in no indexed text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.cases import Case, Group, Observation
from ragdiag.failures._passages import gaps
from ragdiag.proofs import Addition, Edit, Trial
from ragdiag.setting import Span

FIX = {
    "not ingested": "index the document: no chunk of it is in the index",
    "lost by the loader": "mend the loader or the chunker: other parts of the document are indexed, this passage is not",
}


@dataclass(frozen=True)
class MissingContent:
    """Some of every alternative is in no chunk. Proved by adding the text that is missing, in pieces as long as other chunks."""

    levels: ClassVar[tuple[str, ...]] = ("span", "document")
    residual: ClassVar[bool] = False
    exposes: ClassVar[bool] = False

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        if not case.setting.chunking.complete:
            return None
        groups = tuple(g for g in case.targets if all(gaps(case.setting, s) for s in g.spans))
        if not groups:
            return None
        documents = {s.document for g in groups for s in g.spans}
        first = case.setting.first
        indexed = any(first[d] < first[d + 1] for d in documents)
        return Observation(groups, {"kind": "lost by the loader" if indexed else "not ingested"})

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Add the missing text."""
        added = tuple(piece for group in seen.groups for piece in _pieces(case, group))
        (outcome,) = yield [Edit(added=added)]
        return case.finding(
            "missing_content",
            seen,
            "add the missing text to the index",
            outcome.standing,
            FIX[seen.detail["kind"]],
            detail={"missing": [case.setting.text(s)[:400] for g in seen.groups for s in g.spans[:1]]},
            edit=Edit(added=added),
        )


def _pieces(case: Case, group: Group) -> list[Addition]:
    """What is missing around the group's first alternative: whole where it is about a chunk long, else a chunk's length of it."""
    setting, span = case.setting, group.spans[0]
    added = []
    for gap in gaps(setting, span):
        inside = Span(span.document, max(gap.start, span.start), min(gap.end, span.end))
        if gap.end - gap.start <= 1.5 * setting.size:
            added.append(setting.addition(gap))
        elif inside.end - inside.start <= setting.size:
            added.append(setting.addition(setting.window(inside, setting.typical, gap)))
        else:  # longer than a chunk, or a whole document: cut as it comes
            starts = range(inside.start, inside.end, setting.typical)
            pieces = (Span(span.document, s, min(s + setting.typical, inside.end)) for s in starts)
            added += [setting.addition(piece) for piece in pieces if setting.text(piece).strip()]
    return added
