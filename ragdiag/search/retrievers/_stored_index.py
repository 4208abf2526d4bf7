"""A store as an index, by its own search; and its vectors, all compared."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Store, no_progress
from ragdiag.core.ranking import best, edited, padded
from ragdiag.search.callables import AnyEncoder
from ragdiag.search.models import unit
from ragdiag.search.retrievers._source import PAGE, Restarted, Source
from ragdiag.search.retrievers._vectors import DECIMALS, Encode, Vectors, encoded

__all__ = ["ExactIndex", "StoredIndex"]

ANSWERS = 10_000
"""Results asked for in one request, of `QUERIES` queries at most: both stay far below what a server takes and sends."""

QUERIES = 100


class StoredIndex:
    """A store, its chunks numbered as in `ids`; see `protocols.Index`. Chunks not in `ids` are passed over.

    `length` is the mean length of its vectors, `nbytes` what they take.
    """

    encodes_anew: ClassVar[bool] = False

    def __init__(
        self, source: Source, model: AnyEncoder, ids: Sequence[str], store: Store | None, length: float, nbytes: int
    ) -> None:
        self._source, self.encoder, self._space, self._length = source, model, source.space, length
        self._encode = _encoding(model, store)
        self.nbytes = nbytes
        self._position = {name: i for i, name in enumerate(ids)}
        self._exact: ExactIndex | None = None
        self._known: dict[tuple[str, int], tuple[IntArray, FloatArray]] = {}
        self._vectors: dict[str, VectorArray] = {}

    @property
    def unlinked(self) -> int:
        """See `protocols.Relinked`."""
        return self._source.unlinked if isinstance(self._source, Restarted) else 0

    def started_anew(self, start: int) -> StoredIndex:
        """See `protocols.Relinked`."""
        other = copy.copy(self)
        if isinstance(self._source, Restarted):
            other._source, other._known = self._source.started_anew(start), {}
        return other

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. A score is the negative of the collection's own distance (squared L2, cosine, inner product).

        The collection is asked for `depth` results and no more, as long as they are all in `ids`. It is asked once: a live one
        may answer differently later.
        """
        new = [query for query in dict.fromkeys(queries) if (query, depth) not in self._known]
        self._known |= {(query, depth): row for query, row in zip(new, self._found(new, depth), strict=True)}
        return padded([self._known[query, depth] for query in queries], depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. What is timed is the collection: a query's vector is made once."""
        return padded(self._found([query], depth), depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. What the collection returns is edited: a chunk that its search misses stays missed."""
        texts, vectors, added = encoded(self._encode, queries, edits)

        def score(query: str, text: str) -> float:
            return round(-self._distance(float(vectors[query] @ added[text])), DECIMALS) + 0.0

        rows: dict[int, tuple[IntArray, FloatArray]] = {}
        sizes = [len(edit.removed) for edit in edits]
        for size in sorted(set(sizes)):  # apart: no edit is to look deeper for what another one drops
            at = [i for i, own in enumerate(sizes) if own == size]
            alike = [queries[i] for i in at], [edits[i] for i in at], [texts[i] for i in at]
            rows |= dict(zip(at, zip(*edited(self.search, score, len(self._position), *alike, depth), strict=True), strict=True))
        return padded([rows[i] for i in range(len(edits))], depth)

    def exact(self) -> ExactIndex:
        """See `protocols.Index`. All vectors are read, once."""
        if self._exact is None:
            vectors = np.empty((len(self._position), self.nbytes // 4 // len(self._position)), dtype=np.float32)
            names = list(self._position)
            for i in range(0, len(names), PAGE):
                vectors[i : i + PAGE] = self._source.vectors(names[i : i + PAGE])
            self._exact = ExactIndex(vectors, self._encode, self._space, self._length)
        return self._exact

    def _distance(self, cosine: float) -> float:
        """The store's distance between a query, of length 1, and a vector as long as the collection's."""
        if self._space == "l2":
            return 1 + self._length**2 - 2 * self._length * cosine
        return 1 - cosine * (self._length if self._space == "ip" else 1.0)

    def _found(self, queries: Sequence[str], depth: int) -> list[tuple[IntArray, FloatArray]]:
        """What the collection gives for each query: asked for `depth` results, for more while too few of them are in `ids`."""
        vectors = self._vectors_of(queries)
        rows: list[tuple[IntArray, FloatArray]] = [(np.empty(0, dtype=np.int64), np.empty(0))] * len(queries)
        wanted, at = depth, list(range(len(queries)))
        while at:
            found = self._asked(vectors[at], wanted)
            for i, (ids, distances) in zip(at, found, strict=True):
                rows[i] = self._row(ids, distances, depth)
            at = [i for i, (ids, _) in zip(at, found, strict=True) if len(ids) == wanted and len(rows[i][0]) < depth]
            wanted *= 2
        return rows

    def _vectors_of(self, queries: Sequence[str]) -> VectorArray:
        new = [query for query in dict.fromkeys(queries) if query not in self._vectors]
        self._vectors |= dict(zip(new, self._encode(new, "query"), strict=True)) if new else {}
        return np.array([self._vectors[query] for query in queries], dtype=np.float32)

    def _asked(self, vectors: VectorArray, n_results: int) -> list[tuple[Sequence[str], Sequence[float]]]:
        """The ids and distances that the collection returns for each vector."""
        rows = list[tuple[Sequence[str], Sequence[float]]]()
        block = min(QUERIES, max(ANSWERS // n_results, 1))
        for i in range(0, len(vectors), block):
            rows += self._source.nearest(vectors[i : i + block], n_results)
        return rows

    def _row(self, ids: Sequence[str], distances: Sequence[float], depth: int) -> tuple[IntArray, FloatArray]:
        known = sorted((self._position[name], -d) for name, d in zip(ids, distances, strict=True) if name in self._position)
        positions = np.array([position for position, _ in known], dtype=np.int64)
        scores: FloatArray = np.round([score for _, score in known], DECIMALS) + 0.0  # no -0.0
        top = best(scores, depth)
        return positions[top], scores[top]


def _encoding(encoder: AnyEncoder, store: Store | None) -> Encode:
    """`encoder` with `store`: a function of neither index, so that both, and the copy of a folder, go when the audit does."""
    return lambda texts, kind: encoder.encode(texts, kind, store, no_progress)


class ExactIndex:
    """A collection's own `vectors`, all compared by its own distance (`space`); see `protocols.Index`.

    `length` is the mean length of its vectors, which texts that an edit adds are given.
    """

    def __init__(self, vectors: VectorArray, encode: Encode, space: str, length: float) -> None:
        self._made, self._space, self._length = encode, space, length
        self._vectors = Vectors(self._placed(unit(vectors) if space == "cosine" else vectors))

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return int(self._vectors.rows.nbytes)

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. Scores are those of `StoredIndex`."""
        return self._scored(*self._vectors.search(self._encode(queries, "query"), depth))

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._scored(*self._vectors.what_if(self._encode, queries, edits, depth))

    def _encode(self, texts: Sequence[str], kind: Kind) -> VectorArray:
        vectors = self._made(texts, kind)
        if kind == "document":
            return self._placed(vectors if self._space == "cosine" else vectors * np.float32(self._length))
        return np.pad(vectors, ((0, 0), (0, 1)), constant_values=1) if self._space == "l2" and len(vectors) else vectors

    def _placed(self, vectors: VectorArray) -> VectorArray:
        """Vectors whose inner product with a query orders them as the distance does: for L2, q·v - |v|²/2."""
        if self._space != "l2" or not len(vectors):
            return vectors
        return np.hstack([vectors, -0.5 * (vectors**2).sum(axis=1, keepdims=True)])

    def _scored(self, positions: IntArray, scores: FloatArray) -> tuple[IntArray, FloatArray]:
        """Inner products as negative distances from a query of length 1."""
        return positions, np.round(scores * (2 if self._space == "l2" else 1) - 1, DECIMALS) + 0.0
