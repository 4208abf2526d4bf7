"""The rows of a table: which cells stand in each, where cells go on over several rows and columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ragdiag.sources.loaders.html.nodes import Attributes, Node, Tree, holding, plain

__all__ = ["Cell", "Rows", "Tables"]

MOST_COLUMNS = 100
"""How many columns one cell covers at most."""

LONGEST_REPEATED, MOST_REPEATED = 300, 1_000_000
"""A cell that goes on is said again in the next row if it has so many characters at most; a longer one stays blank there. Where a
table has repeated so many characters, no cell goes on."""

SEPARATOR = " | "
"""What parts the cells of a row."""

LONGEST_ROW = 1500
"""Characters of a row with several paragraphs in a table without headers: a longer one lays out a page."""

BREAKS = "pre, h1, h2, h3, h4, h5, h6, p + p"  # what a row of data seldom holds


class Cell(NamedTuple):
    """The text of a cell, and how many columns and rows it covers."""

    text: str
    columns: int
    rows: int

    @classmethod
    def of(cls, text: str, attributes: Attributes) -> Cell:
        """A cell by its attributes; with a rowspan of 0 it goes on to the end of its group of rows."""
        rows = _number(attributes.get("rowspan"))
        columns = min(_number(attributes.get("colspan")) or 1, MOST_COLUMNS)
        return cls(text, columns, 1_000_000 if rows == 0 and attributes.get("rowspan") else max(rows, 1))


def _number(value: str | None) -> int:
    digits = (value or "").strip()[:6]
    return int(digits) if digits.isascii() and digits.isdigit() else 1


class Rows:
    """The rows of one table from the top down."""

    def __init__(self) -> None:
        self._open: dict[int, Cell] = {}  # by column, what goes on into the next row
        self._repeated = 0

    def start_group(self) -> None:
        """No cell goes on from a table's head into its body."""
        self._open.clear()

    def row(self, cells: Iterable[Cell]) -> list[str]:
        """The texts of a row, column by column; what a cell covers to its right is blank but at the end of the row."""
        texts: dict[int, str] = {}
        column, last = 0, -1
        goes_on, self._open = self._open, {}
        for at, cell in goes_on.items():
            again = cell.text if len(cell.text) <= LONGEST_REPEATED else ""
            self._repeated += len(again) + len(SEPARATOR) * cell.columns
            if self._repeated <= MOST_REPEATED:
                self._put(texts, at, again, cell)
                last = max(last, at)
        for cell in cells:
            while column in texts:
                column += 1
            self._put(texts, column, cell.text, cell)
            last = max(last, column)
        return [texts.get(at, "") for at in range(last + 1)]

    def _put(self, texts: dict[int, str], at: int, text: str, cell: Cell) -> None:
        texts[at] = text
        texts.update((at + i, "") for i in range(1, cell.columns) if at + i not in texts)
        if cell.rows > 1:
            self._open[at] = cell._replace(rows=cell.rows - 1)


class Tables:
    """Which rows of a page hold data: one line each. The others lay out blocks of text."""

    def __init__(self, tree: Tree) -> None:
        self._outer = holding(tree.css("table"))
        self._broken = holding(tree.css(BREAKS))
        self._headed = {outer.mem_id for head in tree.css("th") for outer in _tables(head)}
        self._laid_out = {table.mem_id for table in tree.css("table[role=presentation], table[role=none]")}

    def is_data(self, row: Node) -> bool:
        """Whether a row is one line."""
        table = next(_tables(row), None)
        if row.mem_id in self._outer or (table is not None and table.mem_id in self._laid_out):
            return False
        if row.mem_id not in self._broken or (table is not None and table.mem_id in self._headed):
            return True
        several = sum(cell.tag in ("td", "th") for cell in row.iter()) > 1
        return several and not row.css("pre, h1, h2, h3, h4, h5, h6") and len(plain(row, LONGEST_ROW)) <= LONGEST_ROW


def _tables(node: Node) -> Iterator[Node]:
    """The innermost table round a node."""
    outer = node.parent
    while outer is not None:
        if outer.tag == "table":
            yield outer
            return
        outer = outer.parent
