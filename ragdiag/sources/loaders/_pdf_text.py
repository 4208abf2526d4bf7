"""The characters of a PDF's page with their places, as pdfium has them, put together to pieces of lines."""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["PageText", "Piece", "has_image", "page_text", "pieces_in", "upright"]

GAP = 0.9
"""Heights of a line that part two pieces of it."""
SLANT = 8
"""Degrees by which a line may be off and still count as level."""
RAISED = 0.8
"""Of a letter's height that a raised one has at most."""
TALLEST = 14.0
"""Points that a line of a form field is high at most, however high the field is."""
BULLET = "\uf0b7"
"""How Word's font of symbols writes a bullet: the one private character whose meaning everybody knows."""


class Piece(NamedTuple):
    """A stretch of text on one line, with its box: along the line, and upwards."""

    text: str
    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        """Of a line, from the lowest letter to the highest."""
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        """The height at which it stands."""
        return (self.top + self.bottom) / 2


class PageText(NamedTuple):
    """The pieces of a page by the direction that they are written in, in degrees; of its characters, those without a letter."""

    pieces: dict[int, list[Piece]]
    characters: int
    unmapped: str


class _Letter(NamedTuple):
    text: str
    angle: int
    left: float
    right: float
    bottom: float
    top: float


def page_text(page: Any) -> PageText:
    """The text of a page of `pypdfium2`."""
    pieces, unmapped, characters = defaultdict[int, list[Piece]](list), list[str](), 0
    run: list[_Letter] = []
    textpage = page.get_textpage()
    try:
        for letter in _letters(textpage, unmapped):
            characters += letter is not None and not letter.text.isspace()
            if run and (letter is None or _parts(run, letter)):
                _close(run, pieces)
                run = []
            if letter is not None:
                run.append(letter)
        _close(run, pieces)
    finally:
        textpage.close()
    return PageText(dict(pieces), characters, "".join(unmapped))


def pieces_in(text: str, box: tuple[float, float, float, float], angle: int) -> list[Piece]:
    """The lines of a text as pieces in a box of the page, where lines run at an angle of whole quarters."""
    texts = [line.strip() for line in text.split("\n") if line.strip()]
    frame = upright("", angle, box)
    step = (frame.top - frame.bottom) / max(len(texts), 1)
    height = min(max(step, 1.0), TALLEST)
    middles = [frame.top - (i + 0.5) * step for i in range(len(texts))]
    return [Piece(line, frame.left, frame.right, y - height / 2, y + height / 2) for line, y in zip(texts, middles, strict=True)]


def has_image(page: Any) -> bool:
    """Whether a page of `pypdfium2` shows a picture."""
    import pypdfium2.raw as pdfium

    return next(iter(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3)), None) is not None


def _letters(textpage: Any, unmapped: list[str]) -> Iterator[_Letter | None]:
    """The letters of a page; None for the end of a line. What stands for no letter is added to `unmapped`."""
    import pypdfium2.raw as pdfium

    box, last = pdfium.FS_RECTF(), None
    for i in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(textpage, i)
        if pdfium.FPDFText_IsGenerated(textpage, i) == 1:
            if code in (10, 13):
                yield None
            elif last is not None:
                yield last._replace(text=" ", left=last.right)
            continue
        text = "-" if pdfium.FPDFText_IsHyphen(textpage, i) == 1 else _character(code)
        if not text or pdfium.FPDFText_HasUnicodeMapError(textpage, i) == 1:
            unmapped.append(chr(code) if code < 0x110000 else "\ufffd")
        if not text:
            continue
        pdfium.FPDFText_GetLooseCharBox(textpage, i, box)
        angle = math.degrees(pdfium.FPDFText_GetCharAngle(textpage, i))
        last = upright(text, angle, (box.left, box.right, box.bottom, box.top))
        yield last


def _character(code: int) -> str:
    """The character; "" where it is none that could be read."""
    if code >= 0x110000:
        return ""
    character = chr(code)
    if character == BULLET:
        return "•"
    if character in "\t\n\r":
        return " "
    return "" if unicodedata.category(character) in ("Cc", "Co", "Cn") else character


def upright(text: str, angle: float, box: tuple[float, float, float, float]) -> _Letter:
    """A letter with its box turned so that its line runs to the right."""
    left, right, bottom, top = box
    quarter = round(angle / 90) * 90
    if abs(angle - quarter) > SLANT:
        return _Letter(text, round(angle) % 360, left, right, bottom, top)
    turned = {
        0: box,
        90: (bottom, top, -right, -left),
        180: (-right, -left, -top, -bottom),
        270: (-top, -bottom, left, right),
    }
    return _Letter(text, quarter % 360, *turned[quarter % 360])


def _parts(run: list[_Letter], letter: _Letter) -> bool:
    """Whether a letter begins another piece than the one that the letters of `run` are in."""
    last = run[-1]
    if letter.angle != last.angle:
        return True
    if letter.angle % 90:  # boxes of slanted letters say nothing of their line
        return False
    height = min(letter.top - letter.bottom, last.top - last.bottom)
    shared = min(letter.top, last.top) - max(letter.bottom, last.bottom)
    apart = max(letter.left - last.right, last.left - letter.right)
    return shared < height / 2 or apart > GAP * max(height, (last.top - last.bottom))


def _close(run: list[_Letter], pieces: dict[int, list[Piece]]) -> None:
    """Put a run's letters together, and add what has a text."""
    parts: list[str] = []
    for i, letter in enumerate(run):
        if i and letter.text.isdecimal() and run[i - 1].text.isdecimal() and _is_raised(letter, run[i - 1]):
            parts.append("^")  # 2 to the 8th is no 28
        parts.append(letter.text)
    text = "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    inked = [letter for letter in run if not letter.text.isspace()]
    if inked:
        edges = zip(*((x.left, x.right, x.bottom, x.top) for x in inked), strict=True)
        left, right, bottom, top = edges
        pieces[run[0].angle].append(Piece(text.strip(), min(left), max(right), min(bottom), max(top)))


def _is_raised(letter: _Letter, last: _Letter) -> bool:
    height = last.top - last.bottom
    return letter.top - letter.bottom < RAISED * height and letter.bottom > last.bottom + 0.1 * height
