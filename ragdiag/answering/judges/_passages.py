"""Passages of contexts that may support a claim: sentences that stand together, ranked by what they hold of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from ragdiag.answering.judges._forms import YEAR, decades, form, meanings, prepared, without_decades
from ragdiag.answering.judges._numbers import NUMBER, Quantity, quantities
from ragdiag.answering.judges._text import flat, words
from ragdiag.text import sentences as cut

TOGETHER = 3
"""Sentences that stand together are a passage, up to so many."""

CUT_NUMBER = re.compile(r"\d \.$")
"""Where a tokenised number is cut in two: ``3 . 5``."""

Value = tuple[float, float | None, str, float, int]
"""A quantity without its place and its form in the text."""


class Sentence(NamedTuple):
    """``context[start:end]`` as it is compared: its text, its words by their meaning, its numbers."""

    start: int
    end: int
    text: str
    words: frozenset[str]
    numbers: tuple[Quantity, ...]
    values: frozenset[Value]


@dataclass(frozen=True, eq=False)
class Context:
    """A text as it is compared: its sentences; all of it without accents and capitals (`flat`), word by word (`spelt`), in one
    form (`forms`); the decades that it names, or a year of."""

    sentences: tuple[Sentence, ...]
    flat: str
    spelt: str
    forms: frozenset[str]
    decades: frozenset[str]


class Passage(NamedTuple):
    """Sentences of the context at a position that hold `hits` of a claim: words, and values of numbers."""

    context: int
    sentences: tuple[Sentence, ...]
    hits: Set[str | Value]

    @property
    def start(self) -> int:
        """Where it begins in its context."""
        return self.sentences[0].start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.sentences[-1].end


@functools.lru_cache(maxsize=256)
def read(text: str) -> Context:
    """A context."""
    places: list[tuple[int, int]] = []
    for start, end in cut.sentences(text):
        if places and CUT_NUMBER.search(text[places[-1][0] : places[-1][1]]) and text[start].isdigit():
            places[-1] = places[-1][0], end
        else:
            places.append((start, end))
    whole = prepared(text)
    spelt = words(whole)
    named = decades(whole) | {year[:3] for year in YEAR.findall(whole)}
    return Context(
        tuple(_sentence(start, end, prepared(text[start:end])) for start, end in places),
        flat(whole),
        f" {' '.join(spelt)} ",
        frozenset(map(form, spelt)),
        frozenset(named),
    )


def _sentence(start: int, end: int, text: str) -> Sentence:
    bare = without_decades(text)
    numbers = tuple(quantities(bare))
    stems = frozenset(meanings(text)) | frozenset(meanings(NUMBER.sub(" ", bare)))
    return Sentence(start, end, text, stems, numbers, frozenset(map(as_value, numbers)))


def as_value(q: Quantity) -> Value:
    """What two quantities share that are one."""
    return q.value, q.scale, q.unit, q.factor, q.sign


def ranked(contexts: Sequence[Context], stems: frozenset[str], values: frozenset[Value]) -> list[Passage]:
    """The passages that hold anything of a claim, which has these words and numbers: the most first, of equals the shorter."""
    return sorted(_holding(contexts, stems, values), key=lambda p: (-len(p.hits), p.end - p.start))


def _holding(contexts: Sequence[Context], stems: frozenset[str], values: frozenset[Value]) -> Iterator[Passage]:
    """Passages that begin and end with a sentence that holds something, more than one of theirs alone."""
    for i, context in enumerate(contexts):
        of_each: list[frozenset[str | Value]] = [(s.words & stems) | (s.values & values) for s in context.sentences]
        for first, hits in enumerate(of_each):
            together: frozenset[str | Value] = frozenset()
            for last in range(first, min(first + TOGETHER, len(of_each))) if hits else ():
                if of_each[last] - together:
                    together |= of_each[last]
                    yield Passage(i, context.sentences[first : last + 1], together)
