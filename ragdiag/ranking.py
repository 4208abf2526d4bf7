"""Orders of scores: descending, ties by position, so that a ranking is a function of its inputs."""

from __future__ import annotations

import numpy as np

from ragdiag.records import FloatArray, IntArray

__all__ = ["best", "padded"]


def best(scores: FloatArray, depth: int) -> IntArray:
    """Positions of the `depth` highest of one row of `scores`, score descending, then position."""
    if depth < len(scores):
        # The threshold's ties are taken from the left, which argpartition alone does not promise.
        threshold = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        above = np.flatnonzero(scores > threshold)
        level = np.flatnonzero(scores == threshold)[: depth - len(above)]
        chosen = np.concatenate([above, level])
    else:
        chosen = np.arange(len(scores))
    order: IntArray = chosen[np.lexsort((chosen, -scores[chosen]))]
    return order


def padded(rows: list[tuple[IntArray, FloatArray]], depth: int) -> tuple[IntArray, FloatArray]:
    """Rankings of unequal length as two arrays of shape ``(n_queries, depth)``, padded with -1 and -inf."""
    positions = np.full((len(rows), depth), -1, dtype=np.int64)
    scores = np.full((len(rows), depth), -np.inf)
    for i, (found, values) in enumerate(rows):
        positions[i, : len(found)] = found
        scores[i, : len(found)] = values
    return positions, scores
