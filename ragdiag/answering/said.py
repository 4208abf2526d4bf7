"""What labels and a judge say of answers, side by side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ragdiag.core.records import BoolArray, FloatArray

__all__ = ["LABELS", "Said"]

LABELS = 20
"""Labelled queries that the judge spoke of: fewer do not say how often it errs, and correct nothing. From 20 on the corrected
interval holds the truth as often as it says, on answers that people labelled (`tests/bench/pairs.py --labels 20`)."""


class Said(NamedTuple):
    """What labels, and what a judge, say of each query's answers: 1 right, 0 wrong, NaN where nothing is said.

    Shape ``(n_queries, n_conditions)`` each; see `judging.majorities`.
    """

    label: FloatArray
    judged: FloatArray

    def of(self, rows: BoolArray) -> Said:
        """The same of the queries that `rows` marks; shape ``(n_queries,)``."""
        return Said(self.label[rows], self.judged[rows])

    def besides(self, certain: FloatArray) -> Said:
        """The same with one column more, of what is known without a judge (1, 0, NaN where it is not), shape ``(n_queries,)``."""
        return Said(np.column_stack([self.label, certain]), np.column_stack([self.judged, np.full(len(self.label), np.nan)]))

    @property
    def alone(self) -> BoolArray:
        """Answers that the judge was asked about and no label says anything of; shape ``(n_queries, n_conditions)``."""
        return np.isnan(self.label) & ~np.isnan(self.judged)

    @property
    def judge_alone(self) -> bool:
        """Whether there is an answer that only the judge says anything of."""
        return bool(self.alone.any())

    @property
    def labelled(self) -> int:
        """Labelled answers that the judge was asked about too, under the condition with the fewest where it is needed."""
        with_both = (~np.isnan(self.label) & ~np.isnan(self.judged)).sum(axis=0)[self.alone.any(axis=0)]
        return int(with_both.min(initial=len(self.label)))

    @property
    def correctable(self) -> bool:
        """Whether answers rest on the judge alone, and there are labels enough to correct its errors."""
        return self.judge_alone and self.labelled >= LABELS

    @property
    def lacking(self) -> int:
        """How many more queries must be labelled before the judge's errors can be corrected."""
        return min(max(LABELS - self.labelled, 0), int(self.alone.any(axis=1).sum()))
