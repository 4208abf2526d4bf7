"""What the fields of a form show: the values that are filled in and the choices that are made."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragdiag.sources.loaders._nodes import Attributes, Node, Tree, collapsed, named, plain

__all__ = ["FIELDS", "Fields", "acts_on_the_page", "opens", "rest", "value"]

FIELDS = frozenset(("input", "select", "textarea"))

BUTTONS = frozenset(("submit", "button", "reset", "image"))
UNSEEN = BUTTONS | {"hidden", "password", "file", "checkbox", "radio"}

OPENS = re.compile(r"accordion|collaps|toggle|faq|question|\btab|expand|panel|disclosure|spoiler|more\b", re.I)
ACTS = re.compile(r"copy|clipboard|close|dismiss|menu|hamburger|nav(?:bar)?-?toggle|search|theme|share|scroll|print|submit", re.I)


def value(node: Node, tag: str, attributes: Attributes) -> str:
    """What a field shows."""
    if tag == "textarea":
        return plain(node).strip()
    if tag == "select":
        return ", ".join(plain(option) for option in _options(node) if "selected" in option.attributes)
    kind = (attributes.get("type") or "text").lower()
    return "" if kind in UNSEEN else collapsed(attributes.get("value") or "")


def rest(node: Node, tag: str, attributes: Attributes) -> str:
    """What of a field is no value: the choices that are not made, the writing on a button."""
    if tag == "select":
        return ", ".join(plain(option) for option in _options(node) if "selected" not in option.attributes)
    kind = (attributes.get("type") or "").lower()
    return collapsed(attributes.get("value") or "") if tag == "input" and kind in BUTTONS else ""


def _options(select: Node) -> Iterator[Node]:
    for child in select.iter():
        if child.tag == "option":
            yield child
        elif child.tag == "optgroup":
            yield from _options(child)


def opens(attributes: Attributes) -> bool:
    """Whether a button shows a part of the page, and so is the title of that part."""
    if attributes.get("role") == "tab":
        return True
    names = named(attributes)
    if ACTS.search(names):
        return False
    shows = any(name in attributes for name in ("aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle"))
    return shows or OPENS.search(names) is not None


def acts_on_the_page(attributes: Attributes) -> bool:
    """Whether a button copies, closes, searches or the like, by its names."""
    by_name = ACTS.search(f"{named(attributes)} {attributes.get('aria-label') or ''}") is not None
    return by_name or attributes.get("type") == "submit"


class Fields:
    """The fields of a page, by what labels them."""

    def __init__(self, tree: Tree) -> None:
        self._by_id = {
            id_: node for node in tree.css("input[id], select[id], textarea[id]") if (id_ := node.attributes.get("id"))
        }

    def is_filled(self, label: Node) -> bool:
        """Whether the field of a label holds a value or is chosen; true where a label has no field."""
        field = self._by_id.get(label.attributes.get("for") or " ")
        fields = [field] if field is not None else label.css("input, select, textarea")
        return not fields or any(_is_filled(each) for each in fields)


def _is_filled(field: Node) -> bool:
    attributes = field.attributes
    if (attributes.get("type") or "").lower() in ("checkbox", "radio"):
        return "checked" in attributes
    return bool(value(field, field.tag, attributes))
