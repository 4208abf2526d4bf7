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
    """A line: where it starts, and its text without white space round it, "" where it counts as blank (code, a heading's end)."""

    start: int
    body: str


class _Underlined(NamedTuple):
    """A heading whose level is not known yet: its style is the character of the line under it, twice where one is over it too."""

    start: int
    style: str
    title: str


def headings(text: str) -> list[Heading]:
    """All headings of `text` in order; lines of fenced code, of reStructuredText's literal blocks and of front matter are none.

    Underlined titles have levels by the order in which their styles first appear, as in reStructuredText, except that ``=`` is 1
    and ``-`` is 2 in a text that has ``#`` headings too, as in Markdown.
    """
    hashed: list[Heading] = []
    underlined: list[_Underlined] = []
    position = _end_of_front_matter(text)
    code = _Code()
    over = last = _Line(position, "")
    for line in text[position:].split("\n"):
        start, position = position, position + len(line) + 1
        body = code.without(line)
        # Most lines begin with no mark, and are done with here. Underlines come before fences: tildes may underline a title.
        if body[:1] in _MARKS:
            if title := _titled(body, last, over):
                underlined.append(title)
                body = ""
            elif fence := _FENCE.match(body):
                code.fence, body = fence[1] or fence[2], ""
            elif (hashes := _HASHES.match(body)) and not line.startswith(("    ", "\t")):
                hashed.append(Heading(start, len(hashes[1]), unclosed(body[hashes.end() :])))
                body = ""
        over, last = last, _Line(start, body)
    levels = {"=": 1, "-": 2} if hashed else {}
    leveled = [Heading(u.start, levels.setdefault(u.style, len(levels) + 1), u.title) for u in underlined]
    return sorted(h for h in hashed + leveled if h.title)


def _end_of_front_matter(text: str) -> int:
    front = _FRONT_MATTER.match(text)
    return front.end() if front else 0


class _Code:
    """Where code is, as a text is read line by line.

    `fence` is what opened the fenced code that the line is in, "" outside; `literal` says whether the last line without an indent
    opens a literal block, which the indented lines below it are.
    """

    def __init__(self) -> None:
        self.fence, self.literal = "", False

    def without(self, line: str) -> str:
        """The line without white space round it; "" for one of code, and for the one that ends fenced code."""
        body = line.strip()
        if self.fence:
            if body.startswith(self.fence) and not body.strip(self.fence[0]):
                self.fence = ""
            return ""
        if body and line[0] not in " \t":
            self.literal = body.endswith("::") or body.startswith("..")
        elif self.literal:
            return ""
        return body


def unclosed(title: str) -> str:
    """A title without the hashes that may close it: ``Usage ##`` is "Usage", ``C#`` stays."""
    bare = title.rstrip().rstrip("#")
    return bare.strip() if not bare.strip() or bare[-1].isspace() else title.strip()


def _titled(rule: str, last: _Line, over: _Line) -> _Underlined | None:
    """The heading that `rule` closes: `last` is the line above it, `over` the one above that.

    None where it is no line of marks, or where that is a transition or the edge of a table or list.
    """
    title = last.body
    if not _RULE.match(rule) or not title or title[0] in "|#>" or title[:2] in ("- ", "* ", "+ ") or _RULE.match(title):
        return None
    long = len(rule) >= len(title)
    if over.body == rule and long:
        return _Underlined(over.start, rule[0] * 2, title)
    # A rule under a paragraph of several lines or under a longer line is no heading's.
    return _Underlined(last.start, rule[0], title) if not over.body and (long or rule[0] == "=") else None


def path_at(headings: list[Heading], starts: list[int]) -> list[tuple[str, ...]]:
    """The titles above each of the ascending positions `starts`, outermost first; a heading that starts there counts."""
    paths: list[tuple[str, ...]] = []
    stack: list[Heading] = []
    upcoming = iter(headings)
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
