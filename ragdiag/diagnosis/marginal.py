"""Queries so near to the context that anything helps."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.core.proofs import Finding
from ragdiag.diagnosis.cases import Case

__all__ = ["NEAR", "is_marginal"]

NEAR = 2
"""Places by which a marginal query misses its context at most; of small contexts no more than half their size."""


def is_marginal(case: Case, findings: Sequence[Finding]) -> bool:
    """Whether all evidence stands a place or two (`NEAR`) below the context, and no cause is shown: any change may serve it."""
    rank = case.standing.rank
    if rank is None or any(f.proved and not f.residual for f in findings):
        return False
    return case.length < rank <= case.length + min(NEAR, case.length // 2)
