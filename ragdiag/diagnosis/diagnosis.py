"""From cases to causes: every failure mode that applies to a failing query intervenes; what restores sufficiency is a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from ragdiag.core.proofs import EXACT, Control, Edit, Finding, Outcome, Trial
from ragdiag.core.protocols import Progress
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.modes import Mode, modes
from ragdiag.diagnosis.probe import Probe

__all__ = ["Diagnosis", "diagnose"]


class Diagnosis(NamedTuple):
    """What is wrong with one query: status, causes (the most specific first), exposures, and every finding."""

    status: str
    causes: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def diagnose(cases: Sequence[Case], probe: Probe | None, progress: Progress) -> list[Diagnosis]:
    """What is wrong with each case; without a probe (a recorded run) only what can be observed."""
    known = modes()
    seen = [
        {name: found for name, mode in known.items() if case.level in mode.levels and (found := mode.strategy.observe(case))}
        for case in cases
    ]
    trials = [
        (i, _declared(known[name], case, found))
        for i, case in enumerate(cases)
        if not case.standing.sufficient and (probe is not None or case.level == "excluded")
        for name, found in seen[i].items()
    ]
    findings: list[list[Finding]] = [[] for _ in cases]
    for i, finding in _run(trials, cases, probe, progress):
        findings[i].append(finding)
    place = {name: i for i, name in enumerate(known)}
    for own in findings:
        own[:] = sorted(_told_apart(own), key=lambda f: place[f.cause])
    pairs = _pairs(cases, findings, known, probe)
    return [
        _conclude(case, own, pairs.get(i), [n for n in seen[i] if known[n].exposes], known, probe is not None)
        for i, (case, own) in enumerate(zip(cases, findings, strict=True))
    ]


def _declared(mode: Mode, case: Case, seen: Observation) -> Trial:
    """The mode's proof; its finding carries what the mode declares."""
    finding = yield from mode.strategy.prove(case, seen)
    if finding is None:
        return None
    return replace(finding, cause=mode.name, says=finding.says or mode.says, residual=mode.residual)


def _run(
    trials: Sequence[tuple[int, Trial]], cases: Sequence[Case], probe: Probe | None, progress: Progress
) -> list[tuple[int, Finding]]:
    """All trials side by side, in rounds: what they ask in one round is scored, and embedded, at once."""
    found: list[tuple[int, Finding]] = []
    waiting: list[tuple[int, Trial, Sequence[Outcome] | None]] = [(i, trial, None) for i, trial in trials]
    while waiting:
        asked: list[tuple[int, Trial, Sequence[Edit]]] = []
        for i, trial, outcomes in waiting:
            try:
                asked.append((i, trial, next(trial) if outcomes is None else trial.send(outcomes)))
            except StopIteration as stop:
                if stop.value is not None:
                    found.append((i, stop.value))
        progress("proving causes", len(trials) - len(asked), len(trials))
        edits = [(cases[i], edit) for i, _, own in asked for edit in own]
        results = iter(probe.outcomes(edits) if probe is not None and edits else [])
        waiting = [(i, trial, [next(results) for _ in own]) for i, trial, own in asked]
    return found


def _told_apart(findings: Sequence[Finding]) -> list[Finding]:
    """`findings`, less the proof of those that only step round what an approximate index misses.

    Where searching the same texts exactly suffices, their words, length and cut do no harm: new texts and other retrievers serve
    the query for the one reason that the index does not miss them as well.
    """
    if not any(f.proved and f.edit.retriever == EXACT for f in findings):
        return list(findings)

    def told(finding: Finding) -> Finding:
        if finding.edit.retriever == EXACT or finding.edit == Edit(finding.edit.removed):
            return finding
        detail = {**finding.detail, "exact_as_well": True}
        return replace(
            finding, proved=False, detail=detail, control=Control(1, 1, finding.placebo_p, "exact search alone does as well")
        )

    return [told(finding) for finding in findings]


def _pairs(
    cases: Sequence[Case], findings: Sequence[Sequence[Finding]], known: Mapping[str, Mode], probe: Probe | None
) -> dict[int, tuple[str, str]]:
    """Where no single repair suffices, the first two that do together; words added to a query are no repair of the pipeline."""
    tried = [
        (i, (a.cause, b.cause), edit)
        for i, own in enumerate(findings)
        if not any(f.proved and not known[f.cause].residual for f in own)
        for a, b in combinations([f for f in own if f.edit != Edit() and not f.edit.query and not f.after.sufficient], 2)
        if (edit := a.edit.with_(b.edit)) is not None
    ]
    if probe is None or not tried:
        return {}
    outcomes = probe.outcomes([(cases[i], edit) for i, _, edit in tried])
    enough: dict[int, tuple[str, str]] = {}
    for (i, pair, _), outcome in zip(tried, outcomes, strict=True):
        if outcome.standing.sufficient:
            enough.setdefault(i, pair)
    return enough


def _conclude(
    case: Case,
    findings: Sequence[Finding],
    pair: tuple[str, str] | None,
    seen: Sequence[str],
    known: Mapping[str, Mode],
    proven: bool,
) -> Diagnosis:
    """Status and causes from the findings: see "Status" in docs/method.md."""
    if case.level == "excluded":
        return Diagnosis("excluded", findings=tuple(findings))
    if case.standing.sufficient:
        return Diagnosis("ok", exposures=tuple(seen))
    if not proven:
        return Diagnosis("not_decidable", exposures=tuple(seen))
    proved = [f.cause for f in findings if f.proved and not known[f.cause].residual]
    residual = [f.cause for f in findings if f.proved and known[f.cause].residual]
    if proved:
        status, causes = ("caused" if len(proved) == 1 else "over-determined"), proved
    elif any(f.unattainable for f in findings):
        status, causes = "unattainable", []
    elif residual:
        # Two removals together do what a larger k does; one cause is the simpler story.
        status, causes = "caused", residual[:1]
    elif pair:
        status, causes = "compound", list(pair)
    else:
        status, causes = "undetermined", []
    harmless = tuple(name for name in seen if name not in causes)
    return Diagnosis(status, tuple(causes), harmless, tuple(findings))
