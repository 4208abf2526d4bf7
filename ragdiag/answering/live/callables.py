"""The team's own function as what answers: ``module:function``, called with a question and its contexts."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ragdiag.core.errors import SpecError
from ragdiag.core.prompt import Prompt, Reply

__all__ = ["Function", "load_function"]


class Function:
    """``function(question, contexts) -> answer``; what it raises is a failed call. It sees no template."""

    def __init__(self, function: Callable[[str, list[str]], str], name: str) -> None:
        self.name, self._function = name, function

    def seen(self, prompt: Prompt) -> str:
        """See `protocols.Model`."""
        return json.dumps([prompt.question, *prompt.contexts])

    def answer(self, prompt: Prompt) -> Reply:
        """See `protocols.Model`. Failures go by their kind: what an exception says may hold anything."""
        try:
            text: object = self._function(prompt.question, list(prompt.contexts))
        except TimeoutError:
            return Reply(None, "timed out")
        except (Exception, SystemExit) as e:
            return Reply(None, type(e).__name__)
        if isinstance(text, str):
            return Reply(text) if text.strip() else Reply(None, "no answer")
        return Reply(None, "no answer" if text is None else f"{type(text).__name__}, not text")

    def close(self) -> None:
        """See `protocols.Model`."""


def load_function(target: str) -> Callable[[str, Sequence[str]], str]:
    """The callable that ``module:function`` names, from the current folder or installed. Raises `SpecError`."""
    module_name, _, name = target.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise SpecError(
            "--live takes module:function, or a url such as http://localhost:8000/v1"
        )  # what it is not may hold a key
    function: Any = _imported(module_name, target)
    for part in name.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        raise SpecError(f"--live {target!r}: {module_name} has no function {name!r}")
    return function  # type: ignore[no-any-return]


def _imported(name: str, target: str) -> ModuleType:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as e:
        reason = " ".join(f"{type(e).__name__}: {e}".split())
        raise SpecError(f"--live {target!r} cannot be loaded: {reason}") from e
    finally:  # what it imports later is found too, but hides no installed package from others
        sys.path.remove(here)
        sys.path.append(here)
