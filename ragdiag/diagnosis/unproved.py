"""Findings that prove nothing, or point to a cause without proof, and the reasons that hold for every failure mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ragdiag.core.errors import Untestable
from ragdiag.core.proofs import Control, Edit, Finding, Row
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.modes import Mode

__all__ = [
    "FAR", "as_well", "chosen_by_ids", "hint", "nearly", "rises", "told_apart", "unread", "untestable", "without_proof",
]  # fmt: skip

UNREAD = "truncated"
"""The failure mode of evidence that an encoder does not read."""

FAR = 2
"""Contexts below which evidence is far off: what brings it in from there moved it, wherever in the context it comes to stand."""

ENOUGH, SELDOM = 9, 0.2
"""Controls of a hint at least, and the share of them that may do as well."""

FEW = 4
"""Chunks of a context from which on its first place and the first one below it are near each other."""


def without_proof(finding: Finding, why: str, **detail: object) -> Finding:
    """`finding` as one that proves nothing; `why` is said in place of its control."""
    control = Control(0, 0, None, f"proves nothing: {why}")
    return replace(finding, proved=False, detail={**finding.detail, **detail}, control=control)


def hint(finding: Finding, why: str, **detail: object) -> Finding:
    """A proved finding as one that only points to its cause: it counts where no other does; `why` is said beside its control."""
    rows = (*(finding.rows or ()), Row.of("hint", why))
    return replace(finding, residual=True, rows=rows, detail={**finding.detail, **detail})


def chosen_by_ids(case: Case, finding: Finding) -> Finding:
    """A finding about a query whose evidence has the score of the last chunk of its context, so that only ids left it out.

    Whatever takes a chunk from the context, or moves one a little, brings it in: that proves nothing. More context is what it
    lacks. Not so where the query is put otherwise, and other changes of it do not bring the evidence in.
    """
    if finding.edit.query and finding.control is not None and finding.control.tried and not finding.control.as_well:
        return finding
    why = "the evidence has the same score as the last chunk of the context, and only ids chose between them"
    return without_proof(finding, why, tied=True) if case.is_tied else finding


def as_well(finding: Finding) -> Finding:
    """A finding whose control does as well half of the time or more: no cause, whatever restored the query."""
    return replace(finding, proved=False) if finding.as_well and not finding.residual else finding


def untestable(case: Case, cause: str, observation: Observation, why: Untestable) -> Finding:
    """A finding about what may be wrong, and cannot be tested on this index: not said to be wrong, nor ruled out."""
    says = f"cannot be tested on this index: {why}"
    control = Control(0, 0, None, says)
    detail = {"untestable": str(why)}
    return case.finding(cause, observation, "none", case.standing, "", proved=False, detail=detail, control=control, rows=())


def nearly(case: Case, finding: Finding) -> Finding:
    """A hint, where other texts in the index suffice and the control does as well too often for a proof, but seldom."""
    control = finding.control
    if finding.proved or control is None or not (finding.after.sufficient and finding.edit.added):
        return finding
    if control.tried < ENOUGH or not 0 < control.as_well <= SELDOM * control.tried:
        return finding
    return hint(replace(finding, proved=True), "the control does as well too often for a proof")


def rises(case: Case, finding: Finding) -> Finding:
    """A finding whose repair raises the evidence: a hint where that is from just below the context.

    That is from the first place below it, or from two contexts or less to its lower half. Of 35 findings on public sets that rose
    so far to rank 3 to 5 of 5, 9 were right when read; of 58 that rose to rank 1 or 2, 40; of 5 that rose from rank 6, wherever
    to, none.
    """
    before, after = finding.before.rank, finding.after.rank
    if before is None or after is None or not finding.proved:
        return finding
    first = case.length >= FEW and before == case.length + 1
    if not first and (before >= FAR * case.length or after <= case.upper):
        return finding
    why = f"it rises from rank {before} to {after} only, as by many a change"
    # That another retriever serves it is said by `other_retriever`, a hint of its own.
    return without_proof(finding, why, small_rise=True) if finding.edit.retriever else hint(finding, why, small_rise=True)


def unread(findings: Sequence[Finding]) -> list[Finding]:
    """`findings`, less the proof of those that rest on another retriever where it cannot be tested whether the encoder read the
    evidence: one that does read it finds it, whatever its words.
    """
    if not any(f.cause == UNREAD and "untestable" in f.detail for f in findings):
        return list(findings)
    why = "it cannot be told whether what embeds reads the evidence at all"
    return [without_proof(f, why) if f.edit.retriever and f.proved and not f.residual else f for f in findings]


def told_apart(findings: Sequence[Finding], known: Mapping[str, Mode]) -> list[Finding]:
    """`findings`, less the proof of those that only step round what an approximate index misses, or a vector that is none of its
    text.

    Where searching the same texts exactly suffices, or embedding them anew, their words, length and cut do no harm: new texts
    and other retrievers serve the query for the one reason that the index does not miss these, or that their vectors are right.
    """
    repair = next((f for f in findings if f.proved and known[f.cause].alone), None)
    if repair is None:
        return list(findings)

    def without_proof(finding: Finding) -> Finding:
        removed = finding.edit.removed
        only_drops = finding.edit == Edit(removed) and not (removed and removed <= repair.edit.removed)
        if known[finding.cause].alone or only_drops:
            return finding
        detail = {**finding.detail, "exact_as_well": True}
        return replace(
            finding,
            proved=False,
            detail=detail,
            control=Control(1, 1, finding.placebo_p, f"{known[repair.cause].alone} alone does as well"),
        )

    return [without_proof(finding) for finding in findings]
