"""Answers that give the reference's value to something else than what was asked about, and another value to that."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ragdiag.answering.judges._conclusion import stated
from ragdiag.answering.judges._numbers import Quantity, agree, quantities
from ragdiag.answering.judges._polarity import NEGATIVE
from ragdiag.answering.judges._text import POINTED, content, flat, words

LONGEST = 60
"""Words: a longer answer explains, and the value may stand far from the words of the question."""

SPLIT = re.compile(r"[\n;]|(?<=\D)[.!?]\s+|,?(?<!\s)\s+\b(?:while|whereas|but|and)\b\s+", re.IGNORECASE)
EARLIER = re.compile(
    r"\b(?:in the past|formerly|previously|used to|until|originally|once had|had been|before that)\b", re.IGNORECASE
)
NOW = re.compile(r"\b(?:since(?: then)?|today|now|nowadays|currently|at present|these days|has been)\b", re.IGNORECASE)
PAST = re.compile(r"\b(?:was|were|did|had|used to)\b|\b(?:19|20)\d\d\b", re.IGNORECASE)
ALSO = re.compile(r"\b(?:also|another|other|besides|too|as well)\b", re.IGNORECASE)
CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")

PARTS = re.compile(r"[;,.]|\b(?:and|but)\b")

NOT_BUT = re.compile(r"\bnot\s+((?:(?!but\b|not\b)[^\s.;]+\s+){1,4}?)but\s+(?=\S)", re.IGNORECASE)


def corrected(text: str) -> str:
    """``Not 12 but 14`` as 14: what is put right states the latter alone."""
    return NOT_BUT.sub(lambda m: m[0] if m[1].strip().lower() in ("only", "just", "merely", "simply") else "", text)


def another_figure(question: str, gold: Quantity, answer: str) -> str:
    """The figure of the kind of `gold` that `answer` gives to what is asked about, where it gives `gold` to something else."""
    if gold.unit == "year" or len(answer.split()) > LONGEST or "=" in answer or stated(answer):
        return ""
    clauses = [c for c in _clauses(question, answer) if _of_kind(gold, c.text)]
    parted = _parted(clauses, lambda c: _gives(gold, c))
    if parted is None:
        return ""
    ours, best = parted
    of_another = bool(gold.unit) and set[str]().union(*(c.asked for c in ours)) < best.asked
    return _of_kind(gold, best.text)[0].text if of_another or _told_before(question, ours, best) else ""


def _gives(gold: Quantity, clause: _Clause) -> bool:
    return any(agree(gold, q, falling=True) for q in _of_kind(gold, clause.text))


def _told_before(question: str, ours: Sequence[_Clause], best: _Clause) -> bool:
    """Whether the reference's value was so once, and another is today."""
    return all(EARLIER.search(c.text) for c in ours) and bool(NOW.search(best.text)) and not PAST.search(question)


class _Clause(NamedTuple):
    """A clause of an answer, and the question's words in it."""

    text: str
    asked: set[str]


def _parted(clauses: Sequence[_Clause], is_ours: Callable[[_Clause], bool]) -> tuple[list[_Clause], _Clause] | None:
    """The clauses that hold the reference's value, and that of the others with most of the question; None where one lacks."""
    ours = [c for c in clauses if is_ours(c)]
    others = [c for c in clauses if not is_ours(c)]
    return (ours, max(others, key=lambda c: len(c.asked))) if ours and others else None


def _clauses(question: str, answer: str) -> list[_Clause]:
    about = set(content(question))
    return [_Clause(c, about & set(content(c))) for c in SPLIT.split(answer) if c.strip()]


def _of_kind(gold: Quantity, clause: str) -> list[Quantity]:
    return [q for q in quantities(clause) if q.unit == gold.unit]


def another_name(question: str, name: str, answer: str) -> bool:
    """Whether `answer` names another thing where it speaks of what is asked about, and `name` only where it goes on."""
    if len(answer.split()) > LONGEST:
        return False
    about, wanted = set(content(question)), set(words(name))
    parted = _parted(_clauses(question, answer), lambda c: wanted <= set(words(c.text)))
    if parted is None:
        return False
    ours, best = parted
    kin = flat(name)[:6] in flat(best.text)
    if kin or max(len(c.asked) for c in ours) >= len(best.asked) or 2 * len(best.asked) < len(about):
        return False
    return _rivalled(question, name, best.text, [c.text for c in ours])


def _rivalled(question: str, name: str, best: str, ours: Sequence[str]) -> bool:
    """Whether a clause names another where `ours` name `name` as one more, or point at it as at another thing."""
    if not name[:1].isupper():
        pointed = re.compile(rf"\b(?:the|a|an|another) {re.escape(flat(name))} ones?\b")
        return all(pointed.search(flat(clause)) or POINTED.search(clause) for clause in ours)
    known = {*words(question), *words(name)}
    rival = any(token.lower() not in known for token in CAPITAL.findall(best))
    return rival and all(ALSO.search(flat(clause).partition(words(name)[0])[0]) for clause in ours)


def turned_round(question: str, gold: str, answer: str) -> bool:
    """Whether `answer` denies what `gold` affirms and affirms what it denies: two words or more, and no word alike."""
    one, other = (_by_clause(text, set(content(question))) for text in (gold, answer))
    shared = one.keys() & other.keys()
    return len(shared) > 1 and all(one[word] != other[word] for word in shared)


def _by_clause(text: str, known: set[str]) -> dict[str, bool]:
    """The words of `text` beyond the `known` ones, and whether their clause denies."""
    clauses = [(c, bool(NEGATIVE.search(c))) for c in PARTS.split(text)]
    return {word: denies for c, denies in clauses for word in content(c) if word not in known}
