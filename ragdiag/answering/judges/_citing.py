"""Marks by which an answer cites its contexts, ``[2]``, ``(source 3)``, ``[handbook]``, and the sentences that carry them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ragdiag.answering.judges._forms import joined
from ragdiag.answering.judges._plain import statements, unthought
from ragdiag.answering.judges._text import TURNS, refuses, words

_NAMED = r"(?:sources?|doc(?:ument)?s?|passages?|contexts?|chunks?|refs?|references?|see|excerpts?)\b[\s:#.]*"
_NUMBERS = r"\d{1,3}(?:\s*(?:[,;&-]|and)\s*(?:" + _NAMED + r")*\d{1,3})*"
MARK = re.compile(
    rf"\[\^?(?:{_NAMED})*(?P<square>{_NUMBERS})\^?\]"
    rf"|[(\[](?:{_NAMED})+(?P<round>{_NUMBERS})[)\]]"
    r"|【(?:\d+:)?(?P<wide>\d+)(?:†[^】]*)?】"
    r"|\[(?P<name>[^\[\]\n]{1,200})\]",
    re.IGNORECASE,
)
"""A citation: numbers of contexts in square brackets; in round ones behind a word such as "source"; or a name."""

LIKE_AN_ID = re.compile(r"(?=.*[\d._-])[\w./#:-]*[A-Za-z][\w./#:-]*", re.ASCII)
"""What may be the id of a context that has none recorded: it states nothing, and nobody knows what it cites."""

WIDE_FROM_ZERO = re.compile(r"【\d+:")
"""Such marks count the pieces that were found from 0."""

LIST_NUMBER = re.compile(r"^[ \t]*(?:\d{1,2}[.)]|\(\d{1,2}\)|[-*•])\s+|(?<=\s)\(?\d\)(?=\s+[A-Za-z])", re.MULTILINE)

PLACE, PLACES = 0xE000, 6000
"""Characters that mean nothing elsewhere stand for marks while sentences are told apart."""

MARKED_AFTER = re.compile(r"((?<![.!?])[.!?]+[\"')*]*)(\s*)([\ue000-\uf76f](?:\s*[\ue000-\uf76f])*)")
HELD = re.compile("[\ue000-\uf76f]")

LEAD = re.compile(r"^\W*(?:final |short )?answer\W*:\W*", re.IGNORECASE)
"""What an answer is announced by."""

TALK = re.compile(r"^\W*(?:yes|no|none|true|false|not?)\b\W*$", re.IGNORECASE)
"""What states nothing that a context could hold."""

INTRODUCES = re.compile(r":\W*$")
HEADING = re.compile(r"^\s*#{1,6}\s")
OUTLINES = re.compile(
    r"^\W*(?:always |more than )?(?:happy|glad|pleased|delighted) to\b"
    r"|^\W*(?:let me|let's|i'll|i will|allow me|below|in (?:this|the following))\b[^.!?]*"
    r"\b(?:summar|explain|outline|list|break|walk|go (?:over|through)|describe|overview)\w*"
    r"|\b(?:as follows|the following|keep (?:the following )?in mind)\W*$",
    re.IGNORECASE,
)
"""What says that something is going to be said."""

NAMED_INSIDE = re.compile(r"(?<!^)(?<![.:!?*\"'(] )\b[A-Z][a-z]|\d")


class Mark(NamedTuple):
    """One citation as written, with the contexts that it names: positions from 0, -1 for one that is not there."""

    text: str
    contexts: tuple[int, ...]


class Said(NamedTuple):
    """A sentence that states something, and the marks that it carries."""

    sentence: str
    marks: tuple[Mark, ...]


def said(answer: str, names: Sequence[str] = (), n_contexts: int = 0) -> list[Said]:
    """The sentences of `answer` that state something, in order, each without its citations.

    `names` are those of the contexts, where they have any; numbers count the `n_contexts` from 1, or from 0 where the answer
    cites a 0. Introductions, courtesies, questions, refusals, a bare yes or no state nothing.
    """
    answer = joined(HELD.sub(" ", unthought(answer)))
    marks: list[Mark] = []
    lines = LIST_NUMBER.sub("", _replaced(answer, names, n_contexts, marks))
    parts = statements(LEAD.sub("", MARKED_AFTER.sub(r" \3\1\2", lines)))
    found = []
    for part in parts:
        carried = tuple(marks[ord(c) - PLACE] for c in HELD.findall(part))
        sentence = " ".join(re.sub(rf"(?<!\s)\s*{HELD.pattern}", "", part).split())
        if states(sentence):
            found.append(Said(sentence, carried))
        elif found and carried and not words(sentence):  # marks on a line of their own
            found[-1] = found[-1]._replace(marks=found[-1].marks + carried)
    return found


def _replaced(answer: str, names: Sequence[str], n_contexts: int, marks: list[Mark]) -> str:
    """`answer` with one character for each mark, which is added to `marks`; what only looks like one stays."""
    known: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        known.setdefault(name.strip().casefold(), []).append(i)
    known.pop("", None)
    numbers = [n for m in MARK.finditer(answer) for n in _numbers(m)]
    first = 0 if 0 in numbers or WIDE_FROM_ZERO.search(answer) else 1

    def replace(m: re.Match[str]) -> str:
        named = m["name"]
        if named is not None and named.strip().casefold() not in known:
            return " " if LIKE_AN_ID.fullmatch(named) else m[0]
        if len(marks) == PLACES:
            return " "
        cited = known[named.strip().casefold()] if named is not None else [n - first for n in _numbers(m)]
        marks.append(Mark(m[0], tuple(i if 0 <= i < n_contexts else -1 for i in dict.fromkeys(cited))))
        return f" {chr(PLACE + len(marks) - 1)}"

    return MARK.sub(replace, answer)


def _numbers(m: re.Match[str]) -> list[int]:
    """The numbers that a mark names, those of a range among them; none of one that is a name."""
    text = m["square"] or m["round"] or m["wide"] or ""
    numbers: list[int] = []
    for first, last in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", text):
        numbers += range(int(first), int(last or first) + 1) or [int(first), int(last)]
    return numbers


def states(sentence: str) -> bool:
    """Whether a sentence states something that a context could hold."""
    if not words(sentence) or TALK.match(sentence) or HEADING.match(sentence) or sentence.rstrip().endswith("?"):
        return False
    if refuses(sentence) and not any(not refuses(turned) for turned in TURNS.split(sentence)[1:]):
        return False
    introduces = INTRODUCES.search(sentence) and not NAMED_INSIDE.search(sentence)
    return not introduces and not (OUTLINES.search(sentence) and not re.search(r"\d", sentence))
