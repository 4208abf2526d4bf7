"""Simulated teams whose truth is known: how often the litmus test tells it, with a judge that errs, with and without calibration.

    python tests/bench/teams.py [--teams 300] [--jobs 2]

A team has twice as many queries as wrong answers. Perfect context mends the true share of the wrong ones, and leaves 95 % of the
right ones right. An even judge calls that share of right answers wrong, and of wrong ones right; a strict one, as simple matchers
are, calls right ones wrong alone, twice as often where they were made with perfect context. With calibration, 100 of the queries
(half of them, if fewer) are labelled by hand. METHOD section 9 asks for: 95 % intervals that hold the truth 93 to 97 % of the
time, no cell below 91 %; a wrong verdict at most 5 % of the time; undecided as often as the power calculation says.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[2]))
from ragdiag.ruling import rule
from ragdiag.statistics import wilson
from ragdiag.verdict import DELTA, Outcomes

SHARES, FAILURES = (0.1, 0.3, 0.5, 0.7, 0.9), (20, 50, 100, 200, 500)
JUDGES = {  # share of right answers called wrong, of wrong ones called right: with the pipeline's context, with perfect context
    "never errs": ((0.0, 0.0), (0.0, 0.0)),
    "even, 10 %": ((0.1, 0.1), (0.1, 0.1)),
    "even, 20 %": ((0.2, 0.2), (0.2, 0.2)),
    "strict, 10 %": ((0.1, 0.0), (0.2, 0.0)),
    "strict, 20 %": ((0.2, 0.0), (0.4, 0.0)),
}
POWERED = ((0.65, 85), (0.60, 194))
LABELLED, STABLE = 100, 0.95


def team(share: float, failures: int, judge: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, what the judge says and labels, shape ``(n_queries, 2)``: with the pipeline's context, with the evidence alone."""
    main = np.repeat([0.0, 1.0], failures)
    oracle = rng.random(2 * failures) < np.where(main == 1, STABLE, share)
    truth = np.stack([main, oracle], axis=1).astype(float)
    errs = np.where(truth == 1, [JUDGES[judge][0][0], JUDGES[judge][1][0]], [JUDGES[judge][0][1], JUDGES[judge][1][1]])
    judged = np.where(rng.random(truth.shape) < errs, 1 - truth, truth)
    label = np.full(truth.shape, np.nan)
    sample = rng.permutation(2 * failures)[: min(LABELLED, failures)]
    label[sample] = truth[sample]
    return truth, judged, label


def verdicts(share: float, failures: int, judge: str, seed: int) -> list[tuple[str, bool, bool, float]]:
    """Of one team, as judged and corrected: kind; does the interval hold the share; do both effects' hold theirs; its width."""
    rng = np.random.default_rng([seed, failures, int(1000 * share), list(JUDGES).index(judge)])
    _, judged, label = team(share, failures, judge, rng)
    effects = {"context": (share + STABLE) / 2 - 0.5, "behavior": 1 - (share + STABLE) / 2}
    unknown, cluster = np.full(2 * failures, np.nan), np.arange(2 * failures)
    found = []
    for corrected in (False, True):
        said = np.where(np.isnan(label), judged, label) if corrected else judged
        outcomes = Outcomes(said[:, 0], said[:, 1], unknown, np.zeros(2 * failures, dtype=bool))
        known = ((label[:, 0], judged[:, 0]), (label[:, 1], judged[:, 1])) if corrected else None
        verdict = rule(outcomes, known, cluster, seed, DELTA)
        low, high = verdict.share.low or 0.0, 1.0 if verdict.share.high is None else verdict.share.high
        held = all(verdict.effects[name].low <= true <= verdict.effects[name].high for name, true in effects.items())
        found.append((verdict.kind, low <= share <= high, held, high - low))
    return found


def wrong(kind: str, share: float) -> bool:
    """METHOD section 9's wrong verdicts."""
    smallest = min((share + STABLE) / 2 - 0.5, 1 - (share + STABLE) / 2)
    return (
        (kind in ("RETRIEVAL", "CONTEXT") and share < 0.5)
        or (kind == "BEHAVIOR" and share > 0.5)
        or (kind == "BOTH" and smallest <= DELTA)
    )


def undecided(share: float, failures: int) -> float:
    """How often the interval of so many failures has one half in it, exactly, where the judge does not err."""
    k = np.arange(failures + 1)
    across = np.array([low <= 0.5 <= high for low, high in (wilson(i, failures) for i in k)])
    return float(stats.binom.pmf(k, failures, share)[across].sum())


def main() -> None:
    """Prints one line a cell, then what METHOD asks about."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--teams", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    cells = [(s, n, j) for j in JUDGES for n in FAILURES for s in SHARES] + [(s, n, "never errs") for s, n in POWERED]
    print(f"{asked.teams} teams a cell: judge, failures, true share of them that perfect context fixes")
    half = "holds  effects  wrong  width"
    print(f"judge           n share | as judged: {half} | corrected: {half} | undecided, expected")
    rows = []
    for share, failures, judge in cells:
        work = (delayed(verdicts)(share, failures, judge, seed) for seed in range(asked.teams))
        teams = Parallel(n_jobs=asked.jobs)(work)
        figures = []
        for which in (0, 1):
            kinds, held, both, widths = zip(*(t[which] for t in teams), strict=True)
            figures += [np.mean(held), np.mean(both), np.mean([wrong(k, share) for k in kinds]), np.mean(widths)]
        across = np.mean([t[0][0] in ("INCONCLUSIVE", "BOTH") for t in teams])
        rows.append((judge, *figures))
        power = f"{across:9.3f} {undecided(share, failures):9.3f}" if judge == "never errs" else ""
        shown = [f"{a:16.3f} {b:8.3f} {c:6.3f} {d:6.3f}" for a, b, c, d in (figures[:4], figures[4:])]
        print(f"{judge:12s} {failures:4d}  {share:.2f} | {shown[0]} | {shown[1]} | {power}", flush=True)
    for name, column in (("as judged", 0), ("corrected", 4)):
        for judge in JUDGES:
            own = np.array([figures for j, *figures in rows if j == judge])[:, column : column + 4]
            held, effects, wrongs, _ = own.T
            print(
                f"{name}, judge {judge}: interval holds the truth {held.mean():.3f} of the time (least {held.min():.3f}), "
                f"effects' {effects.mean():.3f}; wrong verdict {wrongs.mean():.3f} (most {wrongs.max():.3f})"
            )


if __name__ == "__main__":
    main()
