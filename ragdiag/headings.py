"""Headings in plain text: Markdown's ``#`` lines, and titles underlined as Markdown and reStructuredText do."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Heading", "headings", "path_at"]

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_HASHES = re.compile(r"^ {0,3}(#{1,6})[ \t]+(\S.*?)[ \t#]*\r?$", re.MULTILINE)
_UNDERLINE = re.compile(r"^([=\-~^\"'*+#])\1{2,}[ \t]*\r?$", re.MULTILINE)


class Heading(NamedTuple):
    """A heading: where its line starts, its level (1 is the highest) and its title."""

    start: int
    level: int
    title: str


def headings(text: str) -> list[Heading]:
    """All headings of `text` in order; lines inside fenced code are not headings.

    Levels of underlined titles go by the order in which their characters first appear, as in reStructuredText.
    """
    code = _fenced(text)
    found = [Heading(m.start(), len(m[1]), m[2]) for m in _HASHES.finditer(text)]
    levels: dict[str, int] = {}
    for m in _UNDERLINE.finditer(text):
        start = text.rfind("\n", 0, max(m.start() - 1, 0)) + 1
        title = text[start : m.start()].strip()
        # A rule under a paragraph of several lines, a table or a list is no heading: its line must stand alone.
        alone = not text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : start].strip()
        if title and title[0] not in "|#" and alone and (m[1] == "=" or len(m[0].rstrip()) >= len(title)):
            found.append(Heading(start, levels.setdefault(m[1], len(levels) + 1), title))
    return sorted(h for h in found if not any(a <= h.start < b for a, b in code))


def _fenced(text: str) -> list[tuple[int, int]]:
    spans, opened = [], None
    for m in _FENCE.finditer(text):
        if opened is None:
            opened = m
        elif m[1][0] == opened[1][0] and len(m[1]) >= len(opened[1]):
            spans.append((opened.start(), m.end()))
            opened = None
    return spans if opened is None else [*spans, (opened.start(), len(text))]


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
