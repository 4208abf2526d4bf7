"""How well a figure tells two kinds of queries apart: the area under the ROC curve, its interval, what would tell more."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from ragdiag.core.records import FloatArray, IntArray

__all__ = ["Separation", "further", "separation"]

LEVEL, POWER = 0.95, 0.80

MANY = 1_000_000
"""Queries: where as many more would not tell, no number is said to."""


class Separation(NamedTuple):
    """The chance `auc` that a figure is higher for a query of the first kind than for one of the second (ties count half).

    `low` and `high` are its 95 % interval, `p` that of no difference, two-sided. `n` and `m` are the queries of the first and of
    the second kind; `worth` is how many independent ones the first are worth, which share documents.
    """

    auc: float
    low: float
    high: float
    p: float
    n: int
    m: int
    worth: float


def separation(first: FloatArray, second: FloatArray, cluster: IntArray) -> Separation | None:
    """How far values of the `first` kind of query stand above those of the `second`; None where there are none of a kind.

    `cluster` numbers those of the first kind that share a document; queries of the second, which have none, stand alone. The area
    is the Mann-Whitney statistic; its interval is the score interval of Newcombe (2006, "Confidence intervals for an effect size
    measure based on the Mann-Whitney statistic", part 2, method 5), which is wide enough where there are few queries or all are
    told apart; `p` belongs to it. Clusters make the first kind worth fewer queries, as much as they make its part of the variance
    larger (Obuchowski 1997, "Nonparametric analysis of clustered ROC curve data").
    """
    if not len(first) or not len(second):
        return None
    above = _above(first, second)
    auc, m = float(above.mean()), len(second)
    worth = _worth(above, cluster)
    z = float(special.ndtri(0.5 + LEVEL / 2))
    p = 2 * float(special.ndtr(-abs(auc - 0.5) / math.sqrt(_variance(0.5, worth, m))))
    return Separation(auc, _end(auc, 0.0, worth, m, z), _end(auc, 1.0, worth, m, z), p, len(first), m, worth)


def further(seen: Separation, tests: int = 1) -> int | None:
    """How many more of the second kind would tell that the area is not one half, were it as seen; None where no number would.

    With `POWER`, two-sided at 5 % shared among `tests`, and with the first kind as they are.
    """
    z_a, z_b = float(special.ndtri(1 - (1 - LEVEL) / 2 / tests)), float(special.ndtri(POWER))

    def tells(m: int) -> bool:
        missed = z_a * math.sqrt(_variance(0.5, seen.worth, m)) + z_b * math.sqrt(_variance(seen.auc, seen.worth, m))
        return abs(seen.auc - 0.5) >= missed

    if not tells(MANY):
        return None
    fewer, enough = 0, MANY
    while enough - fewer > 1:
        middle = (fewer + enough) // 2
        fewer, enough = (fewer, middle) if tells(middle) else (middle, enough)
    return max(enough - seen.m, 1)


def _above(first: FloatArray, second: FloatArray) -> FloatArray:
    """Of each of `first`, the share of `second` that stand below it, those level with it by half; shape ``(n_first,)``."""
    ordered = np.sort(second)
    below, not_above = np.searchsorted(ordered, first, side="left"), np.searchsorted(ordered, first, side="right")
    return np.asarray((below + not_above) / (2 * len(second)), dtype=np.float64)


def _worth(above: FloatArray, cluster: IntArray) -> float:
    """How many independent queries would leave their part of the variance as large; the clusters where nothing varies.

    Less what Student's t asks for estimating it from so few clusters.
    """
    n, apart = len(above), above - above.mean()
    sums = np.bincount(np.unique(cluster, return_inverse=True)[1], weights=apart)
    clusters = len(sums)
    if clusters == n or clusters == 1:
        return float(clusters)
    alone = float((apart**2).sum()) * n / (n - 1)
    together = float((sums**2).sum()) * clusters / (clusters - 1)
    if alone < 1e-12:
        return float(clusters)
    t = float(special.ndtri(0.5 + LEVEL / 2) / special.stdtrit(clusters - 1, 0.5 + LEVEL / 2))
    return n / max(1.0, together / alone) * t * t


def _variance(auc: float, n: float, m: float) -> float:
    """Of an area, by Hanley and McNeil (1982) with Newcombe's mean of both numbers; at one half, that of the rank sum test."""
    each = (n + m) / 2 - 1
    return auc * (1 - auc) * (1 + each * ((1 - auc) / (2 - auc) + auc / (1 + auc))) / (n * m)


def _end(auc: float, extreme: float, n: float, m: float, z: float) -> float:
    """The end of the interval on the side of `extreme`: the area that is just not rejected."""
    inside, outside = auc, extreme
    for _ in range(60):
        middle = (inside + outside) / 2
        within = abs(auc - middle) <= z * math.sqrt(max(_variance(middle, n, m), 0.0))
        inside, outside = (middle, outside) if within else (inside, middle)
    return (inside + outside) / 2
