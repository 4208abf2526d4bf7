"""Finding passages in documents: as they stand, however typed, by similarity; and all the copies of many at once."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

import ahocorasick_rs
from rapidfuzz import fuzz

from ragdiag.core.records import Document, Span
from ragdiag.sources.evidence._figures import BETWEEN_FIGURES, is_figure
from ragdiag.sources.occurrences import Even
from ragdiag.text.words import inside_a_word, unspaced

__all__ = [
    "COPY_WORDS",
    "MOST_PLACES",
    "MOST_SOUGHT",
    "Passages",
    "cuts_a_number",
    "find_all",
    "is_a_passage",
    "most_similar",
    "starts",
    "whole",
]

COPY_WORDS = 5
"""Passages of fewer words get no exact copies as alternatives: "in 2003" stands in many places and answers nothing there."""

LETTERS_OF_A_WORD = 4
"""Letters that count as a word for that in scripts without spaces: fewer say less than a word in English does."""

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


class Passages:
    """Looks passages up in documents, as they stand and however they are typed.

    The evened texts of all documents are kept: most labels that do not stand as they are have one fault, in every line of a file.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._evened: dict[int, str] = {}
        self._even = functools.lru_cache(maxsize=16)(lambda document: Even(documents[document].text))

    def exact(self, among: Iterable[int], passage: str) -> list[Span]:
        """The first `MOST_PLACES` places of `passage` in those documents whose positions are `among`."""
        spans = (Span(d, i, i + len(passage)) for d in among for i in starts(self._documents[d].text, passage))
        return list(itertools.islice(spans, MOST_PLACES))

    def typed(self, among: Iterable[int], passage: str) -> list[Span]:
        """The same, however the passage is typed there."""
        even = Even(passage).text
        spans = (
            Span(d, *self._even(d).own(i, i + len(even))) for d in among for i in (starts(self._text(d), even) if even else ())
        )
        return list(itertools.islice(spans, MOST_PLACES))

    def _text(self, document: int) -> str:
        if document not in self._evened:
            self._evened[document] = Even(self._documents[document].text).text
        return self._evened[document]


def starts(text: str, passage: str) -> Iterator[int]:
    """Every position at which `passage` stands in `text`."""
    start = text.find(passage)
    while start >= 0:
        yield start
        start = text.find(passage, start + 1)


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
    """Whether a text is long enough for its copies to mean the same: its words, or letters where none are set apart."""
    letters, rest = unspaced().subn(" ", text)[::-1]
    return len(rest.split()) + letters / LETTERS_OF_A_WORD >= COPY_WORDS


def find_all(documents: Sequence[Document], passages: Sequence[str]) -> Iterator[tuple[int, Span]]:
    """Every place of every passage, as ``(position in passages, place)``; those that cut a word or a number are none."""
    # Left to choose, it makes few passages into a table whose size grows with the square of their length.
    kind = ahocorasick_rs.Implementation.ContiguousNFA
    automaton = ahocorasick_rs.AhoCorasick([_HALF.sub("\ufffd", p) for p in passages], implementation=kind)
    for d, document in enumerate(documents):
        text = document.text if document.text.isascii() else _HALF.sub("\ufffd", document.text)
        for which, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            span = Span(d, start, end)
            if not (inside_a_word(document.text, start) or inside_a_word(document.text, end) or cuts_a_number(text, span)):
                yield which, span


def cuts_a_number(text: str, span: Span) -> bool:
    """Whether a number goes on before or behind a place: "costs 5" is not said where "costs 50", "5.20" or "-5" stands."""
    return _starts_inside_a_number(text, span.start) or _inside_a_number(text, span.end)


def _starts_inside_a_number(text: str, start: int) -> bool:
    signed = text[start - 1 : start] in ("-", "\u2212") and (start == 1 or text[start - 2].isspace())
    return (signed and text[start : start + 1].isdecimal()) or _inside_a_number(text, start)


def whole(text: str, span: Span, passage: str) -> Span:
    """A place like `passage` with the rest of numbers that it cuts; words that `passage` does not cut are whole or left out."""
    document, start, end = span
    own, there = passage.split(), text[start:end].split()
    starts_, ends = {start}, {end}
    if not own or not there:  # a passage of one sign may be most like a blank
        return span
    if own[0] != there[0] and inside_a_word(text, start):
        starts_ = {_to(text, start, -1, inside_a_word), _to(text, start, 1, inside_a_word)}
    if own[-1] != there[-1] and inside_a_word(text, end):
        ends = {_to(text, end, -1, inside_a_word), _to(text, end, 1, inside_a_word)}
    start, end = max(((a, b) for a in starts_ for b in ends), key=lambda place: fuzz.ratio(passage, text[place[0] : place[1]]))
    start, end = _to(text, start, -1, _starts_inside_a_number), _to(text, end, 1, _inside_a_number)
    return Span(document, start + len(text[start:end]) - len(text[start:end].lstrip()), start + len(text[start:end].rstrip()))


def _to(text: str, position: int, step: int, inside: Callable[[str, int], bool]) -> int:
    """The next position that is not `inside`, in steps of `step`."""
    while inside(text, position):
        position += step
    return position


def _is_fraction(character: str) -> bool:
    """Whether a sign is a fraction: "5½" is one number."""
    return "\u2044" in unicodedata.normalize("NFKC", character)


def _inside_a_number(text: str, position: int) -> bool:
    if not 0 < position < len(text):
        return False
    before, behind = text[position - 1], text[position]
    if (is_figure(before) and is_figure(behind)) or (before.isdecimal() and _is_fraction(behind)):
        return True
    if before in BETWEEN_FIGURES:
        return position > 1 and text[position - 2].isdecimal() and behind.isdecimal()
    return before.isdecimal() and behind in BETWEEN_FIGURES and text[position + 1 : position + 2].isdecimal()
