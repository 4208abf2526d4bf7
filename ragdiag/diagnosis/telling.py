"""Which of several proofs tells most, and queries so near to the context that anything helps."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.core.proofs import Finding
from ragdiag.diagnosis.cases import Case

__all__ = ["NEAR", "is_marginal", "telling"]

NEAR = 2
"""Places by which a marginal query misses its context at most; of small contexts no more than half their size."""

STEP = 0.25
"""What tells more by less than this tells as much."""


def telling(case: Case, finding: Finding) -> tuple[bool, float]:
    """A key that sorts findings: causes before what is none; then by how much further than needed the evidence comes, less the
    share of controls that do as well, in steps.
    """
    cause = finding.proved and not finding.residual
    if not cause or finding.after.rank is None:
        return not cause, 0.0
    # At best each group has one chunk, and they come first.
    room = max(case.length - len(case.groups), 1)
    beyond = min(max(case.length - finding.after.rank, 0) / room, 1.0)
    control = finding.control
    as_well = control.as_well / control.tried if control and control.tried else 0.0
    return not cause, -((beyond - as_well) // STEP)


def is_marginal(case: Case, findings: Sequence[Finding]) -> bool:
    """Whether all evidence stands a place or two (`NEAR`) below the context, and no cause is shown: any change may serve it."""
    rank = case.standing.rank
    if rank is None or any(f.proved and not f.residual for f in findings):
        return False
    return case.length < rank <= case.length + min(NEAR, case.length // 2)
