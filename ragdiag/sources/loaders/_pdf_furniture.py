"""Running heads and feet: what stands at the top or bottom of page after page, and interrupts every text that goes on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ragdiag.sources.loaders._pdf_layout import Line

__all__ = ["Furniture", "furniture"]

DEEP = 3
"""Lines from the edge of a page that can be a head or foot."""
LONGEST = 100
"""Characters of a line of a head or foot at most."""
NUMBERS = 4
"""Numbers of one piece of a line of which each may be that of the page."""
SEPARATOR = "\t"
_NUMBER = re.compile(r"\d+|(?<![^\W_])[ivxlc]+(?![^\W_])")
_PAGE_WORDS = frozenset(
    "p pp pg page pages of s seite seiten von sur de di pagina pagine página páginas pág str strona z сторінка страница стр из "
    "sayfa side av af sida blad bladzijde van sivu oldal 第 页 頁 共 ページ 페이지 صفحة من עמוד מתוך".split()
)

_Stand = tuple[str, int]
"""A line as it repeats: its words, and about how far from the edge it is."""


class Furniture(NamedTuple):
    """The lines of each page that belong to no text, as positions in its lines: of heads, and of feet. `bare` is a page that
    has nothing else.
    """

    heads: list[list[int]]
    feet: list[list[int]]
    bare: list[bool]


def furniture(pages: Sequence[Sequence[Line]], edges: Sequence[tuple[float, float]]) -> Furniture:
    """The running heads and feet of some pages, whose bottoms and tops are `edges`.

    A head is left where it comes first, a foot where it comes last: there they interrupt nothing. Page numbers are left nowhere.
    """
    heads = _repeated(pages, [top for _, top in edges], from_top=True)
    feet = _repeated(pages, [bottom for bottom, _ in edges], from_top=False)
    bare = [
        bool(page) and {r.line for r in (*h, *f)} == {*range(len(page))} for page, h, f in zip(pages, heads, feet, strict=True)
    ]
    above, below = _taken(heads, bare, range(len(pages))), _taken(feet, bare, range(len(pages))[::-1])
    return Furniture(above, [[i for i in f if i not in h] for h, f in zip(above, below, strict=True)], bare)


class _Repeat(NamedTuple):
    """A line that repeats: its place among those of its page, whether it is but a page number, and its words."""

    line: int
    number: bool
    words: str


def _repeated(pages: Sequence[Sequence[Line]], edges: Sequence[float], from_top: bool) -> list[list[_Repeat]]:
    """For each page the lines next to its edge that repeat."""
    near = [[(i, _stands(page[i], n, edges[n], from_top)) for i in _outermost(page, from_top)] for n, page in enumerate(pages)]
    times = Counter(stand for outer in near for stand in {stand for _, stands in outer for stand in stands})
    written = sum(map(bool, pages))
    often = {stand for stand, count in times.items() if _is_often(count, written)}
    return [_of_page(page, outer, often) for page, outer in zip(pages, near, strict=True)]


def _of_page(page: Sequence[Line], outer: Sequence[tuple[int, list[_Stand]]], often: set[_Stand]) -> list[_Repeat]:
    repeats: list[_Repeat] = []
    for i, stands in outer:
        words = next((stand[0] for stand in stands if stand in often), None)
        if words is None:
            break  # what is further inside than text is text
        repeats.append(_Repeat(i, _is_page_number(page[i]), words))
    return repeats


def _taken(repeated: Sequence[Sequence[_Repeat]], bare: Sequence[bool], order: Iterable[int]) -> list[list[int]]:
    """For each page the lines that are left out: not where they first come in this order, nor all that a page has."""
    kept: dict[str, int] = {}
    for number in order:
        for line in repeated[number]:
            kept.setdefault(line.words, number)
    return [
        sorted(r.line for r in some if r.number or (kept[r.words] != number and not bare[number]))
        for number, some in enumerate(repeated)
    ]


def _is_often(times: int, pages: int) -> bool:
    """Whether what stands on so many of the pages is theirs; on odd and even pages there may be different heads."""
    return times >= 2 and (times == pages if pages < 3 else 2 * times >= pages - pages % 2)


def _outermost(page: Sequence[Line], from_top: bool) -> list[int]:
    order = sorted(range(len(page)), key=lambda i: -page[i].middle if from_top else page[i].middle)
    return [i for i in order[:DEEP] if len(page[i].text) <= LONGEST]


def _stands(line: Line, number: int, edge: float, from_top: bool) -> list[_Stand]:
    """A line as it would stand on other pages: as it is, or with one of its numbers counted from that of the page.

    Its place is given twice, rounded down and up, since it may differ by a little.
    """
    place = abs(edge - line.middle) / 12
    texts = [SEPARATOR.join(line.pieces).casefold()]
    for at, piece in enumerate(line.pieces):
        if from_top and not _PAGE_WORDS.issuperset(_words(piece)):
            continue  # "Step 1" at the top of a page is a heading
        for match in list(_NUMBER.finditer(piece.casefold()))[:NUMBERS]:
            counted = f"{piece[: match.start()]}<{_value(match[0]) - number}>{piece[match.end() :]}"
            texts.append(SEPARATOR.join([*line.pieces[:at], counted, *line.pieces[at + 1 :]]).casefold())
    return [(text, rounded) for text in texts for rounded in (int(place) * 2, int(place + 0.5) * 2 + 1)]


def _words(piece: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", _NUMBER.sub(" ", piece.casefold()))


def _value(number: str) -> int:
    if number.isdecimal():
        return int(number[:9])
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}[c] for c in number.casefold()]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _is_page_number(line: Line) -> bool:
    """Whether a line says nothing but which page it is on."""
    numbered = any(_NUMBER.search(piece.casefold()) for piece in line.pieces)
    return numbered and all(_PAGE_WORDS.issuperset(_words(piece)) for piece in line.pieces)
