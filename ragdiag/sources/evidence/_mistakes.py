"""What went wrong where a label's offsets miss its text: they count otherwise, or in another copy of the document."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.files import BOM, opened, read_text
from ragdiag.core.records import Document
from ragdiag.sources.evidence._search import starts
from ragdiag.text.unicode import normalize

__all__ = ["CRLF", "mistake", "moved", "without_returns"]

UNITS = {"bytes": ("utf-8", 1), "UTF-16 units": ("utf-16-le", 2)}
"""What offsets count besides characters: an encoding, and how many of its bytes each takes."""

CRLF = "the document has CRLF line ends, the label was made from a copy without them"

HTML = (".html", ".htm")
"""Files whose own text is not the document's, and can be counted in."""


def mistake(document: Document, passage: str, start: int, end: int) -> str:
    """How ``[start, end)`` leads to `passage`, which does not stand there in the document; "" where nothing explains it."""
    for copy in _copies(document.text, document.file):
        for unit in (None, *UNITS):
            place = copy.stands(passage, start, end, unit) if unit or copy.said else None
            if place is not None:
                return _explained(copy, unit, (start, end), _here(document.text, passage, copy, place))
    for said, a, b in _counted_otherwise(start, end):
        if 0 <= a < b <= len(document.text) and document.text[a:b] == passage:
            return f"{moved(start, a)}: {said}" if b - a == end - start else f"{said}: here it is {a}-{b}"
    return ""


def _explained(copy: _Copy, unit: str | None, given: tuple[int, int], here: tuple[int, int] | None) -> str:
    """The mistake of offsets `given` in `copy`, in words; `here` is where the passage stands in the document."""
    if unit:
        where = f": in characters it is {here[0]}-{here[1]}, {_by(given[0], here[0])}" if here else ""
        return f"offsets look like {unit}{where}" + (copy.said and f"; {copy.said}")
    if not here:
        return copy.said
    same_length = here[1] - here[0] == given[1] - given[0] and here[0] != given[0]
    return (moved(given[0], here[0]) if same_length else f"it is {here[0]}-{here[1]}") + f": {copy.said}"


def moved(start: int, place: int) -> str:
    """Where a passage stands that was said to start at `start`."""
    return f"it stands at {place}, {_by(start, place)}"


def _by(start: int, place: int) -> str:
    by = abs(place - start)
    return f"{by} character{'s' * (by != 1)} {'later' if place > start else 'earlier'}"


def _counted_otherwise(start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Other ways to give a span in characters, each with the span that would be meant."""
    yield "the label is one character longer: is end the last character? write the one behind it", start, end + 1
    yield "start looks as if counted from 1", start - 1, end
    yield "do start and end count from 1, or count a byte order mark?", start - 1, end - 1
    yield "end looks like the length", start, start + end
    yield "start and end have changed places", end, start


class _Copy:
    """Another copy of a document, in which offsets may count."""

    def __init__(self, said: str, text: str, form: Callable[[str], str] = str) -> None:
        self.said, self.text, self.form = said, text, form
        self._encoded: dict[str, bytes] = {}

    def stands(self, passage: str, start: int, end: int, unit: str | None) -> int | None:
        """The position in the copy's text of a passage that stands at an offset counted in `unit`; None where it does not."""
        passage = self.form(passage)
        if unit is None:
            return start if 0 <= start < end and self.text[start:end] == passage else None
        encoding, width = UNITS[unit]
        if unit not in self._encoded:
            self._encoded[unit] = self.text.encode(encoding, "surrogatepass")
        raw = self._encoded[unit]
        if not 0 <= start < end or raw[width * start : width * end] != passage.encode(encoding, "surrogatepass"):
            return None
        return len(raw[: width * start].decode(encoding, "surrogatepass"))


@functools.lru_cache(maxsize=4)
def _copies(text: str, file: str) -> tuple[_Copy, ...]:
    """The document itself, and what may have been made of it, or it of them."""
    copies = [_Copy("", text)]
    for form, letters in ((_composed, "composed letters (NFC)"), (_decomposed, "letters and accents apart (NFD)")):
        copies.append(_Copy(f"the label was made from a copy with {letters}", form(text), form))
    if "\r\n" in text:
        copies.append(_Copy(CRLF, without_returns(text), without_returns))
    else:
        said = "the label was made from a copy with CRLF line ends, the document has none"
        copies.append(_Copy(said, text.replace("\n", "\r\n"), lambda passage: without_returns(passage).replace("\n", "\r\n")))
    copies.append(_Copy("the label was made from a copy without the white space at its start", text.lstrip()))
    if _has_mark(file):
        copies.append(_Copy("the label was made from a copy with the file's byte order mark", "\ufeff" + text))
    if Path(file).suffix.lower() in HTML:
        copies += _source(file)
    return tuple(copy for n, copy in enumerate(copies) if n == 0 or copy.text != text)


def _composed(text: str) -> str:
    return normalize("NFC", text)


def _decomposed(text: str) -> str:
    return normalize("NFD", text)


def without_returns(text: str) -> str:
    """`text` with the line ends of Unix."""
    return text.replace("\r\n", "\n")


def _has_mark(file: str) -> bool:
    try:
        with opened(Path(file)) as raw:
            return raw.read(len(BOM)) == BOM
    except InputError:
        return False  # the document was given without a file


def _source(file: str) -> Iterator[_Copy]:
    try:
        text = read_text(Path(file))
    except InputError:
        return
    yield _Copy("the label was made from the page's HTML, with its tags", text)
    yield _Copy("the label was made from the page's HTML, with its tags", "\ufeff" + text)


def _here(text: str, passage: str, copy: _Copy, place: int) -> tuple[int, int] | None:
    """Where the document has what stands at `place` in a copy: as many places before it, else the nearest; None without any."""
    form = copy.form(passage)
    own = next((one for one in (passage, *_forms(passage)) if one in text), None)
    if own is None:
        return None
    here, there = list(starts(text, own)), list(starts(copy.text, form))
    start = here[there.index(place)] if len(here) == len(there) else min(here, key=lambda start: abs(start - place))
    return start, start + len(own)


def _forms(passage: str) -> Iterator[str]:
    yield from (_composed(passage), _decomposed(passage))
    yield without_returns(passage).replace("\n", "\r\n")
    yield without_returns(passage)
