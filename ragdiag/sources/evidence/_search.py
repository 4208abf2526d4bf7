"""Finding passages in documents: as they stand, but for white space, by similarity; and all the copies of many at once."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence

import ahocorasick_rs
from rapidfuzz import fuzz

from ragdiag.core.records import Document, Span
from ragdiag.sources.occurrences import Even

__all__ = ["COPY_WORDS", "MOST_PLACES", "MOST_SOUGHT", "find", "find_all", "is_a_passage", "most_similar", "places"]

COPY_WORDS = 5
"""Passages of fewer words get no exact copies as alternatives: "in 2003" stands in many places and answers nothing there."""

WORTH_SHOWING = 50.0
"""Similarity (0-100) below which the nearest stretch of text is no help to whoever looks for a passage."""

WORK = 1e10
"""Up to so much of ``len(passage) ** 2 * len(text)`` every stretch is compared; beyond, repetitive text would take minutes."""

PIECES, PIECE = 8, 48
"""A longer passage is looked for by so many pieces of it, of so many characters."""

ENDS = (8, 20, 48)
"""Characters by which the ends of a passage are looked for beside the place that is most similar to it."""

LIKE = 75.0
"""A piece is found where a text is so similar to it (0-100)."""

MOST_SOUGHT = 50_000
"""Characters: longer passages are not looked for by similarity."""

MOST_PLACES = 1000
"""Places of one passage after which no more are looked for: it is ambiguous."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half a surrogate pair, which a PDF may hold and Rust cannot read."""


Guess = Callable[[str, str], tuple[int, int] | None]
"""Where in a text something like a passage stands, about."""


def find(text: str, passage: str, any_space: bool = False) -> Iterator[tuple[int, int]]:
    """Where `passage` stands in `text`, the first `MOST_PLACES` times; with `any_space`, whatever its white space."""
    spans = _in_even(text, passage.split()) if any_space else _starts(text, passage)
    return itertools.islice(spans, MOST_PLACES)


def _starts(text: str, passage: str) -> Iterator[tuple[int, int]]:
    start = text.find(passage)
    while start >= 0:
        yield start, start + len(passage)
        start = text.find(passage, start + 1)


