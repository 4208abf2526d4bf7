"""HTML: what a reader sees of the page's own content, as text with markdown-style headings.

Navigation, page headers and footers, asides, forms, consent banners and whatever is hidden are left out, and so are scripts
and drawings. Blocks stand apart by a blank line; list items and table rows that belong together stand on lines of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Protocol

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import decode, read_bytes
from ragdiag.core.records import Document
from ragdiag.core.registry import require
from ragdiag.sources.loaders._markup import BLOCKS, HEADINGS, too_much
from ragdiag.sources.omissions import Keep

__all__ = ["load"]

DROPPED = {
    *"audio canvas datalist embed head iframe input nav noembed noframes noscript object script select style svg".split(),
    *"template textarea title video".split(),
}
FURNITURE = {"header", "footer", "aside"}
FURNITURE_ROLES = {"banner", "contentinfo", "complementary", "search", "dialog", "alertdialog"}
CONTENT = "main, article, [role=main], h1"
NOT_A_ROW = "table, pre, h1, h2, h3, h4, h5, h6, p + p"  # a table row that holds these is layout, not data

SPACE = re.compile(r"[ \t\n\r\f]+")
HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]+)""", re.I)
NAME = re.compile(r"[\w-]+")
CONSENT = re.compile(r"cookie|consent|gdpr|ccpa", re.I)
LAYER = re.compile(r"banner|bar\b|notice|popup|modal|dialog|overlay|prompt|message|layer|sdk|consent", re.I)
BANNER = re.compile(r"cookiebot|onetrust|usercentrics|\bcc-(?:window|banner)", re.I)
BEFORE = re.compile(r"banner|notice|popup|modal|overlay", re.I)
AFTER = re.compile(r"cookie|consent|gdpr", re.I)

DEEPEST = 8
"""Levels by which a list item is indented at most."""


