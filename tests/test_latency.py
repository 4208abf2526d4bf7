"""How long a query takes: by a clock that the tests set."""

import itertools
import time
from collections.abc import Sequence
from typing import Any

import pytest

from ragdiag.search.latency import latency_of


def timed(monkeypatch: pytest.MonkeyPatch, seconds: Sequence[float], **given: Any) -> tuple[dict[str, Any], int]:
    """What is measured where the queries take so long, and how many were put."""
    now, asked = [0.0], itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def answer(query: str) -> None:
        now[0] += seconds[next(asked)]

    found = latency_of(answer, [f"query {i}" for i in range(len(seconds))], **given)
    return found, next(asked)


def test_latency_is_about_warm_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = timed(monkeypatch, [3.0] + [0.02] * 19)
    assert (found["cold_ms"], found["p50_ms"], found["p95_ms"]) == (3000, 20, 20)
    assert found["slow"] is False and "fix" not in found


def test_latency_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = timed(monkeypatch, [0.7] * 10)
    assert found["slow"] is True and found["fix"]
    assert found["queries"] == 10


def test_latency_is_about_the_95th_percentile(monkeypatch: pytest.MonkeyPatch) -> None:
    few, _ = timed(monkeypatch, [0.1] * 40 + [0.9], most=41)
    many, _ = timed(monkeypatch, [0.1] * 37 + [0.9] * 4, most=41)
    assert (few["p50_ms"], few["p95_ms"], few["slow"]) == (100, 100, False)
    assert (many["p50_ms"], many["p95_ms"], many["slow"]) == (100, 900, True)


def test_latency_asks_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = timed(monkeypatch, [0.01] * 500, most=20)
    assert found["queries"] == asked == 20


def test_latency_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timed(monkeypatch, [0.3] * 5, budget_ms=200)[0]["slow"] is True
    assert timed(monkeypatch, [0.3] * 5, budget_ms=400)[0]["slow"] is False


@pytest.mark.parametrize("seconds, queries", [([], 0), ([0.6], 1)])
def test_latency_with_few_queries(monkeypatch: pytest.MonkeyPatch, seconds: list[float], queries: int) -> None:
    found, asked = timed(monkeypatch, seconds)
    assert asked == queries
    assert found == {} if not queries else found["cold_ms"] == found["p95_ms"] == 600