def _in_even(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    if words and max(words, key=len) in text:  # to even a text takes long, and most documents lack the word
        even = _even(text)
        yield from (even.own(*span) for span in _starts(even.text, " ".join(words)))


@functools.lru_cache(maxsize=16)
def _even(text: str) -> Even:
    return Even(text)


def places(documents: Sequence[Document], among: Sequence[int], passage: str, any_space: bool = False) -> list[Span]:
    """The first `MOST_PLACES` places of `passage` in those documents whose positions are `among`."""
    spans = (Span(d, *span) for d in among for span in find(documents[d].text, passage, any_space))
    return list(itertools.islice(spans, MOST_PLACES))


def most_similar(documents: Sequence[Document], among: Sequence[int], passage: str) -> tuple[list[Span], float]:
    """The stretch of text most similar to `passage`, with its similarity; with a second one where that is no less similar."""
    best, similarity = _nearest(documents, [Span(d, 0, len(documents[d].text)) for d in among], passage, WORTH_SHOWING)
    if best is None:
        return [], 0.0
    elsewhere = [Span(d, 0, len(documents[d].text)) for d in among if d != best.document]
    around = [Span(best.document, 0, best.start), Span(best.document, best.end, len(documents[best.document].text))]
    second, _ = _nearest(documents, [*elsewhere, *around], passage, similarity)
    return [best] if second is None else [best, second], similarity


def _nearest(documents: Sequence[Document], within: Sequence[Span], passage: str, least: float) -> tuple[Span | None, float]:
    """The first of the stretches in `within` that are most similar to `passage`, if any is at least `least` similar."""
    best = None
    work = len(passage) ** 2 * sum(end - start for _, start, end in within)
    guess = _slid if work <= WORK else _pieced
    for document, start, end in within if len(passage) <= MOST_SOUGHT else ():
        score, a, b = _aligned(documents[document].text[start:end], passage, least, guess)
        if score > least or (best is None and score == least):
            best, least = Span(document, start + a, start + b), score
    return best, least


def _aligned(text: str, passage: str, least: float, guess: Guess) -> tuple[float, int, int]:
    """The stretch of `text` most similar to `passage`: how similar, from where, to where; 0 where that is below `least`."""
    if len(text) < len(passage):  # a part of `passage` alone is not `passage`
        return fuzz.ratio(passage, text, score_cutoff=least), 0, len(text)
    guessed = guess(text, passage)
    if guessed is None:
        return 0.0, 0, 0
    # Words that one side has and the other lacks shift where the passage ends.
    (start, end), near = guessed, len(passage) // 4 + max(ENDS)
    starts = {start, *(a for n in ENDS for a, _ in _beside(text, passage[:n], start - near, start + near))}
    ends = {end, *(b for n in ENDS for _, b in _beside(text, passage[-n:], end - near, end + near))}
    score, start, end = max((fuzz.ratio(passage, text[a:b], score_cutoff=least), a, b) for a in starts for b in ends)
    body = text[start:end]
    return score, end - len(body.lstrip()), start + len(body.rstrip())


def _beside(text: str, piece: str, low: int, high: int) -> list[tuple[int, int]]:
    """Where `piece` stands between two positions, if anywhere."""
    low = max(low, 0)
    place = _slid(text[low : max(high, 0)], piece)
    return [(low + place[0], low + place[1])] if place else []


def _slid(text: str, passage: str, least: float = 0.0) -> tuple[int, int] | None:
    """The first stretch of `text`, as long as `passage`, that is most similar to it."""
    match = fuzz.partial_ratio_alignment(passage, text, score_cutoff=least)
    return (match.dest_start, match.dest_end) if match and match.dest_start < match.dest_end else None


def _pieced(text: str, passage: str) -> tuple[int, int] | None:
    """From where the first to where the last piece of `passage` stands, of those that are found together."""
    offsets = [n * (len(passage) - PIECE) // (PIECES - 1) for n in range(PIECES)] if len(passage) > PIECE else [0]
    pieces = [(at, _slid(text, passage[at : at + PIECE], LIKE)) for at in offsets]
    # Where all of `passage` would stand if it stood round each piece; the places that agree are of one passage.
    whole = [(span[0] - at, span[1] - at + len(passage) - len(passage[at : at + PIECE])) for at, span in pieces if span]
    together = max(([w for w in whole if abs(w[0] - start) <= len(passage) // 8] for start, _ in whole), key=len, default=[])
    return (max(together[0][0], 0), min(together[-1][1], len(text))) if together else None


def is_a_passage(text: str) -> bool:
    """Whether a text is long enough for its copies to mean the same."""
    # Scripts written without spaces make one "word" of a whole sentence.
    return len(text.split()) >= COPY_WORDS or (len(text) >= 4 * COPY_WORDS and not text.isascii() and " " not in text)


def find_all(documents: Sequence[Document], passages: Sequence[str]) -> Iterator[tuple[int, Span]]:
    """Every place of every passage, as ``(position in passages, place)``; those that start or end inside a word are none."""
    # Left to choose, it makes few passages into a table whose size grows with the square of their length.
    kind = ahocorasick_rs.Implementation.ContiguousNFA
    automaton = ahocorasick_rs.AhoCorasick([_HALF.sub("\ufffd", p) for p in passages], implementation=kind)
    for d, document in enumerate(documents):
        text = document.text if document.text.isascii() else _HALF.sub("\ufffd", document.text)
        for which, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            if not (_inside_a_word(document.text, start) or _inside_a_word(document.text, end)):
                yield which, Span(d, start, end)


def _inside_a_word(text: str, position: int) -> bool:
    return 0 < position < len(text) and text[position - 1].isalnum() and text[position].isalnum()
