"""Findings that show what was tried and prove nothing, and the reasons that hold for every failure mode."""

from __future__ import annotations

from dataclasses import replace

from ragdiag.core.proofs import Control, Finding
from ragdiag.diagnosis.cases import Case
from ragdiag.text.analysis import STOP_WORDS
from ragdiag.text.words import words

__all__ = ["answered", "as_well", "chosen_by_ids", "rises", "without_proof"]

FAR = 2
"""Contexts below which evidence is far off: what brings it in from there moved it, wherever in the context it comes to stand."""


HELD, FEWEST = 0.8, 4
"""The share of a reference answer's own words from which a chunk has the answer, and how many words tell: fewer stand there by
chance.
"""


def without_proof(finding: Finding, why: str, **detail: object) -> Finding:
    """`finding` as one that proves nothing; `why` is said in place of its control."""
    control = Control(0, 0, None, f"proves nothing: {why}")
    return replace(finding, proved=False, detail={**finding.detail, **detail}, control=control)


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


def rises(case: Case, finding: Finding) -> Finding:
    """A finding whose repair raises the evidence: without its proof where that is from just below the context to its lower half.

    Of 35 findings on public sets that rose from two contexts or less to rank 3 to 5 of 5, 9 were right when read; of 58 that rose
    to rank 1 or 2, 40.
    """
    before, after = finding.before.rank, finding.after.rank
    if before is None or after is None or not finding.proved:
        return finding
    if before >= FAR * case.length or after <= case.upper:
        return finding
    return without_proof(finding, f"it raises the evidence from rank {before} to {after}, as many a change may", small_rise=True)


def answered(case: Case, finding: Finding) -> Finding:
    """A finding about evidence that is cut: without its proof where the context has the words of a reference answer.

    What the cut lost is then a remark, a footer, a pointer to other pages. Of 16 cuts read on public sets that is so in ten, of
    which none was right.
    """
    share = max((_held(case, answer) for answer in case.query.answers), default=0.0)
    if share < HELD or finding.unattainable:
        return finding
    return without_proof(
        finding, f"a chunk of the context has {share:.0%} of the reference answer's words", answered=round(share, 3)
    )


def _held(case: Case, answer: str) -> float:
    """Of an answer's words that the question lacks, the largest share that a chunk of the context has; 0 where they are few."""
    empty = STOP_WORDS["english"] | set(words(case.query.text))
    own = {word for word in words(answer) if word not in empty}
    chunks = (set(words(case.setting.text(case.setting.span(chunk)))) for chunk in case.context)
    return max((len(own & held) for held in chunks), default=0) / len(own) if len(own) >= FEWEST else 0.0
