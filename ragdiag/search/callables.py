"""The team's own function as the encoder: ``module:function``, called with texts and the side that they are on."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from ragdiag.core.encoders import Kind
from ragdiag.core.errors import SpecError
from ragdiag.core.functions import load_function
from ragdiag.core.protocols import Store
from ragdiag.search.outside import MEMORY, OutsideEncoder

__all__ = ["FunctionEncoder"]

RUN = uuid.uuid4().hex
"""Another one in each process."""

HELD = dict[int, object]()
"""Functions without a version, by identity: as long as one is held, no other one has that."""


class FunctionEncoder(OutsideEncoder):
    """``function(texts, kind)`` gives one vector a text; `kind` is "query" or "document".

    The team tells which vectors are the same ones by attributes of the function: `version`, a text or a number, without which
    vectors are kept no longer than this process, and `name` (else ``module:function``). What it reads of a text is not known.
    """

    how: ClassVar[str] = 'it is called with a list of texts and "query" or "document", and gives an array with a vector for each'
    changed: ClassVar[str] = "vectors are kept by name and version: give what makes other vectors another version"

    @cached_property
    def _function(self) -> Callable[[list[str], str], Any]:
        return load_function(self.target, "model")

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

    @property
    def kept(self) -> bool:
        """See `OutsideEncoder`."""
        return bool(self.version)

    def _store(self, store: Store | None) -> Store | None:
        return store if self.version or store is None else MEMORY

    def _asked(self, batch: list[str], kind: Kind) -> object:
        try:
            vectors: object = self._function(batch, kind)
        except (Exception, SystemExit) as e:
            raise self._error(f"raised {type(e).__name__}: {str(e)[:200]} on {len(batch)} texts ({kind})", self.how) from e
        if inspect.iscoroutine(vectors):
            vectors.close()
            raise self._error("is asynchronous", "name a function that waits: asyncio.run(...)")
        self.loaded = True
        return vectors
