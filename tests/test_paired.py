"""Differences on the same queries: oracles, exact small cases, how often intervals hold the truth and tests err."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ragdiag.stats.paired import CLUSTERS, Difference, Paired, holm


def alone(a, b, seed=0) -> Difference:
    found = Paired(np.arange(len(a)), seed).difference(np.array(a, dtype=float), np.array(b, dtype=float))
    assert found is not None
    return found


def of_differences(d, cluster=None) -> Difference:
    d = np.asarray(d, dtype=float)
    cluster = np.arange(len(d)) if cluster is None else np.asarray(cluster)
    found = Paired(cluster, 0).difference(np.where(d < 0, -d, 0.0), np.where(d > 0, d, 0.0))
    assert found is not None
    return found


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60))
def test_proportions_are_tested_as_mcnemar_does(better, worse, same):
    if better + worse + same == 0:
        return
    found = of_differences([1] * better + [-1] * worse + [0] * same)
    expected = stats.binomtest(better, better + worse, 0.5).pvalue if better + worse else 1.0
    assert found.p == pytest.approx(expected, rel=1e-9)
    assert (found.better, found.worse, found.n) == (better, worse, better + worse + same)
    assert found.mean == pytest.approx((better - worse) / found.n)
    assert -1 <= found.low <= found.mean <= found.high <= 1


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=9))
def test_graded_differences_try_every_flip(eighths):
    d = np.array(eighths) / 8
    flips = [abs(sum(s * v for s, v in zip(signs, d, strict=True))) for signs in itertools.product((1, -1), repeat=len(d))]
    expected = np.mean([f >= abs(d.sum()) - 1e-12 for f in flips])
    assert of_differences(d).p == pytest.approx(expected)


def test_many_graded_differences_agree_with_scipys_permutation_test():
    rng = np.random.default_rng(3)
    d = np.clip(rng.normal(0.05, 0.3, size=80), -1, 1)
    oracle = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=40_000, rng=np.random.default_rng(5))
    assert of_differences(d).p == pytest.approx(oracle.pvalue, abs=0.01)


def test_bonett_and_prices_interval_by_hand():
    # 10 better, 4 worse, 36 alike: (10 - 4) / 52 +- z sqrt((11 + 5 - 6**2 / 52) / 52 / 52), with Student's t of 49.
    found = of_differences([1] * 10 + [-1] * 4 + [0] * 36)
    error = np.sqrt((16 / 52 - (6 / 52) ** 2) / 52)
    reach = stats.t.ppf(0.975, 49) * error
    assert (found.low, found.high) == pytest.approx((6 / 52 - reach, 6 / 52 + reach))
    assert found.error == pytest.approx(error)
    assert found.detectable(1) == pytest.approx((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error)
    assert found.detectable(5) > found.detectable(1)


def test_turning_a_contrast_round_turns_its_figures_round():
    rng = np.random.default_rng(0)
    a, b = rng.random(60), rng.random(60)
    there, back = alone(a, b), alone(b, a)
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))
    assert (back.p, back.better, back.worse) == (there.p, there.worse, there.better)


def test_queries_that_cannot_be_decided_are_left_out_of_both():
    nan = float("nan")
    found = alone([0, 1, nan, 0], [1, 1, 1, nan])
    assert (found.n, found.better, found.worse) == (2, 1, 0)
    assert Paired(np.arange(2), 0).difference(np.array([nan, 1.0]), np.array([1.0, nan])) is None


def test_what_documents_have_in_common_widens_the_interval():
    cluster = np.repeat(np.arange(30), 10)
    together = np.repeat(np.where(np.arange(30) % 3 == 0, 1.0, 0.0), 10)
    apart = np.tile(np.where(np.arange(30) % 3 == 0, 1.0, 0.0), 10)
    assert of_differences(together).low == pytest.approx(of_differences(apart).low)
    wide, narrow = of_differences(together, cluster), of_differences(together)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert wide.p > narrow.p
    few = np.repeat(np.arange(CLUSTERS - 1), 10)
    assert of_differences([1.0] * len(few), few).p == of_differences([1.0] * len(few)).p


def test_holm_against_the_worked_example():
    # Holm 1979: sorted p times 4, 3, 2, 1, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7, 0.9]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_never_below_p_and_keeps_the_order(ps):
    adjusted = holm(ps)
    assert all(a >= p - 1e-12 and a <= 1 for a, p in zip(adjusted, ps, strict=True))
    by_p = [adjusted[i] for i in np.argsort(ps, kind="stable")]
    assert by_p == sorted(by_p)


@pytest.mark.parametrize(("won", "lost", "n"), [(0.3, 0.1, 60), (0.1, 0.1, 150), (0.05, 0.02, 400)])
def test_intervals_hold_the_truth(won, lost, n):
    rng, hits, runs = np.random.default_rng(1), 0, 600
    for _ in range(runs):
        u = rng.random(n)
        found = of_differences(np.where(u < won, 1.0, np.where(u < won + lost, -1.0, 0.0)))
        hits += found.low <= won - lost <= found.high
    assert 0.925 <= hits / runs <= 0.99


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=12))
def test_one_question_asked_again_and_again_tells_no_more_than_once(values: list[float]) -> None:
    d = np.array(values)
    n = len(d)
    found = Paired(np.arange(n), 0, np.zeros(n, dtype=np.int64)).difference(np.where(d < 0, 1.0, 0.0), np.where(d > 0, 1.0, 0.0))
    assert found is not None and found.p == 1.0 and found.low <= 0 <= found.high
