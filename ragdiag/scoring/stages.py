"""How far the evidence of each query came through the stages of its pipeline."""

from __future__ import annotations

import numpy as np

from ragdiag.core.records import STAGES, FloatArray, Run
from ragdiag.scoring.scoring import Scorer

__all__ = ["held_by_stage"]


def held_by_stage(scorer: Scorer, run: Run) -> dict[str, FloatArray]:
    """For each stage that any query has, in order: 1 where it holds all of a query's evidence, shape ``(n_queries,)``.

    NaN for queries without that stage, and where no label says what the evidence is.
    """
    n = len(scorer.labels.queries)
    measured = np.isin(np.array(scorer.labels.level, dtype=str), ("span", "document"))
    held: dict[str, FloatArray] = {}
    for name in STAGES:
        rows = {q: stages[name] for q, stages in run.stages.items() if name in stages}
        if not rows:
            continue
        depth = max(1, *map(len, rows.values()))
        chunks, lengths = np.full((n, depth), -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
        for q, row in rows.items():
            chunks[q, : len(row)], lengths[q] = row, len(row)
        enough = scorer.sufficient(Run(chunks, np.zeros(chunks.shape)), lengths).astype(np.float64)
        here = np.isin(np.arange(n), list(rows))
        held[name] = np.where(here & measured, enough, np.nan)
    return held
