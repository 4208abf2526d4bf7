"""Exact search among unit vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.proofs import Edit
from ragdiag.core.ranking import best, edited, padded, reached

DECIMALS = 6
"""Cosines are rounded so: float32 carries no more."""

BLOCK = 64

SLAB = 4096
"""Texts scored exactly at once, for the memory."""

Encode = Callable[[Sequence[str], Literal["document", "query"]], VectorArray]
"""Vectors of texts of a kind, one a row."""


class Encoded(NamedTuple):
    """What stands for the texts that each edit adds, the vectors of all queries, and those of what stands for a text."""

    texts: list[list[str]]
    queries: dict[str, VectorArray]
    added: dict[str, VectorArray]


def cosines(rows: VectorArray, query: VectorArray) -> FloatArray:
    """Of each row with the query, in float64, rounded: the same wherever the row stands, and equal rows score alike."""
    # Not by a matrix product, which adds up otherwise where there are more rows.
    exact: FloatArray = np.einsum("ij,j->i", rows.astype(np.float64), query.astype(np.float64))
    return np.round(exact, DECIMALS)


class Vectors:
    """Float32 unit (or zero) vectors of texts, shape ``(n_texts, dimension)``, all compared with each query."""

    def __init__(self, vectors: VectorArray) -> None:
        self.rows = vectors

    @cached_property
    def _error(self) -> float:
        """How far a score in float32 may be off, by the standard bound on a sum of products, for a query of length 1."""
        squares: VectorArray = np.einsum("ij,ij->i", self.rows, self.rows)
        return float(np.sqrt(squares.max(initial=0.0)) * self.rows.shape[1] * np.finfo(np.float32).eps)

    def search(self, queries: VectorArray, depth: int) -> tuple[IntArray, FloatArray]:
        """The `depth` texts with the highest cosine for each row of `queries`, float32 unit (or zero) vectors.

        A query of zeros (no known word) finds nothing. Shapes and order as in `protocols.Index`.
        """
        rows: list[tuple[IntArray, FloatArray]] = []
        for i in range(0, len(queries) if len(self.rows) else 0, BLOCK):
            block = queries[i : i + BLOCK]
            for vector, rough in zip(block, block @ self.rows.T, strict=True):
                rows.append(self._first(vector, rough, depth))
        return padded(rows or [(np.empty(0, dtype=np.int64), np.empty(0))] * len(queries), depth)

    def _first(self, query: VectorArray, rough: VectorArray, depth: int) -> tuple[IntArray, FloatArray]:
        """The `depth` best for one query, by `rough` scores of all.

        A matrix product rounds a score by where its row stands, by what else is asked, and by the number of threads. So it only
        tells which texts may be among the best; their scores are computed again.
        """
        if not query.any():
            return np.empty(0, dtype=np.int64), np.empty(0)
        near = np.arange(len(rough))
        if depth < len(rough):
            off = 2 * self._error * float(np.linalg.norm(query)) + 10.0**-DECIMALS
            near = np.flatnonzero(~(rough < reached(rough, depth) - off))
        scores = np.concatenate([cosines(self.rows[near[i : i + SLAB]], query) for i in range(0, len(near), SLAB)])
        top = best(scores, depth)
        return near[top], scores[top]

    def what_if(
        self,
        encode: Encode,
        queries: Sequence[str],
        edits: Sequence[Edit],
        depth: int,
    ) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`; `encode` makes vectors of texts of a kind, "query" or "document", all at once."""
        return self.edited(encoded(encode, queries, edits), queries, edits, depth)

    def edited(self, made: Encoded, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """`what_if` with vectors that are known."""
        texts, vectors, added = made

        def score(query: str, text: str) -> float:
            return float(cosines(added[text][None], vectors[query])[0]) if vectors[query].any() else -np.inf

        def search(distinct: Sequence[str], deep: int) -> tuple[IntArray, FloatArray]:
            return self.search(np.stack([vectors[q] for q in distinct]) if distinct else self.rows[:0], deep)

        return edited(search, score, len(self.rows), queries, edits, texts, depth)


def encoded(encode: Encode, queries: Sequence[str], edits: Sequence[Edit]) -> Encoded:
    """What an encoder reads of the texts that each edit adds, and the vectors of all queries and of all such texts."""
    texts = [[a.seen or a.text for a in edit.added] for edit in edits]
    asked, new = list(dict.fromkeys(queries)), list(dict.fromkeys(text for own in texts for text in own))
    by_query = dict(zip(asked, encode(asked, "query"), strict=True))
    return Encoded(texts, by_query, dict(zip(new, encode(new, "document"), strict=True)))
