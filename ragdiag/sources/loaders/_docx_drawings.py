"""What drawings in a Word document hold: charts and diagrams, whose words stand in parts of their own, and alternative texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from ragdiag.sources.loaders._docx_left import Left
from ragdiag.sources.loaders._docx_marks import EDGE
from ragdiag.sources.loaders._docx_package import WORD, Element, Part

__all__ = ["BOX", "Box", "drawn"]

Box = Element | tuple[str, ...]
"""What stands apart from the paragraph in which it is anchored: a text box, or lines."""

BOX = WORD + "txbxContent"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/%s}"
_MAIN, _CHART, _PICTURE, _DIAGRAM = (_DRAWING % name for name in ("main", "chart", "picture", "diagram"))
_FILE_NAME = re.compile(r"(?:\S*[\\/])?[\w.() -]*\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)", re.I)

MOST_SERIES = 100
"""A chart of more series is unreadable."""

_OBJECTS = {"OLEObject": "embedded object", "control": "control of a form", "contentPart": "ink"}


def drawn(node: Element, part: Part, left: Left, read: set[str]) -> tuple[str, list[Box]]:
    """What a drawing shows: text in the paragraph, and boxes apart from it. A picture is its alternative text.

    `read` are the parts that were shown before; one that is shown again says nothing new.
    """
    elements = list(_inside(node))
    boxes: list[Box] = []
    objects: list[str] = []
    for each in elements:
        lines = _lines(each, part, read)
        if each.tag == BOX:
            boxes.append(each)
        elif lines:
            boxes.append(tuple(lines))
        elif where := _object(each, lines is None):
            objects.append(left.out("unreadable", "", where))
    if any(map(_is_picture, elements)) and not objects:
        alternative = _alternative(elements)
        if alternative == "":
            objects.append(left.out("images", "", "picture"))
    else:
        alternative = "" if boxes or objects else _alternative(elements)
    return (f"{EDGE}[{alternative}]{EDGE}" if alternative else "") + "".join(objects), boxes


def _lines(node: Element, part: Part, read: set[str]) -> list[str] | None:
    """The lines of an element that is a diagram, a chart, a paragraph of a shape, or text along a path; none where unreadable."""
    if node.tag.endswith("}textpath"):
        return [text] if (text := node.get("string") or "").strip() else []
    if node.tag == _MAIN + "p":
        return [text] if (text := _paragraph(node)).strip() else []
    if node.tag not in _REFERENCES:
        return []
    reference, lines = _REFERENCES[node.tag]
    referred = part.called(node, reference)
    return None if referred is None else _read(referred, lines, read)


def _read(part: Part, lines: Callable[[Element], list[str]], read: set[str]) -> list[str] | None:
    """The lines of a part that is not shown yet; none where they cannot be read."""
    if part.name in read:
        return []
    read.add(part.name)
    try:
        return lines(part.root) or None
    except SyntaxError:  # lxml's for broken XML
        return None


def _object(node: Element, unreadable: bool) -> str:
    """What an element is called that is an object nobody can read here; "" where it is none."""
    local = node.tag[node.tag.index("}") + 1 :]
    if local in _OBJECTS:
        return f"{_OBJECTS[local]} {node.get('ProgID') or ''}".strip()
    if unreadable or "/chartex" in node.tag:
        return "diagram" if local == "relIds" else "chart"
    return ""


def _inside(node: Element) -> Iterator[Element]:
    """What a drawing holds, boxes as a whole, and of alternatives the first only."""
    for child in node:
        if not isinstance(child.tag, str):
            continue
        if child.tag == _COMPATIBILITY + "AlternateContent":
            yield from _inside(next(iter(child), child))
            continue
        yield child
        if child.tag not in (BOX, _MAIN + "p"):
            yield from _inside(child)


def _paragraph(node: Element) -> str:
    """The text of a paragraph of DrawingML."""
    return "".join("\n" if each.tag == _MAIN + "br" else each.text or "" for each in node.iter(_MAIN + "t", _MAIN + "br"))


def _is_picture(node: Element) -> bool:
    """Whether an element of a drawing is a picture."""
    return bool(node.tag == _PICTURE + "pic" or node.tag.endswith("}imagedata"))


def _alternative(elements: Sequence[Element]) -> str | None:
    """The text that stands for a drawing; "" where it has none, none where it says that it is mere decoration."""
    for each in elements:
        if each.tag.endswith("}decorative") and each.get("val") in ("1", "true"):
            return None
    texts = (each.get("descr") or each.get("alt") or "" for each in elements)
    return next((text.strip() for text in texts if text.strip() and not _FILE_NAME.fullmatch(text.strip())), "")


def _diagram(root: Element) -> list[str]:
    """The texts of a diagram (SmartArt), in the order of its data."""
    texts = (_paragraph(each) for point in root.iter(_DIAGRAM + "pt") for each in point.iter(_MAIN + "p"))
    return [text for text in texts if text.strip()]


def _chart(root: Element) -> list[str]:
    """The titles of a chart, and its data: a line for each category, with the value of each series."""
    titles = [" ".join(map(_paragraph, title.iter(_MAIN + "p"))) for title in root.iter(_CHART + "title")]
    names: list[str] = []
    rows: dict[int, list[str]] = {}
    all_series = list(root.iter(_CHART + "ser"))
    if len(all_series) > MOST_SERIES:
        return []
    for series in all_series:
        for index, label in _points(series, "cat", "xVal"):
            rows.setdefault(index, [label])
        names.append(" ".join(label for _, label in _points(series, "tx")))
        for index, shown in _points(series, "val", "yVal"):
            row = rows.setdefault(index, [""])
            row += [""] * (len(names) - len(row)) + [shown]
    lines = [["", *names]] if any(names) else []
    return [title for title in titles if title.strip()] + [" | ".join(row) for row in lines + [rows[i] for i in sorted(rows)]]


def _points(series: Element, *kinds: str) -> Iterator[tuple[int, str]]:
    """The cached values of a series: their places, and what they show."""
    for kind in kinds:
        for holder in series:
            if holder.tag == _CHART + kind:
                for at, shown in enumerate(holder.iter(_CHART + "v")):
                    parent = shown.getparent()
                    index = "" if parent is None else parent.get("idx") or ""
                    yield int(index[:9]) if index.isdecimal() else at, " ".join((shown.text or "").split())


_REFERENCES: Mapping[str, tuple[str, Callable[[Element], list[str]]]] = {
    _DIAGRAM + "relIds": ("dm", _diagram),
    _CHART + "chart": ("id", _chart),
}
"""Elements that stand for a part with words in it: the attribute that names it, and what reads it."""
