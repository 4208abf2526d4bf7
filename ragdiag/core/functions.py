"""Functions that the user names as ``module:function``: the only code of the team's that is ever imported, and only for its name.

A module is looked for in the current folder, then among what is installed: not in a corpus, which is only read.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from ragdiag.core.environment import be_quiet
from ragdiag.core.errors import SpecError

__all__ = ["load_function", "load_object", "names_function", "needed"]


def names_function(target: str) -> bool:
    """Whether `target` has the form ``module:function``; either may have dots in it."""
    module, _, name = target.partition(":")
    return all(part.isidentifier() for part in (*module.split("."), *name.split(".")))


def load_function(target: str, whose: str) -> Callable[..., Any]:
    """The callable that ``module:function`` names. Raises `SpecError`, which begins with `whose`, an option or a parameter."""
    function: Any = load_object(target, whose, "function")
    if not callable(function):
        raise _lacking(target, whose, "function")
    return function  # type: ignore[no-any-return]


def load_object(target: str, whose: str, what: str = "object") -> object:
    """What ``module:name`` names, a function or any other object. Raises as `load_function`; `what` is it for people."""
    module_name, _, name = target.partition(":")
    found: object = _imported(module_name, f"{whose} {target!r}")
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise _lacking(target, whose, what)
    return found


def _lacking(target: str, whose: str, what: str) -> SpecError:
    module_name, _, name = target.partition(":")
    return SpecError(f"{whose} {target!r}: {module_name} has no {what} {name!r}")


def _imported(name: str, said: str) -> ModuleType:
    importlib.invalidate_caches()
    be_quiet()
    here = str(Path.cwd())
    is_here = PathFinder.find_spec(name.partition(".")[0], [here]) is not None
    if is_here:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as e:
        reason = " ".join(f"{type(e).__name__}: {e}".split())
        raise SpecError(f"{said} cannot be loaded: {reason}") from e
    finally:
        if is_here:  # what it imports later is found too, but hides no installed package from others
            sys.path.remove(here)
            sys.path.append(here)


def needed(function: Callable[..., object]) -> int:
    """How many arguments a function must be given by position; 1 where that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
