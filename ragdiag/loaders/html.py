"""HTML: what a reader sees of the page's own content, as text with markdown-style headings.

Navigation, page headers and footers, asides, forms, consent banners and whatever is hidden are left out, and so are scripts
and drawings. Blocks stand apart by a blank line; list items and table rows that belong together stand on lines of their own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ragdiag.errors import UnreadableDocument
from ragdiag.files import decode, read_bytes
from ragdiag.records import Document
from ragdiag.registry import require

__all__ = ["load"]

HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
BLOCKS = set(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form "
    "header hgroup hr html legend li main menu ol p pre search section summary table tbody td tfoot th thead tr ul".split()
) | set(HEADINGS)
DROPPED = set(
    "audio canvas datalist embed head iframe input math-field nav noembed noframes noscript object script select style svg "
    "template textarea title video".split()
)
PAGE_FURNITURE = {"header", "footer", "aside"}
FURNITURE_ROLES = {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog"}
CONTENT = "main, article, [role=main], h1"

SPACE = re.compile(r"[ \t\n\r\f]+")
HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]+)""", re.I)
BANNER = re.compile(
    r"(?:cookie|consent|gdpr|ccpa|privacy)[\w-]*(?:banner|bar\b|notice|popup|modal|dialog|overlay|prompt|message|layer|sdk|consent)"
    r"|(?:banner|notice|popup|modal|overlay)[\w-]*(?:cookie|consent|gdpr)|cookiebot|onetrust|usercentrics|\bcc-(?:window|banner)",
    re.I,
)


def load(path: Path) -> Document:
    """The content of an HTML page as text; the title is that of the page.

    Read in the encoding that a byte order mark or a ``<meta charset>`` names, else as UTF-8. Raises `UnreadableDocument`
    where that encoding does not fit, and where no text is left.
    """
    parser = require("selectolax.lexbor", "docs")
    markup = _decoded(read_bytes(path, UnreadableDocument), path)
    try:
        tree = parser.LexborHTMLParser(markup)
    except Exception as e:
        raise UnreadableDocument(f"is HTML that cannot be parsed ({e})", path, remedy="save the page again") from e
    text = _Writer().write(tree.root)
    if not text:
        remedy = "a page that scripts build must be saved after it is shown"
        raise UnreadableDocument("holds no text outside scripts, navigation and forms", path, remedy=remedy)
    titles = [t for t in tree.css("title") if t.parent.tag != "svg"]
    return Document("", text, _collapsed(titles[0].text()) if titles else "")


def _decoded(raw: bytes, path: Path) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    else:
        named = None if raw.startswith(b"\xef\xbb\xbf") else CHARSET.search(raw[:4096])
        charset = named.group(1).decode("ascii", "replace").lower() if named else "utf-8"
        # As browsers do: who writes latin-1 means Windows, and a page whose meta tag can be read as ASCII is not UTF-16.
        charset = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "utf-16": "utf-8"}.get(charset, charset)
    try:
        return raw.decode(charset)
    except LookupError:
        return decode(raw, path, UnreadableDocument)
    except UnicodeError as e:
        raise UnreadableDocument(
            f"is not {charset.upper()}, the encoding it names" if charset != "utf-8" else "is not UTF-8",
            path,
            remedy="state its encoding in <meta charset>, or convert it to UTF-8",
            byte=getattr(e, "start", None),
        ) from e


def _collapsed(text: str) -> str:
    return SPACE.sub(" ", text).strip(" ")


