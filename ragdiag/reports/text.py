"""What the terminal's screens are made of: lines, tables and excerpts in which nothing from a corpus can steer the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from ragdiag.core.proofs import Row
from ragdiag.core.records import Defect, Mean
from ragdiag.text.phrases import clean

__all__ = [
    "LABEL_MORE",
    "defect_line",
    "interval",
    "line",
    "marked",
    "percent",
    "plain_table",
    "signed",
    "verbatim",
]

LABEL_MORE = "label more where they differ: ragdiag label CORPUS QUESTIONS --out FILE --between REPORT.json"
"""What to do where two configurations cannot be told apart; the report is this one's JSON."""

STYLES = {"strong": "bold", "good": "green", "bad": "red", "warn": "yellow", "dim": "dim"}
"""How a terminal shows each kind of mark."""


def marked(row: Row) -> Text:
    """A row's text, cleaned, with its marks as styles."""
    text, last = Text(), 0
    for start, end, kind in row.marks:
        text.append(clean(row.text[last:start]))
        text.append(clean(row.text[start:end]), style=" ".join(STYLES[word] for word in kind.split() if word in STYLES))
        last = end
    return text.append(clean(row.text[last:]))


def line(*parts: str | tuple[str, str]) -> Text:
    """Strings, and ``(string, style)`` pairs, cleaned."""
    return Text.assemble(*((clean(p), "") if isinstance(p, str) else (clean(p[0]), p[1]) for p in parts))


def verbatim(*parts: str | tuple[str, str]) -> Text:
    """A line that scripts grep and editors jump to: never wrapped."""
    text = line(*parts)
    text.no_wrap, text.overflow = True, "ignore"
    return text


def next_lines(following: tuple[str, str] | None) -> list[Text]:
    """Why a command comes next, and the command; nothing where none does."""
    return [Text(), line(("Next", "bold"), f"  {following[0]}"), verbatim(f"  {following[1]}")] if following else []


def interval(mean: Mean, unknown: str) -> str:
    """``0.632 [0.474, 0.765]``; `unknown` where there is no mean."""
    return f"{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]" if mean.n else unknown


def percent(share: float) -> str:
    """``1.2%``; "" for a share that would read as nothing, though it is something."""
    said = f"{share:.1%}"
    return "" if said == "0.0%" else said


def signed(difference: float, low: float, high: float) -> str:
    """``+0.034 [-0.010, +0.078]``."""
    return f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"


def plain_table(*columns: str) -> Table:
    """A table without rules; a column whose name starts with ``>`` is flush right."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", no_wrap=True)
    return table


def defect_line(defect: Defect) -> Text:
    """``file:line: kind query: message``."""
    return verbatim(f"  {defect.file}:{defect.line}: ", (defect.kind, "yellow"), f" {defect.query}: {defect.message}")
