"""How long one query takes, put as an application puts it: a finding about the pipeline, not about any query."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["Clock", "latency_of", "told"]

FIX = "an approximate index, a smaller encoder, fewer steps after the search, or a cache of queries"

BUDGET_MS = 500.0
"""Teams report 200 to 500 ms as what retrieval may add to an answer."""

MOST = 20
"""Queries that are timed at most."""


def latency_of(
    answer: Callable[[str], object], queries: Sequence[str], budget_ms: float = BUDGET_MS, most: int = MOST
) -> dict[str, object]:
    """Milliseconds that `answer` takes for one query, measured on the first `most` of `queries`, one at a time; {} without any.

    `cold_ms` is the first query's time, which includes what is loaded or warmed up only once; `p50_ms` and `p95_ms` are the
    median and the 95th percentile of the others. `slow`: is `p95_ms` above `budget_ms`? If so, `fix` names what helps.
    """
    times: list[float] = []
    for query in queries[:most]:
        started = time.perf_counter()
        answer(query)
        times.append(1000 * (time.perf_counter() - started))
    return told(times, budget_ms)


def told(times: Sequence[float], budget_ms: float = BUDGET_MS) -> dict[str, object]:
    """The figures of `latency_of` from the milliseconds of each query, in the order in which they were asked."""
    if not times:
        return {}
    warm = sorted(times[1:] or times)
    p95 = warm[min(int(0.95 * len(warm)), len(warm) - 1)]
    milliseconds = {"cold_ms": times[0], "p50_ms": warm[len(warm) // 2], "p95_ms": p95, "budget_ms": budget_ms}
    rounded = {name: round(float(value), 1) for name, value in milliseconds.items()}
    slow = p95 > budget_ms
    return {"queries": len(times), **rounded, "slow": slow} | ({"fix": FIX} if slow else {})


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside; a stage may be entered again."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.perf_counter() - started, 3)
