"""What every result of the library can do: show itself in a notebook as it does on a terminal, and be saved."""

from __future__ import annotations

import abc
import dataclasses
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from rich.console import Console, RenderableType

from ragdiag.core.records import Mean
from ragdiag.core.registry import require
from ragdiag.core.writing import write_atomically
from ragdiag.reports.json import JsonObject
from ragdiag.reports.output import Output, output_for

__all__ = ["DataFrame", "Figure", "Shown", "bars", "frame", "made"]

COLUMNS = 100
"""Of what a notebook shows."""

STYLE = "white-space:pre;overflow-x:auto;line-height:1.35;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"

R = TypeVar("R", bound="Shown")

DataFrame = Any
"""A ``pandas.DataFrame``; pandas is optional."""

Figure = Any
"""A ``matplotlib.figure.Figure``; matplotlib is optional."""


class Shown(abc.ABC):
    """A result: text, a notebook's cell, a file."""

    _form: ClassVar[Literal["audit", "compare", "diff", "litmus", "other", "tune"]] = "other"

    @abc.abstractmethod
    def as_dict(self) -> JsonObject:
        """The JSON report, as the command's ``--json`` writes it."""

    def as_html(self) -> str:
        """The page that the command's ``--html`` writes. Raises `UsageError` where it writes none."""
        return self._written(output_for("report.html", self._form))

    @abc.abstractmethod
    def _screen(self) -> RenderableType:
        """What the terminal shows."""

    def __str__(self) -> str:
        return self._shown().export_text().rstrip()

    def _repr_html_(self) -> str:
        html = self._shown().export_html(inline_styles=True, code_format=f'<pre style="{STYLE}">{{code}}</pre>')
        return html.strip()

    def _shown(self) -> Console:
        console = Console(
            file=io.StringIO(), record=True, width=COLUMNS, highlight=False, force_terminal=True, force_jupyter=False
        )
        console.print(self._screen())
        return console

    def save(self, path: str | Path) -> Path:
        """Write the report in the form that the name ends in: ``.json``, ``.html``, ``.md``, or one of an installed package.

        Raises `UsageError` for a name that ends in none of them, and for a form that there is not of this result.
        """
        path = Path(path)
        write_atomically(path, self._written(output_for(path, self._form)))
        return path

    def _written(self, output: Output) -> str:
        """The result in that form."""
        if self._form == "other":
            return output.other(self.as_dict())
        text: str = getattr(output, self._form)(self)
        return text


def made(cls: type[R], record: Any, **more: object) -> R:
    """`record`, a dataclass, as a `cls`, which has its fields and those of `more`."""
    return cls(**{f.name: getattr(record, f.name) for f in dataclasses.fields(record)}, **more)


def frame(rows: Iterable[Mapping[str, object]]) -> DataFrame:
    """A data frame of rows, each of which has its values by column. Raises `MissingExtra` without pandas."""
    return require("pandas", "notebook").DataFrame(list(rows))


def bars(axes: Any, means: Mapping[str, Mean], label: str) -> None:
    """Horizontal bars on a figure's `axes`, the first on top, each with its 95 % interval; unknown means are left out."""
    known = {
        name: (mean.mean, mean.mean - mean.low, mean.high - mean.mean)
        for name, mean in means.items()
        if mean.mean is not None and mean.low is not None and mean.high is not None
    }
    widths, below, above = zip(*known.values(), strict=True) if known else ((), (), ())
    axes.barh(range(len(known)), widths, xerr=[below, above], color="#4c78a8", ecolor="#333333", capsize=3)
    axes.set_yticks(range(len(known)), [name.replace("$", r"\$") for name in known])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"{label}, 95 % interval")
