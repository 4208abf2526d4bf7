"""An answer in another language than its reference: what is told in words cannot be compared with it."""

from __future__ import annotations

from ragdiag.answering.judges._case import Case
from ragdiag.answering.judges._text import STOP_WORDS, words
from ragdiag.core.opinions import DOUBTFUL, Opinion
from ragdiag.text.languages import function_words, language

IN_WORDS = frozenset(("too_few_facts", "neither_yes_nor_no", "item_missing", "same_yes_or_no", "denied"))
"""Rules that find an answer wrong for want of the reference's words."""

LATIN = ("german", "french", "spanish", "italian", "portuguese", "dutch")
TELLING = 5
"""Different words of a text that is told by words which languages share."""

LEAST = 3
"""Words: fewer tell no language."""


def tongue(text: str) -> str:
    """The language of `text`; in Latin letters also by words that several languages share, where hardly one is English."""
    found = language(text)
    told = set(words(text)) if not found and text.isprintable() else set()
    if len(told) < TELLING:
        return found
    english = len(told & STOP_WORDS)
    n, name = max((len(told & function_words(name)), name) for name in LATIN)
    return name.capitalize() if n >= english + 2 and english < 2 else ""


def in_its_language(case: Case, opinion: Opinion) -> Opinion:
    """`opinion`, which says so where the answer is in another language; doubtful where no number and no name decided it."""
    spoken = tongue(case.answer) if len(case.answer.split()) >= LEAST else ""
    expected = spoken and (language(case.gold) or tongue(case.question))
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
