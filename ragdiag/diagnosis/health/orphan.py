"""Records of no document of the corpus, such as those of documents that were deleted."""

from __future__ import annotations

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import Opened

__all__ = ["look"]


def look(opened: Opened) -> HealthFinding | None:
    """Counts the records whose text no document has, and whose metadata names none."""
    if not (records := opened.of_kind("orphan")):
        return None
    return HealthFinding(
        "orphan",
        len(records),
        len(opened.chunking),
        "records are of no document of the corpus: they take places in contexts and answer from nowhere",
        "delete them; if their documents are still in use, name the folder that has them too",
        records=tuple(records),
    )
