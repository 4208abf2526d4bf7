"""Proofs through an encoder that cannot read the words: they prove nothing about what the words mean."""

from __future__ import annotations

from ragdiag.core.proofs import Finding
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.unproved import without_proof

__all__ = ["MOST_UNREAD", "read", "understood"]

MOST_UNREAD = 0.2
"""Where the encoder cannot read more than this share of the words of the query, or of the evidence, what it makes of them is
chance.
"""


MOST_BROKEN = 0.15
"""The share of the corpus's words in three pieces or more from which on an encoder was trained for another language."""


def read(case: Case, finding: Finding) -> Finding:
    """A finding of a mode that rests on what an encoder makes of words, without its proof where that one cannot read them.

    That is the encoder of the index, or of another retriever that was tried.
    """
    share = _unread(case, finding)
    why = f"the encoder cannot read {share:.0%} of the words; take one that was trained for the language"
    return without_proof(finding, why, unread=round(share, 3)) if share > MOST_UNREAD else finding


def understood(case: Case, finding: Finding) -> Finding:
    """A finding whose repair moves the evidence by what an encoder makes of it, without its proof where that one cuts the
    corpus's words in pieces: it was trained for another language, and where it puts a text is mostly chance.
    """
    share = case.setting.broken(finding.edit.retriever) if finding.proved else 0.0
    why = f"the encoder cuts {share:.0%} of the words in three pieces or more; take one that was trained for the language"
    return without_proof(finding, why, broken=round(share, 3)) if share > MOST_BROKEN else finding


def _unread(case: Case, finding: Finding) -> float:
    """The share of words that the encoder asked cannot read: of the query, or of a passage, whichever is more."""
    setting, retriever = case.setting, finding.edit.retriever
    if not setting.readers:
        return 0.0
    passages = [setting.text(group.spans[0]) for group in case.targets]
    texts = [case.query.text, *passages]
    return max(setting.unread(text, name) for text in texts for name in dict.fromkeys(("", retriever)))
