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
    spoken = language(case.answer) if len(case.answer.split()) >= LEAST else ""
    expected = spoken and (language(case.gold) or language(case.question))
    if not expected or spoken == expected:
        return opinion
    open_ = not opinion.correct and not opinion.kind and _told_in_words(case, opinion.rule)
    why = f"{opinion.why}; the answer is in {spoken}, not in {expected}"
    return opinion._replace(why=why, kind=DOUBTFUL if open_ else opinion.kind)


def _told_in_words(case: Case, rule: str) -> bool:
    """Whether what `rule` missed could be there in the other language's words."""
    if rule == "name_missing":
        return not any(character.isupper() or character.isdigit() for character in case.gold)
    return rule in IN_WORDS
