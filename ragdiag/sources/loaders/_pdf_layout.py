"""In which order the pieces of a page are read: columns of prose one after the other, tables row by row.

What a file shows side by side it may hold in any order. Both kinds of block have a gutter that no line crosses; they are told
apart by what stands beside it. A column of prose goes on from line to line, a table's cell ends where it ends.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from ragdiag.sources.loaders._pdf_text import GAP, Piece

__all__ = ["Line", "lines"]

CELL = " | "
MOST_PIECES = 5000
"""Pieces of a page beyond which they are left in the order of the file."""
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

_MARKER = re.compile(r"[•◦▪●○■□‣⁃∙·*–—-]|\(?(?:\d{1,3}|[A-Za-z]|[ivxlc]{1,5})[.)]?|[\[(]?[xX✓✔☐☑☒ ]?[\])]?")
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
    if len(pieces) > MOST_PIECES:
        return [_line(_Row([piece]), False) for piece in pieces]
    rtl = _is_rtl(pieces)
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
    """A row as one line."""
    ordered = sorted(row, key=lambda p: -p.right) if rtl else list(row)
    text = ordered[0].text if ordered else ""
    for last, piece in itertools.pairwise(ordered):
        gap = max(piece.left - last.right, last.left - piece.right)
        text += (" " if gap > 0.2 * piece.height else "") + piece.text
    return Line(text, tuple(piece.text for piece in ordered), row.middle, row.height)


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
    return max(range(len(edges)), key=lambda i: min(edges[i][1], piece.right) - max(edges[i][0], piece.left))


# Columns of prose


def _columns(rows: Sequence[_Row], at: int, width: float) -> tuple[int, list[list[Piece]]]:
    """Where a block of columns that begins at a row ends, and the pieces of each column; none where there is no such block."""
    edges = _merged([], rows[at], 0)
    end = at + 1
    while end < len(rows):
        row, last = rows[end], rows[end - 1]
        wider = _merged(edges, row, 0.8 * row.height)
        if len(wider) < len(edges) or last.middle - row.middle > FAR * max(row.height, last.height):
            break
        if len(wider) == 1 and wider[0][1] - wider[0][0] > 0.7 * width:
            return at, []
        edges = wider
        end += 1
    if len(edges) < 2:
        return at, []
    while end - at > 1 and _is_below(rows, at, end - 1, edges):
        end -= 1
    columns = _split(rows[at:end], edges)
    alone = sum(len(row) == 1 for row in rows[at:end])
    apart = alone > 0.7 * (end - at)  # lines at heights of their own are no rows of a table
    return (end, columns) if all(_is_prose(column, apart) for column in columns) else (at, [])


def _is_below(rows: Sequence[_Row], at: int, last: int, edges: Sequence[tuple[float, float]]) -> bool:
    """Whether a block's last row stands below all of its columns, with more space than between their lines."""
    row, above = rows[last], rows[last - 1]
    steps = [a.middle - b.middle for a, b in itertools.pairwise(rows[at:last])]
    return len(row) == 1 and bool(steps) and above.middle - row.middle > 1.4 * max(median(steps), row.height)


def _is_prose(column: Sequence[Piece], apart: bool) -> bool:
    own = _rows(column)
    if len(own) < SHORTEST or median(row[-1].right - row[0].left for row in own) < WIDE * median(r.height for r in own):
        return False
    if any(len(row) > 1 for row in own) and sum(len(row) > 1 for row in own) > len(own) / 2:
        return False
    texts = [_line(row, False).text for row in own]
    if apart or sum(bool(_BULLET.match(text)) for text in texts) * 2 >= len(texts):
        return True
    on = [_goes_on(text, after) for text, after in itertools.pairwise(texts)]
    return sum(on) >= GOES_ON * len(on)


def _goes_on(text: str, after: str) -> bool:
    """Whether a line reads on in the next."""
    if not text:
        return False
    first = after.lstrip("\"'“‘«(")[:1]
    return not text.endswith(_ENDS) and (
        first.islower() or first != first.casefold() != "" or unicodedata.category(first or "0") == "Lo"
    )


# Tables


def _table(rows: Sequence[_Row], at: int) -> tuple[int, list[tuple[float, float]]]:
    """Where a table that begins at a row ends, and the edges of its columns; none where there is no table."""
    edges = _merged([], rows[at], 0.5 * rows[at].height)
    if len(edges) < 2:
        return at, []
    end, whole = at + 1, at + 1
    while end < len(rows):
        row, last = rows[end], rows[end - 1]
        wider = _merged(edges, row, 0.5 * row.height)
        if len(wider) < len(edges) or last.middle - row.middle > FAR * max(row.height, last.height):
            break
        if len(row) == 1 and len(wider) > len(edges):
            break
        edges, end = wider, end + 1
        is_next_line = last.middle - row.middle <= TIGHT * row.height and not _overlaps(row[0], edges[0])
        whole = end if len(row) > 1 or (is_next_line and whole == end - 1) else whole
    several = sum(len(row) > 1 for row in rows[at:whole])
    if several < 2 or len(edges) < 2:
        return at, []
    edges = [edge for edge in edges if any(_overlaps(piece, edge) for row in rows[at:whole] for piece in row)]
    markers = [piece.text for piece in _split(rows[at:whole], edges)[0]]
    if len(edges) == 2 and (
        all(map(_MARKER.fullmatch, markers)) or sum(text.endswith((":", "：")) for text in markers) * 2 >= len(markers)
    ):
        return at, []  # a list, or names with their values
    return whole, edges


def _overlaps(piece: Piece, edge: tuple[float, float]) -> bool:
    return piece.left < edge[1] and piece.right > edge[0]


def _table_lines(rows: Sequence[_Row], edges: Sequence[tuple[float, float]], rtl: bool) -> list[Line]:
    """The rows of a table, cells parted, empty ones kept; the lines of one cell put together."""
    grid: list[list[str]] = []
    places: list[tuple[float, float]] = []
    steps = [a.middle - b.middle for a, b in itertools.pairwise(rows)]
    far = sum(step >= 1.25 * min(steps) for step in steps)
    apart = far >= 2 and far >= len(steps) / 4  # the rows are told from the lines of their cells by the space between them
    for i, row in enumerate(rows):
        cells = [_line(_Row(cell), rtl).text if cell else "" for cell in _split([row], edges)]
        close = bool(grid) and steps[i - 1] <= TIGHT * row.height
        if close and ((apart and steps[i - 1] < 1.25 * min(steps)) or _is_continued(grid[-1], cells)):
            grid[-1] = [" ".join(filter(None, pair)) for pair in zip(grid[-1], cells, strict=True)]
        else:
            grid.append(cells)
            places.append((row.middle, row.height))
    ordered = [list(reversed(cells)) if rtl else cells for cells in grid]
    return [Line(CELL.join(cells), tuple(filter(None, cells)), *place) for cells, place in zip(ordered, places, strict=True)]


def _is_continued(above: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether the cells of a row go on with those above it."""
    filled = [(before, text) for before, text in zip(above, cells, strict=True) if text]
    return not cells[0] and len(filled) < len(cells) and all(_goes_on(before, text) for before, text in filled)


def _is_rtl(pieces: Sequence[Piece]) -> bool:
    """Whether most letters are written from the right."""
    kinds = [unicodedata.bidirectional(c) for piece in pieces for c in piece.text]
    return sum(kind in ("R", "AL") for kind in kinds) > sum(kind == "L" for kind in kinds)
