"""What the names, the styles and the surroundings of an element say of it."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence

from ragdiag.sources.loaders._markup import HEADINGS
from ragdiag.sources.loaders._nodes import SILENT, Attributes, Node, ancestors, named, plain

__all__ = [
    "ASKS",
    "CONSENT",
    "INLINE",
    "MENU",
    "NOTE",
    "PANEL",
    "SIDE",
    "asks_for_something",
    "first_heading",
    "is_dialog",
    "is_for_machines",
    "is_hidden",
    "is_in_a_header",
    "is_links",
    "is_message",
    "is_off_screen",
    "link_to_itself",
    "names_a_banner",
    "says_it_again",
    "seen_by",
    "shows_a_formula",
]  # fmt: skip

SECTIONS = frozenset("article main section blockquote figure".split())
INLINE = frozenset("a abbr b bdi bdo cite code data dfn em font i kbd label mark q s small span strong sub sup time u".split())

HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
OFF_SCREEN = re.compile(r"clip\s*:\s*rect\(|clip-path\s*:\s*inset\((?:50|100)%|(?:left|text-indent)\s*:\s*-\d{4,}", re.I)

NAME = re.compile(r"[\w-]+")
CONSENT = re.compile(r"cookie|consent|gdpr|ccpa", re.I)
LAYER = re.compile(r"banner|bar\b|notice|popup|modal|dialog|overlay|prompt|message|layer|sdk|consent", re.I)
BANNER = re.compile(r"cookiebot|onetrust|usercentrics|\bcc-(?:window|banner)", re.I)
BEFORE = re.compile(r"banner|notice|popup|modal|overlay", re.I)
AFTER = re.compile(r"cookie|consent|gdpr", re.I)

DIALOG = re.compile(r"modal|dialog|popup|overlay|lightbox|off-?canvas|drawer", re.I)
ASKS = re.compile(
    r"cookie|consent|gdpr|ccpa|log-?\s?in\b|sign-?\s?(?:in|up)\b|register|newsletter|subscri|search|menu|navigation|share|cart\b|language",
    re.I,
)
MENU = re.compile(r"menu|\bnav|navigation|drawer|off-?canvas|sidebar", re.I)
PANEL = re.compile(r"\btab\b|tab-?(?:pane|content|panel|item|body)|accordion|panel|faq|answer", re.I)
SIDE = re.compile(r"side-?bar|widget|\btoc\b|promo|advert|\bads?\b|related|share|social|newsletter|menu|\bnav|banner", re.I)
NOTE = re.compile(
    r"note|warn|tip\b|caution|important|danger|\binfo|admonition|callout|alert|hint|hinweis|reference|bibliograph", re.I
)
SCREEN_READER = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader-text|screenreader|element-invisible|assistive-text)\b", re.I
)
PRINT = re.compile(
    r"(?:^|\s)(?:print-only|only-print|visible-print\S*|d-print-(?:block|inline\S*)|d-none d-print\S*|show-for-print)", re.I
)
SKIP = re.compile(r"\bskip-?(?:link|nav|to)", re.I)
COPIES = re.compile(r"slick-cloned|slide-duplicate|material-icons|material-symbols|\bline-?(?:no|num)", re.I)
FORMULA = re.compile(r"katex|mathjax|mjx|MJX", re.I)
READ_ON = re.compile(r"more|full|rest|expand|collaps|toggle|detail|spoiler|answer|reveal", re.I)
WORD = re.compile(r"\w")

FEW_WORDS = 3
"""A hidden phrase of so many words that nothing names is for machines: a key to sort by, a code."""

LOOK = 400
"""Nodes of an element that are looked at to tell what it is."""


def is_in_a_header(title: Node) -> bool:
    """Whether a heading stands in a header of the whole page."""
    for outer in ancestors(title):
        if outer.tag in SECTIONS or outer.attributes.get("role") == "main":
            return False
        if outer.tag == "header" or outer.attributes.get("role") == "banner":
            return True
    return False


def is_hidden(tag: str, attributes: Attributes) -> bool:
    """Whether a reader does not see an element before a click."""
    if tag == "dialog" and "open" not in attributes:
        return True
    if "popover" in attributes or ("hidden" in attributes and attributes.get("hidden") != "until-found"):
        return True  # a search in the page finds what is hidden until then
    return HIDDEN_STYLE.search(attributes.get("style") or "") is not None


def shows_a_formula(node: Node, names: str) -> bool:
    """Whether an element that screen readers pass over is the picture of a formula, which stands beside it in words."""
    outer = named(node.parent.attributes) if node.parent is not None else ""
    return FORMULA.search(f"{names} {outer}") is not None


@functools.lru_cache(maxsize=1000)
def seen_by(names: str) -> str:
    """Who sees an element of such names: "none", "screen readers", or "all"."""
    if COPIES.search(names) or PRINT.search(names):
        return "none"
    return "screen readers" if SCREEN_READER.search(names) else "all"


def says_it_again(node: Node) -> bool:
    """Whether an element for screen readers stands beside text that all see; a lone sign is a part of that text."""
    outer = node.parent
    if outer is None or node.tag not in INLINE or not WORD.search(plain(node, LOOK)):
        return False
    if node.tag == "a" and (node.attributes.get("href") or "").startswith("#"):
        return True  # skip to the content
    beside = [child for child in itertools.islice(outer.iter(include_text=True), LOOK) if child.mem_id != node.mem_id]
    return any(WORD.search(_text_of(child)) for child in beside if _is_seen(child))


def is_off_screen(attributes: Attributes) -> bool:
    """Whether an element is moved to where only screen readers find it."""
    return OFF_SCREEN.search(attributes.get("style") or "") is not None


def _text_of(node: Node) -> str:
    return node.text_content or "" if node.tag == "-text" else plain(node, LOOK)


def _is_seen(node: Node) -> bool:
    if node.tag[0] == "-" or node.tag in SILENT:
        return node.tag == "-text"
    return seen_by(named(node.attributes)) == "all"


def is_links(node: Node, share: float) -> bool:
    """Whether so much of an element's text is in links and menus, or it has none."""
    text = len(plain(node, LOOK))
    return len(plain(node, LOOK, "a")) + len(plain(node, LOOK, "nav")) >= share * text


