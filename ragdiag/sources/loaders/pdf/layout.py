"""In which order the pieces of a page are read: columns of prose one after the other, tables row by row.

What a file shows side by side it may hold in any order. Both kinds of block have a gutter that no line crosses; they are told
apart by what stands beside it. A column of prose goes on from line to line, a table's cell ends where it ends.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from ragdiag.sources.loaders.pdf.text import GAP, Piece, is_rtl

__all__ = ["Line", "lines"]

CELL = " | "
MOST_PIECES = 5000
"""Pieces of a page beyond which they are left in the order of the file."""
MOST_ROWS = 300
"""Rows of one block at most."""
WIDE = 7
"""Heights of a line that a line of a column of prose is wide, at least: some fourteen letters."""
SHORTEST = 3
"""Lines of a column of prose, at least."""
GOES_ON = 0.3
"""Share of a column's lines that go on in the next one, at least."""
FAR = 4
"""Heights of a line beyond which the next one belongs to another block."""
TIGHT = 1.4
"""Heights of a line within which the next one may belong to the same cell."""

_MARKER = re.compile(r"[•◦▪●○■□‣⁃∙·*–—-]|\(?(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxlc]{1,5})[.)]?|[\[(]?[xX✓✔☐☑☒ ]?[\])]?")
_BULLET = re.compile(r"[•◦▪●○■‣⁃∙*–—-]\s")
_ENDS = tuple(".!?:;。！？।؟۔…")


class Line(NamedTuple):
    """A line of a page as it is read, its pieces, and where it stands: the height of its middle, and its own height."""

    text: str
    pieces: tuple[str, ...]
    middle: float
    height: float


class _Row(list[Piece]):
    """The pieces that stand at one height, from the left."""

    @property
    def middle(self) -> float:
        return median(piece.middle for piece in self)

    @property
    def height(self) -> float:
        return max(piece.height for piece in self)


def lines(pieces: Sequence[Piece]) -> list[Line]:
    """The lines of a page's pieces, in the order that they are read."""
    return list(_lines(tuple(pieces)))


@functools.lru_cache(maxsize=8)  # many pages may show the same
def _lines(pieces: tuple[Piece, ...]) -> list[Line]:
    if len(pieces) > MOST_PIECES:
        return [_line(_Row([piece]), False) for piece in pieces]
    rtl = is_rtl(pieces)
    return _ordered([_joined(row, rtl) for row in _rows(pieces)], rtl)


def _rows(pieces: Sequence[Piece]) -> list[_Row]:
    """Pieces at one height, from the top; what stands upon one another is not."""
    rows: list[_Row] = []
    for piece in sorted(pieces, key=lambda p: (-p.middle, p.left)):
        row = rows[-1] if rows else None
        if row and _is_level(row, piece):
            row.append(piece)
        else:
            rows.append(_Row([piece]))
    return [_Row(sorted(row, key=lambda p: p.left)) for row in rows]


def _joined(row: _Row, rtl: bool) -> _Row:
    """A row whose pieces are put together where no more than a space is between them: a file may hold each word by itself."""
    joined: list[list[Piece]] = []
    for piece in row:
        last = joined[-1][-1] if joined else None
        if last and -0.5 * piece.height < piece.left - last.right <= GAP * max(piece.height, last.height):
            joined[-1].append(piece)
        else:
            joined.append([piece])
    return _Row(
        Piece(_line(_Row(some), rtl).text, some[0].left, some[-1].right, min(p.bottom for p in some), max(p.top for p in some))
        for some in joined
    )


def _is_level(row: _Row, piece: Piece) -> bool:
    """Whether a piece stands at the height of a row, and upon none of its pieces."""
    level = abs(row[0].middle - piece.middle) <= 0.4 * min(row[0].height, piece.height)
    return level and not any(min(p.right, piece.right) - max(p.left, piece.left) > piece.height / 2 for p in row)


def _ordered(rows: list[_Row], rtl: bool) -> list[Line]:
    done, at = list[Line](), 0
    width = _width(rows)
    while at < len(rows):
        end, columns = _columns(rows, at, width)
        if columns:
            for column in reversed(columns) if rtl else columns:
                done += _ordered(_rows(column), rtl)
            at = end
            continue
        end, edges = _table(rows, at)
        if edges:
            done += _table_lines(rows[at:end], edges, rtl)
            at = end
            continue
        done.append(_line(rows[at], rtl))
        at += 1
    return done


