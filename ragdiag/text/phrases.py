"""Strings for people: counted things, lists, excerpts, and text in which nothing can steer a terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

__all__ = ["UNSAFE", "clean", "counted", "duration", "listed", "no_commands", "on_github", "one_line"]

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and marks that reorder what is shown."""


def clean(text: str) -> str:
    """`text` with control characters, which could steer a terminal or reorder what it shows, made visible."""
    return UNSAFE.sub(lambda m: "" if m[0] == "\r" else f"\\x{ord(m[0]):02x}", text)


def no_commands(text: str) -> str:
    """`text` as a log of GitHub's can hold it, which takes for a command what begins a line so, after blanks."""
    return re.sub(r"(?m)^([^\S\n]*):(?=:)", r"\1\\x3a", text).replace("##[", "\\x23#[")


def on_github() -> bool:
    """Whether GitHub reads what is printed, and obeys the commands in it."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


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


def duration(seconds: float) -> str:
    """Seconds in the unit that people would say them in: "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
