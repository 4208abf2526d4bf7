"""What of a page is its own content, and what is furniture round it or beyond a reader's reach.

In doubt an element is content: a panel behind a tab, a folded answer, a note beside the text are a click or a glance away.
Left out are menus, page headers and footers, link lists beside the content, banners and dialogs that ask for consent or a
password, and what no click shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragdiag.sources.loaders._fields import Fields, acts_on_the_page, opens
from ragdiag.sources.loaders._nodes import SILENT, TEMPLATE, Attributes, Node, Tree, holding, named
from ragdiag.sources.loaders._signs import (
    ASKS,
    CONSENT,
    MENU,
    NOTE,
    PANEL,
    SIDE,
    asks_for_something,
    first_heading,
    is_dialog,
    is_for_machines,
    is_hidden,
    is_in_a_header,
    is_links,
    is_message,
    is_off_screen,
    link_to_itself,
    names_a_banner,
    says_it_again,
    seen_by,
    shows_a_formula,
)
from ragdiag.sources.omissions import Keep

__all__ = ["Page"]

CONTENT = "main, article, [role=main], h1"
LANDMARKS = "main, article, [role=main]"
NOTES = "[role^=doc-], [class*=footnote], [id*=footnote], [class*=endnote], [id*=endnote], [id^=fn], [href^='#fnref']"
OTHERS = dict.fromkeys("audio canvas embed iframe object video".split(), "unreadable") | {"rt": "notes", "rp": "", "rtc": ""}
"""Elements that are something else than text of the page, or stand for it where it is not shown."""

TELLING = OTHERS.keys() | set("aside button datalist dialog footer form header hgroup label nav noframes noscript".split())
"""Elements whose tag alone may say that they are left out."""

CONTROLS = ("aria-controls", "data-target", "data-bs-target", "href", "popovertarget", "commandfor", "data-toggle-target")
LANDMARKS_BY_TAG = {
    "nav": "navigation",
    "aside": "complementary",
    "header": "banner",
    "hgroup": "banner",
    "footer": "contentinfo",
}
"""The roles that elements have by their tags."""


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
        self._titles_outside = any(not is_in_a_header(title) for title in tree.css("h1"))
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
        kind = self._for_others(tag, attributes)
        for rule in (self._unshown, self._part_of_a_form, self._furniture):
            if kind is None:
                kind = rule(node, tag, attributes, inside)
        return None if kind in self.keep else kind

    def _is_formula(self, attributes: Attributes) -> bool:
        """Whether a script is a formula that nothing else on the page shows."""
        return (attributes.get("type") or "").startswith("math/tex") and not self.has_formulas

    def _for_others(self, tag: str, attributes: Attributes) -> str | None:
        """The kind of an element that browsers show in no page of this sort, or show as something else than text."""
        if TEMPLATE in attributes or tag == "template":
            return "hidden"
        if tag in ("noscript", "noframes"):
            return "hidden" if self.scripts else None
        return OTHERS.get(tag)

    def _unshown(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of an element whose text a reader does not see, or sees elsewhere."""
        names = named(attributes)
        if attributes.get("aria-hidden") == "true":
            if shows_a_formula(node, names):
                return ""
            if inside["pre"]:
                return "hidden"  # the number of a line
        by = seen_by(names)
        if by == "none":
            return "hidden"
        if by == "screen readers" or is_off_screen(attributes):
            return "hidden" if says_it_again(node) else None
        return self._out_of_reach(node, tag, attributes, inside) if is_hidden(tag, attributes) else None

    def _out_of_reach(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of a hidden element that no click shows, or whose text is no content once shown."""
        names, role = named(attributes), attributes.get("role") or ""
        if role == "tabpanel" or node.mem_id in self.content:
            return None
        if is_dialog(tag, attributes):
            return self._dialog(node, attributes, inside)
        if PANEL.search(names):
            return None
        if (MENU.search(names) and is_links(node, 0.8)) or names_a_banner(names):
            return "navigation"
        return "hidden" if is_message(attributes) or is_for_machines(node, tag, attributes) else None

    def _dialog(self, node: Node, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of a closed dialog: content where something on the page opens it, but not if it asks for something."""
        names = named(attributes)
        asks = ASKS.search(f"{names} {attributes.get('aria-label') or ''} {first_heading(node)}")
        if asks or node.css("input[type=password]"):
            return "navigation" if CONSENT.search(names) or MENU.search(names) else "hidden"
        return None if inside["content"] or (attributes.get("id") or "") in self._opened else "hidden"

    def _part_of_a_form(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of what belongs to a form and is no value."""
        if tag == "form" or attributes.get("role") == "search":
            return "forms" if node.mem_id not in self.content and asks_for_something(node, attributes, inside) else None
        if tag == "button":
            return "forms" if _is_furniture_of_a_form(attributes, inside) else None
        empty = tag == "label" and inside["form"] and not self.fields.is_filled(node)
        return "forms" if empty or tag == "datalist" else None

    def _furniture(self, node: Node, tag: str, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of what stands round the content of every page of a site."""
        role = LANDMARKS_BY_TAG.get(tag) or attributes.get("role") or ""
        if tag == "a":
            return link_to_itself(node, attributes)
        if role in ("navigation", "doc-toc"):
            return None if node.mem_id in self._landmarks or node.mem_id in self._tabs else "navigation"
        if role == "complementary":
            return self._aside(node, attributes, inside)
        if inside["content"] or tag in ("main", "article"):
            return None
        return self._outside(node, attributes, role, inside)

    def _outside(self, node: Node, attributes: Attributes, role: str, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of a header, a footer or a banner of the whole page."""
        if role in ("banner", "contentinfo"):
            stays = self._is_title(node) if role == "banner" else self._holds_notes(node, attributes)
            return None if stays or inside["section"] else "navigation"
        return self._banner(node, attributes, role)

    def _holds_notes(self, footer: Node, attributes: Attributes) -> bool:
        """Whether a footer of the page has footnotes or references in it."""
        return footer.mem_id in self._notes or NOTE.search(named(attributes)) is not None

    def _banner(self, node: Node, attributes: Attributes, role: str) -> str | None:
        """The kind of a banner or dialog that lies over the page."""
        if node.mem_id in self.content:
            return None
        id_ = attributes.get("id") or ""
        asks = role in ("dialog", "alertdialog") and id_ not in self._opened
        return "navigation" if asks or names_a_banner(id_, attributes.get("class") or "") else None

    def _aside(self, node: Node, attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> str | None:
        """The kind of what stands beside the content: a list of links is furniture, a note is not."""
        names = named(attributes)
        if inside["aside"] or NOTE.search(names) or node.mem_id in self._notes or node.mem_id in self._landmarks:
            return None
        if inside["content"]:
            links = is_links(node, 0.8) and len(node.css("a[href]")) > 2
        else:
            links = SIDE.search(names) is not None or is_links(node, 0.5)
        return "navigation" if links else None

    def _is_title(self, header: Node) -> bool:
        """Whether a header of the page holds the heading of its content, and not only the name of the site."""
        return header.mem_id in self._landmarks or (header.mem_id in self._headings and not self._titles_outside)


def _is_furniture_of_a_form(attributes: Attributes, inside: Mapping[str, Sequence[int]]) -> bool:
    """Whether a button sends or copies something, and is not the title of what it unfolds."""
    return bool(inside["form"] or inside["pre"] or acts_on_the_page(attributes)) and not opens(attributes)