def link_to_itself(node: Node, attributes: Attributes) -> str | None:
    """The kind of a link past the menus, or of the sign behind a heading that links to the heading."""
    if SKIP.search(named(attributes)):
        return "navigation"
    sign = node.parent is not None and node.parent.tag in HEADINGS and not WORD.search(plain(node, LOOK))
    return "" if sign and not node.css("img, svg[role=img]") else None


def is_dialog(tag: str, attributes: Attributes) -> bool:
    """Whether an element lies over the page while it is open."""
    role = attributes.get("role")
    return (
        tag == "dialog"
        or role in ("dialog", "alertdialog")
        or bool("aria-modal" in attributes or DIALOG.search(named(attributes)))
    )


def is_message(attributes: Attributes) -> bool:
    """Whether an element is shown for a moment, after something happened."""
    return "aria-live" in attributes or attributes.get("role") in ("status", "alert")


def is_for_machines(node: Node, tag: str, attributes: Attributes) -> bool:
    """Whether a hidden phrase is too short for a text that one unfolds, and nothing names it."""
    if tag not in INLINE or attributes.get("id") or READ_ON.search(named(attributes)):
        return False
    return len(plain(node, LOOK).split()) <= FEW_WORDS


def asks_for_something(node: Node, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> bool:
    """Whether a form is there to search, to log in or to subscribe."""
    if attributes.get("role") == "search" or node.css("input[type=password], input[type=search]"):
        return True
    return not inside["content"] and ASKS.search(named(attributes)) is not None


def first_heading(node: Node) -> str:
    headings = node.css("h1, h2, h3, h4, h5, h6, [class*=title]")
    return plain(headings[0], LOOK) if headings else ""


@functools.lru_cache(maxsize=1000)
def names_a_banner(*names: str) -> bool:
    """Whether ids or classes are those of a banner that asks for consent."""
    return any(BANNER.search(each) is not None or _joins_consent_and_layer(each) for each in names)


def _joins_consent_and_layer(names: str) -> bool:
    """Whether one of the names speaks of consent and of a layer over the page."""
    return CONSENT.search(names) is not None and any(
        (first := one.search(name)) is not None and other.search(name, first.end()) is not None
        for name in NAME.findall(names)
        for one, other in ((CONSENT, LAYER), (BEFORE, AFTER))
    )
