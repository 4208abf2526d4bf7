"""What the library's calls give back: the records of an audit, a comparison, a litmus test, with questions as methods.

Each shows itself in a notebook as it does on a terminal, becomes a data frame or a plot, and is saved as JSON or as a page.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from ragdiag.answering.live.prompting import Prompts
from ragdiag.answering.verdict import KINDS, Judgement, Litmus
from ragdiag.core.conditions import RETRIEVED
from ragdiag.core.errors import UsageError, did_you_mean, nearest
from ragdiag.core.health import HealthFinding
from ragdiag.core.prompt import prompt_lines
from ragdiag.core.records import Explanation, QueryResult, Report
from ragdiag.core.registry import names, require
from ragdiag.core.version import __version__
from ragdiag.deciding.decision import Decision
from ragdiag.diagnosis.health.checks import KINDS as KINDS_OF_FAULTS
from ragdiag.explain import explain, explanations
from ragdiag.reports.decide import decide_dict, decide_text
from ragdiag.reports.json import JsonObject, audit_dict, check_dict, explain_dict
from ragdiag.reports.litmus import litmus_dict, litmus_text
from ragdiag.reports.shown import DataFrame, Figure, Shown, bars, frame, made
from ragdiag.reports.terminal import audit_text, check_text, explain_text
from ragdiag.reports.text import line
from ragdiag.sources.checked import Checked
from ragdiag.text.phrases import counted

if TYPE_CHECKING:
    from ragdiag.pipeline import Audit
    from ragdiag.reports.output import Output
from ragdiag.results.configurations import CompareResult, DiffResult, TuneResult

__all__ = [
    "AuditResult",
    "CheckResult",
    "CompareResult",
    "DecideResult",
    "DiffResult",
    "ExplainResult",
    "LitmusResult",
    "PromptsResult",
    "TuneResult",
]


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
        queries = {q.id: q for q in self.queries}
        if query_id not in queries:
            raise UsageError(f"no query {query_id!r}{nearest(query_id, queries)}")
        return queries[query_id]

    def failures(self, cause: str = "") -> list[QueryResult]:
        """Queries whose context lacks evidence: all, or those with this cause. Raises `UsageError` for an unknown cause."""
        if cause and cause not in names("failures"):
            raise UsageError(f"unknown cause {cause!r}{did_you_mean(cause, names('failures'))}")
        return [q for q in self.queries if q.served is False and (not cause or cause in q.causes)]

    def explain(self, query_id: str) -> ExplainResult:
        """One query's whole story. Raises `UsageError` for an unknown id."""
        return made(ExplainResult, explain(self.audit, query_id))

    def to_pandas(self) -> DataFrame:
        """A data frame with a row for each query: its id, text, status, causes, and value of each measure."""
        rows = []
        for q in self.queries:
            columns = {"id": q.id, "text": q.text, "served": q.served, "status": q.status, "least_k": q.least_k}
            rows.append({**columns, "causes": ", ".join(q.causes), **q.measures})
        return frame(rows)

    def plot(self) -> Figure:
        """A figure (matplotlib): the measures, and the causes of unserved queries, each with its interval."""
        figure, (left, right) = require("matplotlib.pyplot", "notebook").subplots(1, 2, figsize=(10, 4), layout="constrained")
        bars(left, {name: m for name, m in self.measures.items() if m.n}, "measure")
        bars(right, self.causes, "share of unserved queries")
        return figure

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return audit_dict(self, self.litmus.verdict if self.litmus else None)

    _form = "audit"

    def _written(self, output: Output) -> str:
        return output.audit(self, explanations(self.audit), self.litmus)

    def _screen(self) -> RenderableType:
        return audit_text(self, self.litmus)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ExplainResult(Shown, Explanation):
    """An `Explanation` that shows itself."""

    def __repr__(self) -> str:
        return f"<query {self.query.id}: {', '.join(self.result.causes) or self.result.status}>"

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return explain_dict(self)

    def _screen(self) -> RenderableType:
        return explain_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CheckResult(Shown, Checked):
    """A `Checked` that shows itself, and answers what is wrong with an index."""

    def __repr__(self) -> str:
        problems, defects = counted(len(self.corpus.problems), "unreadable document"), counted(len(self.defects), "label defect")
        faults = f", {counted(len(self.faults), 'fault')} of the index" if self.index else ""
        return f"<check: {self.usable} of {counted(len(self.labels.queries), 'quer', 'y')} usable, {defects}, {problems}{faults}>"

    def finding(self, kind: str) -> HealthFinding | None:
        """What was found of a kind in the index, such as "duplicate"; None where nothing was.

        Raises `UsageError` for an unknown kind, and where no index was checked.
        """
        if self.index is None:
            raise UsageError("no index was checked: name a stored one as retriever")
        if kind not in KINDS_OF_FAULTS:
            raise UsageError(f"unknown kind {kind!r}{did_you_mean(kind, KINDS_OF_FAULTS)}")
        return next((f for f in self.index.findings if f.kind == kind), None)

    def to_pandas(self) -> DataFrame:
        """A data frame with a row for each defect or warning of a label: kind, query, file, line, message, whether the query is
        excluded.
        """
        defects = (*self.defects, *self.warnings)
        return frame(dataclasses.asdict(defect) | {"excluded": defect in self.defects} for defect in defects)

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return check_dict(self)

    def _screen(self) -> RenderableType:
        return check_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class PromptsResult(Shown, Prompts):
    """`Prompts` that show how many they are, and who is left out."""

    def __repr__(self) -> str:
        return f"<prompts: {', '.join(f'{n} {condition}' for condition, n in self._counts().items())}>"

    def to_pandas(self) -> DataFrame:
        """A data frame with a row for each prompt, as `ragdiag prompts` writes it."""
        return frame(prompt_lines(self.prompts, 1))

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        left_out = {condition: dict(reasons) for condition, reasons in self.left_out.items()}
        lines, notes = list(prompt_lines(self.prompts, 1)), list(self.notes)
        return {"ragdiag": __version__, "prompts": lines, "left_out": left_out, "notes": notes}

    def _counts(self) -> dict[str, int]:
        return {condition: sum(p.condition == condition for p in self.prompts) for condition in self.left_out}

    def _screen(self) -> RenderableType:
        parts = [line((f"{n} {condition} prompts", "bold")) for condition, n in self._counts().items()]
        for condition, reasons in self.left_out.items():
            parts += [line(f"no {condition} prompt: {', '.join(f'{why} {n}' for why, n in reasons.items())}")] if reasons else []
        return Group(*parts, *(line((f"note: {note}", "dim")) for note in self.notes))


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

    def to_pandas(self) -> DataFrame:
        """A data frame with a row for each answer: its query, condition, judgement and who made it."""
        return frame([j._asdict() | {"query": self.queries[j.query].id, "broke": ", ".join(j.broke)} for j in self.judgements])

    def plot(self) -> Figure:
        """A figure (matplotlib): the share of right answers under each condition, with its interval."""
        figure, axes = require("matplotlib.pyplot", "notebook").subplots(figsize=(6, 2.5), layout="constrained")
        bars(axes, {**self.shares, **self.corrected}, "share of right answers")
        return figure

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return litmus_dict(self)

    _form = "litmus"

    def _screen(self) -> RenderableType:
        return litmus_text(self)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DecideResult(Shown, Decision):
    """A `Decision` that shows itself."""

    def __repr__(self) -> str:
        return f"<decision: {self.recommendation or 'open'}>"

    def as_dict(self) -> JsonObject:
        """See `Shown`."""
        return decide_dict(self)

    def _screen(self) -> RenderableType:
        return decide_text(self)
