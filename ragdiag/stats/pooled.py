"""What a measure on a pool says of the whole corpus: bounds that hold whatever the rest is like, and an estimate by a model.

A pool holds chosen documents and a random share `rate` of all others, the rest. What is not in it can only push evidence down.

- *Upper end*: what is measured on the pool.
- *Lower end*: let ``loss(A)`` be what a set ``A`` of further documents takes from a measure, at most. Where that grows ever
  more slowly as documents are added (it is submodular), a random share of the rest takes at least that share of what all of it
  takes: ``E[loss(sample)] >= rate * loss(rest)``. So the loss to the sample, divided by the rate as Horvitz and Thompson divide
  (1952, "A Generalization of Sampling Without Replacement From a Finite Universe"), is in expectation no less than the loss to
  the rest. Where a measure falls by a step, as one of the first k does, the least loss of this kind above it is taken.
- *Estimate*: how many of the rest outrank evidence that stands at rank r among the chosen is taken to be negative binomial with
  a mean that is a power of r; a random share of such a number is negative binomial too, so its three parameters are fitted to
  what the sample shows. A model may be wrong: it is used where it changes little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.pools import Estimate
from ragdiag.core.records import Mean
from ragdiag.stats.statistics import Resampler

__all__ = ["Counted", "bounded", "estimated", "losses", "valued"]

Discount = Callable[[FloatArray], FloatArray]
"""What an item at a rank (from 1) is worth; never more than at a better rank."""

FURTHEST = 400
"""Documents of the rest above an item of which the estimate takes account; beyond, all ranks are worth the same."""

GROUPS = 12
"""Parts of the queries that are left out by turns, to see how far the estimate hangs on each."""

TOO_MUCH = 0.1
"""The estimate is given only where it lies no further below what is measured: beyond, it rests on the model more than on data."""


SEEN = 20
"""Items that something stands above by chance. With fewer the sample shows too little to fit a model to."""


class Counted(NamedTuple):
    """What a measure counts, shape ``(n_items,)`` each: the query of an item, its rank among the chosen (from 1), how many that
    are there by chance stand above it, and what it weighs; and what an item is worth by its rank.
    """

    query: IntArray
    rank: IntArray
    above: IntArray
    weight: FloatArray
    discount: Discount

    def of(self, queries: IntArray) -> Counted:
        """The items of some queries."""
        of = np.isin(self.query, queries)
        return Counted(self.query[of], self.rank[of], self.above[of], self.weight[of], self.discount)


def valued(items: Counted, n: int, chosen: bool = False) -> FloatArray:
    """The measure of each of `n` queries on the pool, or among the `chosen` alone."""
    ranks = items.rank + (0 if chosen else items.above)
    return _by_query(items, items.discount(ranks.astype(np.float64)), n)


def _by_query(items: Counted, worth: FloatArray, n: int) -> FloatArray:
    """The sums over the items of each query."""
    sums: FloatArray = np.bincount(items.query, items.weight * worth, n).astype(np.float64)
    return sums


def losses(items: Counted, n: int) -> FloatArray:
    """What the sample takes from the measure of each of `n` queries, at most: see this module."""
    lost = np.zeros(len(items.query))
    for rank in np.unique(items.rank).tolist():
        here = items.rank == rank
        reach = max(int(items.above[here].max()), FURTHEST)
        falls = items.discount(np.array([float(rank)]))[0] - items.discount(rank + np.arange(reach + 1, dtype=np.float64))
        lost[here] = _envelope(falls)[items.above[here]]
    return _by_query(items, lost, n)


def _envelope(falls: FloatArray) -> FloatArray:
    """The least concave sequence that is nowhere below `falls`, which rise."""
    corners = [0]
    for i in range(1, len(falls)):
        while len(corners) > 1:
            a, b = corners[-2:]
            if (falls[b] - falls[a]) * (i - b) > (falls[i] - falls[b]) * (b - a):
                break
            corners.pop()
        corners.append(i)
    return np.interp(np.arange(len(falls)), corners, falls[corners])


def bounded(chosen: FloatArray, lost: FloatArray, rate: float, resampler: Resampler) -> float:
    """The lower end for the whole, of queries as a sample of all and documents as a sample of the rest.

    The errors of both means add up as squares of the distances to their limits (Zou and Donner 2008).
    """
    among, taken = resampler.mean(chosen), resampler.mean(lost)
    if among.mean is None or among.low is None or taken.mean is None or taken.high is None or not rate:
        return 0.0
    centre = among.mean - taken.mean / rate
    return max(0.0, float(centre - np.hypot(among.mean - among.low, (taken.high - taken.mean) / rate)))


def estimated(items: Counted, known: IntArray, cluster: IntArray, rate: float, pool: Mean) -> Estimate | None:
    """The mean of the `known` queries in the whole, by the model.

    None where the sample shows too little of the rest (`SEEN`), or it would lie `TOO_MUCH` below the mean on the `pool`.

    The interval's lower end is that of Student's t about the estimate, with the spread that leaving out groups of clusters shows;
    its upper end is that on the pool, above which the whole cannot be.
    """
    if pool.mean is None or pool.high is None or np.count_nonzero(items.above) < SEEN:
        return None
    fit, n = _fit(items, rate), int(known.max()) + 1
    values = _expected(items, fit, rate, n)[known]
    mean = min(float(values.mean()), pool.mean)
    if pool.mean - mean > TOO_MUCH:
        return None
    of_query = np.unique(cluster[known], return_inverse=True)[1] % GROUPS
    without = []
    for g in np.unique(of_query).tolist():
        kept = known[of_query != g]
        part = items.of(kept)
        if len(kept):
            without.append(float(_expected(part, _fit(part, rate, fit), rate, n)[kept].mean()))
    if len(without) < 2:
        return Estimate(mean, 0.0, pool.high)
    spread = np.sqrt((len(without) - 1) / len(without) * ((np.array(without) - np.mean(without)) ** 2).sum())
    half = float(special.stdtrit(len(without) - 1, 0.975) * spread)
    return Estimate(mean, max(0.0, mean - half), pool.high)


Fit = tuple[float, float, float]
"""The logarithm of how many of the rest stand above rank 1 on average, the power of the rank, the logarithm of the shape."""

USUAL: Fit = (-1.0, 1.0, -1.0)
"""Where the fit starts; it is drawn towards the last two by a little, so that a sample that shows nothing has a fit too."""

PULL = (0.0, 0.01, 0.005)


def _fit(items: Counted, rate: float, start: Fit = USUAL) -> Fit:
    """The most likely parameters."""
    ranks, rows = np.unique(np.stack([items.rank, items.above]), axis=1, return_counts=True)
    logs, above = np.log(ranks[0].astype(np.float64)), ranks[1].astype(np.float64)

    def unlikely(point: FloatArray) -> float:
        mean, shape = rate * np.exp(np.clip(point[0] + point[1] * logs, -30, 30)), np.exp(np.clip(point[2], -8, 8))
        likely = special.gammaln(above + shape) - special.gammaln(shape) - special.gammaln(above + 1)
        likely += shape * np.log(shape / (shape + mean)) + above * np.log(mean / (shape + mean))
        return float(sum(p * (x - u) ** 2 for p, x, u in zip(PULL, point, USUAL, strict=True)) - (rows * likely).sum())

    found = optimize.minimize(unlikely, start, method="Nelder-Mead", options={"maxiter": 600, "xatol": 1e-4, "fatol": 1e-6})
    a, b, c = (float(x) for x in found.x)
    return a, b, c


def _expected(items: Counted, fit: Fit, rate: float, n: int) -> FloatArray:
    """The measure of each of `n` queries in the whole, in expectation, given what the sample shows of each."""
    kinds, kind = np.unique(np.stack([items.rank, items.above]), axis=1, return_inverse=True)
    rank, above = kinds[:, :, None].astype(np.float64)
    shape = np.exp(np.clip(fit[2], -8, 8))
    mean = np.exp(np.clip(fit[0] + fit[1] * np.log(rank), -30, 30))
    unseen = np.arange(FURTHEST, dtype=np.float64)
    # Given those seen, the number unseen is negative binomial with a shape that is larger by them.
    odds = (1 - rate) / (shape / mean + 1)
    size = shape + above
    chance = special.gammaln(unseen + size) - special.gammaln(size) - special.gammaln(unseen + 1)
    chance = np.exp(chance + size * np.log1p(-odds) + unseen * np.log(np.maximum(odds, 1e-300)))
    worth = (chance * items.discount(rank + above + unseen)).sum(axis=1)
    worth += np.maximum(0.0, 1 - chance.sum(axis=1)) * items.discount((rank + above + FURTHEST)[:, 0])
    return _by_query(items, worth[kind.ravel()], n)
