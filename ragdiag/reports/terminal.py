"""A report as terminal text: how bad, what to fix first, which queries to look at, on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Defect, Problem, QueryResult, Report
from ragdiag.core.version import __version__
from ragdiag.reports.explain import explain_text
from ragdiag.reports.fixes import Fixing, FixRow, got, share_said
from ragdiag.reports.health import health_heading, health_text
from ragdiag.reports.left_out import left_out_text
from ragdiag.reports.litmus import litmus_text
from ragdiag.reports.summary import Measured, Summary, summary
from ragdiag.reports.text import defect_line, line, marked, next_lines, plain_table, verbatim
from ragdiag.sources.checked import Checked
from ragdiag.text.phrases import no_commands, on_github, one_line

__all__ = ["audit_text", "check_text", "explain_text", "show", "troubles"]

FIRST = 8
"""Rows shown of a list; the JSON report has them all."""

LOOK = 6
"""Queries shown of those to look at first."""

IDS = 3
"""Queries named behind a cause."""

NARROW = 18
"""Columns left for ids below which they are not shown."""


def audit_text(report: Report, litmus: Litmus | None = None, following: tuple[str, str] | None = None) -> RenderableType:
    """An audit on one screen, below what the litmus test found of answers; `following`: why something comes next, and what."""
    audit = summary(report)
    parts: list[RenderableType] = [] if litmus is None else [litmus_text(litmus), Text()]
    parts += [_heading(audit), *map(marked, audit.warnings), Text(), *_headline(audit)]
    if audit.fixing:
        parts += [Text(), *_fix_first(audit.fixing), *map(marked, audit.exposures)]
        parts += [line((audit.compare, "dim"))] if audit.fixing.rows and audit.compare and not following else []
        parts += [Text(), line(("Look at these first", "bold")), _look_first(audit, report.pipeline.depth)]
        parts += [Text(), marked(audit.where)]
    else:
        parts += map(marked, audit.exposures)
    parts += [Text(), _measures(audit), *map(marked, audit.normal + audit.slow)]
    parts += troubles(report.label_defects, report.label_warnings, report.problems, report.notes)
    parts += next_lines(following)
    return Group(*parts)


def _heading(audit: Summary) -> Text:
    """What was audited: counts, the pipeline."""
    return line((f"ragdiag {__version__}", "bold"), f"  {audit.counts}\n", (audit.pipeline, "dim"))


def _headline(audit: Summary) -> list[RenderableType]:
    """How many queries are served, the measure with its interval, what a review makes of it, what the others get."""
    headline = audit.headline
    colour = "green" if not audit.failing else "yellow" if headline.served * 2 >= headline.of else "red"
    lines = [line((headline.text, f"bold {colour}")), line(f"{audit.main.name} {audit.main.said}")]
    lines += [line((audit.corrected, "dim"))] if audit.corrected else []
    return [*lines, *([line(audit.unserved)] if audit.unserved else []), *map(marked, audit.stages)]


def _fix_first(fixing: Fixing) -> list[RenderableType]:
    """How many unserved queries have a cause, and the table of causes."""
    if not fixing.rows and not fixing.notes and fixing.title == "Why":
        return [line((fixing.title, "bold"), f"  {fixing.headline}")]
    heading = line((f"{fixing.title}: {fixing.headline}", "bold"))
    return [heading, *([_Fixes(fixing.rows)] if fixing.rows else []), *map(marked, fixing.notes)]


class _Fixes:
    """The table of causes; how many queries are named depends on the width."""

    def __init__(self, rows: Sequence[FixRow]) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width // 4 - 6
        ids = room >= NARROW
        table = plain_table("cause", ">queries", "of unserved", "fix", *(["queries behind it"] if ids else []))
        for row in self.rows:
            more = len(row.queries) - row.alone
            count = f"{row.alone} +{more}" if more else str(row.alone)
            name = one_line(row.cause, 24) + (" *" if row.residual else "")
            named = [_named(row.queries, room)] if ids else []
            style = "dim" if row.residual else ""
            table.add_row(name, count, share_said(row.share), line(row.fix), *named, style=style)
        # The fix is what one came for: it wraps, and on a narrow terminal the ids, which stand below too, leave it their room.
        table.expand, table.columns[3].ratio, table.columns[3].no_wrap = True, 1, False
        yield table


def _named(queries: Sequence[QueryResult], room: int) -> str:
    """The first ids, as many as fit."""
    names = [one_line(q.id, 28) for q in queries[:IDS]]
    while len(names) > 1 and len(" ".join(names)) > room:
        names.pop()
    return " ".join(names)


def _look_first(audit: Summary, depth: int) -> RenderableType:
    """The first queries to look at."""
    caused = bool(audit.fixing and audit.fixing.rows)
    table = plain_table("query", *(["cause"] if caused else []), ">evidence", ">needs k", "text")
    for next_query in audit.look[:LOOK]:
        query, why = next_query.query, [one_line(next_query.why, 28)] if caused else []
        table.add_row(one_line(query.id, 28), *why, f"{got(query):.0%}", next_query.needs(depth), one_line(query.text, 100))
    table.expand, table.columns[-1].ratio = True, 1  # a narrow terminal cuts the text, nothing else
    left = len(audit.failing) - LOOK
    return Group(table, *([line((f"and {left} more; --json lists all, ragdiag explain shows one", "dim"))] if left > 0 else []))


def _measures(audit: Summary) -> Table:
    """Measures of contexts on the left, of rankings on the right."""
    table = plain_table("context", "mean [95 %]", ">n", " ranking", "mean [95 %]", ">n")
    for i in range(max(len(audit.context), len(audit.ranking))):
        table.add_row(*_cells(audit.context[i : i + 1], ""), *_cells(audit.ranking[i : i + 1], " "))
    return table


def _cells(measures: Sequence[Measured], indent: str) -> tuple[str, str, str]:
    """The cells of one measure, or empty ones for none."""
    for measure in measures:
        return indent + measure.shown, measure.said, str(measure.mean.n)
    return "", "", ""


def troubles(
    defects: Sequence[Defect], warnings: Sequence[Defect], problems: Sequence[Problem], notes: Iterable[str]
) -> list[RenderableType]:
    """Documents and labels that are left out, warnings, notes."""
    parts: list[RenderableType] = []
    parts += _unread([p for p in problems if not p.partly], "documents could not be read and are left out")
    parts += _unread([p for p in problems if p.partly], "documents were read only in part")
    if defects:
        excluded = len({d.query for d in defects})
        parts += [Text(), line((f"{len(defects)} label defects: {excluded} queries excluded", "bold yellow"))]
        parts += [defect_line(d) for d in defects[:FIRST]]
        parts += [line(f"  and {len(defects) - FIRST} more: ragdiag check shows all")] if len(defects) > FIRST else []
    if warnings:
        parts += [Text(), line((f"label warnings (kept; --json lists them): {_kinds(warnings)}", "dim"))]
    parts += [line((f"note: {note}", "dim")) for note in notes]
    return parts


def _unread(problems: Sequence[Problem], what: str) -> list[RenderableType]:
    if not problems:
        return []
    more = [line(f"  and {len(problems) - FIRST} more: --json lists all")] if len(problems) > FIRST else []
    heading = line((f"{len(problems)} {what}", "bold yellow"))
    return [Text(), heading, *(verbatim(f"  {p.file}: {p.message}") for p in problems[:FIRST]), *more]


def _kinds(defects: Sequence[Defect]) -> str:
    """How many there are of each kind."""
    return ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(d.kind for d in defects).items()))


def check_text(checked: Checked) -> RenderableType:
    """Every defect and warning of corpus and labels, and of the index."""
    corpus, labels = checked.corpus, checked.labels
    counts = [f"{len(corpus.documents)} documents"]
    if labels.queries or not checked.index:
        counts += [f"{len(labels.queries)} queries", f"{checked.usable} usable"]
    counts += [f"{checked.index.records} records"] if checked.index else []
    parts: list[RenderableType] = [line((f"ragdiag {__version__}", "bold"), f"  {', '.join(counts)}")]
    parts += [health_heading(checked.index)] if checked.index else []
    for title, rows in (("label defects", labels.defects), ("label warnings (kept)", labels.warnings)):
        if rows:
            parts += [Text(), line((f"{len(rows)} {title}: {_kinds(rows)}", "bold yellow"))]
            parts += [defect_line(d) for d in rows]
    parts += health_text(checked.index) if checked.index else []
    parts += left_out_text(corpus.documents)
    parts += troubles((), (), corpus.problems, (*checked.notes, *(checked.index.notes if checked.index else ())))
    if checked.is_clean:
        parts += [line(("no defects", "bold green"))]
    return Group(*parts)


def show(renderable: RenderableType) -> None:
    """Print to standard output: as wide as the terminal; 140 columns where it is none."""
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=140)
    if not on_github():
        console.print(renderable, crop=False)
        return
    with console.capture() as captured:
        console.print(renderable, crop=False)
    console.file.write(no_commands(captured.get()))
