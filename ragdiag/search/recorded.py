"""Recorded runs in every form: traces of an application, which say what was asked; else TREC runs and JSON Lines by query id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ragdiag.core.records import Query
from ragdiag.search.runs import Rankings, read_run
from ragdiag.search.traces.asking import rankings_of
from ragdiag.search.traces.reading import read_traces

__all__ = ["recorded"]


def recorded(path: Path, queries: Sequence[Query], ties: str = "expected", part: bool = False) -> Rankings:
    """The rankings of a file, known by what it holds: of `queries` where it is a trace, else of all that it has.

    `queries` may be only a `part` of those that were asked. Raises `InputError` for a file that is neither trace nor run.
    """
    steps = read_traces(path)
    return read_run(path, ties) if steps is None else rankings_of(steps, queries, part)
