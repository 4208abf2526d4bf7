"""The errors that users meet.

::

    RagdiagError                 one line: what, where, what to do; exit status 2
    ├── InputError               a file that is not what it claims to be
    │   └── UnreadableDocument   one document cannot be read: it is counted and left out
    ├── SpecError                a strategy, parameter or value that does not exist
    ├── UsageError               arguments that make no sense together
    ├── MissingExtra             an optional package is not installed
    └── Untestable               an index cannot be asked this; within a diagnosis it is caught, and said

A label that is wrong about the corpus is not an error but a *defect*: see `records.Defect`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from pathlib import Path

from ragdiag.core.secrets import without_secrets

__all__ = [
    "InputError",
    "MissingExtra",
    "RagdiagError",
    "SpecError",
    "UnreadableDocument",
    "Untestable",
    "UsageError",
    "did_you_mean",
    "install_line",
    "nearest",
]

MOST_COMPARED = 20_000
"""A misspelt name is compared with at most so many known ones: an error should not take seconds to word."""


class RagdiagError(Exception):
    """Base of all errors that ragdiag raises on purpose; `str` of one is a single line, with no key in it."""

    def __str__(self) -> str:
        return without_secrets(super().__str__())


class InputError(RagdiagError):
    """A file that is not what it claims to be.

    Parameters: `message` says what is wrong, `file` and `line` (1-based) or `byte` (0-based) where, `remedy` what to do.
    """

    def __init__(self, message: str, file: str | Path = "", line: int = 0, remedy: str = "", byte: int | None = None) -> None:
        self.message, self.file, self.line, self.remedy, self.byte = message, str(file), line, remedy, byte
        super().__init__(str(self))

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "") + (f" at byte {self.byte}" if self.byte is not None else "")
        parts = (f"{place}: " if place else "") + self.message + (f"; {self.remedy}" if self.remedy else "")
        return without_secrets(" ".join(parts.split()))


class UnreadableDocument(InputError):
    """One corpus document cannot be read. The rest of the corpus goes on without it."""


class SpecError(RagdiagError):
    """An unknown strategy, parameter or value in a spec such as ``bm25(k1=1.2)``."""


class UsageError(RagdiagError):
    """Arguments that make no sense, alone or together (``k`` of 0, a gate on an unknown measure)."""


class MissingExtra(RagdiagError):
    """An optional package is needed and absent; the message holds the pip line that installs it."""

    def __init__(self, package: str, extra: str, instead: str = "") -> None:
        self._given = package, extra, instead
        hint = f", or {instead}" if instead else ""
        super().__init__(f"{package} is not installed: {install_line(extra)}{hint}")

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str, str]]:
        """So that it comes back from a worker process whole."""
        return type(self), self._given


class Untestable(RagdiagError):
    """What this index cannot be asked, and why: "no text can be added to it"."""


def install_line(extra: str) -> str:
    """The command that brings an extra. It names a checkout: by its bare name pip would bring another project of that name."""
    return f"pip install './ragdiag[{extra}]' (./ragdiag: your checkout of it, or its wheel)"


def nearest(word: str, known: Collection[str]) -> str:
    """``"; did you mean 'x'?"`` for an unknown `word`, or nothing where none is near (or too many are known to look)."""
    near = difflib.get_close_matches(str(word), sorted(known), n=1) if len(known) <= MOST_COMPARED else []
    return f"; did you mean {near[0]!r}?" if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'? (known: x, y)"`` for an unknown `word`, the suggestion only where one is near."""
    names = sorted(known)
    return nearest(word, names) + (f" (known: {', '.join(names)})" if names else "")
