"""Whether a page's markup is fit for a parser: what browsers need for it grows with how deep its elements nest, and so does ours.

An estimate from above, made before anything is parsed: elements that nobody closes count as open to the end.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

__all__ = ["BLOCKS", "HEADINGS", "too_much"]

HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
BLOCKS = {
    *"address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure".split(),
    *"footer form header hgroup hr html legend li main menu ol p pre search section summary".split(),
    *"table tbody td tfoot th thead tr ul".split(),
    *HEADINGS,
}
"""What stands apart from the text before and after it."""

MOST_TAGS = 1_000_000
"""Tags of one page."""

MOST_ATTRIBUTES = 2_000
"""Attributes of one tag."""

MOST_WORK, MEAN_DEPTH = 15_000_000, 200
"""Open elements, summed over all tags: so many, or so many a tag."""

COPIED = 400
"""How many open elements one costs that is copied where a block starts or ends inside it."""

FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
"""What is opened again in a block that starts before it is closed; of those that are alike in all attributes `ALIKE`."""
ALIKE = 3

NEVER_OPEN = frozenset(
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd tr td th thead tbody tfoot option optgroup rt rp".split()
)
"""Elements without content, and those that the next of their kind closes."""

RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}
FOREIGN = ("svg", "math")  # in which scripts and styles hold elements

_VALUE = r"""(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^\s>"'][^\s>]*)?"""
_ATTRIBUTE = rf"[^\s/>][^\s/>=]*(?:\s*=\s*{_VALUE})?"
ATTRIBUTE = re.compile(_ATTRIBUTE)
TAG = re.compile(
    rf"<!--.*?(?:-->|\Z)|<(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*)(?P<attributes>(?:[\s/]+|{_ATTRIBUTE})*)>?", re.DOTALL
)


class _Open:
    """The elements that are open at a place in a page: `depth` of them, `copied` of which are opened again in each block."""

    def __init__(self) -> None:
        self.depth = self.copied = 0
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)  # of each element its tag where it is copied, else ""
        self._alike: Counter[str] = Counter()  # copied elements by their whole tag

    def enter(self, name: str, tag: str) -> None:
        """A start tag."""
        copied = tag if name in FORMATTING and self._alike[tag] < ALIKE else ""
        self._alike[copied] += 1
        self._by_name[name].append(copied)
        self.copied, self.depth = self.copied + bool(copied), self.depth + 1

    def leave(self, name: str) -> None:
        """An end tag, which closes nothing where no element of that name is open."""
        if self._by_name[name]:
            copied = self._by_name[name].pop()
            self._alike[copied] -= 1
            self.copied, self.depth = self.copied - bool(copied), self.depth - 1

    def is_foreign(self) -> bool:
        """Whether the place is in a drawing or a formula."""
        return any(self._by_name[kind] for kind in FOREIGN)


def too_much(markup: str) -> str:
    """What of `markup` is beyond a bound; "" where nothing is."""
    open_ = _Open()
    tags = work = position = 0
    while tag := TAG.search(markup, position):
        position, name, tags = tag.end(), (tag["name"] or "").lower(), tags + 1  # a comment has no name
        if _has_too_many_attributes(tag["attributes"] or ""):
            return f"has a tag with more than {MOST_ATTRIBUTES:,} attributes"
        if tag["close"]:
            open_.leave(name)
        elif name and name not in NEVER_OPEN:
            open_.enter(name, tag[0])
            position = _content_end(markup, position, name, open_)
        work += open_.depth + (COPIED * open_.copied if name in BLOCKS else 0)
        if tags > MOST_TAGS:
            return f"has more than {MOST_TAGS:,} tags"
        if work > max(MOST_WORK, MEAN_DEPTH * tags):
            return "leaves too many elements open inside one another"
    return ""


def _has_too_many_attributes(attributes: str) -> bool:
    return len(attributes) > MOST_ATTRIBUTES and len(ATTRIBUTE.findall(attributes)) > MOST_ATTRIBUTES


def _content_end(markup: str, position: int, name: str, open_: _Open) -> int:
    """Where tags count again after the start tag of `name`, which ends at `position`: scripts and styles hold none."""
    if name not in RAW or open_.is_foreign():
        return position
    end = RAW[name].search(markup, position)
    return end.start() if end else len(markup)
