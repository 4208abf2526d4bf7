"""A report as one HTML page: the words of the terminal, every query behind them, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Explanation, Report
from ragdiag.reports.fixes import FixRow, NextQuery, got, share_said
from ragdiag.reports.html.page import embedded, render
from ragdiag.reports.html.queries import queries_data
from ragdiag.reports.html.text import Grid, Span, blocks, marked_spans
from ragdiag.reports.json import JsonObject
from ragdiag.reports.litmus import answer_counts, litmus_lines
from ragdiag.reports.summary import Fate, summary
from ragdiag.reports.terminal import LOOK, troubles
from ragdiag.text.phrases import one_line

__all__ = ["audit_html", "litmus_html"]

SCALES = 20, 40, 60, 100
"""Per cent to which the line of a share goes, the least that holds all of them."""

FEW = 4
"""Causes that make a table no longer than the verdict beside it: what to look at first then stands below both, not under one."""

SAID = 2
"""Lines of the litmus test's verdict that stand at the top."""


def audit_html(report: Report, explanations: Iterable[Explanation], litmus: Litmus | None = None) -> str:
    """A report as a page; the same inputs and seed give the same bytes.

    `explanations` are those of its queries, in order (`ragdiag.explain`); `litmus` is what came of answers.
    """
    audit, depth = summary(report), report.pipeline.depth
    data = queries_data(explanations, report, [next_query.query for next_query in audit.look], litmus)
    sections = [("litmus", "Litmus test")] if litmus else []
    return render(
        "audit.html",
        title=f"{audit.headline.text} — ragdiag",
        kind="retrieval audit",
        sections=[*sections, ("measures", "Measures"), ("queries", "Queries")],
        audit=audit,
        fates=_bars(audit.fates),
        litmus=_litmus(litmus) if litmus else [],
        litmus_said=_verdict(litmus) if litmus else [],
        share_said=share_said,
        scale=_scale(audit.fixing.rows if audit.fixing else ()),
        look=[_looked(next_query, depth) for next_query in audit.look[:LOOK]],
        few=len(audit.fixing.rows if audit.fixing else ()) <= FEW,
        marked=marked_spans,
        tables=(("What the context holds", audit.context), ("How chunks are ranked", audit.ranking)),
        troubles=list(blocks(troubles(report.label_defects, report.label_warnings, report.problems, report.notes))),
        data=embedded(data),
        left_out=_left_out(data, depth),
        signature=report.signature,
        seed=report.seed,
    )


def litmus_html(litmus: Litmus) -> str:
    """What the litmus test found as a page."""
    sections: list[tuple[str, str]] = []
    title = f"{litmus.verdict.kind} — ragdiag"
    return render("litmus.html", title=title, kind="litmus test", sections=sections, litmus=_litmus(litmus), seed=litmus.seed)


def _litmus(litmus: Litmus) -> list[list[Span] | Grid]:
    """What was counted, then what the terminal shows below its heading."""
    return [[Span(f"  {answer_counts(litmus)}", "")], *blocks(litmus_lines(litmus))]


def _verdict(litmus: Litmus) -> list[list[Span]]:
    """The first lines of the litmus test's verdict."""
    return [block for block in blocks(litmus_lines(litmus)) if isinstance(block, list) and block][:SAID]


def _scale(rows: Sequence[FixRow]) -> int:
    """Per cent at which the lines of all shares end."""
    highest = max((row.share.high or 0.0 for row in rows if row.share), default=1.0)
    return next(percent for percent in SCALES if percent >= 100 * highest)


def _bars(fates: Sequence[Fate]) -> list[dict[str, object]]:
    """What became of all queries, as parts of one bar: where each starts and how long it is, in per cent."""
    total, parts, start = sum(fate.queries for fate in fates), list[dict[str, object]](), 0
    for words, count in fates:
        parts.append({"words": words, "count": count, "at": f"{100 * start / total:.3f}", "share": f"{100 * count / total:.3f}"})
        start += count
    return parts


def _looked(next_query: NextQuery, depth: int) -> dict[str, str]:
    """A query to look at, as a line of the page."""
    query = next_query.query
    return {
        "id": query.id,
        "why": next_query.why,
        "text": one_line(query.text, 160),
        "got": f"{got(query):.0%}",
        "k": next_query.needs(depth),
    }


def _left_out(data: JsonObject, depth: int) -> str:
    """What the page does not hold."""
    cut = data["cut"]
    parts = [f"Of each query: its context, and what stands below it with evidence, in the first {depth} chunks."]
    if cut["chunks"] or cut["others"]:
        shortened = f"{cut['chunks']:,} of {cut['of']:,} chunk texts and {cut['others']:,} other texts"
        parts += [f"To keep the page small, {shortened} are cut short."]
    parts += ["ragdiag explain shows one query whole, to the last rank. Times differ from run to run: they are in --json."]
    return " ".join(parts)
