"""Decades, centuries and years before our era: stretches of years, and whether one lies within another."""

from __future__ import annotations

import re
from typing import NamedTuple

from ragdiag.answering.judges._conclusion import dismissed
from ragdiag.answering.judges._dates import dates
from ragdiag.answering.judges._text import sentences, words
from ragdiag.core.opinions import Opinion

_BEFORE = r"(?P<before>\s*(?:BCE?|B\.\s?C\.(?:\s?E\.)?)(?!\w))"
_TENS = "twenties thirties forties fifties sixties seventies eighties nineties".split()
_NTH = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth twenty-first"
).split()
DECADE = re.compile(
    rf"(?<!\w)(?:(?P<decade>1\d\d0|20\d0)|'?(?P<short>[2-9]0))'?s\b|\b(?:nineteen[- ])?(?P<told>{'|'.join(_TENS)})\b",
    re.IGNORECASE,
)
CENTURY = re.compile(
    rf"\b(?:(?P<n>\d{{1,2}})(?:st|nd|rd|th)|(?P<nth>{'|'.join(reversed(_NTH))}))[\s-]century{_BEFORE}?", re.IGNORECASE
)
ANCIENT = re.compile(rf"\b(?P<year>\d{{1,4}}){_BEFORE}", re.IGNORECASE)
EARLY = re.compile(r"\b(?:in|around|about|circa|c\.|ad|year|by|since|from)\s+(\d{3}|1[0-4]\d\d)(?![\d,.%]\d|\d)", re.IGNORECASE)
"""A year before 1500, which only what stands before it tells from an amount."""

UNIT = re.compile(r"\b(?:decade|century)\b", re.IGNORECASE)
AROUND = frozenset(
    "the in during by around circa c about early mid middle late beginning end of sometime approximately ad ce".split()
)


class Span(NamedTuple):
    """The years from `first` to `last`, before our era below 0; where it stands in the text: `start`, `end`."""

    first: int
    last: int
    start: int
    end: int


def spans(text: str) -> list[Span]:
    """The decades, centuries and years before our era in `text`."""
    return [
        *(_decade(m) for m in DECADE.finditer(text)),
        *(_century(m) for m in CENTURY.finditer(text)),
        *(Span(-int(m["year"]), -int(m["year"]), m.start(), m.end()) for m in ANCIENT.finditer(text)),
    ]


def _decade(m: re.Match[str]) -> Span:
    told = 1900 + 10 * (_TENS.index(m["told"].lower()) + 2) if m["told"] else 0
    first = told or int(m["decade"] or 1900 + int(m["short"]))
    return Span(first, first + 9, m.start(), m.end())


def _century(m: re.Match[str]) -> Span:
    n = int(m["n"] or _NTH.index(m["nth"].lower()) + 1)
    first, last = (-100 * n, -100 * n + 99) if m["before"] else (100 * n - 99, 100 * n)
    return Span(first, last, m.start(), m.end())


RANGE = re.compile(r"\W*(1\d{3}|20\d\d)\s?(?:-|to|until)\s?(1\d{3}|20\d\d)\W*")
ANY = re.compile(r"\b(?:a|any|one) year\b", re.IGNORECASE)
"""A question that one year of several answers."""


def span_of(gold: str) -> Span | None:
    """The one stretch of years that `gold` is, whatever it says of its beginning or end; else None."""
    found = spans(gold)
    if len(found) != 1:
        return None
    rest = words(gold[: found[0].start] + " " + gold[found[0].end :])
    return found[0] if set(rest) <= AROUND else None


def compare(question: str, gold: str, answer: str) -> Opinion | None:
    """Right where `answer` gives a time within that of `gold`; of a day the decade or century where that is asked for."""
    several = RANGE.fullmatch(gold) if ANY.search(question) else None
    span = Span(int(several[1]), int(several[2]), 0, 0) if several else span_of(gold)
    if span is not None:
        return _found(gold, any(span.first <= time.first and time.last <= span.last for time in _given(answer)))
    dated = dates(gold) if UNIT.search(question) else []
    if not dated or not dated[0].year:
        return None
    return _found(gold, any(time.first <= dated[0].year <= time.last for time in _given(answer)))


def _given(answer: str) -> list[Span]:
    """The stretches and years that `answer` gives."""
    return [time for sentence in sentences(answer) for time in _times(sentence)]


def _found(gold: str, is_given: bool) -> Opinion:
    return Opinion(is_given, f"{'a' if is_given else 'no'} time within {gold!r} is given")


def _times(sentence: str) -> list[Span]:
    """The stretches and years that `sentence` gives, not to set them aside."""
    found = spans(sentence)
    years = [Span(d.year, d.year, d.start, d.end) for d in dates(sentence) if d.year]
    years += [Span(int(m[1]), int(m[1]), m.start(1), m.end(1)) for m in EARLY.finditer(sentence)]
    alone = [y for y in years if not any(s.start <= y.start < s.end for s in found)]
    return [time for time in [*found, *alone] if not dismissed(sentence, time.start)]
