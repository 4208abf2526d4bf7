"""What a server answers may be JSON of any form: of a wrong one it is said where it came from, on one line."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TypeVar

from ragdiag.core.errors import RagdiagError

__all__ = ["reads_answers"]

C = TypeVar("C", bound=type)
WRONG = (AttributeError, LookupError, RecursionError, TypeError, ValueError, ZeroDivisionError)
"""What comes of reading a form that is not there."""


def reads_answers(of: C) -> C:
    """A class whose instances have a `place`, and whose methods raise `RagdiagError` for an answer of a form that none has."""
    for name, part in list(vars(of).items()):
        if inspect.isfunction(part) and not name.startswith("__"):
            setattr(of, name, _listed(part) if inspect.isgeneratorfunction(part) else _said(part))
        elif isinstance(part, functools.cached_property):
            kept = functools.cached_property(_said(part.func))
            kept.__set_name__(of, name)
            setattr(of, name, kept)
    return of


def _said(method: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(method)
    def said(self: object, *args: object, **how: object) -> object:
        try:
            return method(self, *args, **how)
        except WRONG as e:
            raise _error(self) from e

    return said


def _listed(method: Callable[..., Iterator[object]]) -> Callable[..., Iterator[object]]:
    @functools.wraps(method)
    def listed(self: object, *args: object, **how: object) -> Iterator[object]:
        try:
            yield from method(self, *args, **how)
        except WRONG as e:
            raise _error(self) from e

    return listed


def _error(asked: object) -> RagdiagError:
    place = getattr(asked, "place", "elastic")
    return RagdiagError(f"{place}: an answer is not of the form that Elasticsearch and OpenSearch give; check the address")
