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
from ragdiag.reports.output import Output, output_for

__all__ = ["Shown", "bars", "frame", "made"]

COLUMNS = 100
"""Of what a notebook shows."""

STYLE = "white-space:pre;overflow-x:auto;line-height:1.35;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"

R = TypeVar("R", bound="Shown")


class Shown(abc.ABC):
    """A result: text, a notebook's cell, a file."""

    _form: ClassVar[Literal["audit", "compare", "litmus", "other"]] = "other"

    @abc.abstractmethod
    def as_dict(self) -> dict[str, Any]:
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
        return output.other(self.as_dict())


def made(cls: type[R], record: Any, **more: Any) -> R:
    """`record` as a `cls`, which is a kind of it."""
    return cls(**{f.name: getattr(record, f.name) for f in dataclasses.fields(record)}, **more)


def frame(rows: Iterable[Mapping[str, Any]]) -> Any:
    """A data frame of rows."""
    return require("pandas", "notebook").DataFrame(list(rows))


def bars(axes: Any, means: Mapping[str, Mean], label: str) -> None:
    """Horizontal bars, the first on top, each with its 95 % interval."""
    known = {name: mean for name, mean in means.items() if mean.mean is not None}
    at = range(len(known))
    values = [m.mean for m in known.values()]
    reach = [[m.mean - m.low for m in known.values()], [m.high - m.mean for m in known.values()]]  # type: ignore[operator]
    axes.barh(at, values, xerr=reach, color="#4c78a8", ecolor="#333333", capsize=3)
    axes.set_yticks(at, [name.replace("$", r"\$") for name in known])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"{label}, 95 % interval")