class _Node(Protocol):
    """What is used of a node of selectolax: an element, or with a tag such as ``-text`` something else."""

    tag: str
    mem_id: int
    attributes: Mapping[str, str | None]
    parent: _Node | None
    text_content: str | None

    def iter(self, include_text: bool = False) -> Iterator[_Node]: ...


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The content of an HTML page as text; the title is that of the page.

    Read in the encoding that a byte order mark or a ``<meta charset>`` names, else as UTF-8. Raises `UnreadableDocument`
    where that encoding does not fit, and where no text is left.
    """
    parser = require("selectolax.lexbor", "docs")
    markup = _decoded(read_bytes(path, UnreadableDocument), path)
    if what := too_much(markup):
        raise UnreadableDocument(what, path, remedy="save the page without what scripts made of it, or split it")
    tree = parser.LexborHTMLParser(markup)
    text = _Writer(_holding(tree.css(CONTENT)), _holding(tree.css(NOT_A_ROW))).write(tree.root) if tree.root else ""
    if not text:
        remedy = "a page that scripts build must be saved as it is shown"
        raise UnreadableDocument("holds no text outside scripts, navigation and forms", path, remedy=remedy)
    titles = [t.text() for t in tree.css("title") if t.parent.tag != "svg"]
    return Document("", text, _collapsed(titles[0]) if titles else "")


def _decoded(raw: bytes, path: Path) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        return decode(raw[3:], path, UnreadableDocument, first_byte=3)
    named = CHARSET.search(raw[:4096])
    charset = named.group(1).decode("ascii", "replace").lower() if named else "utf-8"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    elif charset.startswith("utf"):  # a tag that can be read as ASCII is not in UTF-16, whatever it says
        return decode(raw, path, UnreadableDocument)
    # As browsers do: who writes latin-1 means Windows.
    charset = "windows-1252" if charset in ("iso-8859-1", "latin1", "us-ascii", "ascii") else charset
    try:
        return raw.decode(charset)
    except LookupError:
        return decode(raw, path, UnreadableDocument)
    except UnicodeError as e:
        remedy = "state its encoding in <meta charset>, or convert it to UTF-8"
        byte = e.start if isinstance(e, UnicodeDecodeError) else None
        raise UnreadableDocument(f"is not {charset}, the encoding it names", path, remedy=remedy, byte=byte) from e


def _collapsed(text: str) -> str:
    return SPACE.sub(" ", text).strip(" ")


def _holding(nodes: Iterable[_Node]) -> set[int]:
    """`nodes`, and all the elements round them."""
    ids: set[int] = set()
    for start in nodes:
        node: _Node | None = start
        while node is not None and node.mem_id not in ids:
            ids.add(node.mem_id)
            node = node.parent
    return ids


class _Writer:
    """Walks a tree without recursion (pages nest as deep as they like) and collects blocks of text.

    `content` are the elements round the page's own content, `layout` those round what no row of data holds.
    """

    def __init__(self, content: Set[int], layout: Set[int]) -> None:
        self.content, self.layout = content, layout
        self.blocks: list[tuple[str, int]] = []  # text, and the list or table that it is a line of (0: none)
        self.line: list[str] = []  # the block under way as it stands in the page, "\0" for a line break
        self.prefix = ""  # what the block under way starts with: "- ", "## "
        self.inside: dict[str, list[int]] = {"content": [], "list": [], "table": [], "pre": []}  # the open elements of a kind

    def write(self, root: _Node) -> str:
        """The text of everything under `root`."""
        stack: list[tuple[_Node, Sequence[str] | None]] = [(root, None)]  # with the kinds of an element that is being left
        while stack:
            node, kinds = stack.pop()
            tag = node.tag
            if kinds is not None:
                self._leave(tag, kinds)
            elif tag == "-text":
                self.line.append(node.text_content or "")
            elif tag and tag[0] != "-" and not self._dropped(node, tag, attributes := node.attributes):
                kinds = _kinds(tag, attributes)
                if self._enter(node, tag, kinds):
                    if tag in BLOCKS:
                        stack.append((node, kinds))
                    stack.extend([(child, None) for child in node.iter(include_text=True)][::-1])
        self._flush()
        return _joined(self.blocks)

    def _dropped(self, node: _Node, tag: str, attributes: Mapping[str, str | None]) -> bool:
        """Is `node` no part of the content: never shown, or furniture of the page around it?"""
        if tag in ("html", "body"):
            return False
        role = attributes.get("role")
        if tag in DROPPED or role == "navigation" or _hidden(tag, attributes):
            return True
        if tag == "form":  # some frameworks wrap a whole page in one
            return node.mem_id not in self.content
        if self.inside["content"] or tag in ("main", "article") or tag in HEADINGS:
            return False
        return tag in FURNITURE or role in FURNITURE_ROLES or (node.mem_id not in self.content and _is_banner(attributes))

    def _enter(self, node: _Node, tag: str, kinds: Sequence[str]) -> bool:
        """Open an element; False where nothing is left to do inside."""
        if tag == "br":
            self.line.append("\0")
        if tag not in BLOCKS:
            return True
        self._break()
        if tag == "tr" and not self.inside["pre"] and node.mem_id not in self.layout:
            self._row(node)
            return False
        if tag in HEADINGS:
            self.prefix = HEADINGS[tag]
        elif tag == "li":
            self.prefix = "  " * min(len(self.inside["list"]) - 1, DEEPEST) + "- "
        for kind in kinds:
            self.inside[kind].append(node.mem_id)
        return True

    def _leave(self, tag: str, kinds: Sequence[str]) -> None:
        self._break()
        for kind in kinds:
            self.inside[kind].pop()
        if tag == "pre" and not self.inside["pre"]:
            self._add("".join(self.line).replace("\0", "\n").strip("\n"))
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
        text = "\n".join(_collapsed(line) for line in "".join(self.line).split("\0")).strip("\n")
        if not text or not self.prefix:
            self._add(text)
        elif self.prefix.startswith("#"):
            self._add(self.prefix + _collapsed(text).rstrip("¶§ "))
        else:
            self._add(self.prefix + text, self.inside["list"][0] if self.inside["list"] else 0)

    def _row(self, row: _Node) -> None:
        """One line for a table row: its cells, flattened."""
        cells = []
        for cell in row.iter():
            if self._dropped(cell, cell.tag, cell.attributes):
                continue
            inner = _Writer(self.content, self.layout)
            inner.inside["content"] = self.inside["content"] or [0]
            cells.append(_collapsed(inner.write(cell)))
        if any(cells):
            self._add(" | ".join(cells), self.inside["table"][-1] if self.inside["table"] else 0)

    def _add(self, text: str, group: int = 0) -> None:
        self.line.clear()
        if text:
            self.blocks.append((text, group))
            self.prefix = ""


def _joined(blocks: Iterable[tuple[str, int]]) -> str:
    """Texts with a blank line between two, but for those of one list or table (0: of none)."""
    parts: list[str] = []
    before = 0
    for text, group in blocks:
        parts += ["\n" if group and group == before else "\n\n", text]
        before = group
    return "".join(parts[1:])


def _kinds(tag: str, attributes: Mapping[str, str | None]) -> Sequence[str]:
    """The kinds that an element counts as while it is open."""
    kinds = ["content"] if tag in ("main", "article") or attributes.get("role") == "main" else []
    kinds += ["list"] if tag in ("ul", "ol", "menu", "dir") else []
    return kinds + ([tag] if tag in ("table", "pre") else [])


def _hidden(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether a reader does not see an element."""
    if tag == "dialog" and "open" not in attributes:
        return True
    folded = attributes.get("hidden") == "until-found"  # a reader finds such text
    if ("hidden" in attributes and not folded) or attributes.get("aria-hidden") == "true":
        return True
    return bool(HIDDEN_STYLE.search(attributes.get("style") or ""))


def _is_banner(attributes: Mapping[str, str | None]) -> bool:
    """Whether an element is a consent banner, by its id or its classes."""
    return any(_names_a_banner(attributes.get(name) or "") for name in ("id", "class"))


def _names_a_banner(names: str) -> bool:
    return BANNER.search(names) is not None or any(
        (first := one.search(name)) and other.search(name, first.end())
        for name in (NAME.findall(names) if CONSENT.search(names) else ())
        for one, other in ((CONSENT, LAYER), (BEFORE, AFTER))
    )
