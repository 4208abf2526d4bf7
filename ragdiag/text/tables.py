"""What introduces a line: the header row of its table or CSV file, the line before its list, and what stands above that.

Told on plain text and Markdown.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable

__all__ = ["caption", "introduction"]

FARTHEST = 20_000
"""Characters above a line in which its header is looked for."""

LONGEST_CAPTION = 400
"""Characters of a paragraph that may be what a table or list is of; a longer one tells something of its own."""

FEWEST_COLUMNS, FEWEST_ROWS = 3, 3
"""Of a CSV file: its columns. Of any table: its lines, the header among them."""

_ITEM = re.compile(r"\s*(?:[-*+•–]|\d{1,3}[.)])\s+\S")
_RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*$")
_CELLS = re.compile(r"\S[^\n]*\s\|\s|\s*\|.*\|")


def introduction(text: str, position: int) -> tuple[int, int, str] | None:
    """Where the header of the line at `position` is, half-open, and what the line is: "table", "csv" or "list".

    None where the line is in none of these, is the header itself, or where nothing introduces it.
    """
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    if _CELLS.match(line):
        return _header_row(text, start, "table", _is_row)
    if _ITEM.match(line):
        return _before_list(text, start)
    for mark in "\t;,":
        if line.count(mark) + 1 >= FEWEST_COLUMNS and f"{mark} " not in line:
            return _header_row(text, start, "csv", functools.partial(_has_columns, mark=mark, n=line.count(mark)))
    return None


def caption(text: str, header: int) -> tuple[int, int] | None:
    """Where the paragraph or heading right above the header at `header` is, half-open, which says what the table or list is of.

    None where nothing stands there, or what does is long, or is of another table or list.
    """
    lines = list[tuple[int, int]]()
    for a, b in _lines_above(text, header):
        if text[a:b].strip():
            lines.append((a, b))
        elif lines:
            break
    if not lines or lines[0][1] - lines[-1][0] > LONGEST_CAPTION:
        return None
    if any(_is_row(text[a:b]) or _ITEM.match(text[a:b]) for a, b in lines):
        return None
    return lines[-1][0], lines[0][1]


def _has_columns(line: str, mark: str, n: int) -> bool:
    """Whether a line is parted by a mark as often as another; a mark with a space behind it is one of a sentence."""
    return line.count(mark) == n and f"{mark} " not in line


def _is_row(line: str) -> bool:
    """Whether a line is a row of cells, or the rule under a header."""
    return bool(_CELLS.match(line) or (line.strip() and _RULE.match(line)))


def _lines_above(text: str, start: int) -> list[tuple[int, int]]:
    """The lines before the one at `start`, the nearest first, half-open."""
    low = max(start - FARTHEST, 0)
    ends = [match.start() for match in re.finditer("\n", text[low:start])]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [(low + a, low + b) for a, b in zip(starts, ends, strict=True)][::-1] if ends else []


def _header_row(text: str, start: int, kind: str, is_row: Callable[[str], bool]) -> tuple[int, int, str] | None:
    """The first of the rows that stand together above `start`, where its cells are words, as those of a header are."""
    header, ruled = None, False
    for a, b in _lines_above(text, start):
        if not is_row(text[a:b]):
            break
        ruled = bool(_RULE.match(text[a:b])) if header is None else ruled or bool(_RULE.match(text[a:b]))
        header = (a, b)
    if header is None or _RULE.match(text[slice(*header)]):
        return None
    if text.count("\n", header[0], start) + _rows_from(text, start, is_row) < FEWEST_ROWS:
        return None
    words_only = not any(c.isdigit() for c in text[slice(*header)])
    return (*header, kind) if ruled or words_only else None


def _rows_from(text: str, start: int, is_row: Callable[[str], bool]) -> int:
    """How many rows stand together from `start` on, as far as it matters."""
    lines = text[start : start + FARTHEST].split("\n", FEWEST_ROWS)[:FEWEST_ROWS]
    return len(list(itertools.takewhile(is_row, lines)))


def _before_list(text: str, start: int) -> tuple[int, int, str] | None:
    """The line before the list, where it ends with a colon; lines that go on an item are indented, or blank."""
    for a, b in _lines_above(text, start):
        line = text[a:b]
        if _ITEM.match(line) or not line.strip() or line.startswith((" ", "\t")):
            continue
        return (a, b, "list") if line.rstrip().endswith((":", "：")) else None
    return None
