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

CHAINS, BURN_IN, KEPT = 100, 60, 80
"""Of Gibbs sampling: chains side by side; the first steps of each, which are thrown away; the steps that are kept."""

DRAWS = CHAINS * KEPT

PRIOR = 1.0
"""The weight of the prior of each table of cells, in queries, spread evenly over the cells that are possible (Perks 1947).

For a single proportion that is Jeffreys's prior. It was chosen by the coverage of `tests/bench/pairs.py` and `teams.py`."""

JUDGED, CERTAIN, UNKNOWN = 0, 1, 2
"""What is known of every answer under a condition: the judge's opinion; no opinion, but the truth; neither."""


class _Stratum(NamedTuple):
    """The queries of which the judge says the same: how many there are, and what labels tell of the truth of some.

    `possible` marks the cells of truth that agree with what is certain, shape ``(2 ** n_conditions,)``. Each row of `patterns`
    marks the cells that agree with the labels of some query as well, shape ``(n_patterns, 2 ** n_conditions)``; `counts` says how
    many queries have those labels.
    """

    size: int
    possible: BoolArray
    patterns: BoolArray
    counts: IntArray


def draws(label: FloatArray, judged: FloatArray, worth: float = 1.0, seed: int = 0) -> FloatArray:
    """Draws of the probabilities of the cells of truth, given opinions and labels: shape ``(DRAWS, 2 ** n_conditions)``.

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
    """Every stratum that there could be, given what is known of the answers; no query need be in it."""
    conditions = label.shape[1]
    truth = (np.arange(2**conditions)[:, None] >> np.arange(conditions)) & 1  # (cells, conditions)
    kind = np.where(~np.isnan(judged), JUDGED, np.where(~np.isnan(label), CERTAIN, UNKNOWN))
    known = np.nan_to_num(np.where(kind == JUDGED, judged, label))
    strata = []
    for kinds in np.unique(kind, axis=0):
        alike = (kind == kinds).all(axis=1)
        for values in product(*[(0,) if k == UNKNOWN else (0, 1) for k in kinds]):
            rows = alike & (known == values).all(axis=1)
            possible = ((kinds != CERTAIN) | (truth == values)).all(axis=1)
            labels, counts = np.unique(np.nan_to_num(label[rows], nan=-1.0), axis=0, return_counts=True)
            patterns = possible & ((labels[:, None, :] < 0) | (labels[:, None, :] == truth)).all(axis=2)
            tells = patterns.sum(axis=1) < possible.sum()  # of the others no more is known than of any query of the stratum
            strata.append(_Stratum(int(rows.sum()), possible, patterns[tells], counts[tells]))
    return strata


def _truths(stratum: _Stratum, worth: float, rng: np.random.Generator) -> FloatArray:
    """Probabilities of a stratum's possible cells of truth, shape ``(DRAWS, n_possible)``.

    Queries labelled under some conditions only are put in cells by turns with the drawing (Gibbs sampling, Tanner and Wong 1987).
    """
    prior = np.full(int(stratum.possible.sum()), PRIOR / stratum.possible.sum())
    patterns, counts = stratum.patterns[:, stratum.possible], worth * stratum.counts
    whole = patterns.sum(axis=1) == 1  # labelled under every condition: one cell is left
    known = prior + counts[whole] @ patterns[whole]
    if whole.all():
        return rng.dirichlet(known, size=DRAWS)
    partly, of_these = patterns[~whole], stratum.counts[~whole]
    cells, steps = rng.dirichlet(np.ones_like(prior), size=CHAINS), []
    for step in range(BURN_IN + KEPT):
        weights = np.maximum(cells, 1e-12)[:, None, :] * partly  # (chains, patterns, cells)
        allocated = rng.multinomial(of_these, weights / weights.sum(axis=2, keepdims=True)).sum(axis=1)
        gamma = np.maximum(rng.standard_gamma(known + worth * allocated), 1e-300)
        cells = gamma / gamma.sum(axis=1, keepdims=True)
        if step >= BURN_IN:
            steps.append(cells)
    return np.concatenate(steps)


def interval(values: FloatArray) -> tuple[float, float, float]:
    """The median of draws, and the ends of their central 95 % interval."""
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return float(middle), float(low), float(high)
