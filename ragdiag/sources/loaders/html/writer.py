"""Walks a page and writes its text, block by block, with what is left out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ragdiag.core.records import Omission
from ragdiag.sources.loaders.html.fields import FIELDS, rest, value
from ragdiag.sources.loaders.html.formulas import GLUE, raised, script, separated, spoken
from ragdiag.sources.loaders.html.markup import BLOCKS, HEADINGS
from ragdiag.sources.loaders.html.nodes import Attributes, Node, ancestors, collapsed, named, place, plain
from ragdiag.sources.loaders.html.page import Page
from ragdiag.sources.loaders.html.pictures import alternative, is_decoration, picture, title_of_drawing
from ragdiag.sources.loaders.html.signs import INLINE
from ragdiag.sources.loaders.html.tables import SEPARATOR, Cell, Rows, Tables

__all__ = ["Writer"]

DEEPEST = 8
"""Levels by which a list item is indented at most."""

DRAWN = ("text", "foreignObject", "foreignobject")
"""What stands apart in a drawing."""


APART = ("button", "label", "meter", "output", "progress", "tspan")
BELOW = re.compile(r"\bden(?:ominator)?\b", re.I)
MARKED = frozenset(("rt", "sup", "sub", *APART))
BLOCK_STYLE = re.compile(r"display\s*:\s*(?:block|flex|grid|table|list-item)", re.I)
"""What stands apart from its neighbours on the same line; so do the elements of components."""


class _Left(NamedTuple):
    """What is left out before a block, by the block's number."""

    block: int
    kind: str
    text: str
    place: str