class _Writer:
    """Walks a tree without recursion (pages nest as deep as they like) and collects blocks of text.

    `blocks` holds ``(text, group)``: list items and table rows of one list or table share a group, 0 is none.
    """

    def __init__(self) -> None:
        self.blocks: list[tuple[str, int]] = []
        self.line: list[str] = []  # text of the block under way, white space collapsed only at its end
        self.prefix = ""  # what the block under way starts with: "- ", "## "
        self.group = 0
        self.depth = {"content": 0, "list": 0, "pre": 0}

    def write(self, root: Any) -> str:
        """The text of everything under `root`."""
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                self._leave(node)
            elif node.tag == "-text":
                self.line.append(node.text_content or "")
            elif node.is_element_node and not self._dropped(node) and self._enter(node):
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(list(node.iter(include_text=True))))
        self._flush()
        return self._joined()

    def _joined(self) -> str:
        parts: list[str] = []
        before = 0
        for text, group in self.blocks:
            if parts:
                parts.append("\n" if group and group == before else "\n\n")
            parts.append(text)
            before = group
        return "".join(parts)

    def _dropped(self, node: Any) -> bool:
        """Is `node` no part of the content: never shown, or furniture of the page around it?"""
        tag, attributes = node.tag, node.attributes
        if tag in DROPPED or _hidden(tag, attributes):
            return True
        if tag == "form":
            return not node.css_first(CONTENT)
        if self.depth["content"] or tag in ("html", "body", "main", "article") or tag in HEADINGS:
            return False
        role = attributes.get("role") or ""
        if tag in PAGE_FURNITURE or role in FURNITURE_ROLES:
            return True
        name = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
        return bool(BANNER.search(name)) and not node.css_first(CONTENT)

    def _enter(self, node: Any) -> bool:
        """Open an element; False where nothing is left to do inside."""
        tag = node.tag
        if tag == "br":
            self.line.append("\0")
        if tag not in BLOCKS:
            return True
        self._new_block()
        if tag == "tr" and not node.css_first("table, pre, h1, h2, h3, h4, h5, h6"):
            self._row(node)
            return False
        if tag in HEADINGS:
            self.prefix, self.group = HEADINGS[tag], 0
        elif tag == "li":
            self.prefix = "  " * max(self.depth["list"] - 1, 0) + "- "
            self.group = self.group or node.mem_id
        for kind in _kinds(node):
            self.depth[kind] += 1
        return True

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag not in BLOCKS:
            return
        if tag == "pre" and self.depth["pre"] == 1:
            self._flush_verbatim()
        self._new_block()
        self.prefix = ""
        for kind in _kinds(node):
            self.depth[kind] -= 1
        if tag in HEADINGS or not self.depth["list"]:
            self.group = 0

    def _row(self, row: Any) -> None:
        """One line for a table row: its cells, flattened."""
        cells = []
        for cell in row.iter():
            if cell.tag in ("td", "th") and not self._dropped(cell):
                inner = _Writer()
                inner.depth["content"] = 1
                cells.append(_collapsed(inner.write(cell)))
        if any(cells):
            table = next((n for n in _ancestors(row) if n.tag == "table"), row)
            self.blocks.append((" | ".join(cells), table.mem_id))

    def _new_block(self) -> None:
        if not self.depth["pre"]:
            self._flush()
        elif self.line and not self.line[-1].endswith(("\n", "\0")):
            self.line.append("\n")

    def _flush(self) -> None:
        """End the block under way: white space collapses, line breaks stay."""
        lines = (_collapsed(line) for line in "".join(self.line).split("\0"))
        text = "\n".join(lines).strip("\n")
        self.line.clear()
        if not text:
            return
        if self.prefix.startswith("#"):
            text = _collapsed(text).rstrip("¶ ")
        self.blocks.append((self.prefix + text, self.group if self.prefix.endswith("- ") else 0))
        self.prefix = ""

    def _flush_verbatim(self) -> None:
        text = "".join(self.line).replace("\0", "\n").strip("\n")
        self.line.clear()
        if text:
            self.blocks.append((text, 0))
            self.prefix = ""


def _kinds(node: Any) -> list[str]:
    """What a node counts as while we are inside it."""
    tag = node.tag
    kinds = ["content"] if tag in ("main", "article") or node.attributes.get("role") == "main" else []
    kinds += ["list"] if tag in ("ul", "ol", "menu", "dir") else []
    return kinds + (["pre"] if tag == "pre" else [])


def _hidden(tag: str, attributes: dict[str, str | None]) -> bool:
    if tag == "dialog" and "open" not in attributes:
        return True
    shown = attributes.get("hidden", "until-found") == "until-found"  # such text is folded away, but a reader finds it
    return not shown or attributes.get("aria-hidden") == "true" or bool(HIDDEN_STYLE.search(attributes.get("style") or ""))


def _ancestors(node: Any) -> list[Any]:
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found
