"""What is asked of the elements of a page: their names, their text, what stands round them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

__all__ = ["SILENT", "TEMPLATE", "Attributes", "Node", "Tree", "ancestors", "collapsed", "holding", "named", "place", "plain"]

Attributes = Mapping[str, str | None]

SILENT = frozenset("base desc defs head link meta metadata param script source style symbol title track".split())
"""Elements whose text is for machines, or is shown elsewhere."""

TEMPLATE = "data-template-of-scripts"
"""The attribute of what was a template: markup for scripts, which no reader sees."""

SPACE = re.compile(r"[ \t\n\r\f]+")
LONGEST_PLACE = 60


class Node(Protocol):
    """What is used of a node of selectolax: an element, or with a tag such as ``-text`` something else."""

    tag: str
    mem_id: int
    attributes: Attributes
    parent: Node | None
    next: Node | None
    html: str | None
    text_content: str | None

    def iter(self, include_text: bool = False) -> Iterator[Node]:
        """As in the library."""
        ...

    def css(self, query: str) -> list[Node]:
        """As in the library."""
        ...


class Tree(Protocol):
    """What is used of a page that selectolax has parsed."""

    root: Node | None
    html: str | None

    def css(self, query: str) -> list[Node]:
        """As in the library."""
        ...


def collapsed(text: str) -> str:
    """A text with each run of white space as one blank, and none at its ends."""
    return SPACE.sub(" ", text).strip(" ")


def named(attributes: Attributes) -> str:
    """The names that an element goes by: its id and its classes."""
    return f"{attributes.get('id') or ''} {attributes.get('class') or ''}"


def ancestors(node: Node) -> Iterator[Node]:
    """The elements round a node, the innermost first."""
    outer = node.parent
    while outer is not None and node.tag != "html":  # what holds the root is no element
        yield outer
        node, outer = outer, outer.parent


def holding(nodes: Iterable[Node]) -> set[int]:
    """`nodes`, and all the elements round them."""
    ids: set[int] = set()
    for start in nodes:
        node: Node | None = start
        while node is not None and node.mem_id not in ids:
            ids.add(node.mem_id)
            node = node.parent
    return ids


def plain(node: Node, most: int | None = None, only: str = "") -> str:
    """The words under an element without scripts, from at most `most` nodes; with `only`, those inside elements of that tag."""
    pieces: list[str] = []
    stack: list[tuple[Node, bool]] = [(node, not only)]
    visited = 0
    while stack and visited != most:
        each, counts = stack.pop()
        visited += 1
        if each.tag == "-text":
            pieces += [each.text_content or ""] * counts
        elif each is node or _is_read(each.tag):
            counts = counts or each.tag == only
            stack.extend([(child, counts) for child in each.iter(include_text=True)][::-1])
    return collapsed(" ".join(pieces))


def _is_read(tag: str) -> bool:
    return bool(tag) and tag[0] != "-" and tag not in SILENT


def place(node: Node) -> str:
    """What an element is called: its tag, with its id, its role or its class."""
    attributes = node.attributes
    tag = "template" if TEMPLATE in attributes else node.tag
    for name in ("id", "role", "class"):
        if value := collapsed(attributes.get(name) or ""):
            return f"<{tag} {name}={value[:LONGEST_PLACE]}>"
    return f"<{tag}>"
