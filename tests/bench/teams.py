"""Simulated teams whose truth is known: how often the litmus test tells it, with a judge that errs, with and without calibration.

    python tests/bench/teams.py [--teams 300] [--together 0 0.3 0.6] [--labels 100] [--old 30] [--jobs 2]

A team has twice as many queries as wrong answers. Perfect context mends the true share of the wrong ones, and leaves 95 % of the
right ones right. An even judge calls that share of right answers wrong, and of wrong ones right; a strict one, as simple matchers
are, calls right ones wrong alone, twice as often where they were made with perfect context. For the share `--together` of the
queries one and the same chance decides whether it errs on both answers, so that its errors go together (an odd reference fails
both). With calibration, `--labels` of the queries (half of them, if fewer) are labelled by hand; beside it, for the first `--old`
teams of a cell, the correction used before, which takes the errors for independent (`independent.py`). Asked for: 95 % intervals
that hold the truth 93 to 97 % of the time, no cell below 91 %; a wrong verdict at most 5 % of the time; undecided as often as the
power calculation says.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))
import independent

from ragdiag.answering.ruling import rule
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import DELTA, Outcomes
from ragdiag.stats.calibration import interval
from ragdiag.stats.statistics import wilson

SHARES, FAILURES = (0.1, 0.3, 0.5, 0.7, 0.9), (20, 50, 100, 200, 500)
JUDGES = {  # share of right answers called wrong, of wrong ones called right: with the pipeline's context, with perfect context
    "never errs": ((0.0, 0.0), (0.0, 0.0)),
    "even, 10 %": ((0.1, 0.1), (0.1, 0.1)),
    "even, 20 %": ((0.2, 0.2), (0.2, 0.2)),
    "strict, 10 %": ((0.1, 0.0), (0.2, 0.0)),
    "strict, 20 %": ((0.2, 0.0), (0.4, 0.0)),
}
POWERED = ((0.65, 85), (0.60, 194))
STABLE = 0.95

Cell = tuple[float, int, str, float]
"""True share, failures, judge, and for which share of the queries its errors go together."""


def team(of: Cell, labels: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, what the judge says and labels, shape ``(n_queries, 2)``: with the pipeline's context, with the evidence alone."""
    share, failures, judge, together = of
    main = np.repeat([0.0, 1.0], failures)
    oracle = rng.random(2 * failures) < np.where(main == 1, STABLE, share)
    truth = np.stack([main, oracle], axis=1).astype(float)
    errs = np.where(truth == 1, [JUDGES[judge][0][0], JUDGES[judge][1][0]], [JUDGES[judge][0][1], JUDGES[judge][1][1]])
    chance = rng.random(truth.shape)
    shared = rng.random(len(truth)) < together
    chance[shared, 1] = chance[shared, 0]
    judged = np.where(chance < errs, 1 - truth, truth)
    label = np.full(truth.shape, np.nan)
    sample = rng.permutation(2 * failures)[: min(labels, failures)]
    label[sample] = truth[sample]
    return truth, judged, label


def verdicts(of: Cell, labels: int, old: bool, seed: int) -> list[tuple[str, bool, bool, float] | None]:
    """Of one team as judged, corrected, and corrected as before: kind; do share's and both effects' intervals hold; width."""
    share, failures, judge, together = of
    rng = np.random.default_rng([seed, failures, int(1000 * share), list(JUDGES).index(judge), int(10 * together)])
    _, judged, label = team(of, labels, rng)
    effects = {"context": (share + STABLE) / 2 - 0.5, "behavior": 1 - (share + STABLE) / 2}
    unknown, cluster = np.full(2 * failures, np.nan), np.arange(2 * failures)
    found: list[tuple[str, bool, bool, float] | None] = []
    for said in (Said(np.full_like(label, np.nan), judged), Said(label, judged)):
        stands = np.where(np.isnan(said.label), judged, said.label)
        outcomes = Outcomes(stands[:, 0], stands[:, 1], unknown, np.zeros(2 * failures, dtype=bool))
        verdict = rule(outcomes, said, cluster, seed, DELTA)
        low, high = verdict.share.low or 0.0, 1.0 if verdict.share.high is None else verdict.share.high
        held = all(verdict.effects[name].low <= true <= verdict.effects[name].high for name, true in effects.items())
        found.append((verdict.kind, low <= share <= high, held, high - low))
    return [*found, before(label, judged, share, effects, seed) if old else None]


