"""Word documents (.docx): paragraphs and tables in document order, as text with markdown-style headings.

Read from the XML rather than through `Document.paragraphs`, which passes over content controls, tracked insertions and text
boxes. Every part is decompressed once, up to a limit, before python-docx sees it.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.files import read_bytes
from ragdiag.core.records import Document
from ragdiag.core.registry import require
from ragdiag.sources.omissions import Keep

__all__ = ["load"]

MAX_BYTES = 200 * 2**20
"""No document may decompress to more than this."""
MAX_RATIO, RATIO_FROM = 200, 10 * 2**20
"""Nor, once past `RATIO_FROM` bytes, to more than `MAX_RATIO` times its size."""

MOST_TAGS = 1_500_000
"""Nor may its parts hold more tags: each takes time and memory, however few bytes it has."""
DEEPEST = 8
"""Word's lists have nine levels, numbered from 0; an item of any other level is one of the deepest."""
BODY = 9
"""The outline level of what is no heading."""

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TEXT = {W + "t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
CHARACTERS = {W + "tab": "\t", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # says again what its Choice says
NOT_TEXT = {FALLBACK, *(W + tag for tag in ("pPr", "rPr", "del", "moveFrom", "txbxContent"))}
AROUND = {W + tag for tag in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")}


class _Element(Protocol):
    """What is used of an element of lxml, which has no types of its own."""

    tag: str
    text: str | None

    def __iter__(self) -> Iterator[_Element]: ...
    def get(self, name: str) -> str | None: ...
    def find(self, path: str) -> _Element | None: ...
    def iter(self, tag: str) -> Iterator[_Element]: ...
    def iterancestors(self) -> Iterator[_Element]: ...


Block = tuple[str, str]
"""A text and its group: blocks of one group stand on lines of their own, others apart; "" and "heading" are no groups."""


def load(path: Path, keep: Keep = frozenset()) -> Document:
    """The text of a Word document, and the title from its properties.

    Raises `UnreadableDocument` for a file that is damaged, encrypted, decompresses to an absurd size or holds no text.
    """
    docx = require("docx", "docs")
    package = _unpacked(read_bytes(path, UnreadableDocument), path)
    try:
        document = docx.Document(package)
        blocks = list(_Reader(_prefixes(document.styles.element)).blocks(document.element.body))
        title = document.core_properties.title or ""
    except Exception as e:  # lxml, python-docx and plain KeyErrors, for whatever part is missing or broken
        what = f"is a damaged .docx ({type(e).__name__}: {e})"
        raise UnreadableDocument(what, path, remedy="open and save it again in a word processor") from e
    if not blocks:
        raise UnreadableDocument("holds no text", path, remedy="pictures of pages need OCR first")
    return Document("", _joined(blocks), "" if title == "Word Document" else " ".join(title.split()))


def _unpacked(raw: bytes, path: Path) -> io.BytesIO:
    """The package stored uncompressed: sizes are those found, not those that its directory declares."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        remedy = "save it as .docx without a password"
        raise UnreadableDocument("is encrypted, or an old .doc under a new name", path, remedy=remedy)
    limit, tags = min(MAX_BYTES, max(RATIO_FROM, MAX_RATIO * len(raw))), 0
    bomb = UnreadableDocument(f"decompresses to more than {limit >> 20} MB", path, remedy="leave out its pictures, or split it")
    plain = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed, zipfile.ZipFile(plain, "w") as copy:
            parts = {part.filename: part for part in packed.infolist()}
            if sum(part.file_size for part in parts.values()) > limit:
                raise bomb
            for name, part in parts.items():
                # zipfile bounds what it decompresses for these two only; word processors write no others.
                if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile(f"{name} is compressed in an unusual way")
                with packed.open(part) as content:
                    data = content.read(limit + 1)
                limit -= len(data)
                if limit < 0:
                    raise bomb
                tags += data.count(b"<")
                if tags > MOST_TAGS:
                    raise UnreadableDocument(f"has more than {MOST_TAGS:,} tags", path, remedy="split it")
                copy.writestr(name, data)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as e:
        remedy = "fetch it again, or open and save it in a word processor"
        raise UnreadableDocument(f"is cut short or damaged, no whole zip archive ({e})", path, remedy=remedy) from e
    return plain


class _Reader:
    """Turns body elements into blocks. `prefixes` maps a paragraph style's id to what its paragraphs start with."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self.prefixes = prefixes
        self.tables = 0

    def blocks(self, parent: Iterable[_Element]) -> Iterator[Block]:
        """The blocks of everything in `parent`, in document order."""
        for child in parent:
            if child.tag == W + "p":
                yield from self._paragraph(child)
            elif child.tag == W + "tbl":
                yield from self._table(child)
            elif child.tag in AROUND:
                yield from self.blocks(child)

    def _paragraph(self, paragraph: _Element) -> Iterator[Block]:
        text, prefix = _text(paragraph).strip("\n"), self._prefix(paragraph)
        if text.strip():
            if prefix:
                text = prefix + (" ".join(text.split()) if prefix.startswith("#") else text.strip())
            yield text, "heading" if prefix.startswith("#") else "list" if prefix else ""
        for box in paragraph.iter(W + "txbxContent"):
            around = {element.tag: element for element in reversed(list(box.iterancestors()))}
            if FALLBACK not in around and around[W + "p"] is paragraph:
                yield from self.blocks(box)

    def _prefix(self, paragraph: _Element) -> str:
        style = self.prefixes.get(_value(paragraph, "pPr/pStyle"), "")
        number = _value(paragraph, "pPr/numPr/numId")
        if style.startswith("#") or not number:
            return style
        level = _number(_value(paragraph, "pPr/numPr/ilvl"), DEEPEST)
        return "  " * level + "- " if number != "0" else ""

    def _table(self, table: _Element) -> Iterator[Block]:
        self.tables += 1
        group = f"table {self.tables}"
        for row in _children(table, "tr"):
            cells = [[] if _continued(cell) else list(self.blocks(cell)) for cell in _children(row, "tc")]
            if any(map(_lays_out, cells)):
                yield from (block for cell in cells for block in cell)
            elif any(cells):
                yield " | ".join(" ".join(" ".join(text for text, _ in cell).split()) for cell in cells), group


def _lays_out(cell: Sequence[Block]) -> bool:
    """Whether a cell holds tables or headings: its row lays the page out, and is to be read cell after cell."""
    return any(group == "heading" or group.startswith("table") for _, group in cell)


def _children(node: _Element, tag: str) -> Iterator[_Element]:
    for child in node:
        if child.tag == W + tag:
            yield child
        elif child.tag in AROUND:
            yield from _children(child, tag)


def _continued(cell: _Element) -> bool:
    """Does the cell go on with the one above or before it?"""
    merges = (cell.find(f"{W}tcPr/{W}{kind}") for kind in ("vMerge", "hMerge"))
    return any(merge is not None and merge.get(W + "val") != "restart" for merge in merges)


def _text(node: _Element) -> str:
    """The text of a paragraph or a part of one, without what was deleted and what stands in boxes."""
    parts = []
    for child in node:
        if child.tag in TEXT:
            parts.append(child.text or "")
        elif child.tag in CHARACTERS:
            parts.append(CHARACTERS[child.tag])
        elif child.tag not in NOT_TEXT:
            parts.append(_text(child))
    return "".join(parts)


def _value(node: _Element, path: str) -> str:
    """The ``w:val`` of the element at `path` below `node`, "" where there is none."""
    element = node.find("/".join(W + tag for tag in path.split("/")))
    return "" if element is None else element.get(W + "val") or ""


def _number(value: str, most: int) -> int:
    """A number as a file states it, `most` where it is more; 0 where it states none."""
    return min(int(value[:9]), most) if value.isdecimal() else 0


def _prefixes(styles: _Element) -> dict[str, str]:
    """What the paragraphs of each style start with: a style is a heading or a list if one that it is based on is."""
    named = {name: style for style in styles.iter(W + "style") if (name := style.get(W + "styleId")) is not None}
    prefixes: dict[str, str] = {}
    for name in named:
        chain: dict[str, None] = {}  # styles, each based on the next; a file may make them go in a circle
        while name in named and name not in chain and name not in prefixes:
            chain[name] = None
            name = _value(named[name], "basedOn")
        prefix = prefixes.get(name, "")
        for style in reversed(chain):
            stated = _own_prefix(named[style])
            # A heading is one whatever its list level, and so is what is based on a heading.
            prefix = stated if stated.startswith("#") else prefix if prefix.startswith("#") else stated or prefix
            prefixes[style] = prefix
    return prefixes


def _own_prefix(style: _Element) -> str:
    name, level = _value(style, "name").lower(), _value(style, "pPr/outlineLvl")
    heading = re.fullmatch(r"heading (\d)", name)
    if heading or name == "title" or (level.isdecimal() and _number(level, BODY) < BODY):
        depth = int(heading.group(1)) if heading else _number(level, BODY) + 1
        return "#" * min(depth, 6) + " "
    listed = _value(style, "pPr/numPr/numId") or (name.startswith("list ") and not name.startswith("list continue"))
    return "- " if listed else ""


def _joined(blocks: list[Block]) -> str:
    parts: list[str] = []
    before = ""
    for text, group in blocks:
        parts += ["\n" if group == before and group not in ("", "heading") else "\n\n", text]
        before = group
    return "".join(parts[1:])
