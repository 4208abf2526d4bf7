"""The characters of a PDF's page with their places, as pdfium has them, put together to pieces of lines."""

from __future__ import annotations

import ctypes
import itertools
import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["GAP", "Names", "PageText", "Piece", "has_image", "is_rtl", "page_text", "pieces_in", "upright"]

GAP = 0.9
"""Heights of a line that part two pieces of it."""
SLANT = 8
"""Degrees by which a line may be off and still count as level."""
DESCENT = 0.22
"""Of a font's size that its letters reach below the line."""
HYPHEN = 2
"""What pdfium has for a hyphen at the end of a line."""
RAISED = 0.9
"""Of a letter's height that a raised one has at most."""
TALLEST = 14.0
"""Points that a line of a form field is high at most, however high the field is."""
BULLET = "\uf0b7"
"""How Word's font of symbols writes a bullet: the one private character whose meaning everybody knows."""


Names = Mapping[str, Mapping[int, str]]
"""By the name of a font and the code of a character, the letters that it stands for."""


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


_LTR = frozenset(("L", "EN", "AN", "ES", "CS", "ET"))
"""Kinds of characters that run to the right within a line that is written from the right."""


_STRONG = frozenset(("L", "R", "AL"))
"""Kinds of characters that have a direction of their own."""


class _Letter(NamedTuple):
    text: str
    angle: int
    left: float
    right: float
    bottom: float
    top: float


def page_text(page: Any, names: Names) -> PageText:
    """The text of a page of `pypdfium2`; `names` are letters that the fonts name and pdfium does not know."""
    pieces, unmapped, characters = defaultdict[int, list[Piece]](list), list[str](), 0
    run: list[_Letter] = []
    textpage = page.get_textpage()
    try:
        for letter in _letters(textpage, unmapped, names):
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


def _letters(textpage: Any, unmapped: list[str], names: Names) -> Iterator[_Letter | None]:
    """The letters of a page; None for the end of a line. What stands for no letter is added to `unmapped`."""
    import pypdfium2.raw as pdfium

    last = None
    for i in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(textpage, i)
        if pdfium.FPDFText_IsGenerated(textpage, i) == 1:
            if code in (10, 13):
                yield None
            elif last is not None:
                left, right, *_ = upright("", last.angle, _box(textpage, i))[2:]
                yield last._replace(text=" ", left=left, right=right)
            continue
        text = _text(textpage, i, code, names, unmapped)
        if text:
            last = _letter(textpage, i, text)
            yield last


def _text(textpage: Any, i: int, code: int, names: Names, unmapped: list[str]) -> str:
    """What a character is read as; "" where it is nothing that could be read."""
    import pypdfium2.raw as pdfium

    if code == HYPHEN and pdfium.FPDFText_IsHyphen(textpage, i) == 1:
        return "-"
    text = _character(code)
    if text and (text.isspace() or pdfium.FPDFText_HasUnicodeMapError(textpage, i) != 1):
        return text
    if named := names.get(_font(textpage, i), {}).get(code):
        return named
    unmapped.append(chr(code) if code < 0x110000 else "\ufffd")
    return text


def _letter(textpage: Any, i: int, text: str) -> _Letter:
    """A letter's box: as wide as its font says, and as high as the font, whatever the letter."""
    import pypdfium2.raw as pdfium

    matrix, x, y = pdfium.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetMatrix(textpage, i, matrix)
    pdfium.FPDFText_GetCharOrigin(textpage, i, x, y)
    angle = math.degrees(math.atan2(matrix.b, matrix.a))
    size = pdfium.FPDFText_GetFontSize(textpage, i) * math.hypot(matrix.c, matrix.d)
    letter = upright(text, angle, _box(textpage, i))
    if not size or letter.angle % 90:
        return letter
    baseline = upright(text, angle, (x.value, x.value, y.value, y.value)).bottom
    return letter._replace(bottom=baseline - DESCENT * size, top=baseline + (1 - DESCENT) * size)


def _box(textpage: Any, i: int) -> tuple[float, float, float, float]:
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(textpage, i, box)
    return box.left, box.right, box.bottom, box.top


def _font(textpage: Any, i: int) -> str:
    """The name of a letter's font."""
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(256)
    pdfium.FPDFText_GetFontInfo(textpage, i, name, len(name), None)
    return name.value.decode("utf-8", "replace")


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
    inked = [letter for letter in run if not letter.text.isspace()]
    if not inked:
        return
    run = run if run[0].angle % 90 else _from_the_right(run) if _is_rtl(inked) else _with_words_from_the_right(run)
    parts = [letter.text for letter in run]
    for i, (last, letter) in enumerate(itertools.pairwise(run), 1):
        if letter.text.isdecimal() and last.text.isdecimal() and _is_raised(letter, last):
            parts[i] = f"^{letter.text}"  # 2 to the 8th is no 28
    text = "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    left, right, bottom, top = zip(*((x.left, x.right, x.bottom, x.top) for x in inked), strict=True)
    pieces[run[0].angle].append(Piece(text.strip(), min(left), max(right), min(bottom), max(top)))


def _is_rtl(letters: Iterable[_Letter]) -> bool:
    kinds = [unicodedata.bidirectional(c) for letter in letters for c in letter.text]
    return sum(kind in ("R", "AL") for kind in kinds) > sum(kind == "L" for kind in kinds)


def _from_the_right(run: list[_Letter]) -> list[_Letter]:
    """Letters of a script that is written from the right, as they stand; figures and Latin words within it keep their order.

    Files hold such lines in the order of reading, of writing, or word by word in either.
    """
    places, at = dict[int, float](), 0.0
    for i, letter in enumerate(run):
        at = at if unicodedata.combining(letter.text[0]) and i else -letter.right
        places[i] = at
    ordered = [run[i] for i in sorted(range(len(run)), key=places.__getitem__)]
    done: list[_Letter] = []
    for is_ltr, some in itertools.groupby(ordered, key=lambda x: unicodedata.bidirectional(x.text[0]) in _LTR):
        part = list(some)
        done += part[::-1] if is_ltr else part
    return done


def _with_words_from_the_right(run: list[_Letter]) -> list[_Letter]:
    """Letters of a line that runs to the right, with the words in it that are written from the right as they stand."""
    strong = {i: x for i, x in ((i, unicodedata.bidirectional(x.text[0])) for i, x in enumerate(run)) if x in _STRONG}
    stretches = [list(some) for is_rtl, some in itertools.groupby(strong, key=lambda i: strong[i] != "L") if is_rtl]
    done = list(run)
    for stretch in stretches:
        start, end = stretch[0], stretch[-1] + 1
        done[start:end] = _from_the_right(run[start:end])
    return done


def _is_raised(letter: _Letter, last: _Letter) -> bool:
    height = last.top - last.bottom
    return letter.top - letter.bottom < RAISED * height and letter.bottom > last.bottom + 0.1 * height


def is_rtl(pieces: Sequence[Piece], otherwise: bool = False) -> bool:
    """Whether most letters are written from the right; `otherwise` where there are as many of either."""
    kinds = [unicodedata.bidirectional(c) for piece in pieces for c in piece.text]
    more = sum(kind in ("R", "AL") for kind in kinds) - sum(kind == "L" for kind in kinds)
    return more > 0 if more else otherwise
