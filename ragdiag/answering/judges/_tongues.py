"""An answer in another language than its reference: what is told in words cannot be compared with it."""

from __future__ import annotations

from ragdiag.answering.judges._case import Case
from ragdiag.core.opinions import DOUBTFUL, Opinion
from ragdiag.text.languages import language

IN_WORDS = frozenset(("too_few_facts", "neither_yes_nor_no", "item_missing", "same_yes_or_no", "denied"))
"""Rules that find an answer wrong for want of the reference's words."""

LEAST = 3
"""Words: fewer tell no language."""


def in_its_language(case: Case, opinion: Opinion) -> Opinion:
    """`opinion`, which says so where the answer is in another language; doubtful where no number and no name decided it."""
    if len(case.answer.split()) < LEAST:
        return opinion
    spoken = language(case.answer)
    expected = spoken and (language(case.gold) or language(case.question))
    if not expected or spoken == expected:
        return opinion
    why = f"{opinion.why}; the answer is in {spoken}, not in {expected}"
    common = opinion.rule == "name_missing" and not any(c.isupper() or c.isdigit() for c in case.gold)
    if opinion.correct or opinion.kind or not (common or opinion.rule in IN_WORDS):
        return opinion._replace(why=why)
    return opinion._replace(why=why, kind=DOUBTFUL)
