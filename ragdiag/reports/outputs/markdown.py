"""An audit as Markdown: for a pull request, or the summary of a job on GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Explanation, Report
from ragdiag.core.version import __version__
from ragdiag.reports.fixes import Fixing, got, share_said
from ragdiag.reports.litmus import verdict_said
from ragdiag.reports.output import Output
from ragdiag.reports.summary import Summary, summary
from ragdiag.text.phrases import one_line

__all__ = ["Markdown"]

LOOK = 6
"""Queries shown of those to look at first."""

LONGEST = 160
"""Characters shown of a query or a document's name."""


@dataclass(frozen=True)
class Markdown(Output):
    """Verdict, fixes, the queries to look at, measures; nothing of the corpus but ids and queries."""

    suffix = ".md"

    def audit(self, report: Report, explanations: Iterable[Explanation], litmus: Litmus | None) -> str:
        """See `Output`."""
        audit = summary(report)
        parts = [f"## {_text(audit.headline.text)}", f"{audit.main.name} {audit.main.said}"]
        parts += [_text(said) for said in (audit.corrected, audit.unserved) if said]
        parts += [_text(row.text.strip()) for row in audit.stages]
        parts += [_text(verdict_said(litmus))] if litmus else []
        parts += [_text(row.text) for row in audit.warnings]
        parts += _fixing(audit.fixing) if audit.fixing else []
        parts += _look(audit, report.pipeline.depth) if audit.look else []
        parts += ["### Measures", _table(("measure", "mean [95 %]", "n"), _measures(audit))]
        parts += [f"{_text(audit.counts)}; {_text(audit.pipeline)}; ragdiag {__version__}"]
        return "\n\n".join(parts) + "\n"


def _fixing(fixing: Fixing) -> Iterator[str]:
    yield f"### {fixing.title}: {_text(fixing.headline)}"
    rows = [
        (row.cause + (" *" if row.residual else ""), str(len(row.queries)), share_said(row.share).strip(), row.says, row.fix)
        for row in fixing.rows
    ]
    if rows:
        yield _table(("cause", "queries", "of unserved", "what it is", "fix"), rows)
    yield from (_text(note.text.strip()) for note in fixing.notes)


def _look(audit: Summary, depth: int) -> Iterator[str]:
    yield "### Look at these first"
    rows = [(n.query.id, n.why, f"{got(n.query):.0%}", n.needs(depth), n.query.text) for n in audit.look[:LOOK]]
    yield _table(("query", "why", "evidence", "needs k", "text"), rows)


def _measures(audit: Summary) -> Iterator[tuple[str, str, str]]:
    for measure in (*audit.context, *audit.ranking):
        yield measure.shown, measure.said, str(measure.mean.n)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&!#@$]|(?<=http)s?:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What Markdown, HTML or GitHub would take for their own: marks, tags, mentions, formulas, links."""


def _text(text: str) -> str:
    """On one line, with nothing in it that is more than text: a query may hold anything."""
    return SPECIAL.sub(lambda m: f"{m[0][:-1]}\\{m[0][-1]}", one_line(text, LONGEST))
