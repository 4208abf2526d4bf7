"""The team's own function as the encoder: ``module:function``, called with texts and the side that they are on."""

from __future__ import annotations

import inspect
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.arrays import Array, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.functions import load_function, names_function
from ragdiag.core.protocols import Progress, Store
from ragdiag.search.encoder import Encoder
from ragdiag.search.models import embedded, unit

__all__ = ["AnyEncoder", "FunctionEncoder", "encoder_of_model"]

HOW = 'it is called with a list of texts and "query" or "document", and gives an array with a vector for each'
"""The remedy for a function that does something else."""

OTHER_VERSION = "vectors are kept by name and version: give what makes other vectors another version"

RUN = uuid.uuid4().hex
"""Another one in each process."""

HELD = dict[int, object]()
"""Functions without a version, by identity: as long as one is held, no other one has that."""


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


class FunctionEncoder:
    """``function(texts, kind)`` gives one vector a text; `kind` is "query" or "document".

    The team tells which vectors are the same ones by attributes of the function: `version`, a text or a number, without which
    vectors are kept no longer than this process, and `name` (else ``module:function``). What it reads of a text is not known.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.loaded = False
        self._dimension = 0

    @cached_property
    def _function(self) -> Callable[[list[str], str], Any]:
        return load_function(self.target, "model")

    @property
    def folder(self) -> Path:
        """Where the code is. Raises `SpecError` where there is none."""
        module = sys.modules[getattr(self._function, "__module__", None) or self.target.partition(":")[0]]
        return Path(getattr(module, "__file__", None) or ".").parent

    @cached_property
    def version(self) -> str:
        """The version that the team gives; "" without one."""
        return self._stated("version", "")

    @cached_property
    def name(self) -> str:
        """The name that the team gives, or that of the function."""
        return self._stated("name", self.target)

    def _stated(self, attribute: str, otherwise: str) -> str:
        value = getattr(self._function, attribute, None)
        if value is None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip() or not str(value).isprintable():
            raise SpecError(f"model {self.target!r}: its {attribute} must be a word or a number, not {value!r}")
        return str(value).strip()

    @property
    def identity(self) -> str:
        """What its vectors depend on: name and version, or this process and this very function."""
        if self.version:
            return f"function {self.name}@{self.version}"
        HELD[id(self._function)] = self._function
        return f"function {self.name} {RUN} {id(self._function)}"

    @property
    def described(self) -> str:
        """For a signature."""
        return f"{self.name}@{self.version}" if self.version else f"{self.name} (no version)"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: whether vectors are kept."""
        if self.version:
            return ()
        name = self.target.partition(":")[2]
        return (f"{self.target} states no version, so its vectors are not kept from run to run: set {name}.version",)

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> VectorArray:
        """Unit vectors of `texts`, as `Encoder.encode`; zeros for a blank text, which the function is not asked for."""
        said = [i for i, text in enumerate(texts) if text.strip()]
        kept = store if self.version or store is None else MEMORY
        asked = [texts[i] for i in said]
        try:
            vectors = embedded(asked, kind, lambda batch: self._embed(batch, kind), self.identity, kept, progress)
        except ValueError as e:  # rows of several lengths, those kept before among them
            raise self._error("gave vectors of other dimensions before", OTHER_VERSION) from e
        if said:
            self._check_dimension(vectors.shape[1])
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        rows[said] = vectors if said else 0.0
        return rows

    def _embed(self, batch: list[str], kind: Kind) -> VectorArray:
        vectors = self._array(self._called(list(batch), kind))
        if vectors.ndim != 2 or len(vectors) != len(batch) or not vectors.shape[1]:
            shape = " x ".join(map(str, vectors.shape))
            raise self._error(f"gave an array of {shape} for {len(batch)} texts", HOW)
        if not np.isfinite(vectors).all():
            text = batch[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
            raise self._error(f"gave a vector with numbers that are not finite, for {text[:60]!r}", "mend it")
        self._check_dimension(vectors.shape[1])
        self.loaded = True
        return unit(vectors)

    def _called(self, batch: list[str], kind: Kind) -> object:
        try:
            vectors: object = self._function(batch, kind)
        except (Exception, SystemExit) as e:
            raise self._error(f"raised {type(e).__name__}: {str(e)[:200]} on {len(batch)} texts ({kind})", HOW) from e
        if inspect.iscoroutine(vectors):
            vectors.close()
            raise self._error("is asynchronous", "name a function that waits: asyncio.run(...)")
        return vectors

    def _array(self, vectors: object) -> Array:
        try:
            with np.errstate(all="ignore"):  # what is too large is infinite, and said below
                numbers = np.asarray(vectors)
                if numbers.dtype.kind not in "fiuO" or not numbers.ndim:
                    raise TypeError(f"it is {numbers.dtype}")
                return numbers.astype(np.float32)
        except Exception as e:
            raise self._error(
                f"gave a {type(vectors).__name__} that is no array of numbers ({type(e).__name__}: {e})", HOW
            ) from e

    def _check_dimension(self, n: int) -> None:
        if self._dimension and n != self._dimension:
            raise self._error(f"gave vectors of {self._dimension} dimensions, and of {n}", OTHER_VERSION)
        self._dimension = n

    def _error(self, what: str, remedy: str) -> UsageError:
        return UsageError(" ".join(f"model {self.target!r} {what}; {remedy}".split()))


AnyEncoder = Encoder | FunctionEncoder
"""What a parameter `model` may name."""


def encoder_of_model(model: str, precision: str = "auto", instead: str = "choose bm25 or lsa") -> AnyEncoder:
    """What a parameter `model` names: ``module:function``, or as `Encoder`. Raises `SpecError` for a function's precision."""
    if not names_function(model):
        return Encoder(model, precision, instead)
    if precision != "auto":
        raise SpecError(f"model {model!r} is a function, which has a precision of its own: leave precision={precision} out")
    return FunctionEncoder(model)
