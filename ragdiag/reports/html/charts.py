"""The drawings of a page as numbers for its templates: a heat map of configurations, and what each serves for its tokens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ragdiag.comparing.cells import Comparison, context_tokens

__all__ = ["HeatCell", "HeatMap", "Plot", "Point", "frame", "heat_map", "more_plot", "plot"]

TONES = 6
"""Steps of the heat map's scale."""

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 16, 44
"""Size of the plot in units of its own, and of the margins round its field."""

TICKS = 5
"""Ticks on an axis, about."""

SPAN = 0.2
"""The axis of tokens is at least this share of its largest value long."""

NEAR, LABEL = 34, 13
"""Points nearer than this across have their labels this far apart."""


class HeatCell(NamedTuple):
    """A configuration in the map: which it is, its measure with the interval, a tone from 0 (least) up."""

    place: int
    mean: float
    low: float
    high: float
    tone: int


class HeatMap(NamedTuple):
    """Rows are chunkers (with their context), columns retrievers; None where that pair was not compared."""

    columns: list[str]
    rows: list[tuple[str, list[HeatCell | None]]]


class Point(NamedTuple):
    """A configuration in the plot; `low` and `high` are heights of its interval's ends, `label` that of its number."""

    place: int
    x: float
    y: float
    low: float
    high: float
    front: bool
    label: float


class Plot(NamedTuple):
    """Points, the steps of the front as a path, the baseline with more context as a path,
    and ticks with their labels."""

    points: list[Point]
    front: str
    more: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def heat_map(comparison: Comparison) -> HeatMap:
    """Each chunking and retriever with the measure compared. Cells of the same two names take a row each."""
    means = [each[comparison.measure] for each in comparison.means]
    known = [m.mean for m in means if m.mean is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    columns = list(dict.fromkeys(c.retriever for c in comparison.cells))
    rows: list[tuple[str, list[HeatCell | None]]] = []
    for i, cell in enumerate(comparison.cells):
        name, column, mean = " | ".join(filter(None, (cell.chunker, cell.context))), columns.index(cell.retriever), means[i]
        if mean.mean is None or mean.low is None or mean.high is None:
            continue
        row = next((own for n, own in rows if n == name and own[column] is None), None)
        if row is None:
            row = [None] * len(columns)
            rows.append((name, row))
        tone = round((TONES - 1) * (mean.mean - low) / (high - low)) if high > low else 0
        row[column] = HeatCell(i, mean.mean, mean.low, mean.high, tone)
    return HeatMap(columns, rows)


def plot(comparison: Comparison) -> Plot:
    """Tokens of context against the measure, all configurations."""
    return _plot(comparison, range(len(comparison.cells)), [])


def more_plot(comparison: Comparison) -> Plot:
    """The baseline with more context beside the best; empty where the measure is not the share served, which the curve is."""
    curve = [(row["tokens"], row["served"] / row["of"]) for row in comparison.curve if row["of"] and row["times"] >= 1]
    if len(curve) < 2 or not comparison.measure.startswith("Sufficient") or "(" in comparison.measure:
        return Plot([], "", "", [], [])
    return _plot(comparison, sorted({comparison.baseline, comparison.best}), curve)


def _plot(comparison: Comparison, places: Iterable[int], curve: Sequence[tuple[float, float]]) -> Plot:
    known = []
    for i in places:
        mean, tokens = comparison.means[i][comparison.measure], context_tokens(comparison.cells[i])
        if tokens is not None and mean.mean is not None and mean.low is not None and mean.high is not None:
            known.append((i, tokens, mean.mean, mean.low, mean.high))
    if not known:
        return Plot([], "", "", [], [])
    xs = [x for _, x, *_ in known] + [x for x, _ in curve]
    ys = [y for _, _, *each in known for y in each] + [y for _, y in curve]
    beside = max(SPAN * max(xs) - (max(xs) - min(xs)), 0) / 2  # a few tokens more or less must not look like many
    across = _Scale.of([min(xs) - beside, max(xs) + beside], LEFT, WIDTH - RIGHT)
    up = _Scale.of(ys, HEIGHT - BOTTOM, TOP)
    labels = _apart([(across(x), up(y)) for _, x, y, *_ in known])
    points = [
        Point(i, across(x), up(y), up(low), up(high), i in comparison.pareto, label)
        for (i, x, y, low, high), label in zip(known, labels, strict=True)
    ]
    front = sorted((p.x, p.y) for p in points if p.front) if not curve else []
    steps = "".join(f"{'H' if i else 'M'}{x:g}{f'V{y:g}' if i else f',{y:g}'}" for i, (x, y) in enumerate(front))
    path = "".join(f"{'L' if i else 'M'}{across(x):g},{up(y):g}" for i, (x, y) in enumerate(curve))
    x_ticks = [(across(v), f"{v:,.0f}") for v in across.ticks()]
    return Plot(points, steps, path, x_ticks, [(up(v), f"{v:.2f}") for v in up.ticks()])


def _apart(places: Sequence[tuple[float, float]]) -> list[float]:
    """A height for the label of each point, so that those of points side by side do not cover each other."""
    heights: dict[int, float] = {}
    for i in sorted(range(len(places)), key=lambda i: places[i][1]):
        x, y = places[i]
        near = [heights[j] for j in heights if abs(places[j][0] - x) < NEAR]
        heights[i] = max([y, *(h + LABEL for h in near if h + LABEL > y)])
    return [heights[i] for i in range(len(places))]


class _Scale(NamedTuple):
    """Values from `low` to `high`, laid out from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    step: float

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> _Scale:
        """A scale of round ticks that holds all of `values`."""
        low, high = min(values), max(values)
        rough = max(high - low, abs(high) * 0.02, 1e-6) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
        first, last = math.floor(low / step), math.ceil(high / step)
        return cls(first * step, max(last, first + 1) * step, start, end, step)

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Where ticks stand."""
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]


def frame() -> dict[str, Any]:
    """The plot's own size and margins."""
    return {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM}
