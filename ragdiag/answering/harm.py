"""What it is about a context that harms: answers under two conditions that differ in one thing, query by query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ragdiag.answering.effects import Effect, Harm
from ragdiag.answering.ruling import added
from ragdiag.answering.said import Said
from ragdiag.core.conditions import FIRST, LAST, LONGER, MIDDLE, ORACLE, RETRIEVED, TRIMMED
from ragdiag.core.records import FloatArray, IntArray
from ragdiag.stats.paired import Paired, holm

__all__ = ["CONTRASTS", "harms"]

CONTRASTS = (
    ("off-topic", RETRIEVED, TRIMMED, "without the off-topic chunks in the pipeline's context"),
    ("distractor", FIRST, ORACLE, "without off-topic chunks after the evidence"),
    ("position", MIDDLE, FIRST, "with the evidence first, not in the middle"),
    ("position", MIDDLE, LAST, "with the evidence last, not in the middle"),
    ("length", LONGER, MIDDLE, "with fewer off-topic chunks around the evidence"),
)
"""Kinds of harm: two conditions that differ in it, and what is changed from the first to the second, where it is less."""

ByCondition = Mapping[str, FloatArray]


def harms(
    right: ByCondition, said: Mapping[str, Said], cluster: IntArray, seed: int, copies: IntArray | None = None
) -> tuple[Harm, ...]:
    """Each contrast whose two conditions have answers to the same queries; p after Holm (1979) over all that have.

    `right` is by condition the share of a query's answers that are right, NaN where that is not known, shape ``(n_queries,)``;
    `said` is what labels and the judge say of them. Where labels allow, a difference is corrected for the judge's errors.
    """
    found = list(_found(right, said, cluster, seed, copies))
    adjusted = holm([1.0 if harm.effect.p is None else harm.effect.p for harm in found])
    return tuple(harm._replace(effect=harm.effect.with_p(p)) for harm, p in zip(found, adjusted, strict=True))


def _found(right: ByCondition, said: Mapping[str, Said], cluster: IntArray, seed: int, copies: IntArray | None) -> Iterator[Harm]:
    paired = Paired(cluster, seed, copies)
    for kind, a, b, change in CONTRASTS:
        difference = paired.difference(right[a], right[b]) if a in right and b in right else None
        if difference is None:
            continue
        both = ~(np.isnan(right[a]) | np.isnan(right[b]))
        of_both = Said(*map(np.hstack, zip(said[a], said[b], strict=True))).of(both)
        effect = Effect(difference.mean, difference.low, difference.high, difference.n, difference.p)
        errors = "open" if of_both.judge_alone else "none"
        if of_both.correctable:
            effect, errors = added(of_both, np.where(both, right[a], np.nan), cluster, seed), "corrected"
        yield Harm(kind, a, b, change, effect, difference.better, difference.worse, difference.detectable(len(CONTRASTS)), errors)
