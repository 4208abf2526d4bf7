"""Records whose text is that of a document with something glued to it, or in small letters."""

from __future__ import annotations

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import Opened

__all__ = ["look"]


def look(opened: Opened) -> HealthFinding | None:
    """Counts them, but for those whose document was edited. That may be meant so: a title before each text, small letters."""
    edited = {name for own in opened.covered.changed.values() for name in own}
    chunks = [c for c, name in enumerate(opened.chunking.ids) if name in opened.altered and name not in edited]
    if not chunks:
        return None
    return HealthFinding(
        "altered",
        len(chunks),
        len(opened.chunking),
        "records have a text that was lower-cased, or has something glued to it",
        "nothing, if that is meant so; else index their documents anew",
        records=opened.ids(chunks),
        documents=opened.documents_of(chunks),
        defect=False,
    )
