"""Headings in plain text: Markdown's ``#`` lines, and titles underlined as Markdown and reStructuredText do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Heading", "headings", "path_at", "titled", "unclosed"]

LONGEST = 500
"""Characters of a title that are put before each chunk under it."""


_MARKS = frozenset("`=-~^\"'*+#")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_HASHES = re.compile(r"(#{1,6})[ \t]")
_RULE = re.compile(r"([=\-~^\"'*+#])\1{2,}$")
_FRONT_MATTER = re.compile(
    r"(---|\+\+\+)[ \t]*\r?\n(?=#|\[|[\w\"'][^\n:=]*[:=]).*?^(?:\1|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE
)


class Heading(NamedTuple):
    """A heading: where its line starts, its level (1 is the highest) and its title."""

    start: int
    level: int
    title: str


class _Line(NamedTuple):
    start: int
    body: str  # without white space round it; empty for what counts as a blank line: code, and what ends a heading


def headings(text: str) -> list[Heading]:
    """All headings of `text` in order; lines of fenced code, of reStructuredText's literal blocks and of front matter are none.

    Underlined titles have levels by the order in which their styles first appear, as in reStructuredText, except that ``=`` is 1
    and ``-`` is 2 in a text that has ``#`` headings too, as in Markdown.
    """
    hashed: list[Heading] = []
    underlined: list[tuple[int, str, str]] = []
    front = _FRONT_MATTER.match(text)
    position = front.end() if front else 0
    fence, literal = "", False
    over = last = _Line(position, "")
    for line in text[position:].split("\n"):
        start, position = position, position + len(line) + 1
        body = line.strip()
        if fence:
            if body.startswith(fence) and not body.strip(fence[0]):
                fence = ""
            body = ""
        elif body:
            if line[0] not in " \t":
                literal = body.endswith("::") or body.startswith("..")
            elif literal:
                body = ""
            if body[:1] in _MARKS:
                # Before fences: tildes may underline a title.
                if _RULE.match(body) and (titled := _titled(body, last, over)):
                    underlined.append(titled)
                    body = ""
                elif m := _FENCE.match(body):
                    fence, body = m[1] or m[2], ""
                elif (m := _HASHES.match(body)) and not line.startswith(("    ", "\t")):
                    hashed.append(Heading(start, len(m[1]), unclosed(body[m.end() :])))
                    body = ""
        over, last = last, _Line(start, body)
    levels = {"=": 1, "-": 2} if hashed else {}
    found = [Heading(start, levels.setdefault(style, len(levels) + 1), title) for start, style, title in underlined]
    return sorted(h for h in hashed + found if h.title)


def unclosed(title: str) -> str:
    """A title without the hashes that may close it: ``Usage ##`` is "Usage", ``C#`` stays."""
    bare = title.rstrip().rstrip("#")
    return bare.strip() if not bare.strip() or bare[-1].isspace() else title.strip()


def _titled(rule: str, last: _Line, over: _Line) -> tuple[int, str, str] | None:
    """Start, style and title of the heading that `rule` closes, None where it is a transition or the edge of a table or list."""
    title = last.body
    if not title or title[0] in "|#>" or title[:2] in ("- ", "* ", "+ ") or _RULE.match(title):
        return None
    long = len(rule) >= len(title)
    if over.body == rule and long:
        return over.start, rule[0] * 2, title
    # A rule under a paragraph of several lines or under a longer line is no heading's.
    return (last.start, rule[0], title) if not over.body and (long or rule[0] == "=") else None


def path_at(found: list[Heading], starts: list[int]) -> list[tuple[str, ...]]:
    """The titles above each of the ascending positions `starts`, outermost first; a heading that starts there counts."""
    paths: list[tuple[str, ...]] = []
    stack: list[Heading] = []
    upcoming = iter(found)
    heading = next(upcoming, None)
    for start in starts:
        while heading is not None and heading.start <= start:
            while stack and stack[-1].level >= heading.level:
                stack.pop()
            stack.append(heading)
            heading = next(upcoming, None)
        paths.append(tuple(h.title for h in stack))
    return paths


def titled(titles: Sequence[str], text: str) -> str:
    """`text` under titles, outermost first, each cut to `LONGEST` characters."""
    return " > ".join(title[:LONGEST] for title in titles) + "\n\n" + text if titles else text
