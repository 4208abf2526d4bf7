"""What pictures say: the text that stands for them, where it is one."""

from __future__ import annotations

import re

from ragdiag.sources.loaders._nodes import Attributes, Node, collapsed, plain

__all__ = ["alternative", "is_decoration", "picture", "title_of_drawing"]

FILE = re.compile(r"[^/\n]{1,200}\.(?:png|jpe?g|gif|svg|webp|bmp|avif)", re.I)
SAYS_NOTHING = frozenset("image img picture photo figure screenshot".split())
SMALL = frozenset(("0", "1", "0px", "1px"))


def alternative(attributes: Attributes) -> str:
    """The text that stands for a picture; "" where it has none, or one that is only a file's name."""
    text = collapsed(attributes.get("alt") or "")
    return "" if FILE.fullmatch(text) or text.lower() in SAYS_NOTHING else text


def title_of_drawing(node: Node, attributes: Attributes) -> str:
    """What a drawing is called; "" for one that nothing names, as icons are."""
    titles = [each for each in node.iter() if each.tag == "title"]
    named = collapsed(attributes.get("aria-label") or "") or " ".join(plain(each) for each in titles)
    return named if attributes.get("role") == "img" or titles else ""


def is_decoration(attributes: Attributes) -> bool:
    """Whether a picture says nothing: a pixel that counts visits, an ornament."""
    ornament = attributes.get("aria-hidden") == "true" or attributes.get("role") in ("presentation", "none")
    return ornament or attributes.get("width") in SMALL or attributes.get("height") in SMALL


def picture(attributes: Attributes) -> str:
    """What a picture is called: its tag, with the file's name."""
    source = (attributes.get("src") or attributes.get("data-src") or "").split("?")[0]
    name = source.rsplit("/", 1)[-1][:60] if not source.startswith("data:") else ""
    return f"<img {name}>" if name else "<img>"