def _width(rows: Sequence[_Row]) -> float:
    return max((row[-1].right for row in rows), default=0.0) - min((row[0].left for row in rows), default=0.0)


def _line(row: _Row, rtl: bool) -> Line:
    """A row as one line, in the direction of most of its letters; `rtl` where it has none."""
    if not row:
        return Line("", (), 0.0, 0.0)
    ordered = _as_read(row, is_rtl(row, rtl))
    text = ordered[0].text
    for last, piece in itertools.pairwise(ordered):
        gap = max(piece.left - last.right, last.left - piece.right)
        text += (" " if gap > 0.2 * piece.height else "") + piece.text
    return Line(text, tuple(piece.text for piece in ordered), row.middle, row.height)


def _as_read(row: _Row, rtl: bool) -> list[Piece]:
    """The pieces of a line; words of the other direction that stand together keep theirs."""
    done: list[Piece] = []
    ordered = sorted(row, key=lambda p: -p.right) if rtl else list(row)
    for other, some in itertools.groupby(ordered, key=lambda p: is_rtl([p], rtl) != rtl):
        together = list(some)
        done += together[::-1] if other else together
    return done


# Edges: the intervals that pieces take up across the page, apart from one another


def _merged(edges: list[tuple[float, float]], row: _Row, gap: float) -> list[tuple[float, float]]:
    """`edges` with a row's pieces; what is no more than `gap` apart is one."""
    joined: list[tuple[float, float]] = []
    for left, right in sorted([*edges, *((piece.left, piece.right) for piece in row)]):
        if joined and left - joined[-1][1] < gap:
            joined[-1] = joined[-1][0], max(joined[-1][1], right)
        else:
            joined.append((left, right))
    return joined


def _split(rows: Sequence[_Row], edges: Sequence[tuple[float, float]]) -> list[list[Piece]]:
    """The pieces of some rows by the interval that they are in."""
    columns: list[list[Piece]] = [[] for _ in edges]
    for piece in (piece for row in rows for piece in row):
        columns[_place(piece, edges)].append(piece)
    return columns


def _place(piece: Piece, edges: Sequence[tuple[float, float]]) -> int:
    """The interval that a piece shares most with, or else is nearest to; they are in order and apart."""
    first = bisect_left(edges, piece.left, key=lambda edge: edge[1])
    end = bisect_right(edges, piece.right, key=lambda edge: edge[0])
    near = range(max(first - 1, 0), min(end + 1, len(edges)))
    return max(near, key=lambda i: min(edges[i][1], piece.right) - max(edges[i][0], piece.left))


# Columns of prose


