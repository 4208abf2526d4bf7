"""What the library's calls give back: the records of an audit, a comparison, a litmus test, with questions as methods.

Each shows itself in a notebook as it does on a terminal, becomes a data frame or a plot, and is saved as JSON or as a page.
"""

from __future__ import annotations

import abc
import dataclasses
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console, RenderableType

from ragdiag.cells import Comparison
from ragdiag.conditions import RETRIEVED
from ragdiag.decision import Decision
from ragdiag.errors import UsageError, did_you_mean, nearest
from ragdiag.explain import explain, explanations
from ragdiag.files import write_atomically
from ragdiag.records import Explanation, Mean, QueryResult, Report
from ragdiag.registry import names, require
from ragdiag.reports.compare import compare_text
from ragdiag.reports.decide import decide_dict, decide_text
from ragdiag.reports.json import audit_dict, compare_dict, dumps, explain_dict
from ragdiag.reports.litmus import litmus_dict, litmus_text
from ragdiag.reports.terminal import audit_text, explain_text
from ragdiag.verdict import KINDS, Judgement, Litmus

if TYPE_CHECKING:
    from ragdiag.pipeline import Audit

__all__ = ["AuditResult", "CompareResult", "DecideResult", "ExplainResult", "LitmusResult", "made"]

COLUMNS = 100
"""Of what a notebook shows."""

STYLE = "white-space:pre;overflow-x:auto;line-height:1.35;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px"

R = TypeVar("R", bound="Shown")


class Shown(abc.ABC):
    """A result: text, a notebook's cell, a file."""

    @abc.abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The JSON report, as the command's ``--json`` writes it."""

    def as_html(self) -> str:
        """The page that the command's ``--html`` writes. Raises `UsageError` where it writes none."""
        raise UsageError(f"{self!r} has no page of its own; save it as .json")

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
        """Write the report: JSON to a name that ends in ``.json``, a page to ``.html``. Raises `UsageError` for any other."""
        path = Path(path)
        if path.suffix not in (".json", ".html"):
            raise UsageError(f"cannot save as {path.name!r}; end the name in .json or .html")
        write_atomically(path, dumps(self.as_dict()) if path.suffix == ".json" else self.as_html())
        return path


