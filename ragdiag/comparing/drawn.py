"""What labels tell that were drawn where two configurations differ, see `core.drawn`.

On every other question the two hand over the same passages, so that whatever its label is, the difference is 0. The difference
over all questions is then the share on which they differ, which is known, times the mean difference among those.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from ragdiag.comparing.cells import Cell, Figures
from ragdiag.core.drawn import DrawnBetween, drawn_between, pipelines_of
from ragdiag.core.records import IntArray, Labels
from ragdiag.sources.evidence import some_of
from ragdiag.stats.paired import Difference, Paired
from ragdiag.text.phrases import counted

__all__ = ["Drawn", "without_drawn"]

SCALED = ("Sufficient@", "Evidence@")
"""Measures of what a context holds, whatever its chunks and their order are: alike for contexts that hold the same."""


class Drawn(NamedTuple):
    """The draw that all queries of a file come from, the positions of those without an answer, the counts and hashes of all."""

    draw: DrawnBetween
    unanswerable: IntArray
    inputs: Figures

    @classmethod
    def of(cls, labels: Labels, inputs: Figures) -> Drawn | None:
        """None where some queries were not drawn so, or they come from several draws."""
        draws = {drawn_between(query) for query in labels.queries}
        draw = draws.pop() if len(draws) == 1 else None
        return cls(draw, labels.at("unanswerable"), inputs) if draw else None

    def tells(self, a: Cell, b: Cell, measure: str) -> bool:
        """Whether the difference between two cells over all questions is known: they are those of the draw, on its documents."""
        same = pipelines_of((a.signature, b.signature), self.inputs) == self.draw.pipelines
        return same and measure.startswith(SCALED)

    def difference(self, paired: Paired, a: Cell, b: Cell, measure: str) -> Difference | None:
        """``b - a`` over all questions of the draw. A question that no document answers is served by neither."""
        values = [cell.values[measure].copy() for cell in (a, b)]
        for each in values:
            each[self.unanswerable] = 0.0
        difference = paired.difference(*values)
        return None if difference is None else difference.scaled(self.draw.share)

    def note(self, told: bool) -> str:
        """What a reader must know; `told`: a contrast is of all questions."""
        names, of, differ = self.draw.names, f"{self.draw.of:,}", f"{self.draw.differ:,}"
        drawn = f"the queries were drawn from {differ} of {of} questions, those that get different contexts from {names}"
        size = f"--budget {self.draw.budget}" if self.draw.budget else f"-k {self.draw.k}"
        if told:
            scaled = f"the difference of these two is that of all {of}, the one seen here times {differ}/{of}"
            return f"{drawn}: {scaled}; every other figure is of such questions alone"
        return (
            f"{drawn}: every figure is of such questions alone; for the difference over all {of} compare these two, "
            f"with {size}, on the documents that they were drawn with"
        )


def without_drawn(labels: Labels) -> tuple[Labels, tuple[str, ...]]:
    """Labels without the queries drawn where two configurations differ, and a note, where others can be measured; else as given.

    Among queries that are a sample of all questions they would make any difference look larger than it is.
    """
    drawn = np.array([drawn_between(query) is not None for query in labels.queries], dtype=bool)
    measurable = np.isin(labels.level, ("span", "document"))
    if not (drawn.any() and (measurable & ~drawn).any()):
        return labels, ()
    kept = dataclasses.replace(
        some_of(labels, np.flatnonzero(~drawn).tolist()),
        defects=labels.defects,
        warnings=labels.warnings,
        left_out=labels.left_out + int(drawn.sum()),
    )
    n = counted(int(drawn.sum()), "quer", "y")
    return kept, (f"{n} left out: drawn where two configurations differ, so no sample of all questions; use a file of their own",)