def _grown(rows: Sequence[_Row], at: int, end: int, edges: list[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """The edges of a block with one more row; none where there is no row that belongs to a block of such edges."""
    if end >= min(len(rows), at + MOST_ROWS):
        return []
    row, last = rows[end], rows[end - 1]
    wider = _merged(edges, row, gap * row.height)
    far = last.middle - row.middle > FAR * max(row.height, last.height)
    return [] if far or len(wider) < len(edges) else wider


def _columns(rows: Sequence[_Row], at: int, width: float) -> tuple[int, list[list[Piece]]]:
    """Where a block of columns that begins at a row ends, and the pieces of each column; none where there is no such block."""
    edges, end = _merged([], rows[at], 0), at + 1
    while wider := _grown(rows, at, end, edges, 0.8):
        edges, end = wider, end + 1
        if len(edges) == 1 and edges[0][1] - edges[0][0] > 0.7 * width:
            break
    while end - at > 1 and _is_below(rows, at, end - 1):
        end -= 1
    columns = _split(rows[at:end], edges)
    alone = [row for row in rows[at:end] if len(row) == 1]
    apart = len(alone) > 0.7 * (end - at)  # lines at heights of their own are no rows of a table
    is_prose = len(edges) > 1 and all(_is_prose(column, apart) for column in columns)
    return (end, columns) if is_prose else (at, [])


def _is_below(rows: Sequence[_Row], at: int, last: int) -> bool:
    """Whether a block's last row stands below all of its columns, with more space than between their lines."""
    row, above = rows[last], rows[last - 1]
    steps = [a.middle - b.middle for a, b in itertools.pairwise(rows[at:last])]
    return len(row) == 1 and bool(steps) and above.middle - row.middle > 1.4 * max(median(steps), row.height)


def _is_prose(column: Sequence[Piece], apart: bool) -> bool:
    own = _rows(column)
    wide = median(row[-1].right - row[0].left for row in own) >= WIDE * median(row.height for row in own)
    if len(own) < SHORTEST or not wide or len(column) > 1.5 * len(own):
        return False
    texts = [_line(row, False).text for row in own]
    bullets = sum(bool(_BULLET.match(text)) for text in texts)
    on = sum(map(_goes_on, texts, texts[1:]))
    return apart or bullets * 2 >= len(texts) or on >= GOES_ON * (len(own) - 1)


def _goes_on(text: str, after: str) -> bool:
    """Whether a line reads on in the next, which begins with a small letter, or with one of a script that has no others."""
    first = after.lstrip("\"'“‘«(")[:1] or "."
    return bool(text) and not text.endswith(_ENDS) and unicodedata.category(first) in ("Ll", "Lo")


# Tables


def _table(rows: Sequence[_Row], at: int) -> tuple[int, list[tuple[float, float]]]:
    """Where a table that begins at a row ends, and the edges of its columns; none where there is no table."""
    edges = _merged([], rows[at], 0.5 * rows[at].height)
    end = whole = at + 1
    while len(edges) > 1 and (wider := _grown(rows, at, end, edges, 0.5)):
        if len(rows[end]) == 1 and len(wider) > len(edges):
            break
        if len(rows[end]) > 1 or (whole == end and _is_next_line(rows, end, edges)):
            whole = end + 1
        edges, end = wider, end + 1
    some = rows[at:whole]
    edges = [edge for edge, column in zip(edges, _split(some, edges), strict=True) if column]
    return (whole, edges) if _is_table(some, edges) else (at, [])


def _is_table(rows: Sequence[_Row], edges: Sequence[tuple[float, float]]) -> bool:
    return sum(len(row) > 1 for row in rows) > 1 and not (len(edges) == 2 and _are_names(_split(rows, edges)[0]))


def _is_next_line(rows: Sequence[_Row], at: int, edges: Sequence[tuple[float, float]]) -> bool:
    """Whether a row is close below another, and has nothing in the first column."""
    row, piece = rows[at], rows[at][0]
    is_first = piece.left < edges[0][1] and piece.right > edges[0][0]
    return rows[at - 1].middle - row.middle <= TIGHT * row.height and not is_first


def _are_names(column: Sequence[Piece]) -> bool:
    """Whether the first of two columns holds what stands before the items of a list, or names that end in a colon."""
    texts = [piece.text for piece in column]
    return all(map(_MARKER.fullmatch, texts)) or sum(text.endswith((":", "：")) for text in texts) * 2 >= len(texts)


def _table_lines(rows: Sequence[_Row], edges: Sequence[tuple[float, float]], rtl: bool) -> list[Line]:
    """The rows of a table, cells parted, empty ones kept; the lines of one cell put together."""
    grid: list[list[str]] = []
    places: list[_Row] = []
    for row, is_next_line in zip(rows, _next_lines(rows), strict=True):
        cells = [_line(_Row(cell), rtl).text for cell in _split([row], edges)]
        if grid and (is_next_line or _is_continued(grid[-1], cells, places[-1].middle - row.middle <= TIGHT * row.height)):
            grid[-1] = [f"{above} {cell}".strip() for above, cell in zip(grid[-1], cells, strict=True)]
        else:
            grid.append(cells)
            places.append(row)
    ordered = [cells[::-1] if rtl else cells for cells in grid]
    return [
        Line(CELL.join(cells), tuple(filter(None, cells)), row.middle, row.height)
        for cells, row in zip(ordered, places, strict=True)
    ]


def _next_lines(rows: Sequence[_Row]) -> list[bool]:
    """Whether each row is but the next line of the cells above it: where more space parts the rows than the lines of a cell."""
    steps = [a.middle - b.middle for a, b in itertools.pairwise(rows)]
    far = [step >= 1.25 * min(steps) for step in steps]
    if sum(far) < max(2, len(far) / 4):
        return [False] * len(rows)
    close = [step <= TIGHT * row.height for step, row in zip(steps, rows[1:], strict=True)]
    return [False, *(a and not b for a, b in zip(close, far, strict=True))]


def _is_continued(above: Sequence[str], cells: Sequence[str], close: bool) -> bool:
    """Whether the cells of a row go on with those above it."""
    if not close:
        return False
    filled = [(before, text) for before, text in zip(above, cells, strict=True) if text]
    return not cells[0] and len(filled) < len(cells) and all(_goes_on(before, text) for before, text in filled)
