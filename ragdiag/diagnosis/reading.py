"""Proofs through an encoder that cannot read the words: they prove nothing about what the words mean."""

from __future__ import annotations

from collections.abc import Sequence

from ragdiag.core.proofs import Finding
from ragdiag.diagnosis.cases import Case

__all__ = ["MOST_UNREAD", "read"]

MOST_UNREAD = 0.2
"""Where the encoder cannot read more than this share of the words of the query, or of the evidence, what it makes of them is
chance.
"""


def read(case: Case, findings: Sequence[Finding]) -> list[Finding]:
    """`findings` of modes that rest on what an encoder makes of words, without the proof of those that it cannot read.

    That is the encoder of the index, and for another retriever that was tried, the encoder of that one.
    """
    shares = [_unread(case, finding) for finding in findings]
    return [_unproved(f, share) if share > MOST_UNREAD else f for f, share in zip(findings, shares, strict=True)]


def _unproved(finding: Finding, share: float) -> Finding:
    why = f"the encoder cannot read {share:.0%} of the words; take one that was trained for the language"
    return without_proof(finding, why, unread=round(share, 3))


def _unread(case: Case, finding: Finding) -> float:
    """The share of words that the encoder asked cannot read: of the query, or of a passage, whichever is more."""
    setting, retriever = case.setting, finding.edit.retriever
    if not setting.readers:
        return 0.0
    passages = [setting.text(group.spans[0]) for group in case.targets]
    texts = [case.query.text, *passages]
    return max(setting.unread(text, name) for text in texts for name in dict.fromkeys(("", retriever)))
