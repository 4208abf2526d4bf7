"""Whether an answer's recorded contexts hold what it states, right or not: its numbers, its names, its words. No model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ragdiag.answering.judges._numbers import NUMBER, Quantity, agree, quantities
from ragdiag.answering.judges._plain import statements
from ragdiag.answering.judges._text import content, flat, readable, refuses, sentences, words
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, Query

NAME = re.compile(r"(?<![.:;!?\"'(\[] )(?<![\"'(\[*])(?<!^)\b[A-Z][\w&'’.-]*\w")
"""A word in capitals that starts nothing: part of a name."""

FEW = 3
"""Words of meaning: a shorter sentence may say in its own what the context says in others."""

LEAD = re.compile(r"^\W*(?:final |short )?answer\W*:\W*", re.IGNORECASE)
"""What an answer is announced by."""

MARKS = re.compile(
    r"[\[(](?:(?:source|doc(?:ument)?|passage|context|chunk|ref|see)s?\b[\s:#.]*)*\d+(?:\s*[,;-]\s*\d+)*[\])]|^[ \t]*\d+[.)]\s",
    re.IGNORECASE | re.MULTILINE,
)
"""Citations and the numbers of a list, which state nothing."""

NEAR = 20
"""A number may follow from two that stand among so many numbers before and after it."""

TALK = re.compile(r"^\W*(?:yes|no|none|true|false|not?)\b\W*$", re.IGNORECASE)
"""What states nothing that a context could hold."""


@dataclass(frozen=True)
class Grounded:
    """Right where the contexts, or the query, hold every number and name of an answer, and `words` of each sentence's words.

    A number is also held where it follows from two others of the answer that are (their sum, difference, ratio or change). No
    opinion without contexts, on refusals, and on a bare yes or no. It reads words, not meaning: a sentence may be put together
    wrongly from words that are all there, and said rightly in others.
    """

    reads: ClassVar[str] = "contexts"
    words: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.words <= 1:
            raise SpecError("grounded: words must be from 0 to 1")

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`."""
        return [self._opinion(query.text, answer) for query, answer in asked]

    def _opinion(self, question: str, answer: Answer) -> Opinion | None:
        text = MARKS.sub(" ", LEAD.sub("", "\n".join(statements(answer.answer)))).strip()
        if answer.failed or not answer.contexts or not words(text) or TALK.match(text) or refuses(text):
            return None
        source = readable("\n".join([question, *answer.contexts]))
        missing = [*_numbers_missing(text, source), *_names_missing(text, source)]
        if missing:
            return Opinion(
                False, f"its context does not hold {missing[0]!r}" + (f" and {len(missing) - 1} more" * (len(missing) > 1))
            )
        held = set(content(source)) | set(content(NUMBER.sub(" ", source)))
        for sentence in sentences(text):
            stated = set(content(NUMBER.sub(" ", sentence)))
            share = len(stated & held) / len(stated) if len(stated) > FEW else 1.0
            if share < self.words:
                return Opinion(False, f"its context holds {share:.0%} of the words of {sentence[:60]!r}")
        return Opinion(True, "its context holds what it states")


def _numbers_missing(text: str, source: str) -> Iterator[str]:
    """The numbers of `text` that `source` does not hold, and that follow from no two that it does. "One" may count nothing."""
    stated = [q for q in quantities(text) if q.unit or (len(q.text) > 1 and any(c.isdigit() for c in q.text))]
    held = _held(stated, quantities(source))
    for n, quantity in enumerate(stated):
        beside = slice(max(n - NEAR, 0), n + NEAR)
        near = list(itertools.compress(stated[beside], held[beside]))
        if not held[n] and not any(_follows(quantity, a, b) for a, b in itertools.permutations(near, 2)):
            yield quantity.text


def _held(stated: Sequence[Quantity], source: Sequence[Quantity]) -> list[bool]:
    """Whether each of `stated` is among those of the source; looked up before it is compared, since sources are long."""
    same = {_as_number(q) for q in source}
    return [_as_number(q) in same or any(agree(other, q) or agree(q, other) for other in source) for q in stated]


def _as_number(q: Quantity) -> tuple[float, float | None, str, float, int]:
    """A quantity without its place and its form in the text."""
    return q.value, q.scale, q.unit, q.factor, q.sign


def _follows(quantity: Quantity, a: Quantity, b: Quantity) -> bool:
    """Whether a quantity is the sum, difference, ratio or change of two others, as exactly as it is written."""
    x, y = (q.value * (q.scale or 1.0) for q in (a, b))
    scale = quantity.scale or 1.0
    results = [x + y, x - y, *([x / y, 100 * x / y, 100 * (x - y) / y] if y else [])]
    return any(abs(abs(r) - abs(quantity.value * scale)) <= quantity.step * scale for r in results)


def _names_missing(text: str, source: str) -> Iterator[str]:
    """Capitalised words inside sentences of `text` that `source` holds in no case, nor as part of a word."""
    there = flat(source)
    for sentence in (s for s in sentences(text) if not TALK.match(s)):
        for match in NAME.finditer(sentence if len(words(sentence)) > FEW else f" {sentence}"):
            if any(len(w) > 1 and not w[0].isdigit() and w not in there for w in words(match.group())):
                yield match.group()
