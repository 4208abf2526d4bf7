"""Documents that say something else than when they were indexed."""

from __future__ import annotations

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import Opened
from ragdiag.text.phrases import counted

__all__ = ["look"]


def look(opened: Opened) -> HealthFinding | None:
    """Counts the records whose text their document does not have any more, and what it says instead and no record has."""
    gaps, changed = opened.covered
    records = [name for own in changed.values() for name in own]
    if not records:
        return None
    documents = tuple(opened.corpus.documents[d].id for d in changed)
    queries = opened.queries_of(documents)
    new = sum(gap.characters for d in changed for gap in gaps.get(d, ()))
    evidence = [f"{counted(len(documents), 'document')} changed; {counted(new, 'character')} of them are in no record"]
    evidence += [f"the evidence of {counted(len(queries), 'labelled quer', 'y')} stands in them"] if queries else []
    return HealthFinding(
        "changed",
        len(records),
        len(opened.chunking),
        "records have a text that their document does not have any more",
        "index these documents anew, and delete the records",
        tuple(evidence),
        records=tuple(records),
        documents=documents,
        queries=queries,
        detail={"characters": new},
    )
