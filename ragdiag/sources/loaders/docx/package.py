"""The package of a Word document: its parts, decompressed once and within bounds before a library sees them.

Strict OOXML names its parts by other namespaces than everyone else; they are read under the usual names. Relationships to
parts that are not there are passed over, as word processors do.
"""

from __future__ import annotations

import functools
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from ragdiag.core.errors import UnreadableDocument
from ragdiag.core.registry import require

__all__ = ["WORD", "Element", "Part", "below", "by_id", "children", "main_part", "number", "root", "unpacked", "value"]

MAX_BYTES = 200 * 2**20
"""No document may decompress to more than this."""
MAX_RATIO, RATIO_FROM = 200, 10 * 2**20
"""Nor, once past `RATIO_FROM` bytes, to more than `MAX_RATIO` times its size."""

MOST_TAGS = 1_500_000
"""Nor may its parts hold more tags: each takes time and memory, however few bytes it has."""

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_STRICT = re.compile(rb"""((?:xmlns(?::[\w.-]+)?|Type)\s*=\s*["'])http://purl\.oclc\.org/ooxml/(\w+)/""")
_RELATIONSHIP = re.compile(rb"<(?:\w+:)?Relationship\s[^<>]*(?:/>|>\s*</(?:\w+:)?Relationship>)")
_ATTRIBUTE = re.compile(rb"""\b(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class Element(Protocol):
    """What is used of an element of lxml, which has no types of its own."""

    tag: Any
    text: str | None
    tail: str | None

    def __iter__(self) -> Iterator[Element]:
        """As in the library."""
        ...

    def __len__(self) -> int:
        """As in the library."""
        ...

    def get(self, name: str) -> str | None:
        """As in the library."""
        ...

    def find(self, path: str) -> Element | None:
        """As in the library."""
        ...

    def iter(self, *tags: str) -> Iterator[Element]:
        """As in the library."""
        ...

    def getparent(self) -> Element | None:
        """As in the library."""
        ...


class Part:
    """One part of the package, and the parts that it refers to."""

    def __init__(self, part: Any) -> None:
        self._part = part
        self.name: str = str(part.partname)
        self.kind: str = str(part.content_type)

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return bytes(self._part.blob)

    @property
    def root(self) -> Element:
        """Its XML."""
        element: Element | None = getattr(self._part, "element", None)
        if element is None:
            element = require("docx.oxml", "docs").parse_xml(self._part.blob)
            self._part.element = element  # parsed once
        assert element is not None
        return element

    def called(self, node: Element, attribute: str = "id") -> Part | None:
        """The part that an attribute of `node` names (``r:id``, ``r:dm``); none where it is not there, or no part of the file."""
        relation = self._part.rels.get(node.get(_OFFICE + attribute) or "")
        return None if relation is None or relation.is_external else Part(relation.target_part)

    def of_kind(self, kind: str) -> Part | None:
        """The part that stands in a relation of a kind to this one ("footnotes", "styles")."""
        parts = (r.target_part for r in self._part.rels.values() if not r.is_external and r.reltype.endswith("/" + kind))
        return next((Part(part) for part in parts), None)


def main_part(package: io.BytesIO) -> tuple[Part, str]:
    """The part that holds the text, and the title among the document's properties."""
    opened = require("docx.package", "docs").Package.open(package)
    return Part(opened.main_document_part), opened.core_properties.title or ""


def children(node: Element, tag: str) -> Iterator[Element]:
    """The elements of Word's called `tag` right in `node`, or in what merely stands around them."""
    for child in node:
        if child.tag == WORD + tag:
            yield child
        elif child.tag in _AROUND:
            yield from children(child, tag)


_AROUND = {WORD + tag for tag in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")}


def root(part: Part | None) -> Element | None:
    """The XML of a part, if there is one."""
    return None if part is None else part.root


def by_id(parent: Element | None, tag: str) -> dict[str, Element]:
    """The elements of Word's called `tag` in `parent`, by their ids."""
    return {} if parent is None else {child.get(WORD + "id") or "": child for child in parent if child.tag == WORD + tag}


def value(node: Element | None, path: str, attribute: str = "val") -> str:
    """An attribute of the element at `path` below `node`, "" where there is none."""
    element = below(node, path)
    return "" if element is None else element.get(WORD + attribute) or ""


def below(node: Element | None, path: str) -> Element | None:
    """The element at a path of Word's names below `node`."""
    return None if node is None else node.find(_full(path))


@functools.cache
def _full(path: str) -> str:
    return "/".join(WORD + tag for tag in path.split("/"))


def number(stated: str, most: int) -> int:
    """A number as a file states it, `most` where it is more; 0 where it states none."""
    return min(int(stated[:9]), most) if stated.isdecimal() else 0


def unpacked(raw: bytes, path: Path) -> io.BytesIO:
    """The package stored uncompressed: sizes are those found, not those that its directory declares."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        remedy = "save it as .docx without a password"
        raise UnreadableDocument("is encrypted, or an old .doc under a new name", path, remedy=remedy)
    plain = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed, zipfile.ZipFile(plain, "w") as copy:
            parts = {part.filename: part for part in packed.infolist()}
            for name, data in _contents(packed, parts, len(raw), path):
                copy.writestr(name, _usual(name, data, parts))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as e:
        remedy = "fetch it again, or open and save it in a word processor"
        raise UnreadableDocument(f"is cut short or damaged, no whole zip archive ({e})", path, remedy=remedy) from e
    return plain


def _contents(
    packed: zipfile.ZipFile, parts: Mapping[str, zipfile.ZipInfo], size: int, path: Path
) -> Iterator[tuple[str, bytes]]:
    """Each part's name and bytes, as long as all are within bounds."""
    limit, tags = min(MAX_BYTES, max(RATIO_FROM, MAX_RATIO * size)), 0
    bomb = UnreadableDocument(f"decompresses to more than {limit >> 20} MB", path, remedy="leave out its pictures, or split it")
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
        yield name, data


def _usual(name: str, data: bytes, parts: Mapping[str, zipfile.ZipInfo]) -> bytes:
    """A part under the usual namespaces, and its relationships to parts that are there."""
    if not name.endswith((".xml", ".rels")):
        return data
    data = _STRICT.sub(rb"\1http://schemas.openxmlformats.org/\2/2006/", data)
    if not name.endswith(".rels"):
        return data
    base = posixpath.dirname(posixpath.dirname(name))

    def kept(relationship: re.Match[bytes]) -> bytes:
        stated = {key: a or b for key, a, b in _ATTRIBUTE.findall(relationship[0])}
        target = posixpath.normpath(posixpath.join("/", base, stated.get(b"Target", b"").decode("utf-8", "replace")))
        there = stated.get(b"TargetMode") == b"External" or target.lstrip("/") in parts
        return relationship[0] if there else b""

    return _RELATIONSHIP.sub(kept, data)
