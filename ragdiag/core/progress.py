"""Progress that shows sentences as well, and progress under another name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ragdiag.core.protocols import Progress

__all__ = ["Telling", "renamed"]


@runtime_checkable
class Telling(Protocol):
    """A `Progress` that also shows sentences, such as how long something will take."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `Progress`."""
        ...

    def say(self, sentence: str) -> None:
        """Show a sentence, which stays."""
        ...


class _Renamed:
    """See `renamed`."""

    def __init__(self, progress: Telling, name: Callable[[str, int], str]) -> None:
        self._progress, self._name = progress, name

    def __call__(self, what: str, done: int, total: int) -> None:
        self._progress(self._name(what, total), done, total)

    def say(self, sentence: str) -> None:
        self._progress.say(sentence)


def renamed(progress: Progress, name: Callable[[str, int], str]) -> Progress:
    """`progress` of something that goes by another name, which `name` makes of the first and the total."""
    if isinstance(progress, Telling):
        return _Renamed(progress, name)
    return lambda what, done, total: progress(name(what, total), done, total)
