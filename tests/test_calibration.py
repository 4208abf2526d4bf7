"""Correcting a judge's errors: against formulas that can be worked by hand, and against truth that was planted."""

import numpy as np
import pytest
from scipy import stats

from ragdiag.calibration import draws, interval

NAN = float("nan")


def column(*values_and_counts: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(n, v) for v, n in values_and_counts])[:, None]


def test_labels_alone_give_the_posterior_of_a_proportion() -> None:
    cells = draws(column((1.0, 30), (0.0, 10)), column((NAN, 40)))
    middle, low, high = interval(cells[:, 1])
    exact = stats.beta(30.5, 10.5)
    assert middle == pytest.approx(exact.median(), abs=0.01)
    assert (low, high) == pytest.approx(exact.ppf([0.025, 0.975]), abs=0.012)


def test_rogan_and_gladens_estimate_is_its_middle() -> None:
    # 200 labelled right and 200 wrong ones: the judge passes 160 and 20 of them; of 2,000 others it passes 900.
    label = column((1.0, 200), (0.0, 200), (NAN, 2000))
    judged = column((1.0, 160), (0.0, 40), (1.0, 20), (0.0, 180), (1.0, 900), (0.0, 1100))
    passes, errs = 0.8, 0.1
    others = (0.45 - errs) / (passes - errs)  # 0.5, as the labelled ones are
    middle, low, high = interval(draws(label, judged)[:, 1])
    assert middle == pytest.approx(others, abs=0.01)
    # The delta method's standard error of the others, and that of the labelled ones, together.
    spread = np.sqrt(0.45 * 0.55 / 2000 + others**2 * 0.8 * 0.2 / 200 + (1 - others) ** 2 * 0.1 * 0.9 / 200) / (passes - errs)
    both = 1 / np.sqrt(spread**-2 + 400 / 0.25)
    assert (high - low) / (2 * 1.96) == pytest.approx(both, rel=0.12)


def test_a_judge_that_says_nothing_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    label = column((1.0, 40), (0.0, 40), (NAN, 400))
    coin = rng.integers(0, 2, size=(480, 1)).astype(float)
    _, low, high = interval(draws(label, coin)[:, 1])
    _, alone_low, alone_high = interval(draws(label[:80], np.full((80, 1), NAN))[:, 1])
    assert high - low > 0.9 * (alone_high - alone_low)


def test_queries_that_are_worth_less_leave_more_unknown() -> None:
    label, judged = column((1.0, 30), (0.0, 30)), column((NAN, 60))
    _, low, high = interval(draws(label, judged)[:, 1])
    _, wide_low, wide_high = interval(draws(label, judged, worth=0.25)[:, 1])
    assert wide_high - wide_low == pytest.approx(2 * (high - low), rel=0.12)


def test_the_same_seed_draws_the_same() -> None:
    label, judged = column((1.0, 20), (0.0, 20), (NAN, 20)), column((1.0, 35), (0.0, 25))
    assert (draws(label, judged, seed=3) == draws(label, judged, seed=3)).all()
    assert not (draws(label, judged, seed=3) == draws(label, judged, seed=4)).all()


def test_planted_tables_are_held_as_often_as_said() -> None:
    """Two conditions, a judge that calls a fifth of right answers wrong and a tenth of wrong ones right: 120 teams."""
    truth_cells = np.array([0.2, 0.05, 0.35, 0.4])  # both wrong; main right; oracle right; both right
    true = truth_cells[2] / (truth_cells[0] + truth_cells[2])
    rng, held, plain = np.random.default_rng(1), 0, 0
    for seed in range(120):
        cell = rng.choice(4, p=truth_cells, size=240)
        truth = np.stack([cell & 1, cell >> 1], axis=1).astype(float)
        judged = np.where(rng.random(truth.shape) < np.where(truth == 1, 0.2, 0.1), 1 - truth, truth)
        label = np.full(truth.shape, NAN)
        label[:80] = truth[:80]
        cells = draws(label, judged, seed=seed)
        _, low, high = interval(cells[:, 2] / (cells[:, 0] + cells[:, 2]))
        held += low <= true <= high
        failed = judged[:, 0] == 0
        share = judged[failed, 1].mean()
        plain += abs(share - true) < 1.96 * np.sqrt(share * (1 - share) / failed.sum())
    assert held / 120 > 0.9
    assert plain / 120 < 0.8
