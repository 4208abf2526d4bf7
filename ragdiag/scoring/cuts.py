"""Ties at the cut of a context: which queries have one, and for which of them another order would change what is served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ragdiag.core.records import BoolArray, IntArray, Run
from ragdiag.scoring.scoring import Scorer
from ragdiag.scoring.ties import at_cut, orders, tied

__all__ = ["undecided"]


def undecided(scorer: Scorer, run: Run, lengths: IntArray, k: int, budget: int, seed: int) -> tuple[IntArray, IntArray]:
    """Labelled queries with a tie at the cut of their context, and those of them that the order of the tie serves, or does not.

    `lengths` are of `k` and `budget`. Tied results are put in other orders (`ties.orders`): best and worst for the evidence are
    among them, unless more tied results hold some of it than have a place; so the second count may be too low, never too high.
    """
    labels = scorer.labels
    cut = np.flatnonzero(at_cut(run, lengths) & np.isin(labels.level, ("span", "document")))
    if not len(cut):
        return cut, cut
    chunks, ties = np.full_like(run.chunks, -1), tied(run.scores[cut])
    served, sways = scorer.sufficient(run, lengths)[cut], np.zeros(len(cut), dtype=bool)
    for order in orders(ties, _holds(scorer, run, cut), seed):
        chunks[cut] = np.take_along_axis(run.chunks[cut], order, axis=1)
        other = replace(run, chunks=chunks)
        sways |= scorer.sufficient(other, scorer.lengths(other, k, budget))[cut] != served
    return cut, cut[sways]


def _holds(scorer: Scorer, run: Run, queries: IntArray) -> BoolArray:
    """Whether each ranked chunk of some queries holds some of the evidence, or is of a relevant document."""
    pairs, relevant, document = scorer.relevant(), scorer.labels.relevant, scorer.chunking.document
    return np.array(
        [
            [c >= 0 and ((q, c) in pairs or relevant[q].get(int(document[c]), 0) > 0) for c in run.chunks[q].tolist()]
            for q in queries.tolist()
        ],
        dtype=bool,
    )
