"""From cases to causes: every failure mode that applies to a failing query intervenes; what restores sufficiency is a cause."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple, TypeVar

from ragdiag.core.errors import Untestable
from ragdiag.core.proofs import Edit, Finding, Outcome, Trial
from ragdiag.core.protocols import Progress
from ragdiag.diagnosis import staged
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.losses import matters
from ragdiag.diagnosis.marginal import is_marginal
from ragdiag.diagnosis.modes import Mode, modes
from ragdiag.diagnosis.probe import Probe
from ragdiag.diagnosis.reading import read, understood
from ragdiag.diagnosis.swaps import ASKED, controlled
from ragdiag.diagnosis.unproved import as_well, chosen_by_ids, nearly, rises, told_apart, unread, untestable
from ragdiag.diagnosis.weights import unproved

__all__ = ["Diagnosis", "diagnose"]

T = TypeVar("T")


class Diagnosis(NamedTuple):
    """What is wrong with one query: status, causes (the most specific first), exposures, every finding; whether it only just
    fails (`marginal.is_marginal`).
    """

    status: str
    causes: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    marginal: bool = False


def diagnose(
    cases: Sequence[Case], probe: Probe | None, progress: Progress, asked: Collection[int] | None = None
) -> list[Diagnosis]:
    """What is wrong with each case; without a probe (a recorded run) only what can be observed, and what its stages prove.

    The gates of the failure modes see what may be wrong; trials find what mends it; tests take the proof from findings that
    something else would explain; the conclusion follows from what is left.

    `asked` are the places of the cases that are asked about, None for all. Others are looked at only where a finding rests on
    another retriever, and only for what that does for them: what else is said of them is of no use.
    """
    known = modes()
    here = range(len(cases)) if asked is None else asked
    observed = _gated(cases, here, known)
    findings = _found(cases, observed, known, probe, progress)
    if len(here) < len(cases) and _rests_on_a_retriever(findings, here):
        others = _others(cases, here, known)
        swapped = [{ASKED: seen[ASKED]} if ASKED in seen else {} for seen in others]
        observed = _filled(observed, others)
        findings = _filled(findings, _found(cases, swapped, known, probe, progress))
    tested = _tested(cases, observed, findings, known, probe)
    pairs = staged.two_together(cases, tested, known) if probe is None else _pairs(cases, tested, probe)
    risks = [_risks(seen, known) for seen in observed]
    return [_conclude(case, tested[i], pairs.get(i), risks[i], bool(probe or tested[i])) for i, case in enumerate(cases)]


def _gated(cases: Sequence[Case], places: Collection[int], known: Mapping[str, Mode]) -> list[dict[str, Observation]]:
    """What the gates see in each case at one of `places`; nothing of others."""
    return [_observed(case, _looked_for(case, known)) if i in places else {} for i, case in enumerate(cases)]


def _others(cases: Sequence[Case], here: Collection[int], known: Mapping[str, Mode]) -> list[dict[str, Observation]]:
    """What the gates that have to do with other retrievers see in the failing cases that are not `here`."""
    compared = {name: mode for name, mode in known.items() if mode.swaps or name == ASKED}
    failing = {i for i, case in enumerate(cases) if i not in here and _fails(case)}
    return _gated(cases, failing, compared)


def _found(
    cases: Sequence[Case],
    observed: Sequence[Mapping[str, Observation]],
    known: Mapping[str, Mode],
    probe: Probe | None,
    progress: Progress,
) -> list[list[Finding]]:
    """What the trials of all that was observed find in each case."""
    return _run(list(_trials(cases, observed, known, probe is not None)), cases, probe, progress)


def _rests_on_a_retriever(findings: Sequence[Sequence[Finding]], here: Collection[int]) -> bool:
    """Whether a finding of the cases `here` rests on another retriever, so that other cases have to be its control."""
    return any(f.edit.retriever and not f.residual for i in here for f in findings[i])


def _filled(own: Sequence[T], others: Sequence[T]) -> list[T]:
    """What each case has of its own; where that is nothing, what stands in its place among `others`."""
    return [one or other for one, other in zip(own, others, strict=True)]


def _risks(observed: Mapping[str, Observation], known: Mapping[str, Mode]) -> list[str]:
    """The modes observed that expose."""
    return [name for name in observed if known[name].exposes]


def _looked_for(case: Case, known: Mapping[str, Mode]) -> Mapping[str, Mode]:
    """The failure modes that may be seen in a case: where it does not fail only those that expose."""
    return known if _fails(case) else {name: mode for name, mode in known.items() if mode.exposes}


def _fails(case: Case) -> bool:
    """Whether something is to be proved of a case."""
    return case.level == "excluded" or not (case.standing.sufficient or case.answered)


def _tested(
    cases: Sequence[Case],
    observed: Sequence[Mapping[str, Observation]],
    findings: Sequence[Sequence[Finding]],
    known: Mapping[str, Mode],
    probe: Probe | None,
) -> list[list[Finding]]:
    """The findings of each case, causes first, by place, without the proof of those that something else would explain."""
    place = {name: i for i, name in enumerate(known)}
    told = staged.told(cases, controlled(cases, observed, findings), known)
    if probe is not None:
        told = [unproved(case, of_case, probe.weights_of) for case, of_case in zip(cases, told, strict=True)]
    told = [told_apart(unread(_told(case, of_case, known)), known) for case, of_case in zip(cases, told, strict=True)]
    return [sorted(of_case, key=lambda f: (not f.proved or f.residual, place[f.cause])) for of_case in told]


def _told(case: Case, findings: Sequence[Finding], known: Mapping[str, Mode]) -> list[Finding]:
    """`findings`, without the proof of those that something else may explain: each test looks at what its modes declare."""
    told = list(map(as_well, findings))
    for applies, without in TESTS:
        told = [without(case, f) if applies(known[f.cause]) else f for f in told]
    return told


TESTS: tuple[tuple[Callable[[Mode], bool], Callable[[Case, Finding], Finding]], ...] = (
    (lambda mode: mode.reads, read),
    (lambda mode: mode.reads and mode.by_degrees, understood),
    (lambda mode: mode.of_cuts, matters),
    (lambda mode: not mode.residual, nearly),
    (lambda mode: mode.by_degrees, rises),
    (lambda mode: not (mode.residual or mode.of_copies), chosen_by_ids),
)
"""What takes the proof of a finding or makes it a hint, and for which modes, in this order."""


def _observed(case: Case, known: Mapping[str, Mode]) -> dict[str, Observation]:
    """What is seen of each failure mode that the case's labels can decide."""
    deciding = {name: mode.strategy for name, mode in known.items() if case.level in mode.levels}
    observations = {name: strategy.observe(case) for name, strategy in deciding.items()}
    return {name: observation for name, observation in observations.items() if observation is not None}


