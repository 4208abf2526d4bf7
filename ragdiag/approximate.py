"""Indexes that may miss what they hold (`exact` of `protocols.Index`), held against exact search."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ragdiag.nested import parts_of
from ragdiag.proofs import EXACT
from ragdiag.protocols import Index
from ragdiag.records import FloatArray

__all__ = ["exact_swap", "index_recall", "recall"]

SLACK = 1e-5
"""Two computations of one score differ by no more, as a share of it."""


def exact_swap(index: Index) -> dict[str, Callable[[], Index]]:
    """By the name of that swap, `index` searched exactly, made when asked; nothing for an index that misses nothing."""
    return {EXACT: lambda: _exactly(index)} if any(hasattr(part, "exact") for part in parts_of(index)) else {}


def index_recall(index: Index, queries: Sequence[str], k: int) -> dict[str, Any]:
    """How much of the first `k` of exact search an approximate index returns, asked for `k` as an application would; else {}."""
    part = next((part for part in parts_of(index) if hasattr(part, "exact")), None)
    if part is None or not queries:
        return {}
    mean = recall(part.search(queries, k)[1], part.exact().search(queries, k)[1])
    return {"index_recall": {"k": k, "mean": round(mean, 6)}}


def recall(found: FloatArray, exact: FloatArray) -> float:
    """The mean share of the first k of exact search that an index returns, by their scores: what ties with the last will do.

    Both of shape ``(n_queries, k)``, best first, -inf where there is nothing; where exact search has nothing, nothing is missed.
    """
    n = np.isfinite(exact).sum(axis=1)
    last = exact[np.arange(len(n)), np.maximum(n - 1, 0)]
    as_good = (found >= (last - SLACK * np.maximum(np.abs(last), 1))[:, None]).sum(axis=1)
    return float(np.where(n, np.minimum(as_good, n) / np.maximum(n, 1), 1.0).mean())


def _exactly(index: Any) -> Any:
    """The same, with what is approximate in it searched exactly."""
    if hasattr(index, "exact"):
        return index.exact()
    other = copy.copy(index)
    if hasattr(index, "indexes"):
        other.indexes = [_exactly(part) for part in index.indexes]
    return other
