"""A report as one HTML page: the words of the terminal, every query behind them, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Explanation, Report
from ragdiag.reports.fixes import FixRow, NextQuery, got, share_said
from ragdiag.reports.html.page import embedded, render
from ragdiag.reports.html.queries import queries_data
from ragdiag.reports.html.text import Grid, Span, blocks, marked_spans
from ragdiag.reports.litmus import litmus_text
from ragdiag.reports.summary import COMPARE, Fate, summary
from ragdiag.reports.terminal import LOOK, troubles
from ragdiag.text.phrases import one_line

__all__ = ["audit_html", "litmus_html"]

SCALES = 20, 40, 60, 100
"""Per cent to which the line of a share goes, the least that holds all of them."""

SAID = 2
"""Lines of the litmus test's verdict that stand at the top."""


def audit_html(report: Report, explanations: Iterable[Explanation], litmus: Litmus | None = None) -> str:
    """A report as a page; the same inputs and seed give the same bytes.

    `explanations` are those of its queries, in order (`ragdiag.explain`); `litmus` is what came of answers.
    """
    audit, depth = summary(report), report.pipeline.depth
    data = queries_data(explanations, report, [each.query for each in audit.look], litmus)
    said = _litmus(litmus)
    sections = [("litmus", "Litmus test")] if litmus else []
    return render(
        "audit.html",
        title=f"{audit.headline.text} — ragdiag",
        kind="retrieval audit",
        sections=[*sections, ("measures", "Measures"), ("queries", "Queries")],
        audit=audit,
        fates=_bars(audit.fates),
        litmus=said,
        litmus_said=[block for block in said if isinstance(block, list) and block][1 : 1 + SAID],
        share_said=share_said,
        scale=_scale(audit.fixing.rows if audit.fixing else ()),
        compare=COMPARE,
        look=[_looked(each, depth) for each in audit.look[:LOOK]],
        marked=marked_spans,
        tables=(("What the context holds", audit.context), ("How chunks are ranked", audit.ranking)),
        troubles=list(blocks(troubles(report.label_defects, report.label_warnings, report.problems, report.notes))),
        data=embedded(data),
        left_out=_left_out(data, depth),
        signature=report.signature,
        seed=report.seed,
    )


def litmus_html(found: Litmus) -> str:
    """What the litmus test found as a page."""
    sections: list[tuple[str, str]] = []
    title = f"{found.verdict.kind} — ragdiag"
    return render("litmus.html", title=title, kind="litmus test", sections=sections, litmus=_litmus(found), seed=found.seed)


def _litmus(found: Litmus | None) -> list[list[Span] | Grid]:
    """What the terminal shows of the litmus test, less the name and version of ragdiag."""
    if found is None:
        return []
    heading, *others = blocks([litmus_text(found)])
    return [heading[1:], *others] if isinstance(heading, list) else [heading, *others]


def _scale(rows: Sequence[FixRow]) -> int:
    """Per cent to which the lines of shares go."""
    highest = max((row.share.high or 0.0 for row in rows if row.share), default=1.0)
    return next(percent for percent in SCALES if percent >= 100 * highest)


def _bars(fates: Sequence[Fate]) -> list[dict[str, object]]:
    """Parts of a whole, as a page draws them side by side."""
    total, parts, at = sum(fate.queries for fate in fates), list[dict[str, object]](), 0
    for words, count in fates:
        parts.append({"words": words, "count": count, "at": f"{100 * at / total:.3f}", "share": f"{100 * count / total:.3f}"})
        at += count
    return parts


def _looked(each: NextQuery, depth: int) -> dict[str, str]:
    query = each.query
    shown = {"id": query.id, "shown": one_line(query.id, 40), "why": each.why, "text": one_line(query.text, 160)}
    return {**shown, "got": f"{got(query):.0%}", "k": each.needs(depth)}


def _left_out(data: Mapping[str, Any], depth: int) -> str:
    """What the page does not hold."""
    cut = data["cut"]
    parts = [f"Of each query: its context, and what stands below it with evidence, in the first {depth} chunks."]
    if cut["chunks"] or cut["others"]:
        shortened = f"{cut['chunks']:,} of {cut['of']:,} chunk texts and {cut['others']:,} other texts"
        parts += [f"To keep the page small, {shortened} are cut short."]
    parts += ["ragdiag explain shows one query whole, to the last rank. Times differ from run to run: they are in --json."]
    return " ".join(parts)
