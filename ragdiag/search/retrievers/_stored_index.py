"""A store as an index, by its own search; and its vectors, all compared."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from ragdiag.core.arrays import BoolArray, FloatArray, IntArray, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import Beside, Progress, Store, no_progress
from ragdiag.core.ranking import best, edited, padded
from ragdiag.search.models import unit
from ragdiag.search.named import AnyEncoder
from ragdiag.search.retrievers._frames import Framing
from ragdiag.search.retrievers._source import PAGE, Restarted, Row, Source, Space
from ragdiag.search.retrievers._vectors import DECIMALS, Encode, Vectors, cosines, encoded

__all__ = ["ExactIndex", "StoredIndex", "odd_lengths"]

ANSWERS = 10_000
"""Results asked for in one request, of `QUERIES` queries at most: both stay far below what a server takes and sends."""

QUERIES = 100

KNOWN = 0.97
"""Middle cosine between stored vectors and ones made anew, below which it is not known what was embedded: no vector is faulty."""

ALIKE_ENOUGH, ODD = 0.9, 0.2
"""A vector is not of its text whose cosine is less than this share of the usual one, or, where length counts, whose length
differs from the usual one by more than a share.
"""


class StoredIndex:
    """A store, its chunks numbered as in `ids`; see `protocols.Index`. Chunks not in `ids` are passed over.

    `length` is the usual length of its vectors, `nbytes` what they take, `framing` what was embedded for a record. Texts that an
    edit adds are embedded in the same frame, with the metadata of the chunk in whose place they come.
    """

    encodes_anew: ClassVar[bool] = False

    def __init__(
        self,
        source: Source,
        model: AnyEncoder,
        ids: Sequence[str],
        store: Store | None,
        length: float,
        nbytes: int,
        framing: Framing,
    ) -> None:
        self._source, self.encoder, self._space, self._length = source, model, source.space, length
        self._encode, self._framing, self._store = _encoding(model, store), framing, store
        self.nbytes, self._ids = nbytes, list(ids)
        self._frames = _Frames(source, self._ids, framing)
        self._position = {name: i for i, name in enumerate(ids)}
        self._exact: ExactIndex | None = None
        self._known: dict[tuple[str, int], tuple[IntArray, FloatArray]] = {}
        self._vectors: dict[str, VectorArray] = {}
        self._faulty: dict[int, bool] = {}

    @property
    def unlinked(self) -> int:
        """See `protocols.Relinked`."""
        return self._source.unlinked if isinstance(self._source, Restarted) else 0

    @property
    def remedy(self) -> str:
        """See `protocols.Tunable`."""
        return self._source.remedy

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
        self._known |= {(query, depth): row for query, row in zip(new, self._found(self._vectors_of(new), depth), strict=True)}
        return padded([self._known[query, depth] for query in queries], depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. What is timed is the collection: a query's vector is made once."""
        return padded(self._found(self._vectors_of([query]), depth), depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. What the collection returns is edited: a chunk that its search misses stays missed."""
        edits = self._frames(edits)
        texts, vectors, added = encoded(self._encode, queries, edits)

        def score(query: str, text: str) -> float:
            return round(-self._distance(float(cosines(added[text][None], vectors[query])[0])), DECIMALS) + 0.0

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
            for i in range(0, len(self._ids), PAGE):
                vectors[i : i + PAGE] = self._source.vectors(self._ids[i : i + PAGE])
            self._exact = ExactIndex(vectors, self._encode, self._space, self._length, self._frames)
        return self._exact

    @property
    def adds(self) -> bool:
        """See `protocols.Kept`."""
        return self._framing.fits

    def drifted(self, chunks: Sequence[int]) -> list[bool]:
        """See `protocols.Kept`. The store is asked once for each chunk, in pages."""
        if not self.is_known:
            return [False] * len(chunks)
        if new := [c for c in dict.fromkeys(chunks) if c not in self._faulty]:
            stored, _, unlike = self.beside(new, no_progress)
            odd = odd_lengths(np.linalg.norm(stored, axis=1), self._length) & (self._space != "cosine")
            self._faulty |= dict(zip(new, (unlike | odd).tolist(), strict=True))
        return [self._faulty[c] for c in chunks]

    @property
    def space(self) -> Space:
        """See `protocols.Examined`."""
        return self._space

    @property
    def is_known(self) -> bool:
        """See `protocols.Examined`."""
        return self._framing.cosine >= KNOWN

    def beside(self, chunks: Sequence[int], progress: Progress) -> Beside:
        """See `protocols.Examined`."""
        rows, stored, ids = list[Row](), list[VectorArray](), [self._ids[c] for c in chunks]
        for i in range(0, len(ids), PAGE):
            rows += self._source.records(ids[i : i + PAGE])
            stored.append(self._source.vectors(ids[i : i + PAGE]))
        texts = [self._framing.frame(row.text or "", row.metadata) for row in rows]
        kept, made = np.concatenate(stored), self.encoder.encode(texts, "document", self._store, progress)
        cosine = (unit(kept) * made).sum(axis=1)
        return Beside(kept, made, ~(cosine >= ALIKE_ENOUGH * self._framing.cosine))

    def lengths(self) -> FloatArray:
        """See `protocols.Examined`. All vectors are read, once."""
        return self.exact().lengths

    def nearest(self, vectors: VectorArray, depth: int, *, exactly: bool = False) -> tuple[IntArray, FloatArray]:
        """See `protocols.Examined`."""
        return self.exact().nearest(vectors, depth) if exactly else padded(self._found(vectors, depth), depth)

    def _distance(self, cosine: float) -> float:
        """The store's distance between a query, of length 1, and a vector as long as the collection's."""
        if self._space == "l2":
            return 1 + self._length**2 - 2 * self._length * cosine
        return 1 - cosine * (self._length if self._space == "ip" else 1.0)

    def _found(self, vectors: VectorArray, depth: int) -> list[tuple[IntArray, FloatArray]]:
        """What the collection gives for each vector: asked for `depth` results, for more while too few of them are in `ids`."""
        rows: list[tuple[IntArray, FloatArray]] = [(np.empty(0, dtype=np.int64), np.empty(0))] * len(vectors)
        wanted, at = depth, list(range(len(vectors)))
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


class _Frames:
    """Texts that edits add, as a store would embed them: with the metadata of the chunk in whose place or beside which they come.

    It holds no index, so that these go when the audit does.
    """

    def __init__(self, source: Source, ids: Sequence[str], framing: Framing) -> None:
        self._source, self._ids, self._framing = source, ids, framing

    def __call__(self, edits: Sequence[Edit]) -> list[Edit]:
        """`edits` with such texts."""
        places = dict.fromkeys(self._place(a) for edit in edits for a in edit.added) if self._framing.is_framed else {}
        if not places:
            return list(edits)
        rows = self._source.records([self._ids[place] for place in places])
        metadata = dict(zip(places, (row.metadata for row in rows), strict=True))

        def framed(added: Addition) -> Addition:
            frame, own = self._framing.frame, metadata[self._place(added)]
            return added._replace(text=frame(added.text, own), seen=frame(added.seen, own) if added.seen else "")

        return [replace(edit, added=tuple(map(framed, edit.added))) for edit in edits]

    def _place(self, added: Addition) -> int:
        return min(max(int(added.place), 0), len(self._ids) - 1)


def odd_lengths(lengths: FloatArray, usual: float) -> BoolArray:
    """Which of some vectors are longer or shorter than usual by more than `ODD` of it."""
    return np.asarray(~(np.abs(lengths - usual) <= ODD * usual))


def _encoding(encoder: AnyEncoder, store: Store | None) -> Encode:
    """`encoder` with `store`: a function of neither index, so that both, and the copy of a folder, go when the audit does."""
    return lambda texts, kind: encoder.encode(texts, kind, store, no_progress)


class ExactIndex:
    """A collection's own `vectors`, all compared by its own distance (`space`); see `protocols.Index`.

    `length` is the usual length of its vectors, which texts that an edit adds are given; `frames` makes these as the store's are.
    """

    def __init__(self, vectors: VectorArray, encode: Encode, space: str, length: float, frames: _Frames) -> None:
        self._made, self._space, self._length, self._frames = encode, space, length, frames
        self.lengths: FloatArray = np.linalg.norm(vectors, axis=1).astype(np.float64)
        self._vectors = Vectors(self._placed(unit(vectors) if space == "cosine" else vectors))

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return int(self._vectors.rows.nbytes)

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. Scores are those of `StoredIndex`."""
        return self.nearest(self._made(queries, "query"), depth)

    def nearest(self, vectors: VectorArray, depth: int) -> tuple[IntArray, FloatArray]:
        """`search` by vectors of length 1."""
        return self._scored(*self._vectors.search(self._asked(vectors), depth))

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._scored(*self._vectors.what_if(self._encode, queries, self._frames(edits), depth))

    def _encode(self, texts: Sequence[str], kind: Kind) -> VectorArray:
        vectors = self._made(texts, kind)
        if kind == "document":
            return self._placed(vectors if self._space == "cosine" else vectors * np.float32(self._length))
        return self._asked(vectors)

    def _asked(self, vectors: VectorArray) -> VectorArray:
        return np.pad(vectors, ((0, 0), (0, 1)), constant_values=1) if self._space == "l2" and len(vectors) else vectors

    def _placed(self, vectors: VectorArray) -> VectorArray:
        """Vectors whose inner product with a query orders them as the distance does: for L2, q·v - |v|²/2."""
        if self._space != "l2" or not len(vectors):
            return vectors
        return np.hstack([vectors, -0.5 * (vectors**2).sum(axis=1, keepdims=True)])

    def _scored(self, positions: IntArray, scores: FloatArray) -> tuple[IntArray, FloatArray]:
        """Inner products as negative distances from a query of length 1."""
        return positions, np.round(scores * (2 if self._space == "l2" else 1) - 1, DECIMALS) + 0.0
