"""Lengths of vectors, where the store's distance goes by them."""

from __future__ import annotations

import numpy as np

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import Opened
from ragdiag.search.retrievers._stored_index import odd_lengths

__all__ = ["look"]

NEAR_ONE = 0.01
"""Half precision and compression leave lengths as near to 1."""

OF = {"ip": "inner product", "l2": "L2 distance"}


def look(opened: Opened) -> HealthFinding | None:
    """Reads the length of every vector. A cosine does not depend on it."""
    if opened.index.space not in OF:
        return None
    lengths, distance = opened.index.lengths(), OF[opened.index.space]
    usual = float(np.median(lengths))
    odd = np.flatnonzero(odd_lengths(lengths, usual))
    if not len(odd) and (opened.index.space != "ip" or abs(usual - 1) <= NEAR_ONE):
        return None
    detail = {"distance": opened.index.space, "usual": usual, "least": float(lengths.min()), "most": float(lengths.max())}
    if not len(odd):
        says = f"vectors have length {usual:.2f}, not 1: the ranking stays, but no score is a cosine, and thresholds may be off"
        mend = "scale vectors to length 1 before they are stored, if the application reads scores"
        return HealthFinding("lengths", len(lengths), len(lengths), says, mend, detail=detail, defect=False)
    return HealthFinding(
        "lengths",
        len(odd),
        len(lengths),
        f"lengths of vectors differ from the usual one by more than a fifth: {distance} ranks by them, whatever is asked",
        "scale these vectors to the length of the others, or let the store compare by cosine",
        (f"usual length {usual:.2f}; theirs from {lengths[odd].min():.2f} to {lengths[odd].max():.2f}",),
        records=opened.ids(odd.tolist()),
        documents=opened.documents_of(odd.tolist()),
        detail=detail,
    )