def before(label: np.ndarray, judged: np.ndarray, share: float, effects: dict[str, float], seed: int) -> tuple:
    """The same of the correction that takes the judge's errors for independent."""
    wrong_both, right_main, right_oracle, _ = independent.draws(label, judged, 1.0, seed).T
    drawn = {"context": right_oracle - right_main, "behavior": wrong_both + right_main}
    _, low, high = interval(right_oracle / (wrong_both + right_oracle))
    ends = {name: interval(values) for name, values in drawn.items()}
    held = all(ends[name][1] <= true <= ends[name][2] for name, true in effects.items())
    both = all(low > DELTA for _, low, _ in ends.values())
    kind = "RETRIEVAL" if low > 0.5 else "BEHAVIOR" if high < 0.5 else "BOTH" if both else "INCONCLUSIVE"
    return kind, low <= share <= high, held, high - low


def wrong(kind: str, share: float) -> bool:
    """Whether a verdict of this kind is wrong where `share` is the true one."""
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


def summary(teams: list[tuple[str, bool, bool, float]], share: float) -> list[float]:
    """How often the share's and both effects' intervals hold the truth, how often the verdict is wrong, the mean width."""
    kinds, held, both, widths = zip(*teams, strict=True)
    return [float(np.mean(held)), float(np.mean(both)), float(np.mean([wrong(k, share) for k in kinds])), float(np.mean(widths))]


def main() -> None:
    """Prints one line a cell, then what is asked about."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--teams", type=int, default=300)
    parser.add_argument("--old", type=int, default=30)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--together", type=float, nargs="+", default=[0.0, 0.3, 0.6])
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    cells = [
        (s, n, j, t) for j in JUDGES for t in (asked.together if j != "never errs" else [0.0]) for n in FAILURES for s in SHARES
    ]
    cells += [(s, n, "never errs", 0.0) for s, n in POWERED]
    ways = ("as judged", "corrected", "errors independent")[: 3 if asked.old else 2]
    print(f"python {' '.join(sys.argv)}: {asked.teams} teams a cell; holds, effects hold, wrong, width of: {', '.join(ways)}")
    rows = []
    for of in cells:
        share, failures, judge, together = of
        work = (delayed(verdicts)(of, asked.labels, seed < asked.old, seed) for seed in range(asked.teams))
        teams = Parallel(n_jobs=asked.jobs)(work)
        figures = [summary([t[way] for t in teams if t[way] is not None], share) for way in range(len(ways))]
        across = np.mean([t[0][0] in ("INCONCLUSIVE", "BOTH") for t in teams])
        rows.append((judge, together, figures))
        power = f"| undecided {across:.3f}, expected {undecided(share, failures):.3f}" if judge == "never errs" else ""
        shown = " | ".join(" ".join(f"{figure:.3f}" for figure in way) for way in figures)
        print(f"{judge:12s} together {together:.1f} {failures:4d} failures {share:.2f} | {shown} {power}", flush=True)
    for i, way in enumerate(ways):
        for judge, together in dict.fromkeys((j, t) for j, t, _ in rows):
            held, effects, wrongs, width = np.array([f[i] for j, t, f in rows if (j, t) == (judge, together)]).T
            print(
                f"{way}, judge {judge}, errors together {together:.1f}: interval holds the truth {held.mean():.3f} of the time "
                f"(least {held.min():.3f}), effects' {effects.mean():.3f}; wrong verdict {wrongs.mean():.3f} (most "
                f"{wrongs.max():.3f}); width {width.mean():.2f}"
            )


if __name__ == "__main__":
    main()
