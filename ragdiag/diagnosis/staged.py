"""What holds for all failure modes that undo a recorded stage: their control, and two of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ragdiag.core.proofs import Control, Finding
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.modes import Mode
from ragdiag.diagnosis.replay import pairs, undoable, without

__all__ = ["told", "two_together"]


def told(cases: Sequence[Case], findings: Sequence[Sequence[Finding]], known: Mapping[str, Mode]) -> list[list[Finding]]:
    """`findings`, those that undo a stage with what undoing it does to the queries that are served.

    More context is credited only where no two stages undone do in a context of the same size.
    """
    controls: dict[str, Control] = {}

    def with_control(case: Case, finding: Finding) -> Finding:
        stage = known[finding.cause].stage
        if not stage:
            return finding
        if stage not in controls:
            controls[stage] = _control(cases, stage)
        proved = finding.proved and not (finding.residual and _two(case))
        return replace(finding, proved=proved, control=controls[stage])

    return [[with_control(case, finding) for finding in own] for case, own in zip(cases, findings, strict=True)]


def _two(case: Case) -> list[tuple[str, str]]:
    """The stages that suffice undone two at a time."""
    return [pair for pair in pairs(case.stages) if without(case, *pair).sufficient]


def _control(cases: Sequence[Case], stage: str) -> Control:
    """How many of the served queries that have a stage need it. No count of changes that did as well: a stage has its uses."""
    served = [case for case in cases if case.standing.sufficient and stage in undoable(case.stages)]
    broken = sum(not without(case, stage).sufficient for case in served)
    if not served:
        return Control(0, 0, None, "no served query has this stage: what undoing it breaks is not known")
    queries = "1 served query" if len(served) == 1 else f"{len(served)} served queries"
    return Control(0, 0, None, f"undone for the {queries}, it breaks {broken} of them")


def two_together(
    cases: Sequence[Case], findings: Sequence[Sequence[Finding]], known: Mapping[str, Mode]
) -> dict[int, tuple[str, str]]:
    """Where undoing no single stage suffices, the first two that do together, as failure modes."""
    cause_of = {mode.stage: name for name, mode in known.items() if mode.stage}
    enough: dict[int, tuple[str, str]] = {}
    for i, (case, of_case) in enumerate(zip(cases, findings, strict=True)):
        open_still = bool(of_case) and not any(f.proved and not f.residual for f in of_case)
        for pair in _two(case) if open_still else ():
            first, second = sorted((cause_of[stage] for stage in pair), key=list(known).index)
            enough.setdefault(i, (first, second))
    return enough
