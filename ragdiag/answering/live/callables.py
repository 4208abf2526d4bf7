"""The team's own function as what answers: ``module:function``, called with a question and its contexts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from ragdiag.core.errors import SpecError
from ragdiag.core.functions import load_function, names_function
from ragdiag.core.prompt import Prompt, Reply

__all__ = ["Function", "load_answerer"]


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


def load_answerer(target: str) -> Callable[[str, Sequence[str]], str]:
    """The callable that ``module:function`` names, see `functions.load_function`. Raises `SpecError`."""
    if not names_function(target):  # what it is instead may hold a key
        raise SpecError("--live takes module:function, or a url such as http://localhost:8000/v1")
    return load_function(target, "--live")
