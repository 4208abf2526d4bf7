"""Chunks that say nearly what the evidence says: what they say otherwise, and whether they are about the same thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragdiag.diagnosis.cases import ENOUGH, Case
from ragdiag.diagnosis.failures._passages import says_nearly
from ragdiag.text.phrases import listed, one_line
from ragdiag.text.values import Difference, about_other_things, differences, other_values
from ragdiag.text.words import words

_FIGURES = re.compile(r"\d+")

MOST_PASSAGES = 5
"""Passages of a query that a chunk is compared with."""

SHARE = 0.3
"""Of the shorter text's pairs of words, those that a version of the evidence has in common with it at least."""

SHOWN = 3
"""Values shown of one chunk."""


class Twin(NamedTuple):
    """A chunk that says nearly what a passage says: the passage's document, and the values that it has in place of others."""

    document: int
    values: Sequence[Difference]

    @property
    def says(self) -> str:
        """What it says, and what the evidence has in its place."""
        pairs = [f"{_or_nothing(value.other)} where the evidence says {_or_nothing(value.one)}" for value in self.values[:SHOWN]]
        return listed(pairs)


def twin(case: Case, chunk: int, in_any_words: bool = False) -> Twin | None:
    """What a chunk says otherwise than the evidence, of which it is a near-duplicate; None where it is none, where no value of
    the evidence differs, or where it is about another thing.

    `in_any_words`: other words are enough, and values of the chunk with the evidence are told as well.
    """
    if not says_nearly(case, chunk):
        return None
    setting = case.setting
    mine, title = setting.text(setting.span(chunk)), _title(case, int(setting.chunking.document[chunk]))
    for document, passage, around in _passages(case):
        whole = differences(around, mine)
        if about_other_things(whole, (_title(case, document), title), (around, mine)):
            continue
        own_names = _named(case, int(setting.chunking.document[chunk]))
        otherwise = [*differences(passage, mine), *(whole if in_any_words else ())]
        values = [d for d in other_values(list(dict.fromkeys(otherwise))) if not own_names.issuperset(words(d.other))]
        if values or (in_any_words and otherwise):
            return Twin(document, values)
    return None


def _named(case: Case, document: int) -> frozenset[str]:
    """The words of a document's id and title: a year or a number that is part of its name is no value that it states."""
    named = case.setting.corpus.documents[document]
    return frozenset(part for text in (named.id, named.title) for word in words(text) for part in (word, *_FIGURES.findall(word)))


def is_version(case: Case, chunk: int) -> bool:
    """Whether a chunk of another version of the document has much of what the evidence says: it is a version of that itself."""
    mine = case.setting.shingles(chunk)
    return any(len(mine & known) >= SHARE * min(len(mine), len(known)) > 0 for known in case.evidence_shingles)


def _passages(case: Case) -> Iterator[tuple[int, str, str]]:
    """The evidence's passages: document, text with enough of what surrounds it, and the text of the chunk that holds it."""
    setting = case.setting
    for group in case.groups[:MOST_PASSAGES]:
        for span in group.spans[:MOST_PASSAGES]:
            holders = case.whole(span)[:1]
            around = setting.text(setting.span(holders[0])) if holders else setting.text(span)
            if case.level == "document":
                yield span.document, around, around
            else:
                wide = setting.window(span, ENOUGH, setting.span(holders[0])) if holders else span
                yield span.document, setting.text(wide), around


def _title(case: Case, document: int) -> str:
    return case.setting.corpus.documents[document].title


def _or_nothing(words: str) -> str:
    return f'"{one_line(words, 40)}"' if words else "nothing"
