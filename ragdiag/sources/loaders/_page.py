"""What of a page is its own content, and what is furniture round it or beyond a reader's reach.

In doubt an element is content: a panel behind a tab, a folded answer, a note beside the text are a click or a glance away.
Left out are menus, page headers and footers, link lists beside the content, banners and dialogs that ask for consent or a
password, and what no click shows.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence

from ragdiag.sources.loaders._fields import Fields, acts_on_the_page, opens
from ragdiag.sources.loaders._markup import HEADINGS
from ragdiag.sources.loaders._nodes import SILENT, TEMPLATE, Attributes, Node, Tree, ancestors, holding, named, plain
from ragdiag.sources.omissions import Keep

__all__ = ["INLINE", "Page"]

CONTENT = "main, article, [role=main], h1"
LANDMARKS = "main, article, [role=main]"
NOTES = "[role^=doc-], [class*=footnote], [id*=footnote], [class*=endnote], [id*=endnote], [id^=fn], [href^='#fnref']"
OBJECTS = frozenset("audio canvas embed iframe object video".split())
TELLING = OBJECTS | set("aside button datalist dialog footer form header hgroup label nav noframes noscript rp rt rtc".split())
"""Elements whose tag alone may say that they are left out."""
SECTIONS = frozenset("article main section blockquote figure".split())
INLINE = frozenset("a abbr b bdi bdo cite code data dfn em font i kbd label mark q s small span strong sub sup time u".split())

CONTROLS = ("aria-controls", "data-target", "data-bs-target", "href", "popovertarget", "commandfor", "data-toggle-target")
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


class Page:
    """The rules by which an element of one page stays, with what they need to know of the whole page."""

    def __init__(self, tree: Tree, keep: Keep = frozenset(), scripts: bool = True) -> None:
        self.keep, self.scripts = keep, scripts
        self.fields = Fields(tree)
        self.content = holding(tree.css(CONTENT))
        self._landmarks = holding(tree.css(LANDMARKS))
        self._headings = holding(tree.css("h1, h2, h3, h4, h5, h6"))
        self._tabs = holding(tree.css("[role=tablist], [role=tab]"))
        self._notes = holding(tree.css(NOTES))
        self._titles_outside = any(not _is_in_a_header(title) for title in tree.css("h1"))
        self._opened = {
            target.split("#", 1)[-1]
            for name in CONTROLS
            for control in tree.css(f"[{name}]")
            for target in (control.attributes.get(name) or "").split()
            if name != "href" or target.startswith("#")
        }
        self.has_formulas = bool(tree.css("math, .MathJax, .MathJax_Preview, mjx-container"))

    def left_out(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of omission that an element is; "" where it holds no text for readers, None where it stays.

        `inside` lists the elements of some kinds that are open round it.
        """
        if tag in ("html", "body"):
            return None
        if tag in SILENT:
            return None if tag == "script" and self._is_formula(attributes) else ""
        if not attributes and tag not in TELLING:
            return None
        kind = self._unshown(node, tag, attributes, inside)
        if kind is None:
            kind = self._part_of_a_form(node, tag, attributes, inside)
        if kind is None:
            kind = self._furniture(node, tag, attributes, inside)
        return None if kind in self.keep else kind

    def _is_formula(self, attributes: Attributes) -> bool:
        """Whether a script is a formula that nothing else on the page shows."""
        return (attributes.get("type") or "").startswith("math/tex") and not self.has_formulas

    def _unshown(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of an element whose text a reader does not see, or sees elsewhere."""
        if TEMPLATE in attributes or tag == "template":
            return "hidden"
        if tag in ("noscript", "noframes"):
            return "hidden" if self.scripts else None
        if tag in OBJECTS:
            return "unreadable"
        if tag in ("rt", "rp", "rtc"):
            return "notes" if tag == "rt" else ""
        names = named(attributes)
        if attributes.get("aria-hidden") == "true" and (inside["pre"] or _shows_a_formula(node, names)):
            return "" if _shows_a_formula(node, names) else "hidden"
        style = attributes.get("style") or ""
        seen_by = _seen_by(names)
        if seen_by == "none":
            return "hidden"
        if seen_by == "screen readers" or (style and OFF_SCREEN.search(style)):
            return "hidden" if _says_it_again(node) else None
        if _is_hidden(tag, attributes):
            return self._out_of_reach(node, tag, attributes, inside)
        return None

    def _out_of_reach(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of a hidden element that no click shows, or whose text is no content once shown."""
        names, role = named(attributes), attributes.get("role") or ""
        if role == "tabpanel" or node.mem_id in self.content:
            return None
        if tag == "dialog" or role in ("dialog", "alertdialog") or "aria-modal" in attributes or DIALOG.search(names):
            asks = ASKS.search(f"{names} {attributes.get('aria-label') or ''} {_first_heading(node)}")
            if asks or node.css("input[type=password]"):
                return "navigation" if CONSENT.search(names) or MENU.search(names) else "hidden"
            reached = inside["content"] or (attributes.get("id") or "") in self._opened
            return None if reached else "hidden"
        if PANEL.search(names):
            return None
        if MENU.search(names) and _is_links(node, 0.8):
            return "navigation"
        if _names_a_banner(names):
            return "navigation"
        if role in ("status", "alert") or "aria-live" in attributes:
            return "hidden"
        return "hidden" if tag in INLINE and self._is_for_machines(node, attributes, names) else None

    def _is_for_machines(self, node: Node, attributes: Attributes, names: str) -> bool:
        """Whether a hidden phrase is too short for a text that one unfolds, and nothing unfolds it."""
        id_ = attributes.get("id") or ""
        return not id_ and not READ_ON.search(names) and len(plain(node, LOOK).split()) <= FEW_WORDS

    def _part_of_a_form(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of what belongs to a form and is no value."""
        if tag == "datalist":
            return "forms"
        if tag == "form" or attributes.get("role") == "search":
            asks = attributes.get("role") == "search" or node.css("input[type=password], input[type=search]")
            named_so = ASKS.search(named(attributes)) and not inside["content"]
            return "forms" if node.mem_id not in self.content and (asks or named_so) else None
        if tag == "button":
            acts = inside["form"] or inside["pre"] or attributes.get("type") == "submit" or acts_on_the_page(attributes)
            return "forms" if acts and not opens(attributes) else None
        return "forms" if tag == "label" and inside["form"] and not self.fields.is_filled(node) else None

    def _furniture(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of what stands round the content of every page of a site."""
        role = attributes.get("role") or ""
        if tag == "nav" or role in ("navigation", "doc-toc"):
            return None if node.mem_id in self._landmarks or node.mem_id in self._tabs else "navigation"
        if tag == "a" and (kind := _link_to_itself(node, attributes)) is not None:
            return kind
        if tag == "aside" or role == "complementary":
            return self._aside(node, attributes, inside)
        if inside["content"] or tag in ("main", "article"):
            return None
        if tag in ("header", "hgroup") or role == "banner":
            return None if inside["section"] or self._is_title(node) else "navigation"
        if tag == "footer" or role == "contentinfo":
            notes = node.mem_id in self._notes or NOTE.search(named(attributes))
            return None if inside["section"] or notes else "navigation"
        if node.mem_id in self.content:
            return None
        asks = role in ("dialog", "alertdialog") and (attributes.get("id") or "") not in self._opened
        return "navigation" if asks or _names_a_banner(attributes.get("id") or "", attributes.get("class") or "") else None

    def _aside(self, node: Node, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of what stands beside the content: a list of links is furniture, a note is not."""
        names = named(attributes)
        if node.mem_id in self._notes or NOTE.search(names) or node.mem_id in self._landmarks or inside["aside"]:
            return None
        if inside["content"]:
            return "navigation" if _is_links(node, 0.8) and len(node.css("a[href]")) > 2 else None
        return "navigation" if SIDE.search(names) or _is_links(node, 0.5) else None

    def _is_title(self, header: Node) -> bool:
        """Whether a header of the page holds the heading of its content, and not only the name of the site."""
        return header.mem_id in self._landmarks or (header.mem_id in self._headings and not self._titles_outside)


def _is_in_a_header(title: Node) -> bool:
    """Whether a heading stands in a header of the whole page."""
    for outer in ancestors(title):
        if outer.tag in SECTIONS or outer.attributes.get("role") == "main":
            return False
        if outer.tag == "header" or outer.attributes.get("role") == "banner":
            return True
    return False


def _is_hidden(tag: str, attributes: Attributes) -> bool:
    """Whether a reader does not see an element before a click."""
    if tag == "dialog" and "open" not in attributes:
        return True
    unfound = "hidden" in attributes and attributes.get("hidden") != "until-found"  # a search in the page finds that
    return unfound or "popover" in attributes or bool((style := attributes.get("style")) and HIDDEN_STYLE.search(style))


def _shows_a_formula(node: Node, names: str) -> bool:
    """Whether an element that screen readers pass over is the picture of a formula, which stands beside it in words."""
    return FORMULA.search(names) is not None or (
        node.parent is not None and FORMULA.search(named(node.parent.attributes)) is not None
    )


@functools.lru_cache(maxsize=1000)
def _seen_by(names: str) -> str:
    """Who sees an element of such names: "none", "screen readers", or "all"."""
    if COPIES.search(names) or PRINT.search(names):
        return "none"
    return "screen readers" if SCREEN_READER.search(names) else "all"


def _says_it_again(node: Node) -> bool:
    """Whether an element for screen readers stands beside text that all see; a lone sign is a part of that text."""
    outer = node.parent
    own = plain(node, LOOK)
    if outer is None or not WORD.search(own):
        return False
    if node.tag == "a" and (node.attributes.get("href") or "").startswith("#"):
        return True  # skip to the content
    beside = (child for child in itertools.islice(outer.iter(include_text=True), LOOK) if child.mem_id != node.mem_id)
    return node.tag in INLINE and any(WORD.search(_text_of(child)) for child in beside if _is_seen(child))


def _text_of(node: Node) -> str:
    return node.text_content or "" if node.tag == "-text" else plain(node, LOOK)


def _is_seen(node: Node) -> bool:
    if node.tag[0] == "-" or node.tag in SILENT:
        return node.tag == "-text"
    return _seen_by(named(node.attributes)) == "all"


def _is_links(node: Node, share: float) -> bool:
    """Whether so much of an element's text is in links and menus, or it has none."""
    text = len(plain(node, LOOK))
    return len(plain(node, LOOK, "a")) + len(plain(node, LOOK, "nav")) >= share * text


def _link_to_itself(node: Node, attributes: Attributes) -> str | None:
    """The kind of a link past the menus, or of the sign behind a heading that links to the heading."""
    if SKIP.search(named(attributes)):
        return "navigation"
    sign = node.parent is not None and node.parent.tag in HEADINGS and not WORD.search(plain(node, LOOK))
    return "" if sign and not node.css("img, svg[role=img]") else None


def _first_heading(node: Node) -> str:
    headings = node.css("h1, h2, h3, h4, h5, h6, [class*=title]")
    return plain(headings[0], LOOK) if headings else ""


@functools.lru_cache(maxsize=1000)
def _names_a_banner(*names: str) -> bool:
    """Whether ids or classes are those of a banner that asks for consent."""
    return any(
        BANNER.search(each) is not None
        or any(
            (first := one.search(name)) and other.search(name, first.end())
            for name in (NAME.findall(each) if CONSENT.search(each) else ())
            for one, other in ((CONSENT, LAYER), (BEFORE, AFTER))
        )
        for each in names
    )
