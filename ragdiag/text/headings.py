"""Headings in plain text: Markdown's ``#`` lines, AsciiDoc's ``=`` lines, and titles underlined as Markdown and reStructuredText
do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ragdiag.text.front_matter import FRONT_MATTER

__all__ = ["Heading", "first_marked", "headings", "path_at", "titled"]

LONGEST = 500
"""Characters of a title that are put before each chunk under it."""


_MARKS = frozenset("`=-~^\"'*+#:")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_HASHES = re.compile(r"(#{1,6})[ \t]")
_RULE = re.compile(r"([=\-~^\"'*+#`:])\1{2,}$")
_SHORT_RULE = re.compile(r"([=\-~^\"'`])\1$")
_NO_TITLE = re.compile(r"[|#>]|[-*+] ")
_ANCHOR = re.compile(r"\{:?[ \t]*[#.][\w-][^{}]*\}$")
_MARKED = re.compile(r" {0,3}[#=]{1,6}[ \t]")
_ASCIIDOC = re.compile(r"(={1,6}|#{1,6})[ \t]+([^\s=].*)")
_BEFORE_TITLE = re.compile(r"$|[\[:/]")
_ASCIIDOC_BLOCK = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|`{3,}|~{3,})[\w,-]*$")
_ASCIIDOC_RULES = "=-~^+"


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
    and ``-`` is 2 in a text that has ``#`` headings too, as in Markdown. A text with ``=`` headings is AsciiDoc.
    """
    position = _end_of_front_matter(text)
    lines = text[position:].split(_line_end(text))
    hashed, underlined, may_be_asciidoc = _of_markdown(lines, position)
    if may_be_asciidoc and (asciidoc := _of_asciidoc(lines, position)):
        return asciidoc
    levels = {"=": 1, "-": 2} if hashed else {}
    leveled = [Heading(u.start, levels.setdefault(u.style, len(levels) + 1), _unanchored(u.title)) for u in underlined]
    return sorted(h for h in hashed + leveled if h.title)


def _of_markdown(lines: Sequence[str], position: int) -> tuple[list[Heading], list[_Underlined], bool]:
    """The ``#`` headings and the underlined ones of Markdown or reStructuredText, whose lines begin at `position`; besides,
    whether a line looks like a heading of AsciiDoc.
    """
    hashed, underlined, may_be_asciidoc = list[Heading](), list[_Underlined](), False
    code, fences = _Code(), _Fences(lines)
    over = last = _Line(position, "")
    for i, line in enumerate(lines):
        start, position = position, position + len(line) + 1
        body = code.without(line)
        # Most lines begin with no mark, and are done with here.
        if body[:1] in _MARKS:
            title = _titled(body, last, over)
            may_be_asciidoc |= body[0] == "=" and _ASCIIDOC.match(line) is not None
            if title and not (len(title.style) == 1 and fences.opened_at(i, body, is_markdown=bool(hashed))):
                underlined.append(title)
                body, code.literal = "", False
            elif (fence := _FENCE.match(body)) and not fences.is_overline(i, body):
                code.fence, body = fence[1] or fence[2], ""
            elif (hashes := _HASHES.match(body)) and not line.startswith(("    ", "\t")):
                hashed.append(Heading(start, len(hashes[1]), _bare(body[hashes.end() :])))
                body = ""
        over, last = last, _Line(start, body)
    return hashed, underlined, may_be_asciidoc


def first_marked(text: str) -> str:
    """The first heading that its own line marks as one, as in Markdown and AsciiDoc; "" where there is none."""
    marked = headings(text) if "#" in text or "= " in text else ()
    return next((h.title for h in marked if _MARKED.match(text, h.start)), "")


def _line_end(text: str) -> str:
    """What ends the lines, or the last character of it; old files of the Macintosh have carriage returns alone."""
    return "\n" if "\n" in text else "\r"


def _end_of_front_matter(text: str) -> int:
    front = FRONT_MATTER.match(text)
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


