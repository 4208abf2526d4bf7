"""Queries so near to the context that anything helps."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.core.proofs import Finding
from ragdiag.diagnosis.cases import Case

__all__ = ["NEAR", "is_marginal"]

NEAR = 2
"""Places by which a marginal query misses its context at most; of small contexts no more than half their size."""


def is_marginal(case: Case, findings: Sequence[Finding]) -> bool:
    """Whether all evidence stands a place or two (`NEAR`) below the context, and no proof has a control that shows it is more
    than one of many changes that would move it so little.
    """
    rank = case.standing.rank
    shown = any(f.proved and not f.residual and f.control is not None for f in findings)
    return rank is not None and case.length < rank <= case.length + min(NEAR, case.length // 2) and not shown
