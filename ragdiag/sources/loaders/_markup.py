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


def too_much(markup: str) -> str:
    """What of `markup` is beyond a bound; "" where nothing is."""
    open_: defaultdict[str, list[str]] = defaultdict(list)  # by name; of each open element its tag where it is copied into blocks
    alike: Counter[str] = Counter()
    tags = depth = copied = work = position = 0
    while tag := TAG.search(markup, position):
        position, name, tags = tag.end(), (tag["name"] or "").lower(), tags + 1
        if len(tag["attributes"] or "") > MOST_ATTRIBUTES and len(ATTRIBUTE.findall(tag["attributes"])) > MOST_ATTRIBUTES:
            return f"has a tag with more than {MOST_ATTRIBUTES:,} attributes"
        if tag["close"]:
            if open_[name]:
                closed = open_[name].pop()
                alike[closed] -= 1
                copied, depth = copied - bool(closed), depth - 1
        elif name and name not in NEVER_OPEN:
            again = tag[0] if name in FORMATTING and alike[tag[0]] < ALIKE else ""
            alike[again] += 1
            open_[name].append(again)
            copied, depth = copied + bool(again), depth + 1
        if name in RAW and not tag["close"] and not any(open_[kind] for kind in FOREIGN):
            end = RAW[name].search(markup, position)
            position = end.start() if end else len(markup)
        work += depth + (COPIED * copied if name in BLOCKS else 0)
        if tags > MOST_TAGS:
            return f"has more than {MOST_TAGS:,} tags"
        if work > max(MOST_WORK, MEAN_DEPTH * tags):
            return "leaves too many elements open inside one another"
    return ""
