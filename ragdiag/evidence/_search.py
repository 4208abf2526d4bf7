"""Finding passages in documents: as they stand, but for white space, by similarity; and all the copies of many at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import ahocorasick_rs
from rapidfuzz import fuzz

from ragdiag.records import Document

__all__ = ["COPY_WORDS", "Place", "find", "find_all", "is_a_passage", "most_similar", "places"]

COPY_WORDS = 5
"""Passages of fewer words get no exact copies as alternatives: "in 2003" stands in many places and answers nothing there."""

WORTH_SHOWING = 50.0
"""Similarity (0-100) below which the nearest stretch of text is no help to whoever looks for a passage."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half a surrogate pair, which a PDF may hold and Rust cannot read."""


class Place(NamedTuple):
    """A span of a document, which is given by its position in the corpus."""

    document: int
    start: int
    end: int


def find(text: str, wanted: str, any_space: bool = False) -> Iterator[tuple[int, int]]:
    """Where `wanted` stands in `text`; with `any_space`, whatever its white space."""
    if any_space:
        yield from (m.span() for m in re.finditer(r"\s+".join(map(re.escape, wanted.split())), text))
        return
    start = text.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + 1)


def places(documents: Sequence[Document], among: Sequence[int], wanted: str, any_space: bool = False) -> list[Place]:
    """Every place of `wanted` in those documents whose positions are `among`."""
    return [Place(d, *span) for d in among for span in find(documents[d].text, wanted, any_space)]


def most_similar(documents: Sequence[Document], among: Sequence[int], wanted: str) -> tuple[list[Place], float]:
    """The stretch of text most similar to `wanted`, with its similarity; with a second one where that is no less similar."""
    best, similarity = _nearest(documents, [Place(d, 0, len(documents[d].text)) for d in among], wanted, WORTH_SHOWING)
    if best is None:
        return [], 0.0
    elsewhere = [Place(d, 0, len(documents[d].text)) for d in among if d != best.document]
    around = [Place(best.document, 0, best.start), Place(best.document, best.end, len(documents[best.document].text))]
    second, _ = _nearest(documents, [*elsewhere, *around], wanted, similarity)
    return [best] if second is None else [best, second], similarity


def _nearest(documents: Sequence[Document], within: Sequence[Place], wanted: str, least: float) -> tuple[Place | None, float]:
    """The first of the stretches in `within` that are most similar to `wanted`, if any is at least `least` similar."""
    best = None
    for document, start, end in within:
        text = documents[document].text[start:end]
        if len(text) < len(wanted):  # a part of `wanted` alone is not `wanted`
            score, a, b = fuzz.ratio(wanted, text, score_cutoff=least), 0, len(text)
        else:
            match = fuzz.partial_ratio_alignment(wanted, text, score_cutoff=least)
            score, a, b = (match.score, match.dest_start, match.dest_end) if match else (0.0, 0, 0)
        if score > least or (best is None and score == least):
            best, least = Place(document, start + a, start + b), score
    return best, least


def is_a_passage(text: str) -> bool:
    """Whether a text is long enough for its copies to mean the same."""
    # Scripts written without spaces make one "word" of a whole sentence.
    return len(text.split()) >= COPY_WORDS or (len(text) >= 4 * COPY_WORDS and not text.isascii() and " " not in text)


def find_all(documents: Sequence[Document], passages: Sequence[str]) -> Iterator[tuple[int, Place]]:
    """Every place of every passage, as ``(position in passages, place)``; those that start or end inside a word are none."""
    automaton = ahocorasick_rs.AhoCorasick([_HALF.sub("\ufffd", p) for p in passages])
    for d, document in enumerate(documents):
        text = document.text if document.text.isascii() else _HALF.sub("\ufffd", document.text)
        for which, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            if not (_inside_a_word(document.text, start) or _inside_a_word(document.text, end)):
                yield which, Place(d, start, end)


def _inside_a_word(text: str, position: int) -> bool:
    return 0 < position < len(text) and text[position - 1].isalnum() and text[position].isalnum()
