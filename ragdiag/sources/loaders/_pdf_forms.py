"""What stands upon a PDF's pages besides their content: the values of form fields, and annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

__all__ = ["Shown", "attachments", "has_only_xfa", "shown_on"]

Box = tuple[float, float, float, float]

DEPTH = 20
"""Fields within fields that are followed."""
MOST_OPTIONS = 1000
"""Options of one list that are read."""
HIDDEN = 1 << 1 | 1 << 5
"""Flags of an annotation that is not shown."""
PASSWORD, PUSH_BUTTON = 1 << 13, 1 << 16
"""Flags of a field."""
CHECKED, UNCHECKED = "[x]", "[ ]"


class Shown(NamedTuple):
    """A text upon a page and its box: left, right, bottom, top. `kind` says why it is no part of the text; "" if it is one."""

    text: str
    box: Box
    kind: str = ""
    name: str = ""


def shown_on(page: Any) -> Iterator[Shown]:
    """The values of a page's form fields and the texts of its annotations."""
    annotations = page.get("/Annots")
    annotations = annotations.get_object() if annotations is not None else None
    for reference in annotations if isinstance(annotations, list) else []:
        annotation = reference.get_object()
        if not hasattr(annotation, "get"):
            continue
        subtype, box = annotation.get("/Subtype"), _box(annotation)
        hidden = bool(_number(annotation.get("/F")) & HIDDEN)
        shown = _field(annotation, box) if subtype == "/Widget" else _annotation(annotation, str(subtype), box)
        for one in shown:
            yield one._replace(kind="hidden") if hidden and one.text else one


def _annotation(annotation: Any, subtype: str, box: Box) -> Iterator[Shown]:
    text = _text(annotation.get("/Contents")) or _plain(_text(annotation.get("/RC")))
    if text.strip() and subtype != "/Popup":  # a popup shows its parent's text once more
        yield Shown(text, box, "" if subtype == "/FreeText" else "notes", subtype.lstrip("/"))


def _field(widget: Any, box: Box) -> Iterator[Shown]:
    """A field's value where it stands, and what else belongs to it."""
    kind, flags = _inherited(widget, "/FT"), _number(_inherited(widget, "/Ff"))
    name = _text(_inherited(widget, "/TU")) or _text(_inherited(widget, "/T"))
    if kind == "/Btn":
        yield _button(widget, flags, name, box)
    elif kind == "/Ch":
        yield from _choice(widget, name, box)
    elif kind == "/Tx":
        value = _text(_inherited(widget, "/V")) or _plain(_text(_inherited(widget, "/RV")))
        yield Shown(value, box, "hidden" if flags & PASSWORD else "", name) if value.strip() else Shown("", box, "forms", name)
    elif kind == "/Sig":
        signature = _inherited(widget, "/V")
        yield Shown(_text(signature.get("/Name")) if hasattr(signature, "get") else "", box, "forms", name)


def _button(widget: Any, flags: int, name: str, box: Box) -> Shown:
    if flags & PUSH_BUTTON:
        look = widget.get("/MK")
        caption = _text(look.get_object().get("/CA")) if look is not None else ""
        return Shown(caption, box, "forms", name)
    state = widget.get("/AS")
    state = str(_inherited(widget, "/V")) if state is None else str(state)
    return Shown(CHECKED, box, "", name) if state not in ("/Off", "Off", "None", "") else Shown(UNCHECKED, box, "forms", name)


def _choice(widget: Any, name: str, box: Box) -> Iterator[Shown]:
    options, value = _inherited(widget, "/Opt"), _inherited(widget, "/V")
    pairs = [_option(option.get_object()) for option in options[:MOST_OPTIONS]] if isinstance(options, list) else []
    chosen = [_text(one) for one in (value if isinstance(value, list) else [value])]
    names = dict(pairs)
    picked = [names.get(one, one) for one in chosen if one.strip()]
    if picked:
        yield Shown(", ".join(picked), box, "", name)
    if others := [shown for _, shown in pairs if shown not in picked and shown.strip()]:
        yield Shown(", ".join(others), box, "forms", name)


def _option(option: Any) -> tuple[str, str]:
    """What an option of a list is stored as, and what it is shown as."""
    if isinstance(option, list) and option:
        return _text(option[0]), _text(option[-1])
    return _text(option), _text(option)


def has_only_xfa(reader: Any) -> bool | None:
    """Whether a document's form is held as XFA alone; None for no XFA at all."""
    with suppress(KeyError, AttributeError, TypeError):
        form = reader.trailer["/Root"].get_object()["/AcroForm"].get_object()
        if "/XFA" in form:
            return not form.get("/Fields", [])
    return None


def attachments(reader: Any) -> list[str]:
    """The names of the files that a document carries."""
    with suppress(Exception):  # a broken list of names says nothing of the text
        return sorted(reader.attachments)
    return []


def _inherited(field: Any, key: str) -> Any:
    """A field's entry, or that of the field which it is part of."""
    for _ in range(DEPTH):
        if (entry := field.get(key)) is not None:
            return entry.get_object() if hasattr(entry, "get_object") else entry
        parent = field.get("/Parent")
        if parent is None or not hasattr(field := parent.get_object(), "get"):
            break
    return None


def _text(entry: Any) -> str:
    """A text of a PDF, which may be held as a stream; "" for what is none."""
    entry = entry.get_object() if hasattr(entry, "get_object") else entry
    if hasattr(entry, "get_data"):
        entry = entry.get_data()
    if isinstance(entry, bytes):
        entry = entry.decode("utf-8", "replace")
    if not isinstance(entry, str):
        return ""
    lines = entry.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return lines.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _plain(rich: str) -> str:
    """A rich text without its tags."""
    import html

    return html.unescape(re.sub(r"<[^<>]*>", "", re.sub(r"</p>|<br ?/?>", "\n", rich))).strip() if "<" in rich else rich


def _number(entry: Any) -> int:
    with suppress(TypeError, ValueError):
        return int(entry)
    return 0


def _box(annotation: Any) -> Box:
    with suppress(Exception):
        a, b, c, d = (float(x) for x in annotation["/Rect"])
        return min(a, c), max(a, c), min(b, d), max(b, d)
    return 0.0, 0.0, 0.0, 0.0
