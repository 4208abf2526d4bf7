"""What the styles of a Word document say of the paragraphs and runs in them: headings, lists, hidden text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ragdiag.sources.loaders._docx_package import WORD, Element, below, number, value

__all__ = ["Style", "Styles", "switch"]

BODY = 9
"""The outline level of what is no heading."""


@dataclass(frozen=True)
class Style:
    """A style with what it inherits. `heading` is 0 where it is none; `listed` says that it is called a list, numbered or not;
    `shift` is Word's word for raised or lowered text.
    """

    heading: int = 0
    listed: bool = False
    list_id: str = ""
    level: str = ""
    hidden: bool = False
    shift: str = ""


class Styles:
    """The styles of a document by their ids."""

    def __init__(self, root: Element | None) -> None:
        styles = [] if root is None else list(root.iter(WORD + "style"))
        self._named = {name: style for style in styles if (name := style.get(WORD + "styleId")) is not None}
        self._default = ""
        self._looks: dict[str, Style] = {}
        for name, style in self._named.items():
            self._inherit(name)
            if style.get(WORD + "type") == "paragraph" and style.get(WORD + "default") in ("1", "true", "on"):
                self._default = name

    def paragraph(self, name: str) -> Style:
        """The style of a paragraph that names one, or none."""
        return self._looks.get(name or self._default, Style())

    def run(self, name: str) -> Style:
        """The style of a run that names one, or none."""
        return self._looks.get(name, Style())

    def list_of(self, name: str) -> str:
        """The list that a numbering style stands for."""
        return self.run(name).list_id

    def _inherit(self, name: str) -> None:
        chain: dict[str, None] = {}  # styles, each based on the next; a file may make them go in a circle
        while name in self._named and name not in chain and name not in self._looks:
            chain[name] = None
            name = value(self._named[name], "basedOn")
        look = self._looks.get(name, Style())
        for style in reversed(chain):
            look = self._looks[style] = _changed(look, self._named[style])


def _changed(base: Style, style: Element) -> Style:
    """`base` with what a style says itself. A heading stays one, whatever list it is in."""
    name = value(style, "name").lower()
    list_id = value(style, "pPr/numPr/numId")
    hidden = switch(style, "rPr/vanish")
    return replace(
        base,
        heading=_heading(style, name) or base.heading,
        listed=base.listed or (name.startswith("list ") and not name.startswith("list continue")),
        list_id=list_id or base.list_id,
        level=value(style, "pPr/numPr/ilvl") or ("" if list_id else base.level),
        hidden=base.hidden if hidden is None else hidden,
        shift=value(style, "rPr/vertAlign") or base.shift,
    )


def _heading(style: Element, name: str) -> int:
    """The level of a heading that a style says it is."""
    heading, outline = re.fullmatch(r"heading (\d)", name), value(style, "pPr/outlineLvl")
    if heading:
        return min(int(heading[1]), 6)
    if name == "title" or (outline.isdecimal() and number(outline, BODY) < BODY):
        return min(number(outline, BODY) + 1, 6)
    return 0


def switch(node: Element | None, path: str) -> bool | None:
    """Whether a property is on; none where `node` does not state it."""
    element = below(node, path)
    return None if element is None else element.get(WORD + "val") not in ("0", "false", "off")
