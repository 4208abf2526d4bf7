"""A share served, corrected by a sample: exact intervals against enumeration, what stays unknown, several strata, a census."""

import dataclasses
import itertools
import json
import runpy
from math import comb
from pathlib import Path

import pytest

from ragdiag.core.reviews import Corrected, Drawn, place_in_draw
from ragdiag.stats.corrected import corrected, finite, planned, recounted
from ragdiag.stats.statistics import wilson

BENCH = Path(__file__).parent / "bench" / "hidden" / "__main__.py"


def chance(served: int, sample: int, total: int, size: int) -> float:
    """That `served` of a `sample` are among `total` of `size`, by counting."""
    return comb(total, served) * comb(size - total, sample - served) / comb(size, sample)


def of(n: int, served: int, *strata: Drawn, worth: float = 1.0) -> Corrected:
    """As a review of queries that hold what their samples say."""
    least = served + sum(s.served for s in strata)
    return corrected(n, served, strata, (least, served + sum(s.size - s.settled + s.served for s in strata)), worth, 0)


@pytest.mark.parametrize("size", [1, 2, 7, 12])
def test_the_interval_of_a_sample_inverts_both_tails(size: int) -> None:
    for sample in range(1, size + 1):
        for served in range(sample + 1):
            low, high = finite(served, sample, size)
            for total in range(served, size - sample + served + 1):
                more = sum(chance(x, sample, total, size) for x in range(served, sample + 1))
                fewer = sum(chance(x, sample, total, size) for x in range(served + 1))
                assert (low <= total <= high) == (more > 0.025 and fewer > 0.025), (sample, served, total)


@pytest.mark.parametrize(("size", "sample"), [(24, 20), (60, 20), (60, 40), (133, 20), (133, 40), (420, 20)])
def test_it_holds_the_truth_at_least_as_often_as_it_says(size: int, sample: int) -> None:
    for total in range(0, size + 1, 3):
        held = 0.0
        for served in range(max(0, sample - size + total), min(sample, total) + 1):
            share = of(200 + size, 200, Drawn("other", size, sample, served))
            truth = (200 + total) / (200 + size)
            held += chance(served, sample, total, size) * (share.here_low - 1e-9 <= truth <= share.here_high + 1e-9)
        assert held >= 0.95, total


def test_two_strata_hold_the_truth_too() -> None:
    sizes, samples = (30, 100), (10, 10)
    for totals in itertools.product((0, 2, 9, 20, 30), (0, 5, 30, 80, 100)):
        held = 0.0
        truth = (50 + sum(totals)) / 180
        for served in itertools.product(*(range(n + 1) for n in samples)):
            each = [
                chance(x, n, t, m) if n - x <= m - t and x <= t else 0.0
                for x, n, t, m in zip(served, samples, totals, sizes, strict=True)
            ]
            strata = [Drawn(s, m, n, x) for s, m, n, x in zip(("doubtful", "other"), sizes, samples, served, strict=True)]
            share = of(180, 50, *strata)  # type: ignore[arg-type]
            held += each[0] * each[1] * (share.here_low - 1e-9 <= truth <= share.here_high + 1e-9)
        assert held >= 0.93, totals


def test_where_all_are_reviewed_only_the_queries_are_a_sample() -> None:
    share = of(100, 60, Drawn("other", 40, 40, 10))
    assert share.mean == share.here_low == share.here_high == 0.7
    assert (share.low, share.high) == pytest.approx(wilson(70, 100))
    half = of(100, 60, Drawn("other", 40, 40, 10), worth=0.5)
    assert (half.low, half.high) == pytest.approx(wilson(35, 50)), "queries that share documents are worth less"


def test_without_a_review_there_are_bounds() -> None:
    share = of(100, 60, Drawn("other", 40))
    assert share.mean is None
    assert (share.low, share.high, share.reviewed, share.drawn_from) == (0.6, 1.0, 0, 40)


def test_where_nothing_is_unjudged_there_is_nothing_to_correct() -> None:
    share = of(100, 60)
    assert share.mean == share.here_low == share.here_high == 0.6
    assert (share.low, share.high) == pytest.approx(wilson(60, 100))


def test_what_is_not_settled_counts_both_ways() -> None:
    settled, skipped = of(100, 60, Drawn("other", 40, 20, 5)), of(100, 60, Drawn("other", 40, 20, 5, open=4))
    assert skipped.here_low == settled.here_low, "the lower end takes those skipped as not served"
    assert skipped.here_high == of(100, 60, Drawn("other", 40, 20, 9)).here_high, "the upper one as served"
    assert (skipped.reviewed, skipped.open) == (16, 4)
    assert skipped.mean == pytest.approx((60 + 40 * 5 / 16) / 100)


def test_a_stratum_that_nobody_looked_at_may_be_anything() -> None:
    share = of(100, 60, Drawn("doubtful", 10, 10, 8), Drawn("other", 30))
    assert share.here_low == pytest.approx(0.68)
    assert share.here_high == pytest.approx(0.98)


def test_twenty_more_narrow_it_and_are_never_more_than_there_are() -> None:
    now = of(300, 200, Drawn("doubtful", 6), Drawn("other", 94))
    then = planned(now, 20)
    assert [s.sample for s in then.strata] == [6, 14], "by turns, while there are any"
    assert then.high - then.low < now.high - now.low
    assert [s.sample for s in planned(now, 1000).strata] == [6, 94]
    assert recounted(now, now.strata) == now


def test_places_in_the_draw_are_fixed_and_even() -> None:
    places = [place_in_draw(0, f"q{i}") for i in range(4000)]
    assert places == [place_in_draw(0, f"q{i}") for i in range(4000)] != [place_in_draw(1, f"q{i}") for i in range(4000)]
    assert all(0 <= place < 1 for place in places)
    for quarter in (0, 0.25, 0.5, 0.75):
        assert abs(sum(quarter <= place < quarter + 0.25 for place in places) / 4000 - 0.25) < 0.03


def test_it_is_read_back_as_it_was_written() -> None:
    share = of(100, 60, Drawn("doubtful", 10, 5, 1), Drawn("other", 30, 5, 2, 1))
    assert Corrected.of(json.loads(json.dumps(dataclasses.asdict(share)))) == share


@pytest.mark.parametrize("doubts", [False, True])
def test_hidden_labels_of_tidewater(doubts: bool) -> None:
    bench = runpy.run_path(str(BENCH), run_name="hidden")
    for tally in bench["one_set"](bench["tidewater"](), "bm25", 6, 20, doubts):
        assert tally.held >= 0.93
        assert abs(sum(row[5] for row in tally.rows)) / len(tally.rows) < 0.02, "neither too high nor too low"
