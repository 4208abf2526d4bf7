"""Retrieval takes longer than a user waits: a finding about the pipeline, not about any query."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

FIX = "an approximate index, a smaller encoder, fewer steps after the search, or a cache of queries"


@dataclass(frozen=True)
class Slow:
    """The 95th percentile of one query's retrieval is above `budget_ms` (teams report 200 to 500 ms as what RAG adds).

    At most `queries` queries are put one at a time. The first is kept apart: it pays for what is loaded or warmed up only once.
    """

    budget_ms: float = 500.0
    queries: int = 20

    def measure(self, answer: Callable[[str], object], queries: Sequence[str]) -> dict[str, Any]:
        """Milliseconds: the first query's (cold), median and 95th percentile of the others (warm); `slow`: is that too much?"""
        taken = []
        for query in queries[: self.queries]:
            started = time.perf_counter()
            answer(query)
            taken.append(1000 * (time.perf_counter() - started))
        if not taken:
            return {}
        warm = sorted(taken[1:] or taken)
        p95 = warm[min(int(0.95 * len(warm)), len(warm) - 1)]
        found = {
            "queries": len(taken),
            "cold_ms": taken[0],
            "p50_ms": warm[len(warm) // 2],
            "p95_ms": p95,
            "budget_ms": self.budget_ms,
        }
        rounded: dict[str, Any] = {name: round(value, 1) if isinstance(value, float) else value for name, value in found.items()}
        return rounded | {"slow": p95 > self.budget_ms} | ({"fix": FIX} if p95 > self.budget_ms else {})
