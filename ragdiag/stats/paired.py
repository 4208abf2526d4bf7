"""Two configurations on the same queries: how much they differ, how sure that is, what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse, special

from ragdiag.core.records import FloatArray, IntArray

__all__ = ["Difference", "Paired", "holm", "joined", "units"]

RANDOM_FLIPS = 20_000
"""Random sign flips behind a p-value, where there are too many to try all."""

MOST_EXACT = 14
"""Units with a difference up to which all sign flips are tried: 2 to this power."""

LEVEL, POWER = 0.95, 0.80
"""The level of intervals, and the chance of finding a difference at which it counts as detectable."""

CLUSTERS = 20
"""The fewest clusters that are resampled: fewer say too little about how much clusters differ.

Then queries are taken for independent, and the statement is about these documents alone."""


def units(cluster: IntArray, copies: IntArray | None = None) -> IntArray:
    """What is independent of one another, numbered from 0: the clusters, or each query where there are fewer than `CLUSTERS`.

    What has one number in `copies` is never parted: a question that is asked twice says nothing new.
    """
    copies = np.arange(len(cluster)) if copies is None else np.unique(copies, return_inverse=True)[1].astype(np.int64)
    together = joined(np.unique(cluster, return_inverse=True)[1], copies)
    first = np.full(len(cluster), cluster.max(initial=0))
    np.minimum.at(first, together, cluster)
    unit: IntArray = np.unique(first[together], return_inverse=True)[1].astype(np.int64)
    return unit if unit.max(initial=-1) + 1 >= CLUSTERS else copies


def joined(one: IntArray, other: IntArray) -> IntArray:
    """Numbers from 0 for what has two, each from 0 on: one for all that share either, directly or by way of others."""
    n, m = one.max(initial=-1) + 1, other.max(initial=-1) + 1
    links = sparse.coo_array((np.ones(len(one)), (one, n + other)), shape=(n + m, n + m))
    component: IntArray = sparse.csgraph.connected_components(links, directed=False)[1].astype(np.int64)
    return np.unique(component[one], return_inverse=True)[1].astype(np.int64)


class Difference(NamedTuple):
    """The mean of ``b - a`` over `n` queries, its 95 % interval, the p-value of no difference.

    `better` and `worse` count the queries in which b is above and below a. `error` is the interval's standard error.
    """

    mean: float
    low: float
    high: float
    p: float
    better: int
    worse: int
    n: int
    error: float

    def detectable(self, family: int) -> float:
        """The least true difference that would be found in `POWER` of such samples, in a family of so many contrasts."""
        return float((special.ndtri(1 - (1 - LEVEL) / (2 * max(family, 1))) + special.ndtri(POWER)) * self.error)

    def more_needed(self, family: int, effect: float | None = None) -> int | None:
        """How many more queries would find a true difference as large as `effect` (by default as this one) in `POWER` of samples,
        and a family of so many contrasts: 1 at least. None where there is no difference to find.
        """
        effect = self.mean if effect is None else effect
        if abs(effect) < 1e-9:
            return None
        return max(int(np.ceil(self.n * (self.detectable(family) / effect) ** 2)) - self.n, 1)

    def scaled(self, share: float) -> Difference:
        """The difference over all questions, of which only this share, which is known, can differ: this one is over a sample of
        these alone. That there is no difference is as likely as before.
        """
        mean, low, high, error = (share * each for each in (self.mean, self.low, self.high, self.error))
        return self._replace(mean=mean, low=low, high=high, error=error)


class Paired:
    """Differences over one set of queries.

    `cluster` numbers those that share a document, `copies` those that ask the same, as for `units`; of shape ``(n_queries,)``.
    """

    def __init__(self, cluster: IntArray, seed: int, copies: IntArray | None = None) -> None:
        self._cluster, self._seed = cluster, seed
        self._copies: IntArray = np.arange(len(cluster)) if copies is None else copies

    def difference(self, a: FloatArray, b: FloatArray) -> Difference | None:
        """``b - a``: values in [0, 1], one a query, NaN where not decidable. None where no query is decidable in both.

        The interval is Bonett and Price's (2012, "Adjusted Wald Confidence Interval for a Difference of Binomial Proportions
        Based on Paired Data"): one more query in favour of each side, by as much as others are, so that a few discordant ones do
        not make it too narrow. p is that of the sign-flip test (Fisher 1935): were the two configurations
        alike, each difference might as well have the other sign. Where queries share documents, and of those there are
        `CLUSTERS` or more, whole documents are flipped, and the interval is widened by what they have in common.
        """
        known = ~(np.isnan(a) | np.isnan(b))
        values = (b - a)[known]
        n = len(values)
        if n == 0:
            return None
        unit = units(self._cluster[known], self._copies[known])
        sums = np.bincount(unit, weights=values).astype(np.float64)
        size = np.bincount(unit).astype(np.float64)
        centre = float(values.sum()) / (n + 2)
        usual = float((values[values != 0] ** 2).mean()) if values.any() else 1.0
        variance = (float((values**2).sum()) + 2 * usual) / (n + 2) - centre**2
        error = float(np.sqrt(variance / (n + 2) * _inflation(values, sums, size)))
        n_units = len(size)
        reach = float(special.stdtrit(n_units - 1, 0.5 + LEVEL / 2) if n_units > 1 else special.ndtri(0.5 + LEVEL / 2)) * error
        return Difference(
            mean=float(values.mean()),
            low=max(-1.0, min(centre - reach, float(values.mean()))),
            high=min(1.0, max(centre + reach, float(values.mean()))),
            p=self._flipped(sums[sums != 0]),
            better=int((values > 0).sum()),
            worse=int((values < 0).sum()),
            n=n,
            error=error,
        )

    def _flipped(self, sums: FloatArray) -> float:
        """The share of sign flips whose sum is at least as far from 0; units without a difference have no say."""
        m, observed = len(sums), abs(float(sums.sum()))
        if m == 0:
            return 1.0
        if np.ptp(np.abs(sums)) < 1e-12:  # all alike: as many positive ones as a fair coin would give
            tail = (m - round(observed / abs(float(sums[0])))) // 2
            return min(1.0, 2.0 * float(special.bdtr(tail, m, 0.5)))
        if m <= MOST_EXACT:
            every = 1.0 - 2.0 * ((np.arange(2**m)[:, None] >> np.arange(m)) & 1)
            return float((np.abs(every @ sums) >= observed - 1e-9).mean())
        rng, extreme = np.random.default_rng(self._seed), 0
        for _ in range(20):  # in parts, each of which fits into memory
            signs = rng.integers(0, 2, size=(RANDOM_FLIPS // 20, m), dtype=np.int8) * np.int8(2) - np.int8(1)
            extreme += int((np.abs(signs @ sums) >= observed - 1e-9).sum())
        return (1 + extreme) / (1 + RANDOM_FLIPS)


def _inflation(values: FloatArray, sums: FloatArray, size: FloatArray) -> float:
    """How many times the variance of independent queries that of clustered ones is; never less than 1."""
    n, mean = len(values), float(values.mean())
    alone = float(((values - mean) ** 2).sum())
    units = len(size)
    if units == 1:
        return float(n)  # one question, asked n times, is worth one
    if units == n or alone <= 0:
        return 1.0
    together = float(((sums - mean * size) ** 2).sum()) * units / (units - 1)
    return max(1.0, together / alone)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down p-values: the family-wise error stays below any level that they are held against."""
    order = np.argsort(np.asarray(ps, dtype=np.float64), kind="stable")
    adjusted, highest = [0.0] * len(ps), 0.0
    for place, i in enumerate(order.tolist()):
        highest = max(highest, min(1.0, (len(ps) - place) * ps[i]))
        adjusted[i] = highest
    return adjusted
