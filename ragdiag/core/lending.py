"""What one process knows, lent to others that cannot reach its cache; they give back what they make beside it."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import Array, VectorArray
from ragdiag.core.protocols import Store

__all__ = ["Borrowed", "Lent", "Recorder", "Vectors", "borrowed"]

Vectors = dict[str, dict[bytes, VectorArray]]
"""Vectors by model and key."""


class _Rows(NamedTuple):
    """Vectors of one model and one length, as rows, with their keys: one array travels faster than a million."""

    model: str
    keys: tuple[bytes, ...]
    matrix: VectorArray


class Lent:
    """Vectors and arrays for other processes. An engine that is given one sends it to each worker once, as it is large."""

    def __init__(self, vectors: Vectors, arrays: Mapping[str, Mapping[str, Array]]) -> None:
        self.name = uuid.uuid4().hex
        self.rows = [rows for model, of_model in vectors.items() for rows in _packed(model, of_model)]
        self.arrays = {key: dict(of_key) for key, of_key in arrays.items()}

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        """By name: an engine may unpack the same one anew for each task."""
        return isinstance(other, Lent) and other.name == self.name

    def __sizeof__(self) -> int:
        """Bytes, about: an engine asks how large a thing is before it sends it."""
        of_arrays = sum(array.nbytes for of_key in self.arrays.values() for array in of_key.values())
        return 2**20 + of_arrays + sum(rows.matrix.nbytes for rows in self.rows)

    def vectors(self) -> Vectors:
        """The vectors, each a row of what was sent."""
        by_model: Vectors = {}
        for rows in self.rows:
            by_model.setdefault(rows.model, {}).update(zip(rows.keys, rows.matrix, strict=True))
        return by_model


def _packed(model: str, vectors: Mapping[bytes, VectorArray]) -> list[_Rows]:
    """The vectors of a model, those of each length together."""
    by_length: dict[int, list[bytes]] = {}
    for key, vector in vectors.items():
        by_length.setdefault(len(vector), []).append(key)
    return [_Rows(model, tuple(keys), np.stack([vectors[key] for key in keys])) for keys in by_length.values()]


class Borrowed:
    """A store in memory: what was lent, and what is made beside it; see `protocols.Store`."""

    def __init__(self, lent: Lent | None = None) -> None:
        self._vectors: Vectors = lent.vectors() if lent else {}
        self._arrays: dict[str, dict[str, Array]] = dict(lent.arrays) if lent else {}
        self._new: Vectors = {}

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, VectorArray]:
        """See `protocols.Store`."""
        known = self._vectors.get(model, {})
        return {key: known[key] for key in keys if key in known}

    def add_vectors(self, model: str, vectors: Mapping[bytes, VectorArray]) -> None:
        """See `protocols.Store`."""
        for store in (self._vectors, self._new):
            store.setdefault(model, {}).update(vectors)

    def arrays(self, key: str) -> dict[str, Array] | None:
        """See `protocols.Store`."""
        return self._arrays.get(key)

    def add_arrays(self, key: str, arrays: Mapping[str, Array]) -> None:
        """See `protocols.Store`."""
        self._arrays[key] = dict(arrays)

    def given_back(self) -> Vectors:
        """The vectors that were made since this was asked last."""
        new, self._new = self._new, {}
        return new


@functools.lru_cache(1)
def borrowed(lent: Lent) -> Borrowed:
    """The store of what was lent, one for all tasks of this process that are given the same: they share what they make."""
    return Borrowed(lent)


class Recorder:
    """A store that remembers what it was asked for and given, so that this can be lent; see `protocols.Store`.

    Without a `store` behind it, it keeps all in memory.
    """

    def __init__(self, store: Store | None) -> None:
        self._store: Store = Borrowed() if store is None else store
        self._keys: dict[str, dict[bytes, None]] = {}
        self._arrays: dict[str, None] = {}

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, VectorArray]:
        """See `protocols.Store`."""
        known = self._store.vectors(model, keys)
        self._keys.setdefault(model, {}).update(dict.fromkeys(known))
        return known

    def add_vectors(self, model: str, vectors: Mapping[bytes, VectorArray]) -> None:
        """See `protocols.Store`."""
        self._store.add_vectors(model, vectors)
        self._keys.setdefault(model, {}).update(dict.fromkeys(vectors))

    def arrays(self, key: str) -> dict[str, Array] | None:
        """See `protocols.Store`."""
        known = self._store.arrays(key)
        if known is not None:
            self._arrays[key] = None
        return known

    def add_arrays(self, key: str, arrays: Mapping[str, Array]) -> None:
        """See `protocols.Store`."""
        self._store.add_arrays(key, arrays)
        self._arrays[key] = None

    def lent(self) -> Lent:
        """All that it was asked for and has, and all that it was given."""
        vectors = {model: self._store.vectors(model, list(keys)) for model, keys in self._keys.items()}
        arrays = {key: self._store.arrays(key) for key in self._arrays}
        return Lent(vectors, {key: known for key, known in arrays.items() if known is not None})

    def take_back(self, given_back: Vectors) -> None:
        """Keep what others made."""
        for model, vectors in given_back.items():
            self.add_vectors(model, vectors)
