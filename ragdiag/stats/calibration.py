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

from ragdiag.core.records import BoolArray, FloatArray, IntArray

__all__ = ["draws", "interval"]

CHAINS, BURNT, KEPT = 100, 60, 80
"""Chains side by side, where it takes chains; steps of each that are thrown away, and that are kept."""

DRAWS = CHAINS * KEPT

PRIOR = 1.0
"""Queries that the prior is worth in each table: one, spread evenly over what is possible (Perks 1947). For a single proportion
that is Jeffreys's prior; it was chosen by the coverage of `tests/bench/pairs.py` and `teams.py`."""

JUDGED, CERTAIN, UNKNOWN = 0, 1, 2
"""What is known of every answer under a condition: the judge's opinion; no opinion, but the truth; neither."""


class _Stratum(NamedTuple):
    """Queries of which the same was said: how many there are, and what labels tell of the truth of some.

    `possible` marks the cells of truth that agree with what is certain, shape ``(2 ** n_conditions,)``. A row of `told` marks
    those that agree with labels as well, shape ``(n_patterns, 2 ** n_conditions)``; `counts` says how many queries have them.
    """

    size: int
    possible: BoolArray
    told: BoolArray
    counts: IntArray


def draws(label: FloatArray, judged: FloatArray, worth: float = 1.0, seed: int = 0) -> FloatArray:
    """Probabilities of the cells of truth that agree with what was seen, shape ``(DRAWS, 2 ** n_conditions)``.

    `label` and `judged` are 1 for a right answer, 0 for a wrong one, NaN where nothing was said: shape
    ``(n_queries, n_conditions)``. Bit c of a cell's number says whether the answer under condition c is right. `worth` is how
    many independent queries each one is worth (less than 1 where they share documents). Labels are taken for those of a random
    sample, of the queries or of the answers under each condition.
    """
    rng = np.random.default_rng(seed)
    strata = _strata(label, judged)
    sizes = rng.dirichlet([PRIOR / len(strata) + worth * stratum.size for stratum in strata], size=DRAWS)
    cells = np.zeros((DRAWS, 2 ** label.shape[1]))
    for stratum, size in zip(strata, sizes.T, strict=True):
        cells[:, stratum.possible] += size[:, None] * _truths(stratum, worth, rng)
    return cells


def _strata(label: FloatArray, judged: FloatArray) -> list[_Stratum]:
    """Every stratum that there could be by the kinds of what is known, whether a query is in it or not."""
    conditions = label.shape[1]
    truth = (np.arange(2**conditions)[:, None] >> np.arange(conditions)) & 1  # (cells, conditions)
    kind = np.where(~np.isnan(judged), JUDGED, np.where(~np.isnan(label), CERTAIN, UNKNOWN))
    said = np.nan_to_num(np.where(kind == JUDGED, judged, label))
    strata = []
    for kinds in np.unique(kind, axis=0):
        alike = (kind == kinds).all(axis=1)
        for values in product(*[(0,) if k == UNKNOWN else (0, 1) for k in kinds]):
            own = alike & (said == values).all(axis=1)
            possible = ((kinds != CERTAIN) | (truth == values)).all(axis=1)
            labels, counts = np.unique(np.nan_to_num(label[own], nan=-1.0), axis=0, return_counts=True)
            told = possible & ((labels[:, None, :] < 0) | (labels[:, None, :] == truth)).all(axis=2)
            tells = told.sum(axis=1) < possible.sum()  # the others' truth is as open as that of any query of the stratum
            strata.append(_Stratum(int(own.sum()), possible, told[tells], counts[tells]))
    return strata


def _truths(stratum: _Stratum, worth: float, rng: np.random.Generator) -> FloatArray:
    """Probabilities of a stratum's possible cells of truth, shape ``(DRAWS, n_possible)``.

    Queries labelled under some conditions only are put in cells by turns with the drawing (Gibbs sampling, Tanner and Wong 1987).
    """
    prior = np.full(int(stratum.possible.sum()), PRIOR / stratum.possible.sum())
    told, counts = stratum.told[:, stratum.possible], worth * stratum.counts
    whole = told.sum(axis=1) == 1
    known = prior + counts[whole] @ told[whole]
    if whole.all():
        return rng.dirichlet(known, size=DRAWS)
    partly, of_these = told[~whole], stratum.counts[~whole]
    cells, kept = rng.dirichlet(np.ones_like(prior), size=CHAINS), []
    for step in range(BURNT + KEPT):
        weights = np.maximum(cells, 1e-12)[:, None, :] * partly  # (chains, patterns, cells)
        allocated = rng.multinomial(of_these, weights / weights.sum(axis=2, keepdims=True)).sum(axis=1)
        gamma = np.maximum(rng.standard_gamma(known + worth * allocated), 1e-300)
        cells = gamma / gamma.sum(axis=1, keepdims=True)
        if step >= BURNT:
            kept.append(cells)
    return np.concatenate(kept)


def interval(values: FloatArray) -> tuple[float, float, float]:
    """The median of draws, and the ends of their central 95 % interval."""
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return float(middle), float(low), float(high)
