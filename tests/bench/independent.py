"""The correction that ragdiag no longer uses, kept to be measured beside the one it does: a judge whose errors are independent.

The model is the usual one of an imperfect test (Rogan and Gladen 1978, "Estimating prevalence from the results of a screening
test"; Joseph, Gyorkos and Coupal 1995, "Bayesian estimation of disease prevalence"): under each condition the judge passes a
right answer with one unknown probability and a wrong one with another, whatever it says of the query's other answer.
"""

from __future__ import annotations

import numpy as np

from ragdiag.core.records import FloatArray

CHAINS, BURNT, KEPT = 64, 60, 80
"""Chains side by side; steps of each that are thrown away, and that are kept."""

PRIOR = 0.5
"""Jeffreys's, of each probability."""


def draws(label: FloatArray, judged: FloatArray, worth: float = 1.0, seed: int = 0) -> FloatArray:
    """Probabilities of the cells of truth that agree with what was seen, shape ``(CHAINS * KEPT, 2 ** n_conditions)``.

    `label` and `judged` are 1 for a right answer, 0 for a wrong one, NaN where nothing was said: shape
    ``(n_queries, n_conditions)``. Bit c of a cell's number says whether the answer under condition c is right. `worth` is how
    many independent queries each one is worth (less than 1 where they share documents).
    """
    conditions = label.shape[1]
    patterns, counts = np.unique(np.nan_to_num(np.hstack([label, judged]), nan=-1.0), axis=0, return_counts=True)
    labels, opinions = patterns[:, :conditions], patterns[:, conditions:]
    truth = (np.arange(2**conditions)[:, None] >> np.arange(conditions)) & 1  # (cells, conditions)
    possible = ((labels[:, None, :] < 0) | (labels[:, None, :] == truth)).all(axis=2)  # (patterns, cells)
    rng = np.random.default_rng(seed)
    passes = _first(label, judged, rng)
    cells = np.full((CHAINS, 2**conditions), 1 / 2**conditions)
    kept = []
    for step in range(BURNT + KEPT):
        likelihood = np.broadcast_to(possible, (CHAINS, *possible.shape)).astype(np.float64)
        for c in range(conditions):
            passing = passes[:, c, truth[:, c]][:, None, :]  # (chains, 1, cells)
            said = opinions[:, c][None, :, None]
            likelihood = likelihood * np.where(said < 0, 1.0, np.where(said == 1, passing, 1 - passing))
        weights = likelihood * cells[:, None, :]
        allocated = rng.multinomial(counts, weights / weights.sum(axis=2, keepdims=True))  # (chains, patterns, cells)
        gamma = rng.standard_gamma(PRIOR + worth * allocated.sum(axis=1))
        cells = np.maximum(gamma / gamma.sum(axis=1, keepdims=True), 1e-12)
        for c in range(conditions):
            for right in (0, 1):
                of = allocated[:, :, truth[:, c] == right].sum(axis=2)
                yes, no = of[:, opinions[:, c] == 1].sum(axis=1), of[:, opinions[:, c] == 0].sum(axis=1)
                passes[:, c, right] = np.clip(rng.beta(PRIOR + yes, PRIOR + no), 1e-9, 1 - 1e-9)
        if step >= BURNT:
            kept.append(cells)
    return np.concatenate(kept)


def _first(label: FloatArray, judged: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Where the chains start: probabilities that the labelled answers alone would allow, shape ``(CHAINS, conditions, 2)``."""
    passes = np.empty((CHAINS, label.shape[1], 2))
    for c in range(label.shape[1]):
        for right in (0, 1):
            said = judged[label[:, c] == right, c]
            passes[:, c, right] = rng.beta(1 + (said == 1).sum(), 1 + (said == 0).sum(), size=CHAINS)
    return passes
