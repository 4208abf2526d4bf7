"""Intervals: reference values, few clusters, nothing that varies, and how often they hold the truth."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ragdiag.core.records import Mean
from ragdiag.stats.statistics import BOOTSTRAPPED, RESAMPLES, Resampler, clusters, wilson


def alone(values: list[float], seed: int = 0) -> Mean:
    return Resampler(np.arange(len(values)), seed).mean(np.array(values, dtype=float))


# Wilson.


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_a_published_table(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data(), st.floats(0.5, 0.999))
def test_wilson_inverts_the_score_test(n, data, level):
    k, z = data.draw(st.integers(0, n)), stats.norm.ppf(0.5 + level / 2)
    low, high = wilson(k, n, level)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert abs(k / n - bound) == pytest.approx(z * math.sqrt(bound * (1 - bound) / n), rel=1e-6, abs=1e-7)
    assert wilson(n - k, n, level) == pytest.approx((1 - high, 1 - low))


# Clusters.


@pytest.mark.parametrize(
    ("documents", "same"),
    [
        ([], []),
        ([[], []], [0, 1]),  # without documents each stands alone
        ([[5], [5], [7]], [0, 0, 1]),
        ([[1, 2], [3], [2, 3]], [0, 1, 0]),  # 2 and 3 are shared alike: the first of them
        ([[1, 2], [3], [2, 3], [3]], [0, 1, 1, 1]),  # the third goes by 3, which most share
        ([[0], [], [1], [0, 0]], [0, 1, 2, 0]),
    ],
)
def test_queries_that_share_a_document_are_one_cluster(documents, same):
    found = clusters(documents)
    assert len(found) == len(same)
    assert [(a == b) for a in found for b in found] == [(a == b) for a in same for b in same]


# Means.


def test_nothing_decidable():
    assert alone([]) == alone([math.nan, math.nan]) == Mean(None, None, None, 0)


def test_what_is_not_decidable_is_left_out_and_n_says_so():
    values = np.random.default_rng(1).random(60)
    gaps = np.where(np.arange(60) % 3 == 0, math.nan, values)
    with_gaps = Resampler(np.arange(60), 0).mean(gaps)
    assert with_gaps.n == 40
    assert with_gaps == alone(values[np.arange(60) % 3 != 0].tolist())


def test_a_cluster_known_only_by_undecidable_queries_does_not_count():
    cluster = np.array([0, 0, 1, 1, 2])
    values = np.array([0.2, 0.4, math.nan, math.nan, 0.9])
    assert Resampler(cluster, 0).mean(values) == Resampler(np.array([0, 0, 1]), 0).mean(values[[0, 1, 4]])


def test_the_same_seed_gives_the_same_interval_whatever_came_before():
    values = np.random.default_rng(2).random((3, 50))
    first, second = Resampler(np.arange(50), 7), Resampler(np.arange(50), 7)
    forward = [first.mean(v) for v in values]
    assert forward == [second.mean(v) for v in values[::-1]][::-1]
    assert forward[0] != Resampler(np.arange(50), 8).mean(values[0])


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 0.2, 0.5, 1.0])), min_size=1, max_size=60))
def test_the_interval_holds_the_mean_and_stays_within_the_range(rows):
    cluster, values = np.array([c for c, _ in rows]), np.array([v for _, v in rows])
    found = Resampler(cluster, 0).mean(values)
    assert found.n == len(rows)
    assert found.mean == pytest.approx(values.mean())
    assert 0 <= found.low <= found.mean <= found.high <= 1


def test_independent_proportions_are_wilsons():
    found = alone([1.0] * 81 + [0.0] * 182)
    assert (found.low, found.high) == pytest.approx(wilson(81, 263))


def test_resamples_of_independent_values_reproduce_the_t_interval():
    values = np.random.default_rng(3).normal(0.5, 0.1, 400)
    half = stats.t.ppf(0.975, 399) * values.std(ddof=1) / math.sqrt(400)
    found = alone(values.tolist())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


@pytest.mark.parametrize("n", [BOOTSTRAPPED.start - 1, BOOTSTRAPPED.start, BOOTSTRAPPED.stop - 1, BOOTSTRAPPED.stop])
def test_no_leap_where_resampling_starts_and_ends(n):
    values = np.random.default_rng(4).beta(3, 2, n)
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n)
    found = alone(values.tolist())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.12)


@pytest.mark.parametrize("n", [1, 2, 5, 30, 200])
@pytest.mark.parametrize("value", [0.0, 0.2, 1.0])
def test_values_that_do_not_vary_still_have_an_interval(n, value):
    assert (alone([value] * n).low, alone([value] * n).high) == pytest.approx(wilson(value * n, n))


def test_one_document_counts_as_one_query():
    cluster = np.zeros(50, dtype=np.int64)
    for values in (np.repeat([0.0, 1.0], 25), np.linspace(0.3, 0.7, 50)):
        found = Resampler(cluster, 0).mean(values)
        assert (found.low, found.high) == pytest.approx(wilson(0.5, 1))


def test_two_documents_say_little():
    cluster = np.repeat([0, 1], 25)
    differ = Resampler(cluster, 0).mean(np.repeat([0.3, 0.7], 25))
    assert differ.high - differ.low > 0.9
    agree = Resampler(cluster, 0).mean(np.full(50, 0.5))
    assert (agree.low, agree.high) == pytest.approx(wilson(1, 2))


@pytest.mark.parametrize("binary", [True, False])
def test_clustered_queries_are_never_worth_more_than_independent_ones(binary):
    values = np.tile([0.0, 1.0] if binary else [0.1, 0.3], 30)  # each cluster has the same mean: by chance, not by nature
    narrow, wide = alone(values.tolist()), Resampler(np.repeat(np.arange(6), 10), 0).mean(values)
    assert wide.high - wide.low >= narrow.high - narrow.low


def test_clusters_of_one_size_have_the_t_interval_of_their_means():
    rng = np.random.default_rng(5)
    values = np.clip(rng.normal(0.5, 0.05, 8)[:, None] + rng.normal(0, 0.02, (8, 100)), 0, 1)
    means = values.mean(axis=1)
    half = stats.t.ppf(0.975, 7) * means.std(ddof=1) / math.sqrt(8)
    found = Resampler(np.repeat(np.arange(8), 100), 0).mean(values.ravel())
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half), abs=0.1 * half)


def test_many_queries_need_little_memory():
    resampler = Resampler(np.arange(2000), 0)
    resampler.mean(np.random.default_rng(6).random(2000))
    assert sum(a.nbytes for a in resampler._drawn.values()) == RESAMPLES * 2000


# How often the interval holds the truth.

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]
SIZES = {  # of the clusters
    "30": [1] * 30,
    "200": [1] * 200,
    "20 of 5": [5] * 20,
    "5 of unequal size": [5, 8, 10, 12, 15],
}


def proportions(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return (rng.random(len(mean)) < mean).astype(float)


def graded(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Many at 0 and 1, the rest between, as nDCG and CharR are."""
    ends, between = proportions(rng, mean), rng.beta(2 * mean + 1e-3, 2 * (1 - mean) + 1e-3)
    return np.where(rng.random(len(mean)) < 0.5, ends, between)


def coverage(sizes: list[int], draw: Draw, times: int, intra_class: float = 0.3) -> float:
    """Over truths from .5 to .9: of one alone, the coverage for a proportion leaps with it, as counts are whole."""
    rng, cluster = np.random.default_rng(11), np.repeat(np.arange(len(sizes)), sizes)
    resampler, hits = Resampler(cluster, 0), 0
    spread = 1 / intra_class - 1
    for truth in rng.choice([0.5, 0.6, 0.7, 0.8, 0.9], times):
        means = np.full(len(sizes), truth)
        if len(sizes) < len(cluster):
            means = rng.beta(truth * spread, (1 - truth) * spread, len(sizes))
        found = resampler.mean(draw(rng, means[cluster]))
        hits += found.low <= truth <= found.high
    return hits / times


@pytest.mark.slow
@pytest.mark.parametrize("draw", [proportions, graded])
@pytest.mark.parametrize("design", SIZES)
def test_coverage(design, draw):
    found = coverage(SIZES[design], draw, 1000 if draw is graded and len(SIZES[design]) > 5 else 4000)
    print(f"{design}, {draw.__name__}: {found:.3f}")
    assert 0.92 <= found <= 0.98  # 93 to 97 %, give or take what so few simulations leave open
