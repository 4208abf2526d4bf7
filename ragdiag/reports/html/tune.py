"""A search for what to deploy as one HTML page: the decision, what it rests on, and served queries against tokens."""

from __future__ import annotations

from ragdiag.comparing.tuned import Tuned
from ragdiag.reports.html.charts import Curve, curves_plot, frame
from ragdiag.reports.html.page import render
from ragdiag.reports.html.text import blocks, spans
from ragdiag.reports.terminal import troubles
from ragdiag.reports.text import line
from ragdiag.reports.tune import (
    JUDGED,
    costs,
    counts,
    evidence,
    frontier_table,
    headline,
    not_measured,
    stability,
    turned,
)

__all__ = ["tune_html"]

SECTIONS = [("frontier", "Served by tokens"), ("stable", "Stability")]
"""Parts of the page, by the name of each and its words at the top."""


def tune_html(tuned: Tuned) -> str:
    """A search as a page; the same inputs and seed give the same bytes."""
    curves = [
        Curve("baseline", [(row.baseline_uses, row.baseline.mean or 0.0) for row in tuned.frontier]),
        Curve("chosen", [(row.choice_uses, row.choice.mean or 0.0) for row in tuned.frontier]),
    ]
    return render(
        "tune.html",
        title=f"{headline(tuned)} — ragdiag",
        kind="search for a configuration",
        sections=SECTIONS,
        counts=counts(tuned),
        headline=headline(tuned),
        evidence=[spans(sentence) for sentence in evidence(tuned)],
        costs=list(blocks([costs(tuned)])),
        plot=curves_plot(curves),
        frame=frame(),
        judged=JUDGED,
        frontier=list(blocks([frontier_table(tuned, bars=False)])) if tuned.frontier else [],
        turned=[spans(sentence) for sentence in turned(tuned, everything=True)],
        stability=list(blocks([*stability(tuned), *map(line, not_measured(tuned))])),
        troubles=list(blocks(troubles(tuned.label_defects, tuned.label_warnings, tuned.problems, tuned.notes))),
        seed=tuned.seed,
    )
