"""Does a question ask for several things, or do its passages each answer it? Told by words, which are English ones for parts."""

from __future__ import annotations

import re

from ragdiag.diagnosis.cases import Case, Group
from ragdiag.diagnosis.failures._words import telling
from ragdiag.text.words import words

JOINED = re.compile(
    r"\b(?:and|or|both|nor|also|versus|vs|than|compared?|comparing|differ|differs|difference|differences|between|besides|"
    r"respectively|as well as)\b",
    re.IGNORECASE,
)
"""Words that join the parts of a question, or compare them."""

CLAUSE = 3
"""Words of the shortest of several questions in one."""

NAME = re.compile(r"\b[A-Z\d][\w.\-]*")

ALIKE = 0.6
"""The share of a passage's words that another has too, from which the two may say the same."""

HELD = 0.9
"""The share of the reference answer's words that a passage holds, from which the answer stands there."""


def asks_in_parts(case: Case) -> bool:
    """Whether the question has parts that stand in different passages, some of which the context lacks.

    It has parts where it is several questions, joins or compares, or names several things; and both what the context holds
    and what it lacks have a word of the question (for names: a name) that the other does not have.
    """
    text = case.query.text
    lacking, covered = _words_of(case, case.targets), _words_of(case, _covered(case))
    asked = set(telling(text))
    apart = bool(asked & lacking - covered and asked & covered - lacking)
    clauses = [part for part in re.split(r"[?;]", text) if len(words(part)) >= CLAUSE]
    if apart and (len(clauses) > 1 or JOINED.search(text)):
        return True
    names = {word for name in NAME.findall(text.partition(" ")[2]) for word in telling(name)}
    return bool(names & lacking - covered and names & covered - lacking)


def may_each_do(case: Case) -> str:
    """Why the passages that the context holds may do without those that it lacks; "" where nothing says so.

    A question in parts needs them all. Of another, what is held may do where it has the reference answer and the rest brings no
    more than one word of the question, where the rest says much the same, and where the query is a statement and the rest stands
    in the same documents.
    """
    if asks_in_parts(case):
        return ""
    held = _covered(case)
    lacking, covered = _words_of(case, case.targets), _words_of(case, held)
    asked = set(telling(case.query.text))
    if len(asked & lacking - covered) <= 1 and any(_holds(covered, answer, asked) for answer in case.query.answers):
        return "what the context holds has the reference answer"
    if all(_alike(_words_of(case, (g,)), covered) for g in case.targets):
        return "what it lacks says much the same as what it holds"
    documents = {span.document for g in held for span in g.needed}
    beside = all(any(span.document in documents for span in g.needed) for g in case.targets)
    if beside and case.query.text.rstrip().endswith("."):
        return "the query is a statement, and a passage of the same document may bear it out alone"
    return ""


def _covered(case: Case) -> tuple[Group, ...]:
    return tuple(g for g in case.groups if g.covered)


def _words_of(case: Case, groups: tuple[Group, ...]) -> set[str]:
    """The words, numbers too, of what is needed for any of `groups`."""
    return {word for g in groups for span in g.needed for word in words(case.setting.text(span))}


def _holds(held: set[str], answer: str, asked: set[str]) -> bool:
    """Whether nearly all words of a reference answer that the question does not have stand there."""
    own = {w for w in words(answer) if (w.isdigit() or telling(w)) and w not in asked}
    return bool(own) and len(own & held) >= HELD * len(own)


def _alike(passage: set[str], covered: set[str]) -> bool:
    """Whether most words that say what a passage is about stand in what is covered."""
    own = set(telling(" ".join(passage)))
    return bool(own) and len(own & covered) >= ALIKE * len(own)
