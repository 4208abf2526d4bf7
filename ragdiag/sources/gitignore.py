"""The patterns of ``.gitignore``, as git reads them: each is held against a path itself, not against the folders above it.

So a walk asks for each folder before it looks inside. (pathspec gives a verdict on a whole path at once, which is another one
where files in several folders disagree.)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Pattern", "parsed", "verdict"]

_TOKEN = re.compile(r"\\.|\[[!^]?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|(?:^|(?<=/))\*\*/|/\*\*$|\*+|.", re.DOTALL)
"""A piece of a pattern: an escaped character, a class, any number of folders, any characters, or a character."""

_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s"}


class Pattern(NamedTuple):
    """One line: whether it leaves out what it matches (or takes it back in), and what that is."""

    leaves_out: bool
    folders_only: bool
    of_path: bool  # of the whole path, not of the name alone
    expression: re.Pattern[str]

    def matches(self, path: str, is_folder: bool) -> bool:
        """Whether it is about what is at `path`, which is given from the folder of the ``.gitignore`` on."""
        if self.folders_only and not is_folder:
            return False
        path = unicodedata.normalize("NFC", path)  # a disk may have its letters decomposed, and a pattern composed
        return self.expression.fullmatch(path if self.of_path else path.rpartition("/")[2]) is not None


def parsed(line: str) -> Pattern | None:
    """A line as a pattern; None for a blank line, a comment, and what git takes for no pattern."""
    text = unicodedata.normalize("NFC", re.sub(r"(?<!\\) +$", "", line.removesuffix("\r")))
    if not text.strip() or text.startswith("#"):
        return None
    leaves_out = not text.startswith("!")
    text = text if leaves_out else text[1:]
    glob = text.removesuffix("/")
    try:
        expression = re.compile("".join(map(_expression, _TOKEN.findall(glob.removeprefix("/")))), re.DOTALL)
    except (re.error, ValueError):
        return None
    return Pattern(leaves_out, glob != text, "/" in glob, expression) if glob.strip("/") else None


def verdict(patterns: Sequence[Pattern], path: str, is_folder: bool) -> bool | None:
    """Whether the last of `patterns` that matches leaves `path` out; None where none matches."""
    found: Iterable[bool] = (p.leaves_out for p in reversed(patterns) if p.matches(path, is_folder))
    return next(iter(found), None)


def _expression(token: str) -> str:
    """A piece of a pattern as a regular expression. Raises `ValueError` for half of an escape, or a class that never ends."""
    if token == "**/":
        return "(?:.*/)?"
    if token == "/**":
        return "/.+"
    if token[0] == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if token in ("\\", "["):
        raise ValueError(token)
    return _class(token[1:-1]) if token[0] == "[" else re.escape(token[-1])


def _class(inside: str) -> str:
    negated = inside[:1] in ("!", "^")
    members = re.sub(r"\[:(\w+):\]|(\\.)|([\[\]^&~|\\])", _member, inside[negated:])
    return f"(?!/)[{'^' * negated}{members}]"


def _member(match: re.Match[str]) -> str:
    name, escaped, special = match.groups()
    return _CLASSES.get(name, "") if name else re.escape(escaped[1]) if escaped else f"\\{special}"
