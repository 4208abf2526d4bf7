"""What stands beside a yes or no: it must restate the question or agree with the reference, else the word alone says little."""

from __future__ import annotations

import re

from ragdiag.answering.judges import _facts, _polarity
from ragdiag.answering.judges._numbers import quantities
from ragdiag.answering.judges._text import content, first_sentence, words

RELATED = 0.34
"""Share of what is said beside a yes or no that must be about the question or the reference."""

REPEATED = 0.75
"""Share of what was asked about that repeats the question."""

LEAST = 3
"""Words of meaning: fewer beside a yes or no explain nothing."""


DETERMINER = re.compile(r"\W*no\s+\w", re.IGNORECASE)
"""``No debts are left`` says no by denying what was asked about, not by a word of its own."""

REFERS = re.compile(
    r"(?:because|since|as|due|it|its|it's|they|their|they're|he|she|his|her|this|that|these|those|there|you|we"
    r"|i|not|only|but|except|if"
    r"|unless|when|in|by|for|from)\b",
    re.IGNORECASE,
)
"""What opens a reason, a condition, or a sentence about what the question names."""


def doubt(question: str, gold: str, answer: str) -> str:
    """Why the explanation of an answer, whose yes or no is the reference's, speaks against it; "" where nothing does."""
    said = None if DETERMINER.match(answer) else _polarity.WORD.match(answer)
    rest = answer[said.end() :].lstrip(" ,.;:!-") if said else answer
    if not words(rest):
        return ""
    if said and not REFERS.match(rest) and _off_topic(question, gold, rest):
        return "what it says besides has nothing to do with the question or the reference"
    if said and _says_otherwise(question, _polarity.spoken(answer), rest):
        return "what it says besides means the other"
    more = _polarity.WORD.sub("", gold)
    if words(more) and _against(question, more, rest):
        return "its explanation says the opposite of the reference's"
    return ""


def _off_topic(question: str, gold: str, rest: str) -> bool:
    """Whether hardly a word of what is said stands in the question or the reference, or means the same."""
    told = set(content(rest))
    about = set(content(question)) | set(content(gold))
    shared = len(told & about) + len(_facts.initials(question + " " + gold, rest))
    return len(told) >= LEAST and shared < RELATED * len(told) and not _polarity.contrary(question, rest)


def _says_otherwise(question: str, spoken: bool | None, rest: str) -> bool:
    """Whether a sentence that restates the question, and denies nothing, says the reverse of it, or the reverse of the word."""
    first = first_sentence(rest)
    if not _polarity.restates(question, first) or _polarity.NEGATIVE.search(question):
        return False
    if _polarity.NEGATIVE.search(first):
        return bool(spoken) and _repeats(question, first) and not _polarity.BUT.search(first)
    opposed = _polarity.moves_against(question, question, first) or _polarity.contrary(question, first)
    return opposed if spoken else not opposed and _repeats(question, first)


def _repeats(question: str, sentence: str) -> bool:
    """Whether `sentence` is about what the question asks, most of it or the move that it asks about, and hardly about more."""
    asked, told = set(content(question)), set(content(sentence))
    alone = len(told) > 1 and told <= asked and not quantities(sentence) and bool(_polarity.AFFIRM.search(sentence))
    most = alone or len(asked & told) >= REPEATED * len(asked)
    moves = _polarity.ways(question) != 0 and _polarity.ways(question) == _polarity.ways(sentence)
    return (most or moves) and len(told - asked) <= 1


def _against(question: str, gold: str, rest: str) -> bool:
    """Whether an explanation denies what the reference's affirms, or tells a rise where that tells a fall."""
    if _polarity.denies(question, gold, rest):
        return True
    return _polarity.ways(gold) * _polarity.ways(rest) == -1 and _polarity.moves_against(question, gold, rest)
