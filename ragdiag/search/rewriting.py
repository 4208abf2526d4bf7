"""The team's own rewriter of questions: a function, or ``module:function``, called with each question that is to be rewritten."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ragdiag.core.cache import keep_text, kept_text
from ragdiag.core.errors import SpecError
from ragdiag.core.functions import load_function, names_function, needed
from ragdiag.core.protocols import Progress, Store, text_key
from ragdiag.text.phrases import counted, listed

__all__ = ["Asked", "Rewriter", "rewriter_of"]

HOW = "it is called with a question, and gives the question that is searched in its place"

LONG_S = 5
"""Seconds: what takes longer is said beforehand."""

log = logging.getLogger("ragdiag")


class Asked(NamedTuple):
    """A question, with what was said before it."""

    text: str
    turns: tuple[str, ...] = ()


class Rewriter:
    """``function(question) -> text``, or ``function(question, turns)`` where it takes two arguments.

    What it gives is kept from run to run where the function has a `version`, a text or a number. What it raises, and what is no
    text, is a failed call: counted by kind, never an error, and nothing but the kind is shown, for it may hold anything.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.name, self._function, self._failed = name, function, Counter[str]()
        self._takes_turns = needed(function) > 1
        self._asked = 0

    @property
    def notes(self) -> Iterator[str]:
        """What a reader should know: how many calls failed, by kind."""
        if self._failed:
            kinds = listed([f"{kind} {n}" for kind, n in self._failed.most_common()])
            done = self._asked - self._failed.total()
            yield f"{self.name} rewrote {done} of {counted(self._asked, 'failing question')} (failed: {kinds}); {HOW}"

    def rewritten(self, questions: Sequence[Asked], store: Store | None, progress: Progress) -> list[str]:
        """Each question as it is rewritten; "" where that failed, or changed nothing."""
        start, texts = time.monotonic(), list[str]()
        for i, question in enumerate(questions):
            progress("rewriting failing queries", i, len(questions))
            texts.append(self._rewritten(question, store))
            if i == 0 and (left := (time.monotonic() - start) * (len(questions) - 1)) > LONG_S:
                log.warning(f"{self.name} rewrites {counted(len(questions), 'failing question')}: about {left:.0f} s")
        progress("rewriting failing queries", len(questions), len(questions))
        return [text if text != question.text else "" for text, question in zip(texts, questions, strict=True)]

    def _rewritten(self, question: Asked, store: Store | None) -> str:
        """One question, from what is kept or by a call."""
        version = getattr(self._function, "version", None)
        asked = "\n".join([*question.turns, question.text]) if self._takes_turns else question.text
        key = hashlib.sha256(f"rewritten {self.name}@{version} {text_key(asked).hex()}".encode()).hexdigest()
        keep = store if version is not None else None
        if (kept := kept_text(keep, key)) is not None:
            return kept
        if text := self._called(question):
            keep_text(keep, key, text)
        return text

    def _called(self, question: Asked) -> str:
        self._asked += 1
        try:
            text: object = (
                self._function(question.text, list(question.turns)) if self._takes_turns else self._function(question.text)
            )
        except (Exception, SystemExit) as e:
            self._failed[type(e).__name__] += 1
            return ""
        if not isinstance(text, str) or not text.strip():
            self._failed["an empty text" if isinstance(text, str) else f"{type(text).__name__}, not text"] += 1
            return ""
        return text.strip()


def rewriter_of(target: object) -> Rewriter | None:
    """The rewriter that is named, or given as a function; None for none. Raises `SpecError` for what is neither."""
    if target is None or (isinstance(target, str) and not target):
        return None
    if callable(target):
        return Rewriter(target, getattr(target, "__name__", type(target).__name__))
    if not isinstance(target, str) or not names_function(target):  # what it is instead may hold a key
        raise SpecError(f"rewrite takes module:function, or a function: {HOW}")
    return Rewriter(load_function(target, "rewrite"), target)
