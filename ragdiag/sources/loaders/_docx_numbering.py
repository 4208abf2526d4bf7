"""List numbers, which no paragraph holds: they are counted from the definitions in ``numbering.xml``, as word processors do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from ragdiag.sources.loaders._docx_numerals import numeral
from ragdiag.sources.loaders._docx_package import WORD, Element, number, value
from ragdiag.sources.loaders._docx_styles import Styles, switch
from ragdiag.sources.loaders._docx_symbols import symbols

__all__ = ["DEEPEST", "Numbering"]

DEEPEST = 8
"""Word's lists have nine levels, numbered from 0; an item of any other level is one of the deepest."""
MOST = 10**6
"""Where a list starts at most."""


LONGEST = 255
"""Characters of a number with what stands round it."""


CHECKS = frozenset("☐☑☒✓✔✗✘")
"""Bullets that say more than that an item starts."""


class _Level(NamedTuple):
    """How one level of a list is numbered; `restart` is how many levels there are above whose items start it anew."""

    form: str = "bullet"
    text: str = ""
    start: int = 1
    restart: int = DEEPEST
    legal: bool = False


@dataclass
class _List:
    """A list as paragraphs name it: its levels, the counts that it shares with others, the levels that it starts anew."""

    levels: dict[int, _Level]
    counts: dict[int, int]
    anew: dict[int, int] = field(default_factory=dict)


class Numbering:
    """The lists of a document, and how far each has come."""

    def __init__(self, root: Element | None, styles: Styles) -> None:
        nodes = [] if root is None else list(root.iter(WORD + "abstractNum", WORD + "num"))
        self._instances = {node.get(WORD + "numId") or "": node for node in nodes if node.tag == WORD + "num"}
        self._abstract = {node.get(WORD + "abstractNumId") or "": node for node in nodes if node.tag == WORD + "abstractNum"}
        self._counts: dict[str, dict[int, int]] = {}
        self._lists: dict[str, _List] = {}
        self._by_style = {
            (name, value(level, "pStyle")): number(level.get(WORD + "ilvl") or "", DEEPEST)
            for name, node in self._abstract.items()
            for level in node.iter(WORD + "lvl")
        }
        self._styles = styles

    def level_of(self, list_id: str, style: str) -> int:
        """The level of a list that stands for a paragraph style; the first where none does."""
        return self._by_style.get((self._definition(list_id), style), 0)

    def label(self, list_id: str, level: int) -> str | None:
        """What stands before the next item of a list: its number, or "-" for a mere bullet; none where there is no such list."""
        if list_id not in self._instances:
            return None
        items = self._list(list_id)
        if level in items.anew:
            items.counts[level] = items.anew.pop(level) - 1
        form = items.levels.get(level, _Level())
        items.counts[level] = items.counts.get(level, form.start - 1) + 1
        for deeper in [other for other in items.counts if other > level]:
            if items.levels.get(deeper, _Level()).restart > level:
                del items.counts[deeper]
        if form.form == "bullet":
            return form.text if form.text in CHECKS else "-"
        label = re.sub(r"%([1-9])", lambda match: self._count(items, int(match[1]) - 1, form.legal), form.text).strip()
        return label[:LONGEST]

    @staticmethod
    def _count(items: _List, level: int, legal: bool) -> str:
        form = items.levels.get(level, _Level())
        return numeral(items.counts.get(level, form.start), "decimal" if legal and form.form != "none" else form.form)

    def _definition(self, list_id: str) -> str:
        """The id of the definition behind a list; one that stands for a numbering style is behind another."""
        name = ""
        for _ in range(DEEPEST):  # a file may make them go in a circle
            node = self._instances.get(list_id)
            name = "" if node is None else value(node, "abstractNumId")
            style = value(self._abstract[name], "numStyleLink") if name in self._abstract else ""
            if not style:
                break
            list_id = self._styles.list_of(style)
        return name

    def _list(self, list_id: str) -> _List:
        if list_id not in self._lists:
            name = self._definition(list_id)
            levels = _levels(self._abstract[name]) if name in self._abstract else {}
            items = _List(levels, self._counts.setdefault(name, {}))
            for override in self._instances[list_id].iter(WORD + "lvlOverride"):
                level = number(override.get(WORD + "ilvl") or "", DEEPEST)
                levels |= _levels(override)
                if start := value(override, "startOverride"):
                    items.anew[level] = number(start, MOST)
                    if level in levels:
                        levels[level] = levels[level]._replace(start=items.anew[level])
            self._lists[list_id] = items
        return self._lists[list_id]


def _levels(node: Element) -> dict[int, _Level]:
    return {number(level.get(WORD + "ilvl") or "", DEEPEST): _level(level) for level in node.iter(WORD + "lvl")}


def _level(node: Element) -> _Level:
    text = value(node, "lvlText")[:LONGEST]
    start, restart = value(node, "start"), value(node, "lvlRestart")
    stated = next(node.iter(WORD + "numFmt"), node)  # a custom one stands in a choice, before what older programs know
    form = stated.get(WORD + "format") or stated.get(WORD + "val") or "decimal"
    return _Level(
        "bullet" if value(node, "lvlPicBulletId") else form,
        symbols(text, value(node, "rPr/rFonts", "ascii")) if form == "bullet" else text,
        number(start, MOST) if start else 0,
        number(restart, DEEPEST) if restart else DEEPEST,
        bool(switch(node, "isLgl")),
    )