def made(cls: type[R], record: Any, **more: Any) -> R:
    """`record` as a `cls`, which is a kind of it."""
    return cls(**{f.name: getattr(record, f.name) for f in dataclasses.fields(record)}, **more)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class AuditResult(Shown, Report):
    """A `Report`, with what it was made from. `litmus` is what came of answers, where they were given."""

    audit: Audit
    litmus: Litmus | None = None

    def __repr__(self) -> str:
        known = [q for q in self.queries if q.served is not None]
        return f"<audit: {sum(bool(q.served) for q in known)} of {len(known)} queries get all their evidence>"

    def __getitem__(self, query_id: str) -> QueryResult:
        """What came of one query. Raises `UsageError` for an unknown id."""
        found = {q.id: q for q in self.queries}
        if query_id not in found:
            raise UsageError(f"no query {query_id!r}{nearest(query_id, found)}")
        return found[query_id]

    def failures(self, cause: str = "") -> list[QueryResult]:
        """Queries whose context lacks evidence: all, or those with this cause. Raises `UsageError` for an unknown cause."""
        if cause and cause not in names("failures"):
            raise UsageError(f"unknown cause {cause!r}{did_you_mean(cause, names('failures'))}")
        return [q for q in self.queries if q.served is False and (not cause or cause in q.causes)]

    def explain(self, query_id: str) -> ExplainResult:
        """One query's whole story. Raises `UsageError` for an unknown id."""
        return made(ExplainResult, explain(self.audit, query_id))

    def to_pandas(self) -> Any:
        """A data frame with a row for each query: its id, text, status, causes, and value of each measure."""
        rows: list[dict[str, Any]] = []
        for q in self.queries:
            own = {"id": q.id, "text": q.text, "served": q.served, "status": q.status, "least_k": q.least_k}
            rows.append({**own, "causes": ", ".join(q.causes), **q.measures})
        return _frame(rows)

    def plot(self) -> Any:
        """A figure (matplotlib): the measures, and the causes of unserved queries, each with its interval."""
        figure, (left, right) = require("matplotlib.pyplot", "notebook").subplots(1, 2, figsize=(10, 4), layout="constrained")
        _bars(left, {name: m for name, m in self.measures.items() if m.n}, "measure")
        _bars(right, self.causes, "share of unserved queries")
        return figure

    def as_dict(self) -> dict[str, Any]:
        """See `Shown`."""
        return audit_dict(self, self.litmus.verdict if self.litmus else None)

    def as_html(self) -> str:
        """See `Shown`."""
        from ragdiag.reports.html.audit import audit_html

        return audit_html(self, explanations(self.audit), self.litmus)

    def _screen(self) -> RenderableType:
        return audit_text(self, self.litmus)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ExplainResult(Shown, Explanation):
    """An `Explanation` that shows itself."""

    def __repr__(self) -> str:
        return f"<query {self.query.id}: {', '.join(self.result.causes) or self.result.status}>"

    def as_dict(self) -> dict[str, Any]:
        """See `Shown`."""
        return explain_dict(self)

    def _screen(self) -> RenderableType:
        return explain_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CompareResult(Shown, Comparison):
    """A `Comparison` that answers questions; configurations go by name, such as ``sentence(size=160) | bm25``."""

    def __repr__(self) -> str:
        return f"<comparison of {len(self.cells)} configurations: best {self.cells[self.best].name}>"

    def better(self) -> list[str]:
        """Configurations that are distinguishably better than the baseline."""
        against = [c for c in self.contrasts if c.a == self.baseline]
        return [self.cells[c.b].name for c in against if c.distinguishable and c.difference > 0]

    def broken(self, name: str) -> dict[str, int]:
        """The causes of the queries that a configuration newly breaks. Raises `UsageError` for an unknown name."""
        known = [cell.name for cell in self.cells]
        if name not in known:
            raise UsageError(f"no configuration {name!r}{nearest(name, known)}")
        return dict(self.broke.get(known.index(name), {}))

    def to_pandas(self) -> Any:
        """A data frame with a row for each configuration: its parts, its size, and the mean of each measure."""
        from ragdiag.cells import context_tokens

        rows = []
        for cell, means in zip(self.cells, self.means, strict=True):
            parts = {"name": cell.name, "chunker": cell.chunker, "context": cell.context, "retriever": cell.retriever}
            size = {"chunks": cell.chunks, "context_tokens": context_tokens(cell)}
            rows.append(parts | size | {measure: mean.mean for measure, mean in means.items()})
        return _frame(rows)

    def plot(self) -> Any:
        """A figure (matplotlib): each configuration's measure, with its interval."""
        figure, axes = require("matplotlib.pyplot", "notebook").subplots(
            figsize=(8, 1 + 0.4 * len(self.cells)), layout="constrained"
        )
        _bars(axes, {c.name: m[self.measure] for c, m in zip(self.cells, self.means, strict=True)}, self.measure)
        return figure

    def as_dict(self) -> dict[str, Any]:
        """See `Shown`."""
        return compare_dict(self)

    def as_html(self) -> str:
        """See `Shown`."""
        from ragdiag.reports.html.compare import compare_html

        return compare_html(self)

    def _screen(self) -> RenderableType:
        return compare_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LitmusResult(Shown, Litmus):
    """A `Litmus` that answers questions."""

    def __repr__(self) -> str:
        return f"<litmus: {self.verdict.kind}>"

    def failures(self, kind: str = "") -> list[Judgement]:
        """Wrong answers with the pipeline's context: all, or those of a kind. Raises `UsageError` for an unknown kind."""
        if kind and kind not in KINDS:
            raise UsageError(f"unknown kind {kind!r}{did_you_mean(kind, KINDS)}")
        return [j for j in self.of(RETRIEVED) if j.right is False and (not kind or j.kind == kind)]

    def to_pandas(self) -> Any:
        """A data frame with a row for each answer: its query, condition, judgement and who made it."""
        return _frame([j._asdict() | {"query": self.queries[j.query].id, "broke": ", ".join(j.broke)} for j in self.judgements])

    def plot(self) -> Any:
        """A figure (matplotlib): the share of right answers under each condition, with its interval."""
        figure, axes = require("matplotlib.pyplot", "notebook").subplots(figsize=(6, 2.5), layout="constrained")
        _bars(axes, {**self.shares, **self.corrected}, "share of right answers")
        return figure

    def as_dict(self) -> dict[str, Any]:
        """See `Shown`."""
        return litmus_dict(self)

    def as_html(self) -> str:
        """See `Shown`."""
        from ragdiag.reports.html.audit import litmus_html

        return litmus_html(self)

    def _screen(self) -> RenderableType:
        return litmus_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DecideResult(Shown, Decision):
    """A `Decision` that shows itself."""

    def __repr__(self) -> str:
        return f"<decision: {self.recommendation or 'open'}>"

    def as_dict(self) -> dict[str, Any]:
        """See `Shown`."""
        return decide_dict(self)

    def _screen(self) -> RenderableType:
        return decide_text(self)


def _frame(rows: Iterable[Mapping[str, Any]]) -> Any:
    return require("pandas", "notebook").DataFrame(list(rows))


def _bars(axes: Any, means: Mapping[str, Mean], label: str) -> None:
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
