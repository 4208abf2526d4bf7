"""From what came of each query to a verdict: shares and effects with intervals, corrected where labels allow."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ragdiag.answering.effects import Effect
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import Outcomes, Verdict, bounds, needed, reach, required, tabulate
from ragdiag.core.records import BoolArray, FloatArray, IntArray, Mean
from ragdiag.stats.calibration import draws, interval
from ragdiag.stats.paired import Paired
from ragdiag.stats.statistics import Resampler

__all__ = ["added", "corrected_pair", "corrected_share", "rule"]


class _Figures(NamedTuple):
    """What a verdict is made from.

    `share` is that of the failures which perfect context fixes, `effects` those on context and behavior. `noise` is the share of
    the fixed failures whose own context was sufficient already (None where that is not known of most). A failure whose answers
    are judged counts as `worth` failures whose answers are known. `labels_needed` is as in `Verdict`.
    """

    share: Mean
    effects: dict[str, Effect]
    noise: float | None
    worth: float = 1.0
    labels_needed: int | None = None


def rule(
    outcomes: Outcomes,
    said: Said,
    cluster: IntArray,
    seed: int,
    delta: float,
    copies: IntArray | None = None,
    by_doubt: bool = False,
) -> Verdict:
    """The verdict of the litmus test, with its table and its effects.

    `said` is of the answers with the pipeline's context, and with exactly the evidence. `cluster` numbers queries that share
    documents, `copies` those that ask the same, both of shape ``(n_queries,)``. `by_doubt`: labels are random only among
    queries of which the judge says the same of both answers.
    """
    both = ~np.isnan(outcomes.right) & ~np.isnan(outcomes.oracle)
    of_both = said.of(both)
    resampler = Resampler(cluster, seed)
    corrects = of_both.correctable and bool((both & outcomes.failed).any())
    if corrects:
        figures = _corrected(outcomes, of_both, both, resampler, seed, by_doubt)
    else:
        figures = _as_judged(outcomes, both, resampler, Paired(cluster, seed, copies))
    share, effects = figures.share, figures.effects
    kind, secondary = reach(share, effects.get("context"), effects.get("behavior"), figures.noise, delta)
    undecided = share.mean if kind in ("INCONCLUSIVE", "BOTH") else None
    labels = figures.labels_needed if undecided is not None else None
    return Verdict(
        kind=kind,
        secondary=secondary,
        share=share,
        needed=None if undecided is None else needed(undecided, share.n, figures.worth),
        effects=effects,
        table=tabulate(outcomes),
        bounds=bounds(outcomes) if kind == "NOT_MEASURED" else None,
        broken=tuple(np.flatnonzero(both & ~outcomes.failed & (outcomes.oracle < 0.5)).tolist()),
        errors="corrected" if corrects else "open" if said.judge_alone else "none",
        labelled=of_both.labelled if corrects else 0,
        labels_needed=of_both.lacking if said.judge_alone and not corrects else labels,
    )


def _as_judged(outcomes: Outcomes, both: BoolArray, resampler: Resampler, paired: Paired) -> _Figures:
    """By labels and, where there are none, by what the judge says; over the queries with both answers."""
    failures = both & outcomes.failed
    share = resampler.mean(np.where(failures, outcomes.fixed, np.nan).astype(np.float64))
    held = _held(outcomes, both)
    noise = None if held is None else float((held == 1).mean())
    difference = paired.difference(np.where(both, outcomes.right, np.nan), np.where(both, outcomes.oracle, np.nan))
    if difference is None:
        return _Figures(share, {}, noise)
    wrong = resampler.mean(np.where(both, 1 - outcomes.oracle, np.nan))
    effects = {
        "context": Effect(difference.mean, difference.low, difference.high, difference.n, difference.p),
        "behavior": Effect(wrong.mean or 0.0, wrong.low or 0.0, wrong.high or 0.0, wrong.n),
    }
    return _Figures(share, effects, noise)


def _held(outcomes: Outcomes, both: BoolArray) -> FloatArray | None:
    """Whether contexts were sufficient, of the failures that perfect context fixes, as far as known; None where most are not."""
    sufficient = outcomes.sufficient[both & outcomes.failed & outcomes.fixed]
    known: FloatArray = sufficient[~np.isnan(sufficient)]
    return known if 2 * len(known) > len(sufficient) else None


def _corrected(outcomes: Outcomes, said: Said, both: BoolArray, resampler: Resampler, seed: int, by_doubt: bool) -> _Figures:
    """Corrected for the judge's errors; `said` is of the queries with `both` answers."""
    n, failures = int(both.sum()), int((both & outcomes.failed).sum())
    worth = _worth(resampler, np.where(both, outcomes.right, np.nan))
    # That a failure is one by form alone is known without a judge. Context fixes none of them, whatever the oracle's answer.
    cells = _halves(said, (outcomes.failed & outcomes.form)[both], worth, seed)
    wrong_both, right_main, right_oracle, _ = cells.sum(axis=0).T
    share, context = cells[0, :, 2] / (wrong_both + right_oracle), right_oracle - right_main
    # What is left wrong is about the oracle's answers alone: as their accuracy says, in no more strata than it takes.
    left_wrong = draws(said.label[:, 1:], said.judged[:, 1:], worth, seed)[:, 0]
    if by_doubt:
        left_wrong = wrong_both + cells.sum(axis=0)[:, 1]
    effects = {"context": Effect(*interval(context), n), "behavior": Effect(*interval(left_wrong), n)}
    return _Figures(
        Mean(*interval(share), failures),
        effects,
        _noise(outcomes, said, both, seed),
        float(share.mean() * (1 - share.mean()) / share.var()) / failures,
        _labels_needed(share, failures * worth, said.labelled, n),
    )


