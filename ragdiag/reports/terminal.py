"""A report as terminal text: how bad, what to fix first, which queries to look at, on one screen."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Defect, Problem, QueryResult, Report
from ragdiag.core.registry import without_usual
from ragdiag.core.version import __version__
from ragdiag.reports.explain import explain_text
from ragdiag.reports.fixes import cause_order, fix_first, look_first
from ragdiag.reports.litmus import litmus_text
from ragdiag.reports.text import clean, counted, defect_line, interval, line, no_commands, one_line, plain_table, verbatim
from ragdiag.search.approximate import WHOLE
from ragdiag.sources.checked import Checked

__all__ = [
    "COMPARE",
    "audit_text",
    "check_text",
    "clean",
    "explain_text",
    "exposures",
    "heading",
    "index_recall",
    "main_measure",
    "measure_columns",
    "measure_row",
    "served_said",
    "show",
    "troubles",
    "unseen",
    "where",
]

FIRST = 8
"""Rows shown of a list; the JSON report has them all."""

SPAN = ("Sufficient", "Evidence", "CharR", "CharP", "IoU", "Duplicate", "OffTopic")
"""Measures of what the context holds, as against how chunks are ranked."""

WORST = 3
"""Documents named of those with unserved queries."""

COMPARE = "what these fixes recover and break on all queries: ragdiag compare CORPUS QUERIES, same options"
"""Said below the causes."""


def audit_text(report: Report, litmus: Litmus | None = None) -> RenderableType:
    """An audit on one screen, below what the litmus test found where there are answers."""
    served = sum(q.served is True for q in report.queries)
    failing = [q for q in report.queries if q.served is False]
    above = [] if litmus is None else [litmus_text(litmus), Text()]
    parts: list[RenderableType] = [*above, heading(report), *unseen(report), *index_recall(report)]
    parts += [Text(), served_said(report, served, failing)]
    if failing:
        order = cause_order(failing)
        parts += [Text(), *fix_first(report, failing, order), *exposures(report)]
        if order:
            parts += [line((COMPARE, "dim"))]
        parts += [Text(), line(("Look at these first", "bold")), look_first(failing, order, report.pipeline["depth"])]
        parts += [Text(), where(report)]
    else:
        parts += exposures(report)
    parts += [Text(), _measures(report), *_slow(report)]
    parts += troubles(report.label_defects, report.label_warnings, report.problems, report.notes)
    return Group(*parts)


def heading(report: Report) -> Text:
    """What was audited: counts, the pipeline."""
    pipeline, inputs = report.pipeline, report.inputs
    size = f"{pipeline['budget']} tokens" if pipeline["budget"] else f"k {pipeline['k']}"
    context = f" | context {pipeline['context']}" if pipeline["context"] not in (None, "none") else ""
    chunker = without_usual(str(pipeline["chunker"]))
    counts = (
        counted(inputs["documents"], "document"),
        counted(inputs["queries"], "quer", "y"),
        counted(pipeline["chunks"], "chunk"),
    )
    return line(
        (f"ragdiag {__version__}", "bold"),
        f"  {', '.join(counts)}\n",
        (
            f"{chunker}{context} | {pipeline['retriever']} | {size}, {pipeline['context_tokens']:.0f} tokens of context a query",
            "dim",
        ),
    )


def unseen(report: Report) -> list[RenderableType]:
    """Text that no vector stands for, before any score: whatever it answers cannot be found by its meaning."""
    unseen = report.pipeline.get("unseen") or {}
    if not unseen.get("chunks"):
        return []
    share, of = unseen.get("share") or 0.0, report.pipeline["chunks"]
    chunks = f"{unseen['chunks']:,} of {counted(of, 'chunk')} are longer"
    return [line((f"the encoder reads {unseen['limit']} tokens: {chunks}, {share:.1%} of the text was never embedded", "yellow"))]


def index_recall(report: Report) -> list[RenderableType]:
    """One line where the index itself misses chunks, whatever they say."""
    found = report.pipeline.get("index_recall") or {}
    if not found or found["mean"] >= WHOLE:
        return []
    share = f"the index returns {found['mean']:.1%} of the first {found['k']} chunks that exact search finds"
    return [line((share, "yellow"), ("; raise ef_search, search exactly, or rebuild the index", "dim"))]


def _slow(report: Report) -> list[RenderableType]:
    """One line where a query waits too long; times differ from run to run, so a fast index is not mentioned."""
    found = report.timings.get("retrieval") or {}
    if not found.get("slow"):
        return []
    times = f"95th percentile {found['p95_ms']:,.0f} ms a query, above {found['budget_ms']:,.0f}"
    fix = f"; {found['fix']}" if found.get("fix") else ""
    return [line((f"retrieval is slow: {times} (the first took {found['cold_ms']:,.0f})", "yellow"), (fix, "dim"))]


def main_measure(report: Report) -> tuple[str, str]:
    """The measure that the verdict is about, and what a query gets where it is 1."""
    name = next((m for m in report.measures if m.startswith("Sufficient@")), "")
    if name and report.measures[name].n:
        return name, "all their evidence"
    return next(m for m in report.measures if m.startswith("Success@")), "a relevant document"


def served_said(report: Report, served: int, failing: Sequence[QueryResult]) -> Text:
    """Three lines: how many queries are served, the measure with its interval, what the others get."""
    n = served + len(failing)
    name, what = main_measure(report)
    mean = report.measures[name]
    colour = "green" if not failing else "yellow" if served * 2 >= n else "red"
    text = line(
        (f"{served} of {n} queries get {what} in their context", f"bold {colour}"), f"\n{name} {interval(mean, 'not decidable')}"
    )
    if failing:
        below = sum(1 for q in failing if q.least_k)
        partly = sum(1 for q in failing if (q.measures.get(name.replace("Sufficient", "CharR")) or 0) > 0)
        depth, middle = report.pipeline["depth"], _median([q.least_k for q in failing if q.least_k]) if below else 0
        longer = f"; {below} find it all in the first {depth} chunks (half of them within {middle})" if below else ""
        text.append(f"\n{len(failing)} do not: {partly} get part of it{longer}")
    return text


def _median(values: Sequence[int]) -> int:
    return sorted(values)[len(values) // 2]


def _measures(report: Report) -> Table:
    """Two columns."""
    span, rank = measure_columns(report)
    table = plain_table("context", "mean [95 %]", ">n", " ranking", "mean [95 %]", ">n")
    for i in range(max(len(span), len(rank))):
        table.add_row(*_cells(report, span[i : i + 1], ""), *_cells(report, rank[i : i + 1], " "))
    return table


def measure_columns(report: Report) -> tuple[list[str], list[str]]:
    """Measures of what the context holds, and of how chunks are ranked."""
    span = [m for m in report.measures if re.split(r"\W", m)[0] in SPAN]
    return span, [m for m in report.measures if m not in span]


def measure_row(report: Report, name: str) -> tuple[str, str, str]:
    """One measure: what it is called, its mean with the interval, the queries behind it."""
    mean = report.measures[name]
    shown = re.sub(r"\w+\(tau=([0-9.]+)\).*", r"  at tau \1", name)
    return shown, interval(mean, "not decidable"), str(mean.n)


def _cells(report: Report, names: Sequence[str], indent: str) -> tuple[str, str, str]:
    """The cells of one measure, or empty ones for none."""
    for name in names:
        shown, mean, n = measure_row(report, name)
        return indent + shown, mean, n
    return "", "", ""


def where(report: Report) -> Text:
    """The documents whose queries go unserved."""
    unserved, asked = Counter[str](), Counter[str]()
    for q in report.queries:
        if q.served is not None:
            asked.update(q.documents)
            unserved.update(() if q.served else q.documents)
    order = sorted(unserved.items(), key=lambda item: (-item[1], item[0]))
    head = ("Where  ", "bold")
    if not order or order[0][1] == 1:
        return line(head, f"evidence of unserved queries is spread over {counted(len(order), 'document')}, one query each")
    named = ", ".join(f"{one_line(name, 40)} {n} of {asked[name]}" for name, n in order[:WORST])
    most = order[WORST][1] if len(order) > WORST else 0
    rest = f"; {counted(len(order) - WORST, 'more document')}, {f'1 to {most}' if most > 1 else '1'} each" if most else ""
    return line(head, f"unserved, by document: {named}{rest}")


def exposures(report: Report) -> list[RenderableType]:
    """Risks seen where the evidence is in the context all the same."""
    seen = Counter(name for q in report.queries if q.served for name in q.exposures)
    if not seen:
        return []
    counts = ", ".join(f"{name} {n}" for name, n in sorted(seen.items(), key=lambda item: (-item[1], item[0])))
    return [line((f"risks seen on served queries, harmless so far: {counts}", "dim"))]


def troubles(
    defects: Sequence[Defect], warnings: Sequence[Defect], problems: Sequence[Problem], notes: Iterable[str]
) -> list[RenderableType]:
    """Documents and labels that are left out, warnings, notes."""
    parts: list[RenderableType] = []
    if problems:
        parts += [Text(), line((f"{len(problems)} documents could not be read and are left out", "bold yellow"))]
        parts += [verbatim(f"  {p.file}: {p.message}") for p in problems[:FIRST]]
    if defects:
        excluded = len({d.query for d in defects})
        parts += [Text(), line((f"{len(defects)} label defects: {excluded} queries excluded", "bold yellow"))]
        parts += [defect_line(d) for d in defects[:FIRST]]
        parts += [line(f"  and {len(defects) - FIRST} more: ragdiag check shows all")] if len(defects) > FIRST else []
    if warnings:
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(w.kind for w in warnings).items()))
        parts += [Text(), line((f"label warnings (kept; --json lists them): {kinds}", "dim"))]
    parts += [line((f"note: {note}", "dim")) for note in notes]
    return parts


def check_text(checked: Checked) -> RenderableType:
    """Every defect and warning of corpus and labels."""
    corpus, labels = checked.corpus, checked.labels
    counts = f"{len(corpus.documents)} documents, {len(labels.queries)} queries, {checked.usable} usable"
    parts: list[RenderableType] = [line((f"ragdiag {__version__}", "bold"), f"  {counts}")]
    for title, rows in (("label defects", labels.defects), ("label warnings (kept)", labels.warnings)):
        if rows:
            kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(r.kind for r in rows).items()))
            parts += [Text(), line((f"{len(rows)} {title}: {kinds}", "bold yellow"))]
            parts += [defect_line(d) for d in rows]
    parts += troubles((), (), corpus.problems, checked.notes)
    if not labels.defects and not corpus.problems:
        parts += [line(("no defects", "bold green"))]
    return Group(*parts)


def show(renderable: RenderableType) -> None:
    """Print to standard output: as wide as the terminal; 140 columns where it is none."""
    made = Console(highlight=False)
    made = made if made.is_terminal else Console(highlight=False, width=140)
    if os.environ.get("GITHUB_ACTIONS") != "true":
        made.print(renderable, crop=False)
        return
    with made.capture() as captured:
        made.print(renderable, crop=False)
    made.file.write(no_commands(captured.get()))
