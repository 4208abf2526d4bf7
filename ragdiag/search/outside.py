"""Models that are not ours to read: what they give is checked, and each distinct text is asked for once."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ragdiag.core.arrays import Array, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import UsageError
from ragdiag.core.protocols import Progress, Store
from ragdiag.search.models import BATCH, KEEP_EVERY, embedded, unit

__all__ = ["MEMORY", "Outside", "OutsideEncoder"]


class _Memory:
    """Vectors of this process, by model; see `protocols.Store`."""

    def __init__(self) -> None:
        self._vectors: dict[str, dict[bytes, VectorArray]] = {}

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, VectorArray]:
        own = self._vectors.get(model, {})
        return {key: own[key] for key in keys if key in own}

    def add_vectors(self, model: str, vectors: Mapping[bytes, VectorArray]) -> None:
        self._vectors.setdefault(model, {}).update(vectors)

    def arrays(self, key: str) -> dict[str, Array] | None:
        return None

    def add_arrays(self, key: str, arrays: Mapping[str, Array]) -> None:
        pass


MEMORY = _Memory()


class Outside(abc.ABC):
    """A model that `target` names: a function, or what is behind an endpoint. What it reads of a text is not known.

    `how` says what it must give; it is `loaded` once it was asked.
    """

    how: ClassVar[str]
    kinds: ClassVar[str] = "fiu"
    """What NumPy may make of what it gives."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.loaded = False

    @property
    @abc.abstractmethod
    def identity(self) -> str:
        """What its answers depend on; they are kept under this."""

    @property
    @abc.abstractmethod
    def described(self) -> str:
        """For a signature."""

    @abc.abstractmethod
    def _store(self, store: Store | None) -> Store | None:
        """Where its answers are kept, in an audit with `store`."""

    def _numbers(self, given: object, kind: npt.DTypeLike) -> Array:
        """What it gave, as an array of floats. Raises `UsageError` where it is none."""
        try:
            with np.errstate(all="ignore"):  # what is too large is infinite, and said where that is looked at
                numbers = np.asarray(given)
                if numbers.dtype.kind not in self.kinds or not numbers.ndim:
                    raise TypeError(f"it is {numbers.dtype}")
                return numbers.astype(kind)
        except Exception as e:
            reason = f"{type(e).__name__}: {e}"
            raise self._error(f"gave a {type(given).__name__} that is no array of numbers ({reason})", self.how) from e

    def _error(self, what: str, advice: str) -> UsageError:
        return UsageError(" ".join(f"model {self.target!r} {what}; {advice}".split()))


class OutsideEncoder(Outside):
    """An encoder of that kind: one vector a text.

    A subclass asks it. `changed` says what to do where its vectors have other dimensions than before. Up to `batch` texts are
    asked for at once, and kept after every `keep_every` times.
    """

    kinds: ClassVar[str] = "fiuO"
    batch: ClassVar[int] = BATCH
    keep_every: ClassVar[int] = KEEP_EVERY
    changed: ClassVar[str]

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._dimension = 0

    @property
    @abc.abstractmethod
    def kept(self) -> bool:
        """Whether its vectors are kept from run to run."""

    @abc.abstractmethod
    def _asked(self, batch: list[str], kind: Kind) -> object:
        """What it gives for some texts, none of them blank. Raises `UsageError` where it gives nothing."""

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> VectorArray:
        """Unit vectors of `texts`, as `Encoder.encode`; zeros for a blank text, which is not asked for."""
        said = [i for i, text in enumerate(texts) if text.strip()]
        asked, keep = [texts[i] for i in said], self._store(store)

        def embed(batch: list[str]) -> VectorArray:
            return self._embed(batch, kind)

        try:
            vectors = embedded(asked, kind, embed, self.identity, keep, progress, self.batch, self.keep_every)
        except ValueError as e:  # rows of several lengths, those kept before among them
            raise self._error("gave vectors of other dimensions before", self.changed) from e
        if said:
            self._check_dimension(vectors.shape[1])
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        rows[said] = vectors if said else 0.0
        return rows

    def _embed(self, batch: list[str], kind: Kind) -> VectorArray:
        vectors = self._numbers(self._asked(list(batch), kind), np.float32)
        if vectors.ndim != 2 or len(vectors) != len(batch) or not vectors.shape[1]:
            shape = " x ".join(map(str, vectors.shape))
            raise self._error(f"gave an array of {shape} for {len(batch)} texts", self.how)
        if not np.isfinite(vectors).all():
            text = batch[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
            raise self._error(f"gave a vector with numbers that are not finite, for {text[:60]!r}", "mend it")
        self._check_dimension(vectors.shape[1])
        return unit(vectors)

    def _check_dimension(self, n: int) -> None:
        if self._dimension and n != self._dimension:
            raise self._error(f"gave vectors of {self._dimension} dimensions, and of {n}", self.changed)
        self._dimension = n
