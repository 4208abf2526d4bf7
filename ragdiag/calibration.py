"""A judge corrected for its errors: shares of right answers as they would be, had a human labelled all of them.

The judge's opinions divide the queries into strata: those of which it says "both answers right", "only the first", and so on.
The queries that have labels tell, in each stratum, how often which answers are truly right. Nothing else is assumed of the
judge: it may err on a query's answers together (an odd reference fails both), and more often under one condition than under
another. That is post-stratification (Holt and Smith 1979, "Post Stratification"), which for a judge that says one of few things
is the best that prediction-powered inference can do (Angelopoulos, Duchi and Zrnic 2023, "PPI++: Efficient Prediction-Powered
Inference"). What few labels leave unknown is drawn from Dirichlet distributions, since normal intervals are too narrow for it.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from ragdiag.records import BoolArray, FloatArray, IntArray

__all__ = ["draws", "interval"]

DRAWS = 20_000

PRIOR = 1.0
"""Queries that the prior is worth in each table: one, spread evenly over what is possible (Perks 1947). For a single proportion
that is Jeffreys's prior; it was chosen by the coverage of `tests/bench/pairs.py` and `teams.py`."""

JUDGED, CERTAIN, UNKNOWN = 0, 1, 2
"""What is known of every answer under a condition: the judge's opinion; no opinion, but the truth; neither."""


class _Stratum(NamedTuple):
    """Queries of which the same was said: how many, and of the labelled ones in how many each cell of truth is the true one.

    `possible` marks the cells that agree with what is certain; `labelled` counts, shape ``(2 ** n_conditions,)`` each.
    """

    size: int
    possible: BoolArray
    labelled: FloatArray


def draws(label: FloatArray, judged: FloatArray, worth: float = 1.0, seed: int = 0) -> FloatArray:
    """Probabilities of the cells of truth that agree with what was seen, shape ``(DRAWS, 2 ** n_conditions)``.

    `label` and `judged` are 1 for a right answer, 0 for a wrong one, NaN where nothing was said: shape
    ``(n_queries, n_conditions)``. Bit c of a cell's number says whether the answer under condition c is right. `worth` is how
    many independent queries each one is worth (less than 1 where they share documents). Labels are taken for those of a random
    sample of the queries. A query that has labels under some conditions only, where the judge spoke under all, tells nothing of
    how its errors go together, and calibrates nothing.
    """
    rng = np.random.default_rng(seed)
    strata = _strata(label, judged)
    sizes = rng.dirichlet([PRIOR / len(strata) + worth * stratum.size for stratum in strata], size=DRAWS)
    cells = np.zeros((DRAWS, 2 ** label.shape[1]))
    for stratum, size in zip(strata, sizes.T, strict=True):
        possible = stratum.possible
        counts = PRIOR / possible.sum() + worth * stratum.labelled[possible]
        cells[:, possible] += size[:, None] * rng.dirichlet(counts, size=DRAWS)
    return cells


def _strata(label: FloatArray, judged: FloatArray) -> list[_Stratum]:
    """Every stratum that there could be by the kinds of what is known, whether a query is in it or not."""
    conditions = label.shape[1]
    truth = (np.arange(2**conditions)[:, None] >> np.arange(conditions)) & 1  # (cells, conditions)
    kind = np.where(~np.isnan(judged), JUDGED, np.where(~np.isnan(label), CERTAIN, UNKNOWN))
    said = np.nan_to_num(np.where(kind == JUDGED, judged, label))
    cell = _cells(label)
    strata = []
    for kinds in np.unique(kind, axis=0):
        alike = (kind == kinds).all(axis=1)
        for values in product(*[(0,) if k == UNKNOWN else (0, 1) for k in kinds]):
            own = alike & (said == values).all(axis=1)
            possible = ((kinds != CERTAIN) | (truth == values)).all(axis=1)
            labelled = np.bincount(cell[own & (cell >= 0)], minlength=2**conditions).astype(np.float64)
            strata.append(_Stratum(int(own.sum()), possible, labelled))
    return strata


def _cells(label: FloatArray) -> IntArray:
    """The number of each query's cell of truth, -1 where labels leave it open; shape ``(n_queries,)``."""
    whole = ~np.isnan(label).any(axis=1)
    number = np.nan_to_num(label).astype(np.int64) @ (1 << np.arange(label.shape[1]))
    return np.where(whole, number, -1)


def interval(values: FloatArray) -> tuple[float, float, float]:
    """The median of draws, and the ends of their central 95 % interval."""
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return float(middle), float(low), float(high)
