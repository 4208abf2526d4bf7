"""Findings that show what was tried and prove nothing, and the reasons that hold for every failure mode."""

from __future__ import annotations

import math
from dataclasses import replace

from ragdiag.core.proofs import Control, Finding
from ragdiag.diagnosis.cases import Case

__all__ = ["as_well", "chosen_by_ids", "rises", "without_proof"]

FAR = 2
"""Contexts below which evidence is far off: what brings it in from there moved it, wherever in the context it comes to stand."""


def without_proof(finding: Finding, why: str, **detail: object) -> Finding:
    """`finding` as one that proves nothing; `why` is said in place of its control."""
    control = Control(0, 0, None, f"proves nothing: {why}")
    return replace(finding, proved=False, detail={**finding.detail, **detail}, control=control)


def chosen_by_ids(case: Case, finding: Finding) -> Finding:
    """A finding about a query whose evidence has the score of the last chunk of its context, so that only ids left it out.

    Whatever takes a chunk from the context, or moves one a little, brings it in: that proves nothing. More context is what it
    lacks.
    """
    why = "the evidence has the same score as the last chunk of the context, and only ids chose between them"
    return without_proof(finding, why, tied=True) if case.is_tied else finding


def as_well(finding: Finding) -> Finding:
    """A finding whose control does as well half of the time or more: no cause, whatever restored the query."""
    return replace(finding, proved=False) if finding.as_well and not finding.residual else finding


def rises(case: Case, finding: Finding) -> Finding:
    """A finding whose repair raises the evidence: without its proof where that is from just below the context to its lower half.

    Of such findings on public sets, read without knowing the rule, one in eleven was right; of the others ten in thirteen.
    """
    before, after = finding.before.rank, finding.after.rank
    if before is None or after is None or not finding.proved:
        return finding
    upper = max(math.ceil(case.length / 2), len(case.groups))
    if before >= FAR * case.length or after <= upper:
        return finding
    return without_proof(finding, f"it raises the evidence from rank {before} to {after}, as many a change may", small_rise=True)
