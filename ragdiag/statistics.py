"""Uncertainty of a mean over queries: a 95 % interval, honest about few queries and about queries that share documents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse, stats

from ragdiag.records import FloatArray, IntArray, Mean

__all__ = ["Resampler", "clusters", "wilson"]

RESAMPLES = 4000
LEVEL = 0.95


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's (1927) score interval for a proportion; `n` may be an effective sample size, so need not be whole."""
    z = float(stats.norm.ppf(0.5 + level / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def clusters(groups: Sequence[Sequence[int]]) -> IntArray:
    """Number queries so that those which share a document, directly or through others, get one number: shape ``(n,)``.

    `groups` holds each query's documents; a query with none is a cluster of its own.
    """
    n = len(groups)
    rows = np.array([i for i, documents in enumerate(groups) for _ in documents], dtype=np.int64)
    columns = np.array([d for documents in groups for d in documents], dtype=np.int64)
    width = int(columns.max()) + 1 if len(columns) else 0
    links = sparse.coo_array((np.ones(len(rows)), (rows, n + columns)), shape=(n + width, n + width))
    return np.asarray(sparse.csgraph.connected_components(links, directed=False)[1][:n], dtype=np.int64)


class Resampler:
    """Intervals of means over one set of queries, all from the same seeded resamples of its clusters."""

    def __init__(self, cluster: IntArray, seed: int) -> None:
        self._cluster, self._seed = cluster, seed
        self._drawn: dict[bytes, FloatArray] = {}

    def mean(self, values: FloatArray) -> Mean:
        """The mean of `values` (one a query, NaN where not decidable), its interval, and n.

        The interval is the bootstrap over clusters with percentiles expanded by Student's t for their number (Hesterberg 2015,
        "What Teachers Should Know About the Bootstrap", section 5.3); for 0/1 values Wilson's at the effective sample size.
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
        if np.isin(values, (0.0, 1.0)).all():
            low, high = wilson(mean * (m := _effective_n(mean, size, total)), m)
        elif len(size) == 1:
            low, high = 0.0, 1.0  # one document says nothing about the next
        else:
            g = len(size)
            tail = float(stats.norm.cdf(np.sqrt(g / (g - 1)) * stats.t.ppf(0.5 - LEVEL / 2, g - 1)))
            weights = self._weights(g)
            means = (weights @ total) / (weights @ size)
            low, high = map(float, np.quantile(means, [tail, 1 - tail]))
        return Mean(mean, min(low, mean), max(high, mean), n)

    def _weights(self, n_clusters: int) -> FloatArray:
        """How often each resample draws each cluster: shape ``(RESAMPLES, n_clusters)``."""
        key = n_clusters.to_bytes(8, "little")
        if key not in self._drawn:
            rng = np.random.default_rng(self._seed)
            drawn = rng.integers(0, n_clusters, size=(RESAMPLES, n_clusters))
            drawn += np.arange(RESAMPLES)[:, None] * n_clusters
            counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * n_clusters)
            self._drawn[key] = counts.reshape(RESAMPLES, n_clusters).astype(np.float64)
        return self._drawn[key]


def _effective_n(mean: float, size: FloatArray, total: FloatArray) -> float:
    """How many independent queries the clustered ones are worth (Kish's design effect, from the variance of cluster totals)."""
    n, g = float(size.sum()), len(size)
    if g == n or g < 2 or mean in (0.0, 1.0):
        return float(g) if mean in (0.0, 1.0) else n if g == n else 1.0
    variance = g / (g - 1) * float(((total - mean * size) ** 2).sum()) / n**2
    independent = mean * (1 - mean) / n
    return min(n, max(1.0, n * independent / variance)) if variance > 0 else n
