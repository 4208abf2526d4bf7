"""What the terminal's screens are made of: lines, tables and excerpts in which nothing from a corpus can steer the terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ragdiag.core.records import Defect, Mean

__all__ = [
    "UNSAFE",
    "clean",
    "counted",
    "defect_line",
    "interval",
    "line",
    "listed",
    "no_commands",
    "one_line",
    "plain_table",
    "signed",
    "verbatim",
]

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and marks that reorder what is shown."""


def clean(text: str) -> str:
    """`text` with control characters, which could steer a terminal or reorder what it shows, made visible."""
    return UNSAFE.sub(lambda m: "" if m[0] == "\r" else f"\\x{ord(m[0]):02x}", text)


def no_commands(text: str) -> str:
    """`text` as a log of GitHub's can hold it, which takes for a command what begins a line so, after blanks."""
    return re.sub(r"(?m)^([^\S\n]*):(?=:)", r"\1\\x3a", text).replace("##[", "\\x23#[")


def line(*parts: str | tuple[str, str]) -> Text:
    """Strings, and ``(string, style)`` pairs, cleaned."""
    return Text.assemble(*((clean(p), "") if isinstance(p, str) else (clean(p[0]), p[1]) for p in parts))


def verbatim(*parts: str | tuple[str, str]) -> Text:
    """A line that scripts grep and editors jump to: never wrapped."""
    text = line(*parts)
    text.no_wrap, text.overflow = True, "ignore"
    return text


def one_line(text: str, most: int) -> str:
    """`text` cleaned, on one line, cut to `most` characters."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def counted(n: int, what: str, end: str = "") -> str:
    """``1 query``, ``2 queries``; ``1 chunk``, ``2 chunks``."""
    return f"{n:,} {what}{end if n == 1 else 'ies' if end else 's'}"


def listed(items: Sequence[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f" {word} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def interval(mean: Mean, unknown: str) -> str:
    """``0.632 [0.474, 0.765]``; `unknown` where there is no mean."""
    return f"{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]" if mean.n else unknown


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
