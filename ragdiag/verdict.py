"""The litmus test as statistics: would the failures still be there with perfect access to the right information?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from ragdiag.records import FloatArray, Mean, Query, Report

__all__ = ["DELTA", "Effect", "Litmus", "Outcomes", "Verdict", "bounds", "needed", "reach", "tabulate"]

DELTA = 0.05
"""An effect that is not larger matters to nobody, unless the user says otherwise."""

LEVEL, POWER = 0.95, 0.80


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What came of each query, shape ``(n_queries,)`` each, NaN where it is not known.

    `right`: the share of its answers with the pipeline's context that are right; `oracle`: the same with exactly the evidence;
    `sufficient`: whether the pipeline's context held all evidence.
    """

    right: FloatArray
    oracle: FloatArray
    sufficient: FloatArray

    @property
    def failed(self) -> Any:
        """Queries whose answer with the pipeline's context is wrong; with several answers, most of them."""
        return self.right < 0.5

    @property
    def fixed(self) -> Any:
        """Queries whose answer is right when given exactly the evidence."""
        return self.oracle >= 0.5


@dataclass(frozen=True)
class Effect:
    """A difference of shares of right answers with its 95 % interval; `p` where it was tested (McNemar's test where each
    query has one answer)."""

    mean: float
    low: float
    high: float
    n: int
    p: float | None = None


@dataclass(frozen=True, eq=False)
class Verdict:
    """What most failures are about.

    `share` is that of the failures which perfect context fixes; `needed` the further failures that would tell, where it does not
    (None: no number would, at this share). `bounds` are of the share of failures that are about retrieval, where no answers with
    perfect context are known. `table` counts queries: a row for what the context came to, a column for the answer with perfect
    context. `broken` are the positions of queries that perfect context breaks.
    """

    kind: str
    secondary: str | None
    share: Mean
    needed: int | None
    effects: Mapping[str, Effect]
    table: Mapping[str, Mapping[str, int]]
    bounds: tuple[float, float] | None = None
    broken: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Litmus:
    """What the litmus test found. `judged` counts by condition what said whether answers are right; `shares` are those of right
    answers by condition; `unjudged` and `failed` count answers that nothing could judge, and attempts without an answer.
    `report` is that of the audit, where the pipeline was audited too.
    """

    verdict: Verdict
    queries: tuple[Query, ...]
    outcomes: Outcomes
    judged: Mapping[str, Mapping[str, int]]
    shares: Mapping[str, Mean]
    failed: Mapping[str, int]
    unjudged: Mapping[str, int]
    seed: int
    delta: float
    report: Report | None = None


ROWS = (
    "wrong, context insufficient",
    "wrong, context sufficient",
    "wrong",
    "right, context insufficient",
    "right, context sufficient",
    "right",
)
"""Rows of the table; without a statement about the context, the plain ones."""

COLUMNS = ("oracle right", "oracle wrong", "oracle unknown")


def tabulate(outcomes: Outcomes) -> dict[str, dict[str, int]]:
    """The 2x2 of METHOD section 7, with a row more where the context is not known, a column where the oracle's answer is not."""
    table: dict[str, dict[str, int]] = {}
    known = ~np.isnan(outcomes.right)
    for row in ROWS:
        answer, _, context = row.partition(", context ")
        rows = known & (outcomes.failed if answer == "wrong" else ~outcomes.failed)
        rows &= outcomes.sufficient == (context == "sufficient") if context else np.isnan(outcomes.sufficient)
        if rows.any():
            unknown = np.isnan(outcomes.oracle)
            cells = rows & outcomes.fixed, rows & ~outcomes.fixed & ~unknown, rows & unknown
            table[row] = {column: int(cell.sum()) for column, cell in zip(COLUMNS, cells, strict=True)}
    return table


def reach(
    share: Mean, context_effect: Effect | None, behavior_effect: Effect | None, sufficient_share: float | None, delta: float
) -> tuple[str, str | None, int | None]:
    """Kind, secondary and failures needed, from the share of failures that perfect context fixes and both effects.

    `sufficient_share`: of the failures that perfect context fixes, the share whose context was sufficient; None where not known.
    """
    if share.mean is None or share.low is None or share.high is None:
        return "NOT_MEASURED", None, None
    noise = sufficient_share is not None and sufficient_share > 0.5
    first = "CONTEXT" if noise else "RETRIEVAL"
    if share.low > 0.5:
        other = behavior_effect is not None and behavior_effect.mean > delta
        return first, "BEHAVIOR" if other else None, None
    if share.high < 0.5:
        other = context_effect is not None and context_effect.mean > delta
        return "BEHAVIOR", first if other else None, None
    effects = context_effect, behavior_effect
    if all(e is not None and e.low > delta for e in effects):
        return "BOTH", None, None
    return "INCONCLUSIVE", None, needed(share.mean, share.n)


def needed(share: float, seen: int) -> int | None:
    """Further failures for `POWER` to tell a true share like the one seen from one half, two-sided at 5 %; None at one half.

    The usual sample size for one proportion: ``((z_a / 2 + z_b sqrt(p (1 - p))) / (p - 1/2))^2``, less the failures seen; 1 at
    least, since these did not tell.
    """
    if abs(share - 0.5) < 1e-9:
        return None
    z_a, z_b = special.ndtri(0.5 + LEVEL / 2), special.ndtri(POWER)
    total = ((z_a / 2 + z_b * math.sqrt(share * (1 - share))) / (share - 0.5)) ** 2
    return max(math.ceil(total - 1e-9) - seen, 1)


def bounds(outcomes: Outcomes) -> tuple[float, float] | None:
    """Of the failures, the least and the largest share that can be about retrieval, where no oracle says.

    A failure with a sufficient context is none; one with an insufficient context may be, or both; where the context is not known
    anything is possible.
    """
    failures = outcomes.failed & ~np.isnan(outcomes.right)
    if not failures.any():
        return None
    possible = failures & ~(outcomes.sufficient == 1)
    return 0.0, float(possible.sum() / failures.sum())
