"""Exact search among unit vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ragdiag.ranking import best, padded
from ragdiag.records import FloatArray, IntArray

DECIMALS = 6
"""Cosines are rounded so: float32 carries no more, and equal texts then score equal wherever they stand in the matrix."""

BLOCK = 64


def search_vectors(queries: Any, texts: Any, depth: int) -> tuple[IntArray, FloatArray]:
    """The `depth` rows of `texts` with the highest cosine for each row of `queries`; both hold float32 unit (or zero) vectors.

    A query of zeros (no known word) finds nothing. Shapes and order as in `protocols.Index`.
    """
    rows: list[tuple[IntArray, FloatArray]] = []
    for i in range(0, len(queries), BLOCK):
        block = queries[i : i + BLOCK]
        scores = np.round((block @ texts.T).astype(np.float64), DECIMALS)
        for vector, row in zip(block, scores, strict=True):
            top = best(row, depth) if vector.any() else np.empty(0, dtype=np.int64)
            rows.append((top, row[top]))
    return padded(rows, depth)


def unit(vectors: Any) -> Any:
    """The same directions as float32 vectors of length 1; zeros stay zeros."""
    vectors = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
