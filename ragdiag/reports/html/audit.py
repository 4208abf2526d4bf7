"""A report as one HTML page: the words of the terminal, every query behind them, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text

from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Explanation, QueryResult, Report
from ragdiag.reports.fixes import FIRST, Order, cause_order, fix_first, fixes, got, look_order, share_said, shown_for
from ragdiag.reports.html.page import embedded, render
from ragdiag.reports.html.queries import queries_data
from ragdiag.reports.html.text import Grid, Span, blocks, spans
from ragdiag.reports.litmus import litmus_text
from ragdiag.reports.terminal import (
    COMPARE,
    exposures,
    heading,
    index_recall,
    main_measure,
    measure_columns,
    measure_row,
    served_said,
    troubles,
    unseen,
    where,
)
from ragdiag.reports.text import line, one_line
from ragdiag.reports.words import CAUSES, MEASURES, RESIDUAL, STATUSES

__all__ = ["audit_html", "litmus_html"]

SCALES = 20, 40, 60, 100
"""Per cent to which the line of a share goes, the least that holds all of them."""

SAID = 2
"""Lines of the litmus test's verdict that stand at the top."""


def audit_html(report: Report, explanations: Iterable[Explanation], litmus: Litmus | None = None) -> str:
    """A report as a page; the same inputs and seed give the same bytes.

    `explanations` are those of its queries, in order (`ragdiag.explain`); `litmus` is what came of answers.
    """
    served = sum(q.served is True for q in report.queries)
    failing = [q for q in report.queries if q.served is False]
    order = cause_order(failing)
    looked = look_order(failing, order)
    data = queries_data(explanations, report, [q for q, _ in looked], litmus)
    counts, pipeline = _after_version(heading(report)).split("\n")
    name, what = main_measure(report)
    headline, _, *rest = served_said(report, served, failing).plain.split("\n")
    said = _litmus(litmus)
    sections = [("litmus", "Litmus test")] if litmus else []
    return render(
        "audit.html",
        title=f"{headline} — ragdiag",
        kind="retrieval audit",
        sections=[*sections, ("measures", "Measures"), ("queries", "Queries")],
        counts=counts,
        pipeline=pipeline,
        headline=headline.partition(" queries "),
        measured={"name": name, "mean": report.measures[name], "said": measure_row(report, name)[1]},
        what=what,
        rest=rest,
        fate=_fate(report, served, failing),
        warnings=[spans(t) for t in (*unseen(report), *index_recall(report)) if isinstance(t, Text)],
        failing=failing,
        litmus=said,
        litmus_said=[block for block in said if isinstance(block, list) and block][1 : 1 + SAID],
        **_fixing(report, failing, order),
        look=[_looked(q, cause, report.pipeline["depth"]) for q, cause in looked[:FIRST]],
        where=spans(where(report)) if looked else [],
        measures=_measures(report),
        troubles=list(blocks(troubles(report.label_defects, report.label_warnings, report.problems, report.notes))),
        data=embedded(data),
        left_out=_left_out(data, report),
        signature=report.signature,
        seed=report.seed,
    )


def litmus_html(found: Litmus) -> str:
    """What the litmus test found as a page."""
    sections: list[tuple[str, str]] = []
    title = f"{found.verdict.kind} — ragdiag"
    return render("litmus.html", title=title, kind="litmus test", sections=sections, litmus=_litmus(found), seed=found.seed)


def _after_version(text: Text) -> str:
    """A heading without the name and version of ragdiag, which a page has elsewhere."""
    return text.plain.split("  ", 1)[1]


def _litmus(found: Litmus | None) -> list[list[Span] | Grid]:
    """What the terminal shows of the litmus test, less the name and version of ragdiag."""
    if found is None:
        return []
    heading, *others = blocks([litmus_text(found)])
    return [heading[1:], *others] if isinstance(heading, list) else [heading, *others]


def _fixing(report: Report, failing: Sequence[QueryResult], order: Order) -> dict[str, Any]:
    """What to fix first: a headline, a row for each cause, notes."""
    said = [part for part in fix_first(report, failing, order) if isinstance(part, Text)] if failing else []
    headline = said[0].plain.removeprefix("Fix this first: ").removeprefix("Why  ") if said else ""
    after = [line((COMPARE, "dim"))] if order else []
    rows = [
        {
            "cause": fix.cause,
            "means": CAUSES.get(fix.cause, ""),
            "residual": fix.cause in RESIDUAL,
            "alone": fix.alone,
            "more": len(fix.queries) - fix.alone,
            "share": fix.share,
            "said": share_said(fix.share).strip(),
            "fix": fix.fix,
        }
        for fix in fixes(report, order)
    ]
    notes = [*said[1:], *(t for t in exposures(report) if isinstance(t, Text)), *after]
    highest = max((fix.share.high or 0.0 for fix in fixes(report, order) if fix.share), default=1.0)
    scale = next(percent for percent in SCALES if percent >= 100 * highest)
    return {"fix_headline": headline, "fixes": rows, "scale": scale, "fix_notes": [spans(note) for note in notes]}


def _fate(report: Report, served: int, failing: Sequence[QueryResult]) -> list[dict[str, Any]]:
    """What became of all queries that can be decided, as parts of a whole."""
    counts = {"served": served, "proved cause": 0, "residual cause only": 0}
    for q in failing:
        proved = any(cause not in RESIDUAL for cause in q.causes)
        words = STATUSES.get(q.status, q.status).partition(":")[0]
        name = "proved cause" if proved else "residual cause only" if q.causes else words
        counts[name] = counts.get(name, 0) + 1
    total, parts, at = served + len(failing), [], 0
    for name, count in counts.items():
        if count:
            parts.append({"words": name, "count": count, "at": f"{100 * at / total:.3f}", "share": f"{100 * count / total:.3f}"})
            at += count
    return parts


def _looked(q: QueryResult, cause: str, depth: int) -> dict[str, Any]:
    shown = {"id": q.id, "shown": one_line(q.id, 40), "why": shown_for(q, cause), "text": one_line(q.text, 160)}
    return {**shown, "got": f"{got(q):.0%}", "k": q.least_k or f">{depth}"}


def _measures(report: Report) -> list[tuple[str, list[dict[str, Any]]]]:
    """Both columns of measures."""
    titles = "What the context holds", "How chunks are ranked"
    tables = []
    for title, names in zip(titles, measure_columns(report), strict=True):
        rows = []
        for name in names:
            shown, said, _ = measure_row(report, name)
            means = MEASURES.get(name.partition("@")[0].partition("(")[0], "")
            rows.append({"name": shown.strip(), "means": means, "mean": report.measures[name], "said": said})
        tables.append((title, rows))
    return tables


def _left_out(data: Mapping[str, Any], report: Report) -> str:
    """What the page does not hold."""
    cut = data["cut"]
    depth = report.pipeline["depth"]
    parts = [f"Of each query: its context, and what stands below it with evidence, in the first {depth} chunks."]
    if cut["chunks"] or cut["others"]:
        shortened = f"{cut['chunks']:,} of {cut['of']:,} chunk texts and {cut['others']:,} other texts"
        parts += [f"To keep the page small, {shortened} are cut short."]
    parts += ["ragdiag explain shows one query whole, to the last rank. Times differ from run to run: they are in --json."]
    return " ".join(parts)
