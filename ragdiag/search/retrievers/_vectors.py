"""Exact search among unit vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.proofs import Edit
from ragdiag.core.ranking import best, edited, padded

DECIMALS = 6
"""Cosines are rounded so: float32 carries no more."""

BLOCK = 64

Encode = Callable[[Sequence[str], Literal["document", "query"]], VectorArray]
"""Vectors of texts of a kind, one a row."""


class Encoded(NamedTuple):
    """What stands for the texts that each edit adds, the vectors of all queries, and those of what stands for a text."""

    texts: list[list[str]]
    queries: dict[str, VectorArray]
    added: dict[str, VectorArray]


class Vectors:
    """Float32 unit (or zero) vectors of texts, shape ``(n_texts, dimension)``, all compared with each query."""

    def __init__(self, vectors: VectorArray) -> None:
        self.rows = vectors
        # A matrix product may round equal rows differently, by where they stand: copies take the score of the first.
        seen: dict[bytes, int] = {}
        first = [seen.setdefault(hashlib.blake2b(v, digest_size=16).digest(), i) for i, v in enumerate(vectors)]
        self._first = np.array(first, dtype=np.int64)
        self._copies = (self._first != np.arange(len(first))).nonzero()[0]

    def search(self, queries: VectorArray, depth: int) -> tuple[IntArray, FloatArray]:
        """The `depth` texts with the highest cosine for each row of `queries`, float32 unit (or zero) vectors.

        A query of zeros (no known word) finds nothing. Shapes and order as in `protocols.Index`.
        """
        rows: list[tuple[IntArray, FloatArray]] = []
        for i in range(0, len(queries) if len(self.rows) else 0, BLOCK):
            block = queries[i : i + BLOCK]
            scores = np.round((block @ self.rows.T).astype(np.float64), DECIMALS)
            scores[:, self._copies] = scores[:, self._first[self._copies]]
            for vector, row in zip(block, scores, strict=True):
                top = best(row, depth) if vector.any() else np.empty(0, dtype=np.int64)
                rows.append((top, row[top]))
        return padded(rows or [(np.empty(0, dtype=np.int64), np.empty(0))] * len(queries), depth)

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
            return float(np.round(np.float64(vectors[query] @ added[text]), DECIMALS)) if vectors[query].any() else -np.inf

        def search(distinct: Sequence[str], deep: int) -> tuple[IntArray, FloatArray]:
            return self.search(np.stack([vectors[q] for q in distinct]) if distinct else self.rows[:0], deep)

        return edited(search, score, len(self.rows), queries, edits, texts, depth)


def encoded(encode: Encode, queries: Sequence[str], edits: Sequence[Edit]) -> Encoded:
    """What an encoder reads of the texts that each edit adds, and the vectors of all queries and of all such texts."""
    texts = [[a.seen or a.text for a in edit.added] for edit in edits]
    asked, new = list(dict.fromkeys(queries)), list(dict.fromkeys(text for own in texts for text in own))
    by_query = dict(zip(asked, encode(asked, "query"), strict=True))
    return Encoded(texts, by_query, dict(zip(new, encode(new, "document"), strict=True)))
