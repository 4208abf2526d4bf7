"""Answers that give the reference's value to something else than what was asked about, and another value to that."""

from __future__ import annotations

import re

from ragdiag.answering.judges._conclusion import stated
from ragdiag.answering.judges._numbers import Quantity, agree, quantities
from ragdiag.answering.judges._polarity import NEGATIVE
from ragdiag.answering.judges._text import POINTED, content, flat, words

LONGEST = 60
"""Words: a longer answer explains, and the value may stand far from the words of the question."""

SPLIT = re.compile(r"[\n;]|(?<=\D)[.!?]\s+|,?\s+\b(?:while|whereas|but|and)\b\s+", re.IGNORECASE)
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
    about = set(content(question))
    clauses = [(c, found, about & set(content(c))) for c in SPLIT.split(answer) if (found := _of_kind(gold, c))]
    ours = [c for c in clauses if any(agree(gold, q, falling=True) for q in c[1])]
    others = [c for c in clauses if c not in ours]
    if not ours or not others:
        return ""
    best = max(others, key=lambda c: len(c[2]))
    shared = set[str]().union(*(c[2] for c in ours))
    told_before = all(EARLIER.search(c[0]) for c in ours) and bool(NOW.search(best[0])) and not PAST.search(question)
    of_another = bool(gold.unit) and bool(best[2] - shared) and shared < best[2]
    return best[1][0].text if told_before or of_another else ""


def _of_kind(gold: Quantity, clause: str) -> list[Quantity]:
    return [q for q in quantities(clause) if q.unit == gold.unit]


def another_name(question: str, name: str, answer: str) -> bool:
    """Whether `answer` names another thing where it speaks of what is asked about, and `name` only where it goes on."""
    if len(answer.split()) > LONGEST:
        return False
    about, wanted = set(content(question)), set(words(name))
    clauses = [(c, about & set(content(c))) for c in SPLIT.split(answer) if c.strip()]
    ours = [c for c in clauses if wanted <= set(words(c[0]))]
    others = [c for c in clauses if c not in ours]
    if not ours or not others:
        return False
    best = max(others, key=lambda c: len(c[1]))
    kin = flat(name)[:6] in flat(best[0])
    if kin or any(len(c[1]) >= len(best[1]) for c in ours) or 2 * len(best[1]) < len(about):
        return False
    if not name[:1].isupper():
        pointed = re.compile(rf"\b(?:the|a|an|another) {re.escape(flat(name))} ones?\b")
        return all(pointed.search(flat(c[0])) or POINTED.search(c[0]) for c in ours)
    known = set(words(question)) | wanted
    rival = any(token.lower() not in known for token in CAPITAL.findall(best[0]))
    return rival and all(ALSO.search(flat(c[0]).partition(words(name)[0])[0]) for c in ours)


def turned_round(question: str, gold: str, answer: str) -> bool:
    """Whether `answer` denies what `gold` affirms and affirms what it denies: two words or more, and no word alike."""
    one, other = (_by_clause(text, set(content(question))) for text in (gold, answer))
    shared = one.keys() & other.keys()
    return len(shared) > 1 and all(one[word] != other[word] for word in shared)


def _by_clause(text: str, known: set[str]) -> dict[str, bool]:
    """The words of `text` beyond the `known` ones, and whether their clause denies."""
    clauses = PARTS.split(text)
    return {word: bool(NEGATIVE.search(c)) for c in clauses for word in content(c) if word not in known}
