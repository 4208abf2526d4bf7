"""The vectors of an Elasticsearch or OpenSearch index, and what its scores say of distances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import FloatArray, VectorArray
from ragdiag.core.errors import InputError, SpecError
from ragdiag.search.models import unit
from ragdiag.search.retrievers._elastic import MOST, Answer, ElasticIndex
from ragdiag.search.retrievers._elastic_form import reads_answers
from ragdiag.search.retrievers._source import Row, Space

__all__ = ["ElasticSource"]

SAMPLE = 8
"""Vectors that are searched to see what scores mean."""

EXACT = 1e-5
"""How far a distance that a score says may be from that of the vectors, as a share of 1 + it."""

Turned = Callable[[FloatArray], FloatArray]
"""The distances that scores say, for one of the ways in which servers make scores of distances."""


class Measure(NamedTuple):
    """A distance, and the ways in which servers make scores of it."""

    space: Space
    ways: tuple[Turned, ...]


def halved(scores: FloatArray) -> FloatArray:
    """Of (1 + similarity) / 2: Elasticsearch's cosine and dot_product, Lucene's cosine in OpenSearch."""
    return 2 - 2 * scores


def inverted(scores: FloatArray) -> FloatArray:
    """Of 1 / (1 + distance): L2 everywhere; cosine in engines of OpenSearch other than Lucene."""
    return 1 / scores - 1


def unbounded(scores: FloatArray) -> FloatArray:
    """Of an inner product p of any size: 1 + p from 0 on, below it 1 / (1 - p)."""
    return np.where(scores >= 1, 2 - scores, 1 / scores)


MEASURES = {
    "cosine": Measure("cosine", (halved,)),
    "dot_product": Measure("ip", (halved,)),
    "l2_norm": Measure("l2", (inverted,)),
    "max_inner_product": Measure("ip", (unbounded,)),
    "cosinesimil": Measure("cosine", (halved, inverted)),
    "l2": Measure("l2", (inverted,)),
    "innerproduct": Measure("ip", (unbounded,)),
}
"""By the names of Elasticsearch, and of OpenSearch, where the way depends on the engine and the version."""


@reads_answers
class ElasticSource:
    """An index as a source of vectors, see `_source.Source`. `candidates` is how many a shard looks at, 0 for the default."""

    def __init__(self, index: ElasticIndex, vector: str, candidates: int) -> None:
        self._index, self._vector, self._candidates = index, vector, candidates
        self._read: dict[str, VectorArray] = {}

    @property
    def place(self) -> str:
        """See `_source.Records`."""
        return self._index.place

    @property
    def space(self) -> Space:
        """See `_source.Source`."""
        return self._measure.space

    @property
    def remedy(self) -> str:
        """See `_source.Source`."""
        return "raise num_candidates of the knn search, or compare all vectors with script_score"

    def check(self) -> None:
        """Raises `SpecError` where the vectors cannot be audited."""
        self._measure  # noqa: B018  # raises

    def count(self) -> int:
        """See `_source.Records`."""
        return self._index.count()

    def rows(self) -> Iterator[Row]:
        """See `_source.Records`."""
        return self._index.rows()

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Records`."""
        return self._index.records(ids)

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`. Raises `InputError` for a record that has none."""
        # Newer versions of Elasticsearch leave vectors out of what they give of a record, but not out of its fields.
        wanted = {"_source": [self._vector]} if self._opensearch else {"_source": False, "fields": [self._vector]}
        of = {hit["_id"]: self._in(hit) for hit in self._index.hits(ids, wanted)}
        if missing := [name for name in ids if of[name] is None]:
            remedy = f"""leave such records out: where='{{"exists": {{"field": "{self._vector}"}}}}'"""
            raise InputError(f"record {missing[0]!r} has no vector {self._vector!r}", self.place, remedy=remedy)
        return np.array([of[name] for name in ids], dtype=np.float32)

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`.

        Where scores are not of the vectors, distances are computed from these: Elasticsearch searches them as small integers if
        not told otherwise, and scores are then of those.
        """
        found = list[tuple[list[str], list[float]]]()
        for vector in vectors:
            ids, scores = self._searched(vector, n)
            distances = self._way(scores) if self._way else self._distances(vector, self._held(ids))
            found.append((ids, distances.tolist()))
        return found

    def _held(self, ids: Sequence[str]) -> VectorArray:
        """`vectors`, each read once."""
        new = [name for name in ids if name not in self._read]
        self._read |= dict(zip(new, self.vectors(new), strict=True))
        return np.array([self._read[name] for name in ids], dtype=np.float32).reshape(len(ids), -1)

    def _in(self, hit: Mapping[str, Answer]) -> object:
        if not self._opensearch:
            return hit.get("fields", {}).get(self._vector)
        value: object = hit.get("_source", {})
        for part in self._vector.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def _searched(self, vector: VectorArray, n: int) -> tuple[list[str], FloatArray]:
        """The ids and scores of the nearest `n`."""
        k = min(n, MOST)
        limited: dict[str, object] = {"filter": self._index.filter} if self._index.filter else {}
        if self._opensearch:
            asked: dict[str, object] = {"query": {"knn": {self._vector: {"vector": vector.tolist(), "k": k, **limited}}}}
        else:
            wide = min(max(self._candidates, k) if self._candidates else k * 3 // 2 + 1, MOST)
            own = {"field": self._vector, "query_vector": vector.tolist(), "k": k, "num_candidates": wide}
            asked = {"knn": {**own, **limited}}
        hits = self._index.search({"size": k, **asked})
        return [hit["_id"] for hit in hits], np.array([hit["_score"] for hit in hits], dtype=np.float64)

    @cached_property
    def _mapped(self) -> Answer:
        """How the field is mapped. Raises `SpecError` for one that cannot be searched by vectors of numbers."""
        mapped = self._index.kind(self._vector)
        searched = mapped["type"] == "knn_vector" or (mapped["type"] == "dense_vector" and mapped.get("index", True))
        if not searched:
            why = "is not indexed" if mapped["type"] == "dense_vector" else f"is of the type {mapped['type']}, no vector"
            raise SpecError(f"{self.place}: the field {self._vector!r} {why}; name the one that is searched: vector=...")
        kept = mapped.get("element_type", mapped.get("data_type", "float"))
        if kept not in ("float", "bfloat16"):
            raise SpecError(f"{self.place}: vectors of {kept} cannot be audited; known: float")
        return mapped

    @property
    def _opensearch(self) -> bool:
        return bool(self._mapped["type"] == "knn_vector")

    @cached_property
    def _measure(self) -> Measure:
        mapped = self._mapped
        told = mapped.get("space_type") or mapped.get("method", {}).get("space_type") or "l2"
        name = str(told if self._opensearch else mapped.get("similarity", "cosine"))
        if name not in MEASURES:
            raise SpecError(f"{self.place}: the distance {name} cannot be audited; known: {', '.join(MEASURES)}")
        return MEASURES[name]

    @cached_property
    def _way(self) -> Turned | None:
        """The way that fits scores, tried on some vectors that the index holds and what is near them; None where none fits."""
        exists: dict[str, object] = {"exists": {"field": self._vector}}
        some = self._index.search({"size": SAMPLE, "query": self._index.filter or exists})
        asked = unit(self._held([hit["_id"] for hit in some]))
        pairs = [(vector, *self._searched(vector, SAMPLE)) for vector in asked]
        scores = np.concatenate([scores for *_, scores in pairs])
        true = np.concatenate([self._distances(vector, self._held(ids)) for vector, ids, _ in pairs])
        fits = (way for way in self._measure.ways if (np.abs(way(scores) - true) <= EXACT * (1 + np.abs(true))).all())
        return next(fits, None)

    def _distances(self, vector: VectorArray, others: VectorArray) -> FloatArray:
        """The true distances of a vector of length 1 from others."""
        if self.space == "l2":
            apart = others.astype(np.float64) - vector
            return np.asarray((apart**2).sum(axis=1))
        similar = (unit(others) if self.space == "cosine" else others) @ vector
        return 1 - similar.astype(np.float64)
