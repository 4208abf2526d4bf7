"""The area under the curve against SciPy, its interval and the numbers needed against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ragdiag.stats.separation import further, separation

VALUES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=25)


def alone(first, second):
    return separation(np.array(first, float), np.array(second, float), np.arange(len(first)))


def test_by_hand() -> None:
    # 3 is above 2 and 1; each 2 is level with 2 and above 1: (2 + 1.5 + 1.5) of 6 pairs.
    seen = alone([3, 2, 2], [2, 1])
    assert seen is not None
    assert seen.auc == pytest.approx(5 / 6)
    assert (seen.n, seen.m, seen.worth) == (3, 2, 3.0)
    assert alone([], [1]) is None and alone([1], []) is None


@given(VALUES, VALUES)
def test_the_area_is_mann_whitneys(first: list[float], second: list[float]) -> None:
    seen = alone(first, second)
    assert seen is not None
    assert seen.auc == pytest.approx(stats.mannwhitneyu(first, second).statistic / (len(first) * len(second)))
    assert 0 <= seen.low <= seen.auc <= seen.high <= 1


@given(st.permutations(range(14)), st.integers(1, 13))
def test_p_is_that_of_the_rank_sum_test_where_no_two_share_a_document(order: list[int], n: int) -> None:
    seen = alone(order[:n], order[n:])
    whole = stats.mannwhitneyu(order[:n], order[n:], method="asymptotic", use_continuity=False)
    assert seen is not None
    assert (seen.worth, seen.p) == pytest.approx((n, whole.pvalue))


@given(VALUES, VALUES)
def test_turned_round_it_is_the_same(first: list[float], second: list[float]) -> None:
    seen, turned = alone(first, second), alone([-v for v in first], [-v for v in second])
    assert seen is not None and turned is not None
    assert (turned.auc, turned.low, turned.high) == pytest.approx((1 - seen.auc, 1 - seen.high, 1 - seen.low))


def test_all_told_apart_is_not_certain_with_three() -> None:
    seen = alone(range(10, 67), [1, 2, 3])
    assert seen is not None and seen.auc == 1 == seen.high
    assert 0.5 < seen.low < 0.8


def test_queries_of_one_document_are_worth_one() -> None:
    first, second = np.repeat([5.0, 1.0, 7.0, 2.0], 5), np.array([3.0, 4.0, 0.0])
    together = separation(first, second, np.repeat(np.arange(4), 5))
    apart = separation(first, second, np.arange(20))
    assert together is not None and apart is not None and together.auc == apart.auc
    assert together.worth < 4.5 and apart.worth == 20
    assert together.low < apart.low and together.high > apart.high and together.p > apart.p


@pytest.mark.parametrize(
    ("clusters", "size", "m", "shift", "shared"),
    [
        (60, 1, 3, 0, 0),
        (60, 1, 20, 0.75, 0),
        (60, 1, 20, 2.5, 0),
        (25, 3, 20, 0.75, 0.5),
        (25, 3, 20, 0, 0.9),
        (10, 6, 20, 0, 0.5),
    ],
)
def test_intervals_hold_the_truth(clusters: int, size: int, m: int, shift: float, shared: float) -> None:
    rng, runs, held = np.random.default_rng(7), 600, 0
    truth = stats.norm.cdf(shift / math.sqrt(2))
    for _ in range(runs):
        of = np.repeat(np.arange(clusters), rng.integers(1, 2 * size, clusters) if size > 1 else 1)
        values = math.sqrt(shared) * rng.normal(size=clusters)[of] + math.sqrt(1 - shared) * rng.normal(size=len(of))
        seen = separation(shift + values, rng.normal(size=m), of)
        held += seen is not None and seen.low <= truth <= seen.high
    assert held / runs >= 0.93  # two standard errors below .95


@pytest.mark.parametrize("shift", [0.5, 0.9])
def test_as_many_more_find_it_in_four_of_five(shift: float) -> None:
    n, m, rng = 150, 5, np.random.default_rng(3)
    at_truth = alone(shift + stats.norm.ppf((np.arange(n) + 0.5) / n), stats.norm.ppf((np.arange(m) + 0.5) / m))
    assert at_truth is not None
    more = further(at_truth._replace(auc=stats.norm.cdf(shift / math.sqrt(2))))
    assert more is not None
    ps = [stats.mannwhitneyu(shift + rng.normal(size=n), rng.normal(size=m + more)).pvalue for _ in range(600)]
    assert 0.75 <= np.mean(np.array(ps) < 0.05) <= 0.87


def test_what_no_number_tells() -> None:
    level = alone([1, 2, 3], [2])
    assert level is not None and level.auc == 0.5 and further(level) is None
    some = alone(range(60), [20])
    assert some is not None
    one, shared = further(some), further(some, tests=4)
    assert one is not None and shared is not None and shared > one > 0
    few = alone([1, 2, 0], [1.5])  # however many of the second kind: three of the first say too little
    assert few is not None and further(few) is None
