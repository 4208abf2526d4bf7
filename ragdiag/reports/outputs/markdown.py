"""An audit, or two of them held against each other, as Markdown: for a pull request, or the summary of a job on GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ragdiag.answering.verdict import Litmus
from ragdiag.comparing.changes import Diff
from ragdiag.core.records import Explanation, Report
from ragdiag.core.version import __version__
from ragdiag.reports.fixes import Fixing, got, share_said
from ragdiag.reports.litmus import verdict_said
from ragdiag.reports.markdown import diff_markdown, plain_text, table
from ragdiag.reports.output import Output
from ragdiag.reports.summary import Summary, summary

__all__ = ["Markdown"]

LOOK = 6
"""Queries shown of those to look at first."""


@dataclass(frozen=True)
class Markdown(Output):
    """Verdict, fixes, the queries to look at, measures; nothing of the corpus but ids and queries."""

    suffix = ".md"

    def audit(self, report: Report, explanations: Iterable[Explanation], litmus: Litmus | None) -> str:
        """See `Output`."""
        audit = summary(report)
        parts = [f"## {plain_text(audit.headline.text)}", f"{audit.main.name} {audit.main.said}"]
        parts += [plain_text(said) for said in (audit.corrected, audit.unserved) if said]
        parts += [plain_text(row.text.strip()) for row in audit.stages]
        parts += [plain_text(verdict_said(litmus))] if litmus else []
        parts += [plain_text(row.text) for row in audit.warnings]
        parts += _fixing(audit.fixing) if audit.fixing else []
        parts += _look(audit, report.pipeline.depth) if audit.look else []
        parts += ["### Measures", table(("measure", "mean [95 %]", "n"), _measures(audit))]
        parts += [f"{plain_text(audit.counts)}; {plain_text(audit.pipeline)}; ragdiag {__version__}"]
        return "\n\n".join(parts) + "\n"

    def diff(self, found: Diff) -> str:
        """See `Output`."""
        return diff_markdown(found)


def _fixing(fixing: Fixing) -> Iterator[str]:
    yield f"### {fixing.title}: {plain_text(fixing.headline)}"
    rows = [
        (row.cause + (" *" if row.residual else ""), str(len(row.queries)), share_said(row.share).strip(), row.says, row.fix)
        for row in fixing.rows
    ]
    if rows:
        yield table(("cause", "queries", "of unserved", "what it is", "fix"), rows)
    yield from (plain_text(note.text.strip()) for note in fixing.notes)


def _look(audit: Summary, depth: int) -> Iterator[str]:
    yield "### Look at these first"
    rows = [(n.query.id, n.why, f"{got(n.query):.0%}", n.needs(depth), n.query.text) for n in audit.look[:LOOK]]
    yield table(("query", "why", "evidence", "needs k", "text"), rows)


def _measures(audit: Summary) -> Iterator[tuple[str, str, str]]:
    for measure in (*audit.context, *audit.ranking):
        yield measure.shown, measure.said, str(measure.mean.n)