def _trials(
    cases: Sequence[Case], observed: Sequence[Mapping[str, Observation]], known: Mapping[str, Mode], probed: bool
) -> Iterator[tuple[int, Trial]]:
    """A proof for each mode seen in a failing case, with the place of the case; without a probe, where none is needed."""
    for i, case in enumerate(cases):
        anyway = probed or case.level == "excluded"
        seen = observed[i] if _fails(case) else {}
        yield from ((i, _declared(known[name], case, own)) for name, own in seen.items() if anyway or known[name].stage)


def _declared(mode: Mode, case: Case, seen: Observation) -> Trial:
    """The mode's proof; its finding carries what the mode declares. What cannot be tested is said in one."""
    finding: Finding | None
    try:
        finding = yield from mode.strategy.prove(case, seen)
    except Untestable as e:
        finding = untestable(case, mode.name, seen, e)
    if finding is None:
        return None
    says, open_ = finding.says or mode.says, finding.cannot_tell or mode.cannot_tell
    return replace(finding, cause=mode.name, says=says, cannot_tell=open_, residual=mode.residual or finding.residual)


def _run(
    trials: Sequence[tuple[int, Trial]], cases: Sequence[Case], probe: Probe | None, progress: Progress
) -> list[list[Finding]]:
    """The findings of each case. All trials go side by side, in rounds: what they ask in one round is searched at once."""
    findings: list[list[Finding]] = [[] for _ in cases]
    waiting: list[tuple[int, Trial, Sequence[Outcome | Untestable] | None]] = [(i, trial, None) for i, trial in trials]
    while waiting:
        asking: list[tuple[int, Trial, Sequence[Edit]]] = []
        for i, trial, outcomes in waiting:
            step = _advanced(trial, outcomes)
            if isinstance(step, Finding):
                findings[i].append(step)
            elif step is not None:
                asking.append((i, trial, step))
        progress("proving causes", len(trials) - len(asking), len(trials))
        edits = [(cases[i], edit) for i, _, of_trial in asking for edit in of_trial]
        results = iter(probe.outcomes(edits) if probe is not None else [])
        waiting = [(i, trial, [next(results) for _ in of_trial]) for i, trial, of_trial in asking]
    return findings


