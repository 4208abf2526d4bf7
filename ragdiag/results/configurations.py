"""Results about configurations of a pipeline: which is better, what changed, what to deploy."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from rich.console import RenderableType

from ragdiag.comparing.cells import Comparison
from ragdiag.comparing.changes import Diff
from ragdiag.comparing.tuned import Tuned
from ragdiag.core.errors import UsageError, nearest
from ragdiag.core.registry import require
from ragdiag.reports.changes import changes
from ragdiag.reports.compare import against, compare_text
from ragdiag.reports.diff import diff_dict, diff_text
from ragdiag.reports.json import JsonObject, compare_dict
from ragdiag.reports.shown import DataFrame, Figure, Shown, bars, frame
from ragdiag.reports.tune import headline, tune_dict, tune_text

if TYPE_CHECKING:
    pass

__all__ = ["CompareResult", "DiffResult", "TuneResult"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CompareResult(Shown, Comparison):
    """A `Comparison` that answers questions; configurations go by name, such as ``sentence(size=160) | bm25``."""

    def __repr__(self) -> str:
        return f"<comparison of {len(self.cells)} configurations: best {self.cells[self.best].name}>"

    def better(self) -> list[str]:
        """Configurations that are distinguishably better than the baseline."""
        contrasts = against(self)
        return [self.cells[i].name for i, c in contrasts.items() if c.distinguishable and c.difference > 0]

    def broken(self, name: str) -> dict[str, int]:
        """The causes of the queries that a configuration newly breaks. Raises `UsageError` for an unknown name."""
        known = [cell.name for cell in self.cells]
        if name not in known:
            raise UsageError(f"no configuration {name!r}{nearest(name, known)}")
        return dict(self.broke.get(known.index(name), {}))

    def to_pandas(self) -> DataFrame:
        """A data frame with a row for each configuration: its parts, its size, and the mean of each measure."""
        from ragdiag.comparing.cells import context_tokens

        rows = []
        for cell, means in zip(self.cells, self.means, strict=True):
            parts = {"name": cell.name, "chunker": cell.chunker, "context": cell.context, "retriever": cell.retriever}
            size = {"chunks": cell.chunks, "context_tokens": context_tokens(cell)}
            rows.append(parts | size | {measure: mean.mean for measure, mean in means.items()})
        return frame(rows)

    def plot(self) -> Figure:
        """A figure (matplotlib): each configuration's measure, with its interval."""
        figure, axes = require("matplotlib.pyplot", "notebook").subplots(
            figsize=(8, 1 + 0.4 * len(self.cells)), layout="constrained"
        )
        bars(axes, {c.name: m[self.measure] for c, m in zip(self.cells, self.means, strict=True)}, self.measure)
        return figure

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return compare_dict(self)

    _form = "compare"

    def _screen(self) -> RenderableType:
        return compare_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DiffResult(Shown, Diff):
    """A `Diff` that shows itself; `worse` says whether a pull request should be held up."""

    def __repr__(self) -> str:
        return f"<diff: {changes(self).headline}>"

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return diff_dict(self)

    _form = "diff"

    def _screen(self) -> RenderableType:
        return diff_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TuneResult(Shown, Tuned):
    """A `Tuned` that shows itself; `options` are those of the configuration chosen."""

    def __repr__(self) -> str:
        return f"<search among {len(self.cells)} configurations: {headline(self)}>"

    def to_pandas(self) -> DataFrame:
        """A data frame with a row for each size of context: what the baseline and what is chosen serve there."""
        return frame(tune_dict(self)["frontier"])

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return tune_dict(self)

    _form = "tune"

    def _screen(self) -> RenderableType:
        return tune_text(self)
