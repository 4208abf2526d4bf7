"""Where an answer states its result: a long explanation names many things on the way to it."""

from __future__ import annotations

import re

from ragdiag.answering.judges._text import sentences

NEAR = 80
"""Characters before a name or number in which the words stand that set it aside."""

SHORT = 5
"""Letters by which a word of a question is repeated in an answer: ``replaced``, ``replaces``."""

BOXED = re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
BOLD = re.compile(r"\*\*(.+?)\*\*|__(.+?)__", re.DOTALL)
FINAL = re.compile(r"\b(?:final answer|(?:the|my) (?:correct |short )?answer(?: is| to|:)|answer:)(?:\s+is)?\s*:?", re.IGNORECASE)
THUS = re.compile(
    r"(?:^|[\s,;(])(?:therefore|thus|hence|so|consequently|accordingly|as a result|in conclusion|to conclude|in summary|in short|"
    r"overall|this (?:gives|yields|results in)|which (?:gives|yields)|we get|comes (?:out )?to)\b,?",
    re.IGNORECASE,
)
DISMISSED = re.compile(
    r"\b(not|never|n't|(?<!more )(?<!less )(?<!fewer )(?<!greater )(?<!other )than|rather than|instead of"
    r"|unlike|(?<!none )(?<!no )other than|"
    r"(?:any(?:one|body|thing)|every(?:one|body|thing)|all) (?:but|except)|except|despite|in spite of|while|"
    r"whereas|although|compared (?:to|with)|versus|vs\.?|"
    r"up from|down from|against|followed (?:closely )?by|ahead of|"
    r"leaving|replac(?:ed|es|ing)|succeed(?:ed|s|ing)|neither|nor|excluding|previously|formerly)(?!\w)"
    r"(?:\s+\$?[\d.,]+\s?(?:%|\w+illion)?)?(?:\s+(?:because|due|of|by|the|a|an|in|of|to|mainly|only|been|made|led|won|done"
    r"|held|(?:\w{2,}(?:ed|en))(?=\s+(?:by|in|at|on))))*\W*(?:\w+\W+)?$",
    re.IGNORECASE,
)


def stated(answer: str) -> list[str]:
    """What `answer` marks as its result, surest first: boxed, "the answer is", bold, the last "therefore"; else none."""
    bold = [stars or underscores for stars, underscores in BOLD.findall(answer)[::-1]]
    return [*BOXED.findall(answer)[-1:], *_behind_last(FINAL, answer), *bold, *_behind_last(THUS, answer)]


def _behind_last(cue: re.Pattern[str], answer: str) -> list[str]:
    """What stands behind `cue` in the last sentence that goes on after it; empty where none does."""
    for sentence in reversed(sentences(answer)):
        marks = list(cue.finditer(sentence))
        rest = sentence[marks[-1].end() :].strip(" :*") if marks else ""
        if rest:
            return [rest]
    return []


def result(sentence: str) -> str:
    """What stands behind the last equals sign of `sentence`: what is before it is arithmetic. All of it where there is none."""
    return re.split(r"[=≈]", sentence)[-1]


def before(sentence: str, start: int) -> str:
    """What stands close before `start` in `sentence`."""
    return sentence[max(0, start - NEAR) : start]


def dismissed(sentence: str, start: int, question: str = "") -> bool:
    """Whether what begins at `start` is named only to be set aside: ``not X``, ``rather than X``, ``up from X``.

    To a `question` that itself asks what was replaced, ``replaced X`` sets nothing aside.
    """
    word = DISMISSED.search(before(sentence, start))
    return word is not None and not (len(word[1]) > SHORT and word[1].lower()[:SHORT] in question.lower())


def main_sentences(answer: str) -> list[str]:
    """The sentences that carry the answer: all of a short one, else the first, the last and whatever is marked as the result."""
    parts = sentences(answer)
    return parts if len(parts) <= 3 else [parts[0], parts[-1], *stated(answer)]
