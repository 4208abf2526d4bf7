"""Fields of a Word document, which are runs between characters that begin and end them: what each shows, and forms' values."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ragdiag.sources.loaders._docx_package import WORD, Element, number, value
from ragdiag.sources.loaders._docx_styles import switch

__all__ = ["CHECKED", "Field", "choices", "form_value", "placeholder", "whole_fields"]

DEEPEST = 20
"""Fields inside one another; what is deeper is read as if it stood in none."""

CHECKED = {True: "☒", False: "☐"}


@dataclass
class Field:
    """A field that is open: its code, text that stands in the code, whether its result has begun, whether that shows anything."""

    begin: Element
    code: str = ""
    within: str = ""
    in_code: bool = True
    shows: bool = False


def whole_fields(root: Element) -> Set[Element]:
    """The characters of fields that begin and end; a lone one would hide all that follows it."""
    whole: set[Element] = set()
    stack: list[list[Element]] = []
    for each in root.iter(WORD + "fldChar"):
        kind = each.get(WORD + "fldCharType")
        if kind == "begin":
            stack.append([each])
        elif stack:
            stack[-1].append(each)
            if kind == "end":
                field = stack.pop()
                whole.update(field if len(stack) < DEEPEST else ())
    return whole


def form_value(begin: Element) -> tuple[str, list[str]]:
    """The value of a check box or a list of choices among the old form fields, and the choices that are not chosen."""
    box, chosen = begin.find(f"{WORD}ffData/{WORD}checkBox"), begin.find(f"{WORD}ffData/{WORD}ddList")
    if box is not None:
        states = (switch(box, "checked"), switch(box, "default"))
        return CHECKED[bool(next((state for state in states if state is not None), False))], []
    if chosen is None:
        return "", []
    entries = [each.get(WORD + "val") or "" for each in chosen if each.tag == WORD + "listEntry"]
    place = number(value(chosen, "result") or value(chosen, "default"), len(entries))
    return "".join(entries[place : place + 1]), entries[:place] + entries[place + 1 :]


def placeholder(control: Element) -> str | None:
    """The name of a content control that shows no value but a text which asks for one; none where it has a value."""
    return _name(control) if switch(control, "sdtPr/showingPlcHdr") else None


def choices(control: Element, shown: str) -> list[str]:
    """What may be chosen in a content control, without what it shows."""
    kinds = (control.find(f"{WORD}sdtPr/{WORD}{kind}") for kind in ("dropDownList", "comboBox"))
    items = [item for kind in kinds if kind is not None for item in kind if item.get(WORD + "value")]
    texts = (item.get(WORD + "displayText") or item.get(WORD + "value") or "" for item in items)
    return [text for text in texts if text != shown.strip()]


def _name(control: Element) -> str:
    return value(control, "sdtPr/alias") or value(control, "sdtPr/tag") or "form field"