class Writer:
    """Walks a tree without recursion (pages nest as deep as they like) and collects blocks of text."""

    def __init__(self, page: Page, tables: Tables) -> None:
        self.page, self.tables = page, tables
        self.blocks: list[tuple[str, int]] = []  # text, and the list or table that it is a line of (0: none)
        self.left: list[_Left] = []
        self.line: list[str] = []  # the block under way as it stands in the page, "\0" for a line break
        self.prefix = ""  # what the block under way starts with: "- ", "## "
        self._captions: dict[int, str] = {}
        self.rows: dict[int, Rows] = {}  # of the open tables
        kinds = ("content", "section", "aside", "form", "list", "table", "pre", "svg", "cell")
        self.inside: dict[str, list[int]] = {kind: [] for kind in kinds}  # the open elements of a kind

    def write(self, root: Node) -> str:
        """The text of everything under `root`."""
        stack: list[tuple[Node, Sequence[str] | None, str]] = [(root, None, "")]  # an element being left: its kinds, and an end
        while stack:
            node, kinds, end = stack.pop()
            tag = node.tag
            if kinds is not None:
                self._leave(tag, kinds, end)
            elif tag == "-text":
                self.line.append(node.text_content or "")
            elif tag and tag[0] != "-":
                stack.extend(self._visited(node, tag)[::-1])
        self._flush()
        return _joined(self.blocks)

    def _visited(self, node: Node, tag: str) -> list[tuple[Node, Sequence[str] | None, str]]:
        """Open an element; returns what is inside it, and its end."""
        attributes = node.attributes
        if self._is_left_out(node, tag, attributes):
            return []
        kinds, end = self._kinds(node, tag, attributes), self._mark(node, tag, attributes)
        if not self._enter(node, tag, attributes, kinds):
            return []
        inside: list[tuple[Node, Sequence[str] | None, str]] = [(child, None, "") for child in node.iter(include_text=True)]
        return [*inside, (node, kinds, end)] if kinds or end or tag in BLOCKS or tag in DRAWN else inside

    def omissions(self) -> tuple[Omission, ...]:
        """What was left out, each with the position in the text where the block begins before or in which it stood."""
        starts, at = [], 0
        for i, (text, group) in enumerate(self.blocks):
            at += len(_between(self.blocks[i - 1][1], group)) if i else 0
            starts.append(at)
            at += len(text)
        starts.append(at)
        return tuple(Omission(each.kind, each.text, starts[each.block], each.place) for each in self.left)

    def _is_left_out(self, node: Node, tag: str, attributes: Attributes) -> bool:
        kind = self.page.left_out(node, tag, attributes, self.inside)
        if kind and (text := plain(node)):
            self._leave_out(kind, text, place(node))
        elif kind == "unreadable":
            self._leave_out(kind, collapsed(attributes.get("title") or ""), place(node))
        return kind is not None

    def _leave_out(self, kind: str, text: str, where: str) -> None:
        self.left.append(_Left(len(self.blocks), kind, text, where))

    def _mark(self, node: Node, tag: str, attributes: Attributes) -> str:
        """Write what stands before raised or lowered text and a reading; returns what stands behind it."""
        if tag == "rt":
            self.line.append("(")
            return ")"
        if not attributes and tag not in MARKED and "-" not in tag:
            return ""
        if kind := script(tag, attributes):
            start, end = raised(kind, node, self._written())
            self.line.append(start)
            return end
        if _is_apart(tag, attributes):
            self.line.append(" ")
            return " "
        if tag == "span" and BELOW.search(named(attributes)) and self._written()[-1:].isalnum():
            self.line.append("/")
        return ""

    def _written(self) -> str:
        """The end of the block under way."""
        text = ""
        for piece in reversed(self.line):
            text = piece + text
            if len(text) > 20:
                break
        return text

    def _enter(self, node: Node, tag: str, attributes: Attributes, kinds: Sequence[str]) -> bool:
        """Open an element; False where nothing is left to do inside."""
        if tag in FIELDS:
            return self._field(node, tag, attributes)
        if tag in ("img", "math") or (tag == "svg" and not node.css("text, foreignObject")):
            return self._insert(node, tag, attributes)
        if tag == "br":
            self.line.append("\0")
        if tag in BLOCKS or tag in DRAWN or attributes.get("role") == "tab":
            self._break()
            if tag == "tr" and not self.inside["pre"] and self.tables.is_data(node):
                self._row(node)
                return False
            self._begin(tag)
        self._open(node, kinds)
        return True

    def _begin(self, tag: str) -> None:
        """What a block starts with."""
        if tag in HEADINGS:
            self.prefix = "" if self.inside["cell"] else HEADINGS[tag]
        elif tag == "li":
            self.prefix = "  " * min(len(self.inside["list"]) - 1, DEEPEST) + "- "
        elif tag in ("thead", "tbody", "tfoot") and self.inside["table"]:
            self.rows[self.inside["table"][-1]].start_group()

    def _open(self, node: Node, kinds: Sequence[str]) -> None:
        for kind in kinds:
            self.inside[kind].append(node.mem_id)
            if kind == "table":
                self.rows[node.mem_id] = Rows()

    def _field(self, node: Node, tag: str, attributes: Attributes) -> bool:
        """What a field shows, with its other choices where forms are kept."""
        text, other = value(node, tag, attributes), rest(node, tag, attributes)
        if other and "forms" in self.page.keep:
            text = ", ".join(part for part in (text, other) if part)
        elif other:
            self._leave_out("forms", other, place(node))
        if attributes.get("type") == "checkbox" and self.inside["list"] and not self.inside["form"]:
            text = "[x]" if "checked" in attributes else "[ ]"
        self.line.append(f" {text} " if text else "")
        return False

    def _insert(self, node: Node, tag: str, attributes: Attributes) -> bool:
        """A picture's text or a formula, apart from the words beside it."""
        if tag == "math":
            apart = " " if self._written()[-1:].isalnum() else ""
            self.line.append(f"{apart}{spoken(node)}{GLUE}")
        elif tag == "svg":
            if not is_decoration(attributes) and (title := title_of_drawing(node, attributes)):
                self._leave_out("images", title, place(node))
        elif text := alternative(attributes):
            self.line.append("" if text in self._caption(node) else f" {text} ")
        elif not is_decoration(attributes):
            self._leave_out("images", "", picture(attributes))
        return False

    def _caption(self, node: Node) -> str:
        """The caption of the figure that an element is in."""
        figure = next((outer for outer in ancestors(node) if outer.tag in ("figure", "body")), node)
        if figure.mem_id not in self._captions:
            captions = figure.css("figcaption") if figure.tag == "figure" else []
            self._captions[figure.mem_id] = " ".join(plain(each) for each in captions)
        return self._captions[figure.mem_id]

    def _kinds(self, node: Node, tag: str, attributes: Attributes) -> Sequence[str]:
        """The kinds that an element counts as while it is open."""
        role = attributes.get("role")
        kinds = ["content"] if tag in ("main", "article") or role == "main" else []
        kinds += ["section"] if tag in ("section", "blockquote", "figure", "aside") or role == "complementary" else []
        kinds += ["aside"] if tag == "aside" or role == "complementary" else []
        kinds += ["form"] if tag == "form" and node.mem_id not in self.page.content else []
        kinds += ["list"] if tag in ("ul", "ol", "menu", "dir") else []
        return kinds + ([tag] if tag in ("table", "pre", "svg") else [])

    def _leave(self, tag: str, kinds: Sequence[str], end: str) -> None:
        self.line.append(end)
        if tag in BLOCKS or tag in DRAWN or "svg" in kinds:
            self._break()
        for kind in kinds:
            opened = self.inside[kind].pop()
            if kind == "table":
                del self.rows[opened]
        if tag == "pre" and not self.inside["pre"]:
            self._add(separated("".join(self.line)).replace("\0", "\n").strip("\n"))
        elif tag == "li" or tag in HEADINGS:
            self.prefix = ""

    def _break(self) -> None:
        """An edge of a block element: ends the block under way, or within `pre` the line."""
        if not self.inside["pre"]:
            self._flush()
        elif self.line and not self.line[-1].endswith(("\n", "\0")):
            self.line.append("\0")

    def _flush(self) -> None:
        """End the block under way: white space collapses, line breaks stay."""
        if not self.line:
            return
        text = "\n".join(collapsed(separated(line)) for line in "".join(self.line).split("\0")).strip("\n")
        if self.prefix.startswith("#") and text:
            self._add(self.prefix + collapsed(text).rstrip("¶§ "))
        elif text and self.prefix:
            self._add(self.prefix + text, self.inside["list"][0] if self.inside["list"] else 0)
        else:
            self._add(text, self.inside["svg"][0] if self.inside["svg"] else 0)

    def _row(self, row: Node) -> None:
        """One line for a table row: its cells, flattened."""
        cells = []
        for cell in row.iter():
            attributes = cell.attributes
            if cell.tag[0] == "-" or self._is_left_out(cell, cell.tag, attributes):
                continue
            inner = Writer(self.page, self.tables)
            inner.inside |= {kind: self.inside[kind] or [0] for kind in ("content", "section", "form") if self.inside[kind]}
            inner.inside["content"], inner.inside["cell"] = self.inside["content"] or [0], [0]
            cells.append(Cell.of(collapsed(inner.write(cell)), attributes))
            self.left += [each._replace(block=len(self.blocks)) for each in inner.left]
        table = self.inside["table"][-1] if self.inside["table"] else 0
        texts = (self.rows[table] if table else Rows()).row(cells)
        if any(texts):
            self._add(SEPARATOR.join(texts), table)

    def _add(self, text: str, group: int = 0) -> None:
        self.line.clear()
        if text:
            self.blocks.append((text, group))
            self.prefix = ""


def _is_apart(tag: str, attributes: Attributes) -> bool:
    """Whether an element stands apart on its line: a button, a component, what a style makes a block."""
    return tag in APART or "-" in tag or (tag in INLINE and BLOCK_STYLE.search(attributes.get("style") or "") is not None)


def _between(before: int, group: int) -> str:
    """What stands between two blocks of these lists or tables (0: of none)."""
    return "\n" if group and group == before else "\n\n"


def _joined(blocks: Iterable[tuple[str, int]]) -> str:
    """Texts with a blank line between two, but for those of one list or table."""
    parts: list[str] = []
    before = 0
    for text, group in blocks:
        parts += [_between(before, group), text]
        before = group
    return "".join(parts[1:])
