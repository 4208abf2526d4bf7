"""Whether what a retriever says of a query tells that the corpus holds no answer to it, so that a pipeline may decline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ragdiag.core.records import BoolArray, FloatArray, IntArray, Mean, Run
from ragdiag.stats.paired import holm
from ragdiag.stats.separation import Separation, further, separation
from ragdiag.stats.statistics import Resampler

__all__ = ["SAYS", "SIGNALS", "Signal", "Telling", "Tradeoff", "overlap", "score_signals", "telling"]

SAYS = {
    "first": "score of the first",
    "margin": "first less second",
    "drop": "first less last of the context",
    "agreement": "shared by both retrievers",
}
"""The signals, each with what it is."""

SIGNALS = tuple(SAYS)

ALPHA = 0.05
"""A signal is one where its p, corrected for the number of signals, is smaller."""

AIMS = (0.05, 0.10, 0.20)
"""Shares of the answerable queries that thresholds decline, at most."""

FOLDS = 5


class Signal(NamedTuple):
    """What one signal tells: how far answerable queries stand above unanswerable ones, `p` corrected for the number of signals
    (Holm), and the further unanswerable queries that would tell (None: no number would, or it does)."""

    name: str
    seen: Separation
    p: float
    needed: int | None

    @property
    def tells(self) -> bool:
        """Whether it tells answerable queries from unanswerable ones."""
        return self.p < ALPHA


class Tradeoff(NamedTuple):
    """Declining where a signal is below `threshold`: the share of unanswerable and of answerable queries that are declined.

    The threshold is that below which no more than `aim` of the answerable queries stand; what answerable queries it declines is
    counted with thresholds made from other ones. Above it, where the signal is higher for unanswerable queries.
    """

    aim: float
    threshold: float
    unanswerable: Mean
    answerable: Mean


@dataclass(frozen=True, eq=False)
class Telling:
    """Whether signals of retrieval tell answerable from unanswerable queries.

    `signals` has those that could be had; `other` is the retriever that agreement is with ("" where there is none). `best` is the
    one with the least p, where it tells; else None, and there are no `tradeoffs`. `below` is whether the queries to decline stand
    below a threshold, as they are expected to, or above it.
    """

    answerable: int
    unanswerable: int
    signals: tuple[Signal, ...]
    other: str = ""
    best: str | None = None
    below: bool = True
    tradeoffs: tuple[Tradeoff, ...] = ()


def score_signals(run: Run, k: int) -> dict[str, FloatArray]:
    """The signals that the first `k` scores of each query give, shape ``(n_queries,)`` each: NaN where there are too few.

    They are as the retriever gives them. A cosine or a BM25 score is not made to be held against that of another query, least of
    all of another length; whether it can be is what is measured. Lists and ranks of others have no scores.
    """
    depth = run.scores.shape[1]
    if not depth:
        return {}
    scores = np.where(np.isfinite(run.scores), run.scores, np.nan)
    scores[list(run.listed)] = np.nan
    nothing = np.full(len(scores), np.nan)
    first, second, last = (scores[:, i] if i < depth else nothing for i in (0, 1, k - 1))
    return {"first": first, "margin": first - second, "drop": first - last}


def overlap(one: IntArray, other: IntArray, k: int) -> FloatArray:
    """The share of the first `k` chunks that two rankings have in common, NaN where one has none; shape ``(n_queries,)``."""
    shares = np.full(len(one), np.nan)
    for q, (a, b) in enumerate(zip(one[:, :k].tolist(), other[:, :k].tolist(), strict=True)):
        here, there = set(a) - {-1}, set(b) - {-1}
        if here and there:
            shares[q] = len(here & there) / k
    return shares


def telling(
    signals: Mapping[str, FloatArray],
    answerable: BoolArray,
    unanswerable: BoolArray,
    cluster: IntArray,
    seed: int,
    other: str = "",
) -> Telling:
    """What `signals` tell of the queries that are marked as either; `cluster` numbers those that share documents.

    All of shape ``(n_queries,)``.
    """
    seen = {}
    for name, values in signals.items():
        known = ~np.isnan(values)
        of_both = separation(values[answerable & known], values[unanswerable & known], cluster[answerable & known])
        if of_both is not None:
            seen[name] = of_both
    ps = holm([of_both.p for of_both in seen.values()])
    told = tuple(
        Signal(name, of_both, p, None if p < ALPHA else further(of_both, len(seen)))
        for (name, of_both), p in zip(seen.items(), ps, strict=True)
    )
    n, m = int(answerable.sum()), int(unanswerable.sum())
    best = min(told, key=lambda signal: signal.seen.p, default=None)
    if best is None or not best.tells:
        return Telling(n, m, told, other)
    below = best.seen.auc > 0.5
    values = signals[best.name] if below else -signals[best.name]
    found = _tradeoffs(values, answerable, unanswerable, cluster, seed)
    tradeoffs = tuple(t if below else t._replace(threshold=-t.threshold) for t in found)
    return Telling(n, m, told, other, best.name, below, tradeoffs)


def _tradeoffs(
    values: FloatArray, answerable: BoolArray, unanswerable: BoolArray, cluster: IntArray, seed: int
) -> list[Tradeoff]:
    """What thresholds on `values` decline; nothing where answerable queries are of too few documents to make any.

    No unanswerable query has a part in a threshold, so that all of them can be held against one made from all answerable queries;
    an answerable one is held against one made from those that share no document with it. A threshold that declines nothing is
    left out.
    """
    known = ~np.isnan(values)
    fold = _folds(np.where(answerable & known, cluster, -1), seed)
    if fold.max() + 1 < FOLDS:
        return []
    resampler, found = Resampler(cluster, seed), []
    for aim in AIMS:
        limit = np.full(len(values), _threshold(values[fold >= 0], aim))
        for part in range(FOLDS):
            limit[fold == part] = _threshold(values[(fold >= 0) & (fold != part)], aim)
        declined = (values < limit).astype(np.float64)
        if not declined.any():  # more than `aim` of them have the least value there is
            continue
        means = (resampler.mean(np.where(kind & known, declined, np.nan)) for kind in (unanswerable, answerable))
        found.append(Tradeoff(aim, _threshold(values[fold >= 0], aim), *means))
    return found


def _folds(cluster: IntArray, seed: int) -> IntArray:
    """Each query's fold, whole clusters to each; -1 for queries whose cluster is -1."""
    numbers = np.unique(cluster[cluster >= 0])
    order = np.random.default_rng(seed).permutation(len(numbers))
    fold = np.full(len(cluster), -1, dtype=np.int64)
    for place, number in enumerate(numbers[order].tolist()):
        fold[cluster == number] = place % FOLDS
    return fold


def _threshold(values: FloatArray, aim: float) -> float:
    """The value below which no more than a share `aim` of `values` stand."""
    return float(np.quantile(values, aim, method="lower"))