def _advanced(trial: Trial, outcomes: Sequence[Outcome | Untestable] | None) -> Sequence[Edit] | Finding | None:
    """What a trial asks for next, sent what came of its last edits (None at its start); at its end its finding, or None.

    Where one of these could not be tested, that is thrown into it: no part of a proof, or of its control, is left out.
    """
    try:
        if outcomes is None:
            return next(trial)
        refused = next((outcome for outcome in outcomes if isinstance(outcome, Untestable)), None)
        if refused is not None:
            return trial.throw(refused)
        return trial.send([outcome for outcome in outcomes if isinstance(outcome, Outcome)])
    except StopIteration as stop:
        finding: Finding | None = stop.value
        return finding


def _pairs(cases: Sequence[Case], findings: Sequence[Sequence[Finding]], probe: Probe) -> dict[int, tuple[str, str]]:
    """Where no single repair suffices, the first two that do together."""
    tried = [
        (i, (one.cause, other.cause), edit)
        for i, of_case in enumerate(findings)
        if not any(f.proved and not f.residual for f in of_case)
        for one, other in combinations(filter(_may_be_half, of_case), 2)
        if (edit := one.edit.with_(other.edit)) is not None
    ]
    outcomes = probe.outcomes([(cases[i], edit) for i, _, edit in tried]) if tried else []
    enough: dict[int, tuple[str, str]] = {}
    for (i, pair, _), outcome in zip(tried, outcomes, strict=True):
        if isinstance(outcome, Outcome) and outcome.standing.sufficient:
            enough.setdefault(i, pair)
    return enough


def _may_be_half(finding: Finding) -> bool:
    """Whether a repair may be tried together with another. Words added to a query are no repair of the pipeline, and a residual
    one says nothing of what is wrong.
    """
    useful = finding.edit != Edit() and not (finding.edit.query or finding.after.sufficient or finding.residual)
    return useful and not {"worthless", "unread", "broken", "tied", "swap_as_well"} & finding.detail.keys()


def _conclude(
    case: Case, findings: Sequence[Finding], pair: tuple[str, str] | None, risks: Sequence[str], probed: bool
) -> Diagnosis:
    """Status and causes from the findings: see "Status" in docs/method.md. `risks` are modes seen that expose."""
    if case.level == "excluded":
        return Diagnosis("excluded", findings=tuple(findings))
    if case.standing.sufficient:
        return Diagnosis("ok", exposures=tuple(risks))
    if not probed:
        return Diagnosis("not_decidable", exposures=tuple(risks))
    status, causes = _status(findings, pair)
    exposures = tuple(name for name in risks if name not in causes)
    return Diagnosis(status, causes, exposures, tuple(findings), is_marginal(case, findings))


def _status(findings: Sequence[Finding], pair: tuple[str, str] | None) -> tuple[str, tuple[str, ...]]:
    """What the findings of a failing query come to; `pair` are two repairs that suffice together."""
    proved = [f for f in findings if f.proved]
    causes = tuple(f.cause for f in proved if not f.residual)
    if causes:
        return ("caused" if len(causes) == 1 else "over-determined"), causes
    if any(f.unattainable for f in findings):
        return "unattainable", ()
    return _unproved(findings, proved, pair)


def _unproved(findings: Sequence[Finding], hints: Sequence[Finding], pair: tuple[str, str] | None) -> tuple[str, tuple[str, ...]]:
    """What the findings come to where no cause is proved: `hints` are the residual ones.

    Where something more specific could not be tested, that may be what is wrong, and no residual cause stands in its place.
    `findings` are sorted by place.
    """
    below = findings.index(hints[0]) if hints else len(findings)
    if any("untestable" in f.detail and (at < below or not f.residual) for at, f in enumerate(findings)):
        return "not_decidable", ()
    if hints:
        # Two removals together do what a larger k does; one cause is the simpler story.
        return "caused", (hints[0].cause,)
    return ("compound", pair) if pair else ("undetermined", ())
