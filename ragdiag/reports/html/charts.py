"""The drawings of a page as numbers for its templates: a heat map of configurations, and what each serves for its tokens.

`curves_plot` draws any named curves of tokens and shares; the macro `curves` of parts.html makes a picture of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ragdiag.comparing.cells import Comparison, context_tokens

__all__ = ["Curve", "HeatCell", "HeatMap", "Line", "Plot", "Point", "curves_plot", "frame", "heat_map", "more_plot", "plot"]

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


class Curve(NamedTuple):
    """What is served at some sizes of context: its name, and tokens with the share served. One pair alone is a point."""

    label: str
    served: Sequence[tuple[float, float]]


class Line(NamedTuple):
    """A curve in the plot: its path, its points with what each says, and where its label stands: at the end of it."""

    label: str
    path: str
    dots: list[tuple[float, float, str]]
    x: float
    y: float


class Plot(NamedTuple):
    """Points, the steps of the front as a path, curves, and ticks with their labels."""

    points: list[Point]
    front: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


NO_PLOT = Plot([], "", [], [], [])


class _Served(NamedTuple):
    """What a configuration serves, with its interval, and for how many tokens."""

    place: int
    tokens: float
    mean: float
    low: float
    high: float


def heat_map(comparison: Comparison) -> HeatMap:
    """Each chunking and retriever with the measure compared. Cells of the same two names take a row each."""
    measured = list(_measured(comparison, range(len(comparison.cells))))
    means = [mean for _, mean, _, _ in measured]
    least, most = min(means, default=0.0), max(means, default=1.0)
    columns = list(dict.fromkeys(c.retriever for c in comparison.cells))
    rows: list[tuple[str, list[HeatCell | None]]] = []
    for place, mean, low, high in measured:
        cell = comparison.cells[place]
        name, column = " | ".join(filter(None, (cell.chunker, cell.context))), columns.index(cell.retriever)
        row = next((cells for other, cells in rows if other == name and cells[column] is None), None)
        if row is None:
            row = [None] * len(columns)
            rows.append((name, row))
        tone = round((TONES - 1) * (mean - least) / (most - least)) if most > least else 0
        row[column] = HeatCell(place, mean, low, high, tone)
    return HeatMap(columns, rows)


def _measured(comparison: Comparison, places: Iterable[int]) -> Iterator[tuple[int, float, float, float]]:
    """Place, mean and ends of the interval of each configuration for which the measure is decidable."""
    for place in places:
        mean = comparison.means[place][comparison.measure]
        if mean.mean is not None and mean.low is not None and mean.high is not None:
            yield place, mean.mean, mean.low, mean.high


def plot(comparison: Comparison) -> Plot:
    """Tokens of context against the measure, all configurations."""
    return _plot(comparison, range(len(comparison.cells)), [])


def more_plot(comparison: Comparison) -> Plot:
    """The baseline with more context beside the best; empty where the measure is not the share served, which the curve is."""
    curve = [(row["tokens"], row["served"] / row["of"]) for row in comparison.curve if row["of"] and row["times"] >= 1]
    if len(curve) < 2 or not comparison.measure.startswith("Sufficient") or "(" in comparison.measure:
        return NO_PLOT
    return _plot(comparison, sorted({comparison.baseline, comparison.best}), [Curve("baseline, more context", curve)])


def curves_plot(curves: Sequence[Curve]) -> Plot:
    """Named curves on common scales, each with its label; those without a pair are left out."""
    curves = [curve for curve in curves if curve.served]
    return _drawn([], curves, [], *_scales([], curves)) if curves else NO_PLOT


def _plot(comparison: Comparison, places: Iterable[int], curves: Sequence[Curve]) -> Plot:
    """The configurations at `places`, with the front of all, or with `curves` in its stead."""
    served = list(_served(comparison, places))
    return _drawn(served, curves, comparison.pareto, *_scales(served, curves)) if served else NO_PLOT


def _drawn(served: Sequence[_Served], curves: Sequence[Curve], pareto: Sequence[int], across: _Scale, up: _Scale) -> Plot:
    labels = _apart([(across(s.tokens), up(s.mean)) for s in served])
    points = [
        Point(place, across(tokens), up(mean), up(low), up(high), place in pareto, label)
        for (place, tokens, mean, low, high), label in zip(served, labels, strict=True)
    ]
    front = "" if curves else _steps([(p.x, p.y) for p in points if p.front])
    x_ticks = [(across(tokens), f"{tokens:,.0f}") for tokens in across.ticks()]
    return Plot(points, front, _lines(curves, across, up), x_ticks, [(up(share), f"{share:.2f}") for share in up.ticks()])


def _lines(curves: Sequence[Curve], across: _Scale, up: _Scale) -> list[Line]:
    """Curves as lines from left to right, with their labels apart."""
    drawn = [
        [(across(tokens), up(share), f"{share:.3f}, {tokens:,.0f} tokens") for tokens, share in sorted(c.served)] for c in curves
    ]
    heights = _apart([dots[-1][:2] for dots in drawn])
    return [
        Line(curve.label, _line([dot[:2] for dot in dots]), dots, dots[-1][0], height)
        for curve, dots, height in zip(curves, drawn, heights, strict=True)
    ]


def _served(comparison: Comparison, places: Iterable[int]) -> Iterator[_Served]:
    """The configurations of which both the measure and the tokens are known."""
    for place, *interval in _measured(comparison, places):
        tokens = context_tokens(comparison.cells[place])
        if tokens is not None:
            yield _Served(place, tokens, *interval)


def _scales(served: Sequence[_Served], curves: Sequence[Curve]) -> tuple[_Scale, _Scale]:
    """Scales, of tokens from left to right and of shares upward, that hold all points with their intervals, and all curves."""
    tokens = [s.tokens for s in served] + [x for curve in curves for x, _ in curve.served]
    shares = [share for s in served for share in (s.mean, s.low, s.high)] + [y for curve in curves for _, y in curve.served]
    least, most = min(tokens), max(tokens)
    margin = max(SPAN * most - (most - least), 0) / 2  # a few tokens more or less must not look like many
    return _Scale.of([least - margin, most + margin], LEFT, WIDTH - RIGHT), _Scale.of(shares, HEIGHT - BOTTOM, TOP)


def _steps(front: Iterable[tuple[float, float]]) -> str:
    """The path of the front from left to right: level up to the next point, then straight up to it."""
    return "".join(f"H{x:g}V{y:g}" if i else f"M{x:g},{y:g}" for i, (x, y) in enumerate(sorted(front)))


def _line(places: Sequence[tuple[float, float]]) -> str:
    """The path from place to place; "" for none."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in places) if places else ""


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


def frame() -> dict[str, int]:
    """The plot's own size and margins."""
    return {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM}
