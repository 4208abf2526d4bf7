"""A comparison as one HTML page: what serves best and how sure that is, a map and a plot of all configurations, the contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragdiag.comparing.cells import Comparison, Contrast, context_tokens
from ragdiag.reports.compare import PARETO, against, counts, cures, holm, left_out, more_context, pairs, verdict_lines
from ragdiag.reports.html.by_query import by_query
from ragdiag.reports.html.charts import frame, heat_map, more_plot, plot
from ragdiag.reports.html.page import render
from ragdiag.reports.html.text import blocks, spans
from ragdiag.reports.models import MODELS_NOTE, model_rows
from ragdiag.reports.text import interval, signed

__all__ = ["compare_html"]

SECTIONS = [("map", "Map"), ("plot", "Plot"), ("contrasts", "Configurations"), ("queries", "Queries"), ("more", "More context")]
"""Parts of the page, by the name of each and its words at the top."""


class Against(NamedTuple):
    """A configuration against the baseline: the difference and the ends of its interval as places from 0 to 100 (no difference
    is at 50); whether the two are told apart; the difference and its interval in figures; queries won and lost; the adjusted p.
    """

    low: str
    mean: str
    high: str
    distinguishable: bool
    interval: str
    won: int
    lost: int
    p: str


class TableRow(NamedTuple):
    """A configuration in the table: its position in the comparison, its rank by the measure, and what its columns show.

    `front`: none of the others is better and takes no more tokens. `against` is None for the baseline.
    """

    place: int
    rank: int
    name: str
    tags: list[str]
    front: bool
    mean: str
    against: Against | None
    tokens: str
    chunks: str
    price: str


class CuresRow(NamedTuple):
    """A configuration with the causes that it cures and those that it breaks queries by."""

    rank: int
    name: str
    cured: str
    broke: str


def compare_html(comparison: Comparison, price: float | None = None) -> str:
    """A comparison as a page; the same inputs and seed give the same bytes. `price` is that of a million tokens of context."""
    rows = _rows(comparison, price)
    ranks = {row.place: row.rank for row in rows}
    differing = by_query(comparison, [ranks[i] for i in range(len(ranks))])
    return render(
        "compare.html",
        title=f"{len(comparison.cells)} configurations compared — ragdiag",
        kind="comparison",
        sections=SECTIONS,
        counts=counts(comparison),
        measure=comparison.measure,
        verdict=[spans(sentence) for sentence in verdict_lines(comparison)],
        heat=heat_map(comparison),
        plot=plot(comparison),
        more_plot=more_plot(comparison),
        frame=frame(),
        ranks=ranks,
        names=[cell.name for cell in comparison.cells],
        tips=list(_tips(comparison)),
        best=comparison.best,
        baseline=comparison.baseline,
        rows=rows,
        priced="" if price is None else f"$/1000 q at ${price:g}/M",
        pareto=PARETO,
        causes=", ".join(f"{cause} {count}" for cause, count in comparison.causes.items()),
        queries=differing,
        listed={column.place for column in differing.columns},
        cures=list(_cures(comparison, rows)),
        models=model_rows(comparison),
        models_note=MODELS_NOTE,
        more=list(blocks(more_context(comparison))),
        pairs=list(blocks(pairs(comparison))),
        troubles=list(blocks(left_out(comparison, comparison.notes))),
        seed=comparison.seed,
    )


def _rows(comparison: Comparison, price: float | None) -> list[TableRow]:
    """The table of configurations, the best first."""
    means = [means[comparison.measure].mean or 0.0 for means in comparison.means]
    order = sorted(range(len(means)), key=lambda i: (-means[i], i))
    contrasts = against(comparison)
    widest = max((abs(v) for c in contrasts.values() for v in (c.low, c.high, c.difference)), default=0.0) or 1.0
    differences = {i: _against(contrast, widest) for i, contrast in contrasts.items()}
    return [_row(comparison, i, rank, differences.get(i), price) for rank, i in enumerate(order, 1)]


def _row(comparison: Comparison, i: int, rank: int, difference: Against | None, price: float | None) -> TableRow:
    cell, mean = comparison.cells[i], comparison.means[i][comparison.measure]
    tokens, reasons = context_tokens(cell), comparison.reasons.get(i)
    tags = [tag for tag, place in (("best", comparison.best), ("baseline", comparison.baseline)) if place == i]
    return TableRow(
        place=i,
        rank=rank,
        name=cell.name,
        tags=[*tags, f"for {', '.join(reasons)}"] if reasons else tags,
        front=i in comparison.pareto,
        mean="not decidable" if mean.mean is None else f"{mean.mean:.3f}",
        against=difference,
        tokens=_tokens(comparison, i),
        chunks=f"{cell.chunks:,}",
        price="" if price is None or tokens is None else f"{tokens * price / 1000:.2f}",
    )


def _against(contrast: Contrast, widest: float) -> Against:
    """A contrast with the baseline; `widest` is the difference that is drawn longest."""
    low, mean, high = (f"{50 + 48 * value / widest:.1f}" for value in (contrast.low, contrast.difference, contrast.high))
    words = signed(contrast.difference, contrast.low, contrast.high)
    return Against(low, mean, high, contrast.distinguishable, words, contrast.recovered, contrast.broken, holm(contrast))


def _tips(comparison: Comparison) -> Iterator[str]:
    """What is shown of each configuration's point in the plot: the measure with its interval, and the tokens."""
    for i, means in enumerate(comparison.means):
        yield f"{interval(means[comparison.measure], 'not decidable')}, {_tokens(comparison, i)} tokens"


def _cures(comparison: Comparison, rows: Sequence[TableRow]) -> Iterator[CuresRow]:
    """What each configuration but the baseline cures and breaks; nothing where causes were not named."""
    for row in rows:
        if comparison.causes and row.place != comparison.baseline:
            cured, broken = (", ".join(causes) or "nothing" for causes in cures(comparison, row.place))
            yield CuresRow(row.rank, row.name, cured, broken)


def _tokens(comparison: Comparison, i: int) -> str:
    tokens = context_tokens(comparison.cells[i])
    return "?" if tokens is None else f"{tokens:,.0f}"
