"""A function of the team's that makes something of texts, named as ``module:function``, and what tells its results apart."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable
from functools import cached_property

from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.functions import load_function

__all__ = ["TeamFunction"]

RUN = uuid.uuid4().hex
"""Another one in each process."""

HELD = dict[int, object]()
"""Functions without a version, by identity: as long as one is held, no other one has that."""


class TeamFunction:
    """The team tells which results are the same ones by attributes of the function: `version`, a text or a number, without which
    results are kept no longer than this process, and `name` (else ``module:function``).

    `whose` is the parameter that names it, for errors; `results` is what it gives, for notes.
    """

    def __init__(self, target: str, whose: str, results: str) -> None:
        self.target, self.whose, self.results = target, whose, results

    @cached_property
    def function(self) -> Callable[..., object]:
        """The function itself. Raises `SpecError` where there is none."""
        return load_function(self.target, self.whose)

    @cached_property
    def version(self) -> str:
        """The version that the team gives; "" without one."""
        return self._stated("version", "")

    @cached_property
    def name(self) -> str:
        """The name that the team gives, or that of the function."""
        return self._stated("name", self.target)

    def _stated(self, attribute: str, otherwise: str) -> str:
        value = getattr(self.function, attribute, None)
        if value is None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip() or not str(value).isprintable():
            raise SpecError(f"{self.whose} {self.target!r}: its {attribute} must be a word or a number, not {value!r}")
        return str(value).strip()

    def called(self, *given: object, on: str, how: str) -> object:
        """What the function gives. Raises `UsageError` where it raises, or waits for nobody; `how` says how it is called."""
        try:
            result: object = self.function(*given)
        except (Exception, SystemExit) as e:
            raise self.error(f"raised {type(e).__name__}: {str(e)[:200]} on {on}", how) from e
        if inspect.iscoroutine(result):
            result.close()
            raise self.error("is asynchronous", "name a function that waits: asyncio.run(...)")
        return result

    def error(self, what: str, remedy: str) -> UsageError:
        """An error of one line about the function."""
        return UsageError(" ".join(f"{self.whose} {self.target!r} {what}; {remedy}".split()))

    @property
    def identity(self) -> str:
        """What its results depend on: name and version, or this process and this very function."""
        if self.version:
            return f"function {self.name}@{self.version}"
        HELD[id(self.function)] = self.function
        return f"function {self.name} {RUN} {id(self.function)}"

    @property
    def described(self) -> str:
        """For a signature."""
        return f"{self.name}@{self.version}" if self.version else f"{self.name} (no version)"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: whether results are kept."""
        if self.version:
            return ()
        name = self.target.partition(":")[2]
        return (f"{self.target} states no version, so its {self.results} are not kept from run to run: set {name}.version",)
