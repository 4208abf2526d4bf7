"""Correcting a judge's errors: against formulas that can be worked by hand, and against truth that was planted."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ragdiag.stats.calibration import draws, interval

sys.path.insert(0, str(Path(__file__).parent / "bench"))
import independent

pytestmark = pytest.mark.slow

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


def planted(rng: np.random.Generator, together: float, n: int = 240, labelled: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Labels of some, opinions on all: the judge fails .3 of right answers, passes .1 of wrong ones, on both at once or not."""
    cell = rng.choice(4, p=CELLS, size=n)
    truth = np.stack([cell & 1, cell >> 1], axis=1).astype(float)
    chance = rng.random(truth.shape)
    shared = rng.random(n) < together
    chance[shared, 1] = chance[shared, 0]
    judged = np.where(chance < np.where(truth == 1, 0.3, 0.1), 1 - truth, truth)
    label = np.full(truth.shape, NAN)
    label[:labelled] = truth[:labelled]
    return label, judged


CELLS = np.array([0.2, 0.05, 0.35, 0.4])  # both wrong; main right; oracle right; both right
SHARE = CELLS[2] / (CELLS[0] + CELLS[2])


def held(correct: Callable[..., np.ndarray], together: float, teams: int = 120) -> float:
    """Of so many teams, the share whose interval holds the planted share of failures that perfect context fixes."""
    rng, count = np.random.default_rng(1), 0
    for seed in range(teams):
        cells = correct(*planted(rng, together), seed=seed)
        _, low, high = interval(cells[:, 2] / (cells[:, 0] + cells[:, 2]))
        count += low <= SHARE <= high
    return count / teams


@pytest.mark.parametrize("together", [0.0, 0.3, 0.6, 0.9])
def test_planted_tables_are_held_as_often_as_said_however_errors_go_together(together: float) -> None:
    assert held(draws, together) > 0.9


def test_errors_that_go_together_are_what_the_independent_model_fails_on() -> None:
    assert held(independent.draws, 0.9, teams=40) < 0.8


def test_strata_by_hand() -> None:
    """Post-stratification: in each stratum the labelled share, weighted by the stratum's size. Counts are large, priors small."""
    label = column((1.0, 800), (0.0, 200), (1.0, 300), (0.0, 700), (NAN, 8000))
    judged = column((1.0, 1000), (0.0, 1000), (1.0, 2000), (0.0, 6000))
    by_hand = 3000 / 10_000 * 0.8 + 7000 / 10_000 * 0.3
    assert draws(label, judged)[:, 1].mean() == pytest.approx(by_hand, abs=0.002)


def test_a_condition_that_is_certain_needs_no_labels_of_the_judge() -> None:
    rng = np.random.default_rng(0)
    main = rng.integers(0, 2, 4000).astype(float)
    oracle = np.where(main == 1, 1.0, rng.random(4000) < 0.25)
    label = np.stack([main, np.where(np.arange(4000) < 2000, oracle, NAN)], axis=1)
    judged = np.stack([np.full(4000, NAN), 1 - oracle], axis=1)  # always the opposite: it tells as much
    cells = draws(label, judged)
    assert (cells[:, 2] / (cells[:, 0] + cells[:, 2])).mean() == pytest.approx(oracle[main == 0].mean(), abs=0.01)
    assert cells[:, 1].max() < 0.01  # no answer that was right with the pipeline's context is wrong with the evidence


def test_labels_under_one_condition_each_tell_each_but_not_both() -> None:
    """Of 100 labels with the pipeline's context half are right, of 100 others with the evidence half; together they are open."""
    label = np.full((200, 2), NAN)
    label[:100, 0], label[100:, 1] = np.arange(100) % 2, np.arange(100) % 2
    cells = draws(label, np.ones((200, 2)))
    for right in (cells[:, 1] + cells[:, 3], cells[:, 2] + cells[:, 3]):
        exact = stats.beta(50.5, 50.5)
        middle, low, high = interval(right)
        assert (middle, low, high) == pytest.approx((exact.median(), *exact.ppf([0.025, 0.975])), abs=0.03)
    _, low, high = interval(cells[:, 2] / (cells[:, 0] + cells[:, 2]))
    assert low < 0.05 and high > 0.95


def test_a_label_under_one_condition_alone_counts_beside_whole_ones() -> None:
    rng, teams, held_, widths = np.random.default_rng(5), 60, 0, {"whole": 0.0, "with the others": 0.0}
    for seed in range(teams):
        label, judged = planted(rng, 0.3, labelled=120)
        label[40:80, 1] = NAN
        label[80:120, 0] = NAN
        whole = np.where(np.isnan(label).any(axis=1, keepdims=True), NAN, label)
        for name, known in (("whole", whole), ("with the others", label)):
            cells = draws(known, judged, seed=seed)
            _, low, high = interval(cells[:, 2] / (cells[:, 0] + cells[:, 2]))
            widths[name] += (high - low) / teams
        held_ += low <= SHARE <= high
    assert held_ / teams > 0.9
    assert widths["with the others"] < 0.95 * widths["whole"]


def test_nothing_seen_of_a_stratum_leaves_it_open() -> None:
    _, low, high = interval(draws(column((1.0, 30), (NAN, 30)), column((1.0, 30), (0.0, 30)))[:, 1])
    assert low < 0.52 and high > 0.98
