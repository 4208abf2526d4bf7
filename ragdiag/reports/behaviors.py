"""What kind of behavior it is, as a line of the litmus test."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from ragdiag.answering.behaviors import behaviors
from ragdiag.answering.verdict import Litmus
from ragdiag.reports.text import line
from ragdiag.text.phrases import counted

__all__ = ["behavior_lines"]


def behavior_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """How the failures that perfect context leaves wrong go wrong with it."""
    ways = behaviors(litmus)
    if ways:
        told = ", ".join(f"{way} {n}" for way, n in ways.items())
        yield line(f"behind {counted(sum(ways.values()), 'failure')} that perfect context leaves wrong: ", told)
