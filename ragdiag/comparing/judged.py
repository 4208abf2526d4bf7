"""From configurations measured on all queries to one decision; arithmetic alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ragdiag.comparing.cells import Cell
from ragdiag.comparing.choosing import Candidates, Nested, best, nested
from ragdiag.comparing.tuned import Budget, Decision, Judged
from ragdiag.core.records import FloatArray, IntArray, Mean
from ragdiag.stats.paired import Paired, units
from ragdiag.stats.statistics import Resampler

__all__ = ["MATTERS", "judged"]

LEVEL = 0.05
"""The p of the difference on held-out queries at or below which one configuration is said to be better."""

MATTERS = 0.05
"""A difference in the share served that would change what a team does: where even the upper bound is below it, labels suffice."""

STEPS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Sizes of context on the frontier, in that of the search."""


def judged(
    cells: Sequence[Cell], tokens: int, cluster: IntArray, seed: int, copies: IntArray | None = None
) -> tuple[Judged, IntArray, IntArray]:
    """The decision among `cells`, the baseline first; the positions of queries that the chosen one wins and loses beside the
    baseline with as many tokens. `cluster` numbers queries that share a document, `copies` those that ask the same, both of
    shape ``(n_queries,)``.

    Some query must be decidable under all of them.
    """
    candidates = Candidates(cells, tokens)
    known = candidates.known
    own, same, served = cluster[known], None if copies is None else copies[known], candidates.served(tokens)
    unit, paired, resampler = units(own, same), Paired(own, seed, same), Resampler(own, seed)
    held_out, chosen = nested(candidates, unit, seed, tokens), best(candidates, tokens)
    as_large = candidates.as_large(float(candidates.used(chosen, tokens).mean()), tokens)
    now, before = served[chosen], candidates.served(as_large)[0]
    found = Judged(
        decision=_decision(held_out, chosen, int(now.sum()) - int(before.sum()), paired),
        chosen=chosen,
        held_out=resampler.mean(held_out.share) if held_out.choices else Mean(None, None, None, 0),
        raised=resampler.mean(held_out.raised) if held_out.choices else Mean(None, None, None, 0),
        size=held_out.size,
        tokens_used=(_mean(candidates.used(0, held_out.size)), _mean(held_out.tokens)),
        times=dict(held_out.chosen.most_common()),
        choices=held_out.choices,
        frontier=tuple(_frontier(candidates, unit, seed, resampler)),
    )
    return found, known[now & ~before], known[~now & before]


def _mean(values: FloatArray) -> float:
    return round(float(values.mean()), 1) if len(values) else 0.0


def _decision(held_out: Nested, chosen: int, more: int, paired: Paired) -> Decision:
    """What the difference on held-out queries says; of all queries the chosen one serves so many `more`.

    The difference is that of all choices, which may fall on several: the chosen one itself must not be one that loses.
    """
    difference = held_out.difference(paired)
    if difference is None:
        return Decision("undecided", None)
    if chosen and difference.low > 0 and difference.p <= LEVEL:
        return Decision("deploy" if more > 0 and held_out.gains.get(chosen, 0.0) > 0 else "undecided", difference)
    if not chosen or difference.mean <= 0 or difference.high < MATTERS:
        return Decision("nothing", difference, difference.more_needed(1, MATTERS) if difference.high >= MATTERS else None)
    return Decision("undecided", difference, difference.more_needed(1, max(difference.mean, MATTERS)))


def _frontier(candidates: Candidates, unit: IntArray, seed: int, resampler: Resampler) -> Iterator[Budget]:
    for step in STEPS:
        tokens = max(round(candidates.tokens * step), 1)
        choice = nested(candidates, unit, seed, tokens)
        if choice.choices:
            baseline = resampler.mean(candidates.served(tokens)[0].astype(np.float64)), _mean(candidates.used(0, tokens))
            yield Budget(tokens, *baseline, resampler.mean(choice.share), _mean(choice.tokens), best(candidates, tokens))
