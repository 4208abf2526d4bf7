"""Records that a search by their own vector does not find."""

from __future__ import annotations

import numpy as np

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import DEPTH, Opened

__all__ = ["look"]


def look(opened: Opened) -> HealthFinding | None:
    """Asks the index for each record of a sample by its own vector; only what exact search finds can be missed."""
    chunks, missed = opened.searched.chunks, opened.searched.missed
    if not len(missed):
        return None
    share = opened.mean(chunks, np.isin(chunks, missed).astype(np.float64))
    return HealthFinding(
        "unreachable",
        len(missed),
        len(chunks),
        f"records are not among the {DEPTH} that a search for their own vectors gives, though exact search finds them",
        "build the index anew: its graph or its lists have lost them",
        share=share,
        records=opened.ids(missed.tolist()),
        documents=opened.documents_of(missed.tolist()),
        detail={"k": DEPTH},
    )
