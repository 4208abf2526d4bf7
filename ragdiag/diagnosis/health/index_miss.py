"""What the store's own search passes over that exact search finds."""

from __future__ import annotations

from ragdiag.core.health import HealthFinding
from ragdiag.diagnosis.health._opened import DEPTH, Opened
from ragdiag.search.approximate import WHOLE

__all__ = ["look"]

TUNED = 0.95
"""Approximate search is tuned to return as much of exact search: less, beyond doubt, is a defect."""


def look(opened: Opened) -> HealthFinding | None:
    """Asks the index for records of a sample by their own vectors, and compares with exact search."""
    searched = opened.searched
    recall = opened.mean(searched.chunks, searched.recalls)
    if recall.mean is None or recall.low is None or recall.high is None or recall.mean >= WHOLE:
        return None
    short = searched.chunks[searched.recalls < WHOLE].tolist()
    return HealthFinding(
        "index_miss",
        len(short),
        len(searched.chunks),
        f"searches return less than exact search: {recall.mean:.1%} of its first {DEPTH}",
        "let searches look wider (ef_search, nprobe, probes), or build the index anew; audit tells which queries it costs",
        (f"95 % interval {recall.low:.1%} to {recall.high:.1%}",),
        recall,
        detail={"k": DEPTH},
        defect=recall.high < TUNED,
    )
