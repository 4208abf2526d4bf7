"""A comparison as one HTML page: what serves best and how sure that is, a map and a plot of all configurations, the contrasts."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from ragdiag.comparing.cells import Comparison, Contrast, context_tokens
from ragdiag.reports.compare import PARETO, against, cures, heading, holm, left_out, more_context, pairs, verdict_lines
from ragdiag.reports.html.charts import frame, heat_map, more_plot, plot
from ragdiag.reports.html.page import render
from ragdiag.reports.html.text import blocks, spans
from ragdiag.reports.text import interval, signed

__all__ = ["compare_html"]


def compare_html(comparison: Comparison, price: float | None = None) -> str:
    """A comparison as a page; the same inputs and seed give the same bytes. `price` is that of a million tokens of context."""
    n, measure = len(comparison.cells), comparison.measure
    order = sorted(range(n), key=lambda i: (-(comparison.means[i][measure].mean or 0.0), i))
    ranks = {i: rank for rank, i in enumerate(order, 1)}
    names = [cell.name for cell in comparison.cells]
    contrasts = against(comparison)
    widest = max((abs(v) for c in contrasts.values() for v in (c.low, c.high, c.difference)), default=0.0) or 1.0
    verdict = [spans(part) for part in verdict_lines(comparison) if isinstance(part, Text)]
    rows = [_row(comparison, i, ranks[i], contrasts.get(i), widest, price) for i in order]
    cured = [(row, cures(comparison, row["place"])) for row in rows if row["place"] != comparison.baseline]
    sections = [("map", "Map"), ("plot", "Plot"), ("contrasts", "Configurations"), ("more", "More context")]
    return render(
        "compare.html",
        title=f"{n} configurations compared — ragdiag",
        kind="comparison",
        sections=sections,
        counts=heading(comparison).plain.split("  ", 1)[1],
        measure=measure,
        verdict=verdict,
        heat=heat_map(comparison),
        plot=plot(comparison),
        more_plot=more_plot(comparison),
        frame=frame(),
        ranks=ranks,
        names=names,
        tips=[f"{interval(comparison.means[i][measure], 'not decidable')}, {_tokens(comparison, i)} tokens" for i in range(n)],
        best=comparison.best,
        baseline=comparison.baseline,
        rows=rows,
        priced="" if price is None else f"$/1000 q at ${price:g}/M",
        pareto=PARETO,
        causes=", ".join(f"{cause} {count}" for cause, count in comparison.causes.items()),
        cures=[
            {"rank": row["rank"], "name": row["name"], "cured": _listed(cured), "broke": _listed(broke)}
            for row, (cured, broke) in cured
            if comparison.causes
        ],
        more=list(blocks(more_context(comparison))),
        pairs=list(blocks(pairs(comparison))),
        troubles=list(blocks(left_out(comparison, comparison.notes))),
        seed=comparison.seed,
    )


def _row(
    comparison: Comparison, i: int, rank: int, contrast: Contrast | None, widest: float, price: float | None
) -> dict[str, Any]:
    """One configuration: its measure, what sets it apart from the baseline, what it takes."""
    cell, mean = comparison.cells[i], comparison.means[i][comparison.measure]
    tags = [name for name, place in (("best", comparison.best), ("baseline", comparison.baseline)) if place == i]
    reasons = comparison.reasons.get(i, ())
    tokens = context_tokens(cell)
    return {
        "place": i,
        "rank": rank,
        "name": cell.name,
        "tags": [*tags, *([f"for {', '.join(reasons)}"] if reasons else [])],
        "front": i in comparison.pareto,
        "mean": "not decidable" if mean.mean is None else f"{mean.mean:.3f}",
        "contrast": contrast,
        "drawn": _drawn(contrast, widest),
        "said": "" if contrast is None else signed(contrast.difference, contrast.low, contrast.high),
        "p": "" if contrast is None else holm(contrast),
        "tokens": _tokens(comparison, i),
        "chunks": f"{cell.chunks:,}",
        "price": "" if price is None or tokens is None else f"{tokens * price / 1000:.2f}",
    }


def _drawn(contrast: Contrast | None, widest: float) -> dict[str, Any]:
    """A difference and its interval as places from 0 to 100, 50 where there is none; told apart or not."""
    if contrast is None:
        return {}
    places = {name: f"{50 + 48 * getattr(contrast, name) / widest:.1f}" for name in ("low", "high")}
    mean = f"{50 + 48 * contrast.difference / widest:.1f}"
    said = signed(contrast.difference, contrast.low, contrast.high)
    return {**places, "mean": mean, "told": contrast.distinguishable, "said": said}


def _tokens(comparison: Comparison, i: int) -> str:
    tokens = context_tokens(comparison.cells[i])
    return "?" if tokens is None else f"{tokens:,.0f}"


def _listed(causes: list[str]) -> str:
    return ", ".join(causes) or "nothing"
