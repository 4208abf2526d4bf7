"""From what came of each query to a verdict: shares and effects with intervals, corrected where labels allow."""

from __future__ import annotations

import numpy as np

from ragdiag.calibration import draws, interval
from ragdiag.paired import Paired
from ragdiag.records import BoolArray, FloatArray, IntArray, Mean
from ragdiag.statistics import Resampler
from ragdiag.verdict import Effect, Outcomes, Verdict, bounds, needed, reach, tabulate

__all__ = ["Majorities", "corrected_share", "rule"]

Majorities = tuple[FloatArray, FloatArray]
"""What labels, and what a judge, say of each query's answers under one condition: see `judging.majorities`."""


def rule(
    outcomes: Outcomes, calibrating: tuple[Majorities, Majorities] | None, cluster: IntArray, seed: int, delta: float
) -> Verdict:
    """The table, the effects and what follows from them.

    `calibrating` are those of the answers with the pipeline's context, and with exactly the evidence; None where the shares are
    to stay as judged. `cluster` numbers queries that share documents, shape ``(n_queries,)``.
    """
    resampler, paired = Resampler(cluster, seed), Paired(cluster, seed)
    both = ~np.isnan(outcomes.right) & ~np.isnan(outcomes.oracle)
    failures = both & outcomes.failed
    share = resampler.mean(np.where(failures, outcomes.fixed, np.nan).astype(np.float64))
    effects, labelled, worth = _effects(outcomes, both, resampler, paired), 0, 1.0
    if calibrating is not None and share.n:
        share, effects, worth = _corrected(outcomes, calibrating, both, resampler, seed)
        labelled = int((both & ~np.isnan(calibrating[0][0] + calibrating[1][0])).sum())
    repaired = failures & outcomes.fixed
    known = repaired & ~np.isnan(outcomes.sufficient)
    noise = float((outcomes.sufficient[known] == 1).mean()) if 2 * known.sum() > repaired.sum() else None
    kind, secondary = reach(share, effects.get("context"), effects.get("behavior"), noise, delta)
    return Verdict(
        kind=kind,
        secondary=secondary,
        share=share,
        needed=needed(share.mean, share.n, worth) if kind == "INCONCLUSIVE" and share.mean is not None else None,
        effects=effects,
        table=tabulate(outcomes),
        bounds=bounds(outcomes) if kind == "NOT_MEASURED" else None,
        broken=tuple(np.flatnonzero(both & ~outcomes.failed & (outcomes.oracle < 0.5)).tolist()),
        labelled=labelled,
    )


def _effects(outcomes: Outcomes, both: BoolArray, resampler: Resampler, paired: Paired) -> dict[str, Effect]:
    """What perfect context adds, and what it leaves wrong, as judged; over the queries with both answers."""
    difference = paired.difference(np.where(both, outcomes.right, np.nan), np.where(both, outcomes.oracle, np.nan))
    if difference is None:
        return {}
    wrong = resampler.mean(np.where(both, 1 - outcomes.oracle, np.nan))
    return {
        "context": Effect(difference.mean, difference.low, difference.high, difference.n, difference.p),
        "behavior": Effect(wrong.mean or 0.0, wrong.low or 0.0, wrong.high or 0.0, wrong.n),
    }


def _corrected(
    outcomes: Outcomes, calibrating: tuple[Majorities, Majorities], both: BoolArray, resampler: Resampler, seed: int
) -> tuple[Mean, dict[str, Effect], float]:
    """The share of failures that perfect context fixes and both effects, corrected; and what a failure is worth to that share."""
    label, judged = (np.stack([m[i] for m in calibrating], axis=1)[both] for i in (0, 1))
    n = int(both.sum())
    cells = draws(label, judged, _worth(resampler, np.where(both, outcomes.right, np.nan)), seed)
    wrong_both, right_main, right_oracle, _ = cells.T
    # A failure by form alone is no failure that context fixes, whatever the oracle's answer.
    of_form = float((outcomes.failed & outcomes.form & (outcomes.oracle >= 0.5))[both].mean())
    fixes = np.clip(right_oracle - of_form, 0, None) / (wrong_both + right_oracle)
    share = Mean(*interval(fixes), int((both & outcomes.failed).sum()))
    effects = {
        "context": Effect(*interval(right_oracle - right_main), n),
        "behavior": Effect(*interval(wrong_both + right_main), n),
    }
    return share, effects, float(fixes.mean() * (1 - fixes.mean()) / fixes.var()) / share.n if share.n else 1.0


def corrected_share(majorities: Majorities, resampler: Resampler, seed: int) -> Mean:
    """The share of queries whose answers are right under one condition, corrected for the judge's errors."""
    label, judged = majorities
    known = ~np.isnan(label) | ~np.isnan(judged)
    said = np.where(np.isnan(label), judged, label)
    cells = draws(label[known][:, None], judged[known][:, None], _worth(resampler, said), seed)
    return Mean(*interval(cells[:, 1]), int(known.sum()))


def _worth(resampler: Resampler, values: FloatArray) -> float:
    """How many independent queries each query is worth: less than 1 where they share documents and so fail together."""
    return min(1.0, resampler.worth((values >= 0.5).astype(np.float64) + np.where(np.isnan(values), np.nan, 0.0)))
