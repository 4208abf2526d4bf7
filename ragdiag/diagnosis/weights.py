"""Matches that count for nothing or less: where a statistic made of few texts chose the context, no repair of it is a proof.

Okapi's idf is 0 for a word in half of the texts, and its floor for more frequent ones is below 0 where the mean idf is. Then what
answers a query ranks below what shares no word with it, whatever a repair does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ragdiag.core.proofs import Edit, Finding
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.unproved import without_proof

__all__ = ["FEW_TEXTS", "REMEDY", "unproved", "worthless"]

FEW_TEXTS = 30
"""In an index of fewer texts, how many have a word says little of how rare it is."""

REMEDY = "bm25(variant=plus), in which every match counts"

Weigh = Callable[[Edit, str], Mapping[str, float]]
"""The words of a text with their weights, in the index that an edit asks."""


def worthless(weigh: Callable[[str], Mapping[str, float]], case: Case, query: str) -> dict[str, float]:
    """The words of a query that the chunks with its evidence have too, and that weigh 0 or less; none where that decides nothing.

    It decides where one weighs less than 0, so that a match counts against the evidence, or none more, so that none counts.
    """
    weights = weigh(query)
    if min(weights.values(), default=1.0) > 0:
        return {}
    setting = case.setting
    held = {word for chunk in case.evidence for word in weigh(setting.embed(setting.span(chunk)))}
    shared = {word: weights[word] for word in sorted(weights.keys() & held)}
    decides = min(shared.values(), default=0.0) < 0 or max(shared.values(), default=0.0) <= 0
    return {word: weight for word, weight in shared.items() if weight <= 0} if decides else {}


def unproved(case: Case, findings: Sequence[Finding], weigh: Weigh) -> list[Finding]:
    """`findings` of a failing query without the proof of those that `worthless` words decided.

    Where the index itself ranks by such words, that is all of them; where only other words of the query, or another retriever, do
    so, it is those that ask for these.
    """
    own = worthless(lambda text: weigh(Edit(), text), case, case.query.text) if findings else {}

    def told(finding: Finding) -> Finding:
        edit, words = finding.edit, own
        if not own and finding.proved and (edit.query or edit.retriever):
            words = worthless(lambda text: weigh(edit, text), case, edit.query or case.query.text)
        return _without_proof(finding, words) if words else finding

    return [told(finding) for finding in findings]


def _without_proof(finding: Finding, words: Mapping[str, float]) -> Finding:
    """A finding that shows what was tried and proves nothing, with the words that are the reason."""
    shown = ", ".join(f"{word} {weight:.3g}" for word, weight in sorted(words.items(), key=lambda pair: (pair[1], pair[0])))
    why = f"words of the query that the evidence has weigh 0 or less ({shown}); try {REMEDY}"
    return without_proof(finding, why, worthless={word: round(weight, 6) for word, weight in words.items()})
