"""What the terminal shows, as parts of a page: the same words in the same order, with what a style means in place of colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ragdiag.core.proofs import Row
from ragdiag.text.phrases import clean

__all__ = ["CUT", "Grid", "Span", "blocks", "marked_spans", "packed", "shortened", "spans"]

CUT = "…"
"""Stands where a text goes on."""

KINDS = {"bold": "strong", "dim": "dim", "green": "good", "red": "bad", "yellow": "warn", "magenta": "warn", "cyan": "warn"}
"""What each style of the terminal says."""


class Span(NamedTuple):
    """A stretch of text and the classes of what it is, by `KINDS`; "" for plain text."""

    text: str
    kind: str


class Grid(NamedTuple):
    """A table: the names of its columns (none shown where all are empty), which are flush right, the cells row by row."""

    head: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[list[Span], ...], ...]


def spans(text: Text | str, base: str = "") -> list[Span]:
    """A line of the terminal, stretch by stretch. Styles do not overlap in our lines; where they do, the first counts."""
    if isinstance(text, str):
        return [Span(text, _kind(base))] if text else []
    plain, base, last = text.plain, f"{base} {text.style}", 0
    stretches: list[Span] = []
    for start, end, style in sorted((s.start, s.end, str(s.style)) for s in text.spans):
        if end > max(start, last):
            stretches += [Span(plain[last:start], _kind(base)), Span(plain[max(start, last) : end], _kind(style))]
            last = end
    return [s for s in (*stretches, Span(plain[last:], _kind(base))) if s.text]


def marked_spans(row: Row) -> list[Span]:
    """A row's text, cleaned, stretch by stretch."""
    stretches, last = list[Span](), 0
    for start, end, kind in row.marks:
        stretches += [Span(clean(row.text[last:start]), ""), Span(clean(row.text[start:end]), kind)]
        last = end
    return [span for span in (*stretches, Span(clean(row.text[last:]), "")) if span.text]


def _kind(style: str) -> str:
    """What a style of the terminal says, by `KINDS`."""
    return " ".join(dict.fromkeys(KINDS[word] for word in style.split() if word in KINDS))


def packed(stretches: Sequence[Span]) -> list[str | Span]:
    """Spans as JSON holds them: those that are plain text are strings."""
    return [span if span.kind else span.text for span in stretches]


def blocks(parts: Iterable[RenderableType]) -> Iterator[list[Span] | Grid]:
    """Lines and tables out of what the terminal would show; an empty line is an empty list."""
    for part in parts:
        if isinstance(part, Group):
            yield from blocks(part.renderables)
        elif isinstance(part, Padding):
            yield from blocks([part.renderable])
        elif isinstance(part, Table):
            yield _grid(part)
        elif isinstance(part, (Text, str)):
            yield spans(part)
        else:
            raise TypeError(f"no form on a page for {type(part).__name__}")


def _grid(table: Table) -> Grid:
    columns = [[cell if isinstance(cell, Text) else str(cell) for cell in column.cells] for column in table.columns]
    styles = [str(row.style or "") for row in table.rows]
    return Grid(
        tuple(str(column.header) if table.show_header else "" for column in table.columns),
        tuple(column.justify == "right" for column in table.columns),
        tuple(tuple(spans(cell, s) for cell in row) for row, s in zip(zip(*columns, strict=True), styles, strict=True)),
    )


def shortened(text: str, most: int) -> str:
    """The first `most` characters of a text, with a mark where it goes on."""
    return text if len(text) <= most else text[: most - 1] + CUT
