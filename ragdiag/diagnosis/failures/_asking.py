"""Questions put otherwise than they were: what an addition of other words, as many and as rare, comes to beside it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import chain

from ragdiag.core.proofs import Control, Edit, Outcome
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.failures._words import telling
from ragdiag.text.words import words

__all__ = ["NEAR", "by_other_words", "evidence_words", "new_words"]

NEAR = 4
"""Contexts down to which chunks lend their words, or the titles that they name, to a control."""


def evidence_words(case: Case) -> set[str]:
    """The words of all chunks that hold any of the query's evidence."""
    return {word for c in case.evidence for word in words(case.setting.text(case.setting.span(c)))}


def new_words(case: Case, text: str) -> list[str]:
    """The telling words of another way to ask that the query lacks, each once."""
    asked = set(words(case.query.text))
    return list(dict.fromkeys(word for word in telling(text) if word not in asked))


def by_other_words(
    case: Case, new: Sequence[str], first: Sequence[str], most: int
) -> Generator[Sequence[Edit], Sequence[Outcome], Control | None]:
    """The control of a question that is put with `new` words: the query with as many others in their place.

    They are words of `first` and of the best ranked chunks that neither the evidence nor the query has, as many and as rare as
    the new ones that the evidence has; `most` times others. None where there are not enough.
    """
    of_evidence = evidence_words(case)
    held = {*of_evidence, *words(case.query.text), *new}
    new = [word for word in new if word in of_evidence] or new
    ranked = (telling(case.setting.text(case.setting.span(c))) for c in case.ranking[: NEAR * case.length].tolist())
    free = [word for word in dict.fromkeys(chain(first, *ranked)) if word not in held]
    edits = list[Edit]()
    while len(edits) < most and len(free) >= len(new):
        edits.append(Edit(query=" ".join([case.query.text, *_taken(case, new, free)])))
    if not edits or not new:
        return None
    outcomes = yield edits
    as_well = sum(outcome.standing.sufficient for outcome in outcomes)
    return Control(len(edits), as_well, None, f"{as_well} of {len(edits)} additions of as many other words, as rare, do as well")


def _taken(case: Case, like: Sequence[str], free: list[str]) -> list[str]:
    """For each word of `like` the one of `free` that is most nearly as rare, taken out of these."""
    idf, picked = case.setting.idf, list[str]()
    for word in like:
        picked.append(min(free, key=lambda other: (abs(idf(other) - idf(word)), other)))
        free.remove(picked[-1])
    return picked
