"""Uncertainty of a mean over queries: a 95 % interval, also for few queries, and for queries that share documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from ragdiag.core.records import FloatArray, IntArray, Mean

__all__ = ["Resampler", "clusters", "clusters_by_name", "wilson"]

RESAMPLES = 4000
LEVEL = 0.95
BOOTSTRAPPED = range(20, 2_001)
"""Numbers of clusters that are bootstrapped: fewer make too few different resamples, more need none."""

ROUNDING = 1e-18
"""A variance of a mean of values in [0, 1] that is no larger comes from rounding: nothing varies."""


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's (1927) score interval for a proportion; `n` may be an effective sample size, so need not be whole."""
    z = float(special.ndtri(0.5 + level / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def clusters(groups: Sequence[Sequence[int]]) -> IntArray:
    """Number queries so that those which share a document get one number: shape ``(n,)``.

    `groups` holds each query's documents. A query of several goes by the one that most queries share: chains of queries, each
    with one document in common with the next, would make one cluster of a whole corpus. A query with none stands alone.
    """
    shared = Counter(d for documents in groups for d in set(documents))
    names = [max(documents, key=lambda d: (shared[d], -d)) if documents else -1 - i for i, documents in enumerate(groups)]
    return np.unique(np.array(names, dtype=np.int64), return_inverse=True)[1].astype(np.int64)


def clusters_by_name(groups: Iterable[Sequence[str]]) -> IntArray:
    """`clusters`, of documents that go by name."""
    numbers: dict[str, int] = {}
    return clusters([[numbers.setdefault(name, len(numbers)) for name in documents] for documents in groups])


class Resampler:
    """Intervals of means over one set of queries, all from the same seeded resamples of its clusters."""

    def __init__(self, cluster: IntArray, seed: int) -> None:
        self._cluster, self._seed = cluster, seed
        self._drawn: dict[int, npt.NDArray[np.uint8]] = {}

    @property
    def cluster(self) -> IntArray:
        """The number of each query's cluster, shape ``(n_queries,)``."""
        return self._cluster

    def mean(self, values: FloatArray) -> Mean:
        """The mean of `values` (one a query, in [0, 1], NaN where not decidable), its interval, and n.

        Proportions, and any values in too few clusters to resample, get Wilson's interval at an effective sample size
        (`_effective_n`). Else the interval is the bootstrap over clusters, with percentiles expanded by Student's t (Hesterberg
        2015, "What Teachers Should Know About the Bootstrap", section 5.3), for clusters of unequal size as `_spread` says.
        """
        known = ~np.isnan(values)
        values = values[known]
        n = len(values)
        if n == 0:
            return Mean(None, None, None, 0)
        cluster = np.unique(self._cluster[known], return_inverse=True)[1]
        size = np.bincount(cluster).astype(np.float64)
        total = np.bincount(cluster, weights=values).astype(np.float64)
        mean = float(values.mean())
        variance, freedom = _spread(size, total)
        if len(size) not in BOOTSTRAPPED or variance <= ROUNDING or np.isin(values, (0.0, 1.0)).all():
            m = _effective_n(size, total, values)
            low, high = wilson(mean * m, m)
        else:
            resampled = float(((total - mean * size) ** 2).sum()) / n**2  # the variance that resamples of clusters have
            tail = float(special.ndtr(special.stdtrit(freedom, 0.5 - LEVEL / 2) * np.sqrt(variance / resampled)))
            low, high = map(float, np.quantile(self._resampled(size, total), [tail, 1 - tail]))
        return Mean(mean, min(low, mean), max(high, mean), n)

    def worth(self, values: FloatArray) -> float:
        """How many independent queries one query is worth to the mean of `values`, which are 0, 1 or NaN."""
        known = ~np.isnan(values)
        cluster = np.unique(self._cluster[known], return_inverse=True)[1]
        size = np.bincount(cluster).astype(np.float64)
        total = np.bincount(cluster, weights=values[known]).astype(np.float64)
        return _effective_n(size, total, values[known]) / int(known.sum())

    def _resampled(self, size: FloatArray, total: FloatArray) -> FloatArray:
        """The mean in each resample of as many clusters, shape ``(RESAMPLES,)``."""
        g = len(size)
        if g not in self._drawn:
            rng = np.random.default_rng(self._seed)
            rows = [np.bincount(rng.integers(0, g, size=g), minlength=g).astype(np.uint8) for _ in range(RESAMPLES)]
            self._drawn[g] = np.stack(rows)
        columns, blocks = np.stack([total, size], axis=1), np.array_split(self._drawn[g], 16)
        sums = np.concatenate([block.astype(np.float64) @ columns for block in blocks])
        return np.asarray(sums[:, 0] / sums[:, 1], dtype=np.float64)


def _spread(size: FloatArray, total: FloatArray) -> tuple[float, float]:
    """The variance of a mean of clustered values, and its degrees of freedom; 0 and 1 where there is one cluster.

    The bias-reduced cluster-robust variance with Satterthwaite's degrees of freedom of Bell and McCaffrey (2002, "Bias Reduction
    in Standard Errors for Linear Regression with Multi-Stage Samples"), for a mean. Clusters of one size make it the usual
    variance of their means, with one degree of freedom less than there are clusters; a few large ones have fewer.
    """
    n = float(size.sum())
    if len(size) < 2:
        return 0.0, 1.0
    left = 1 - size / n
    variance = float(((total - total.sum() / n * size) ** 2 / left).sum()) / n**2
    cross = size**2 / left
    return variance, n**2 / float((size**2).sum() + (cross.sum() ** 2 - (cross**2).sum()) / n**2)


def _effective_n(size: FloatArray, total: FloatArray, values: FloatArray) -> float:
    """How many independent 0/1 queries would leave the mean as uncertain as these do.

    Korn and Graubard (1998, "Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated from
    Survey Data"): the sample size that gives the variance seen, less what Student's t asks for estimating it, and never more than
    the same values would be worth if no two shared a cluster. Where nothing varies each cluster counts as one query: values
    in [0, 1] vary at most as 0/1 values do.
    """
    mean, n = float(values.mean()), len(values)
    proportion = bool(np.isin(values, (0.0, 1.0)).all())
    if proportion and len(size) == n:
        return float(n)
    clustered = _spread(size, total)
    if clustered[0] <= ROUNDING:
        return float(len(size))
    worth = [float(n)] if proportion else []
    for variance, freedom in [clustered] if proportion else [clustered, _spread(np.ones(n), values)]:
        t = float(special.ndtri(0.5 + LEVEL / 2) / special.stdtrit(freedom, 0.5 + LEVEL / 2))
        worth.append(mean * (1 - mean) / variance * t * t)
    return min(worth)