def _halves(said: Said, aside: BoolArray, worth: float, seed: int) -> FloatArray:
    """Draws of the four cells of truth, of the queries that are not `aside` and of those that are: ``(2, DRAWS, 4)``."""
    if not aside.any():
        cells = draws(said.label, said.judged, worth, seed)
        return np.stack([cells, np.zeros_like(cells)])
    known = said.besides(aside.astype(np.float64))
    cells = draws(known.label, known.judged, worth, seed)
    return np.stack([cells[:, :4], cells[:, 4:]])


def _noise(outcomes: Outcomes, said: Said, both: BoolArray, seed: int) -> float | None:
    """Of the failures that perfect context fixes, the share whose context was sufficient; None where most are not known."""
    if _held(outcomes, both) is None:
        return None
    usable = (~np.isnan(outcomes.sufficient) & ~outcomes.form)[both]
    without, with_evidence = _halves(said.of(usable), (outcomes.sufficient[both] == 1)[usable], 1.0, seed)[:, :, 2]
    return float(np.median(with_evidence / (without + with_evidence)))


def _labels_needed(share: FloatArray, failures: float, labelled: int, n: int) -> int | None:
    """Further labelled queries of the `n` answered ones that would tell the share from one half; None where all of them do not.

    The variance of the share's draws is that of `failures` whose truth is known, which no label makes smaller, and that of the
    judge's errors, which falls as the labels grow, to 0 where all are labelled.
    """
    mean = float(share.mean())
    enough = required(mean)
    if enough is None or failures <= enough:
        return None
    by_failures, allowed = mean * (1 - mean) / failures, mean * (1 - mean) / enough
    by_judge = max(float(share.var()) - by_failures, 1e-12)
    total = 1 / (1 / n + (allowed - by_failures) / by_judge * (1 / labelled - 1 / n))
    return max(math.ceil(total) - labelled, 1)


def corrected_pair(said: Said, resampler: Resampler, seed: int) -> tuple[Mean, Mean]:
    """`corrected_share` of both conditions, where labels were drawn by doubt: random among queries with the same two opinions."""
    as_they_stand = np.where(np.isnan(said.label), said.judged, said.label)
    known: BoolArray = np.isfinite(as_they_stand).sum(axis=1) == as_they_stand.shape[1]
    pair = said.of(known)
    cells = draws(pair.label, pair.judged, _worth(resampler, np.where(known, as_they_stand[:, 0], np.nan)), seed)
    n = int(known.sum())
    return Mean(*interval(cells[:, 1] + cells[:, 3]), n), Mean(*interval(cells[:, 2] + cells[:, 3]), n)


def corrected_share(said: Said, resampler: Resampler, seed: int) -> Mean:
    """The share of queries whose answers are right under one condition, corrected for the judge's errors."""
    known = ~np.isnan(said.label[:, 0]) | ~np.isnan(said.judged[:, 0])
    answered, as_it_stands = said.of(known), np.where(np.isnan(said.label), said.judged, said.label)[:, 0]
    cells = draws(answered.label, answered.judged, _worth(resampler, as_it_stands), seed)
    return Mean(*interval(cells[:, 1]), int(known.sum()))


def added(said: Said, right: FloatArray, cluster: IntArray, seed: int) -> Effect:
    """What a second condition adds to right answers of a first, corrected for the judge's errors.

    `said` is of the queries with an answer under both, `right` of all: the share of right answers under the first, NaN where that
    is not known of both. p is twice the share of draws on the other side of 0, one draw at least.
    """
    cells = draws(said.label, said.judged, _worth(Resampler(cluster, seed), right), seed)
    difference = cells[:, 2] - cells[:, 1]
    tail = min(float((difference <= 0).mean()), float((difference >= 0).mean()))
    return Effect(*interval(difference), len(said.label), min(2 * max(tail, 1 / len(difference)), 1.0))


def _worth(resampler: Resampler, values: FloatArray) -> float:
    """How many independent queries each query is worth: less than 1 where they share documents and so fail together."""
    return min(1.0, resampler.worth((values >= 0.5).astype(np.float64) + np.where(np.isnan(values), np.nan, 0.0)))