class _Fences:
    """Tells fences of code from lines of backticks or tildes that underline a title, by the lines after them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._rules: list[tuple[int, str]] | None = None

    def opened_at(self, i: int, rule: str, is_markdown: bool) -> bool:
        """Whether `rule`, which may underline the title above it, opens code: something closes it that underlines no title."""
        if not rule.startswith(("```", "~~~")):
            return False
        if not is_markdown and i + 1 < len(self._lines) and not self._lines[i + 1].strip():
            return False  # a blank line follows titles, and hardly ever begins code
        for at, other in self._closing:
            if at > i and other.startswith(rule):
                title, before = self._lines[at - 1].strip(), self._lines[at - 2].strip() if at > 1 else ""
                return not title or len(title) > len(other) or bool(before)
        return False

    def is_overline(self, i: int, rule: str) -> bool:
        """Whether the line after next is the same, with a title between; three marks are code of one line."""
        if len(rule) < 4 or i + 2 >= len(self._lines) or self._lines[i + 2].strip() != rule:
            return False
        return 0 < len(self._lines[i + 1].strip()) <= len(rule)

    @property
    def _closing(self) -> list[tuple[int, str]]:
        """Every line of backticks or tildes alone, with its number."""
        if self._rules is None:
            bare = ((i, line.strip()) for i, line in enumerate(self._lines) if "```" in line or "~~~" in line)
            self._rules = [(i, rule) for i, rule in bare if not rule.strip(rule[0])]
        return self._rules


def _of_asciidoc(lines: Sequence[str], position: int) -> list[Heading]:
    """The headings of an AsciiDoc text, whose lines begin at `position`; none where no line is one of ``=``.

    Code, comments and other blocks stand between two equal lines of marks; an older title is underlined, as long as it is.
    """
    block, is_asciidoc, leveled = "", False, list[Heading]()
    over = last = _Line(position, "")
    for line in lines:
        start, position = position, position + len(line) + 1
        body = line.rstrip()
        if block:
            block = "" if body == block else block
            body = ""
        elif (title := _ASCIIDOC.match(body)) and _BEFORE_TITLE.match(last.body):
            is_asciidoc |= title[1][0] == "="
            leveled.append(Heading(start, len(title[1]), _bare(title[2])))
        elif not over.body and _underlines(body, last.body):
            leveled.append(Heading(last.start, _ASCIIDOC_RULES.index(body[0]) + 1, _unanchored(last.body)))
            body = ""
        elif marks := _ASCIIDOC_BLOCK.match(body):
            block, body = marks[1], ""
        over, last = last, _Line(start, body)
    return [h for h in leveled if h.title] if is_asciidoc else []


def _underlines(rule: str, title: str) -> bool:
    """Whether a line makes the line above it an AsciiDoc title."""
    is_rule = len(rule) > 2 and rule[0] in _ASCIIDOC_RULES and not rule.strip(rule[0])
    return is_rule and title[:1] not in ("", "[", ".", "|") and abs(len(rule) - len(title)) <= 1


def _bare(title: str) -> str:
    """A title without its anchor, and without the marks that may close it: ``Usage ##`` is "Usage", ``C#`` stays."""
    title = _unanchored(title)
    bare = title.rstrip("#=")
    return bare.strip() if not bare.strip() or bare[-1].isspace() else title


def _unanchored(title: str) -> str:
    """A title without the attributes that may stand behind it: ``Usage {#usage}`` is "Usage"."""
    title = title.strip()
    return _ANCHOR.sub("", title).rstrip(" \t") if title.endswith("}") else title


def _titled(rule: str, last: _Line, over: _Line) -> _Underlined | None:
    """The heading that `rule` closes: `last` is the line above it, `over` the one above that.

    None where it is no line of marks, or where that is a transition or the edge of a table or list.
    """
    title = last.body
    is_rule = _RULE.match(rule) or (len(title) == 2 and _SHORT_RULE.match(rule))
    if not is_rule or not title or _NO_TITLE.match(title) or _RULE.match(title):
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
