"""The text of a paragraph in a Word document: runs and whatever stands between them, with marks for what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ragdiag.sources.loaders._docx_drawings import Box, drawn
from ragdiag.sources.loaders._docx_fields import Field, choices, form_value, placeholder, whole_fields
from ragdiag.sources.loaders._docx_left import Left
from ragdiag.sources.loaders._docx_marks import LOWERED, MARKS, NOTE, RAISED
from ragdiag.sources.loaders._docx_math import MATH, formula, is_formula
from ragdiag.sources.loaders._docx_package import WORD, Element, Part, value
from ragdiag.sources.loaders._docx_styles import Style, Styles, switch
from ragdiag.sources.loaders._docx_symbols import symbols

__all__ = ["ALTERNATIVES", "Inline", "chosen"]

_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
ALTERNATIVES = _COMPATIBILITY + "AlternateContent"
_EMOJI = "{http://schemas.microsoft.com/office/word/2015/wordml/symex}"
_SHIFTS = {"superscript": RAISED, "subscript": LOWERED}


class Inline:
    """Reads paragraphs of one part after another. `boxes` and `notes` hold what the paragraphs so far have called for."""

    def __init__(self, part: Part, styles: Styles, left: Left, plain: Callable[[Element], str]) -> None:
        self.part, self._styles, self._left, self._plain = part, styles, left, plain
        self.comments: dict[str, Element] = {}
        self.boxes: list[Box] = []
        self.notes: list[Element] = []
        self._fields: list[Field] = []
        self._whole = whole_fields(part.root)
        self._entered, self._drawn = {part.name}, set[str]()
        self._look, self._font = Style(), ""

    def enter(self, part: Part) -> Part:
        """Go on in another part; the one so far."""
        before, self.part = self.part, part
        if part.name not in self._entered:
            self._entered.add(part.name)
            self._whole |= whole_fields(part.root)
        return before

    def paragraph(self, node: Element, look: Style) -> str:
        """The text of a paragraph of a style."""
        self._look = look
        return self.text(node)

    def text(self, node: Element) -> str:
        """The text of everything in `node`."""
        return "".join([self.one(child) for child in node])

    def one(self, node: Element) -> str:
        """The text of an element in a paragraph."""
        tag = node.tag
        read = _READ.get(tag)
        if read is not None:
            return read(self, node)
        if not isinstance(tag, str) or tag in _NOT_TEXT:
            return ""
        return formula(node, self.one) if is_formula(tag) else self.text(node)

    def _letters(self, node: Element) -> str:
        text = node.text or ""
        if len(node):  # a comment, or an entity that is not read
            text += "".join(child.tail or "" for child in node)
        return self._shown(symbols(text, self._font) if self._font else text)

    def _shown(self, text: str) -> str:
        """A text, unless it stands in the code of a field."""
        in_code = next((field for field in reversed(self._fields) if field.in_code), None)
        if in_code is not None:
            in_code.within += text
            return ""
        for field in self._fields:
            field.shows = field.shows or not text.isspace()
        return text

    def _run(self, node: Element) -> str:
        properties = node.find(WORD + "rPr")
        if properties is None:
            return self._hidden(node, "hidden text") if self._look.hidden else self.text(node)
        stated = {each.tag: each.get(WORD + "val") or "" for each in properties}
        style = self._styles.run(stated.get(WORD + "rStyle", ""))
        hidden = switch(properties, "vanish") if WORD + "vanish" in stated else style.hidden or self._look.hidden
        if hidden:
            return self._hidden(node, "hidden text")
        before, self._font = self._font, _font(properties)
        text, self._font = self.text(node), before
        mark = _SHIFTS.get(stated.get(WORD + "vertAlign") or style.shift, "")
        return mark + text + mark if mark and text else text

    @contextmanager
    def apart(self) -> Iterator[None]:
        """While something else is read in the midst of a paragraph: what that calls for is its own."""
        before = self.boxes, self.notes, self._look, self._font
        self.boxes, self.notes, self._look, self._font = [], [], Style(), ""
        yield
        self.boxes, self.notes, self._look, self._font = before

    def _hidden(self, node: Element, where: str) -> str:
        """What nobody sees, with the boxes anchored there; notes that are called there are called nowhere."""
        with self.apart():
            text = self.text(node)
            for box in self.boxes:
                text += "\n" + ("\n".join(box) if isinstance(box, tuple) else self._plain(box))
        return self._left.out("hidden", text, where) if MARKS.sub("", text).strip() else "".join(MARKS.findall(text))

    def _symbol(self, node: Element) -> str:
        space = node.tag[: node.tag.index("}") + 1]
        font, code = node.get(space + "font") or "", node.get(space + "char") or ""
        try:
            sign = symbols(chr(int(code, 16)), font)
        except (ValueError, OverflowError):
            sign = ""
        if sign and not "\ue000" <= sign <= "\uf8ff" and sign >= " ":
            return self._shown(sign)
        return self._left.out("unreadable", "", f"sign {code} of the font {font}")

    def _alternatives(self, node: Element) -> str:
        first, second = chosen(node)
        if first is None:
            return "" if second is None else self.text(second)
        boxes, left = len(self.boxes), len(self._left.omissions)
        text = self.text(first)
        nothing = not text.strip() and (len(self.boxes), len(self._left.omissions)) == (boxes, left)
        return self.text(second) if nothing and second is not None else text

    def _ruby(self, node: Element) -> str:
        parts = {child.tag: self.text(child) for child in node if child.tag in (WORD + "rt", WORD + "rubyBase")}
        reading, base = parts.get(WORD + "rt", ""), parts.get(WORD + "rubyBase", "")
        return base + (self._left.out("notes", reading, "reading above a word", f"({reading})") if reading.strip() else "")

    def _comment(self, node: Element) -> str:
        comment = self.comments.pop(node.get(WORD + "id") or "", None)
        text = "" if comment is None else self._plain(comment)
        if comment is None or not text.strip():
            return ""
        where = f"comment by {comment.get(WORD + 'author') or 'an unknown author'}"
        return self._left.out("notes", text, where, f" [{where}: {text}] ")

    def _note(self, node: Element) -> str:
        self.notes.append(node)
        return NOTE

    def _control(self, node: Element) -> str:
        text = "".join(self.text(child) for child in node if child.tag == WORD + "sdtContent")
        return self.control(node, text)

    def control(self, node: Element, text: str) -> str:
        """What a content control with a text shows, and the choices that are not chosen in it."""
        name = placeholder(node)
        if name is not None:
            text = self._left.out("forms", text, name) if text.strip() else text
        others = choices(node, MARKS.sub("", text))
        return text + self.choices(others)

    def choices(self, others: Sequence[str]) -> str:
        """What stands for the choices of a form that are not chosen."""
        if not others:
            return ""
        return self._left.out("forms", ", ".join(others), "choices that are not chosen", f" [{', '.join(others)}]")

    def _field_character(self, node: Element) -> str:
        if node not in self._whole:
            return ""
        kind = node.get(WORD + "fldCharType")
        if kind == "begin":
            self._fields.append(Field(node))
        elif kind == "separate":
            self._fields[-1].in_code = False
        else:
            return self._end(self._fields.pop())
        return ""

    def _end(self, field: Field) -> str:
        """What is shown at the end of a field besides its result."""
        form, others = form_value(field.begin)
        text = "" if field.shows else self._shown(form)
        text += self.choices(others)
        if field.within.strip():
            text += self._left.out("hidden", field.within, "code of a field")
        elif field.code.split()[:1] == ["EQ"] and not field.shows:
            text += self._left.out("unreadable", "", f"formula {' '.join(field.code.split())}")
        return text

    def _code(self, node: Element) -> str:
        if self._fields:
            self._fields[-1].code += node.text or ""
        return ""

    def _box(self, node: Element) -> str:
        self.boxes.append(node)
        return ""

    def _drawing(self, node: Element) -> str:
        text, boxes = drawn(node, self.part, self._left, self._drawn)
        self.boxes += boxes
        return text


def chosen(alternatives: Element) -> tuple[Element | None, Element | None]:
    """Of alternatives that say the same: the one that is to be read, and what older programs read."""
    by_tag = {child.tag: child for child in reversed(list(alternatives))}
    return by_tag.get(_COMPATIBILITY + "Choice"), by_tag.get(_COMPATIBILITY + "Fallback")


def _font(properties: Element) -> str:
    return value(properties, "rFonts", "ascii") or value(properties, "rFonts", "hAnsi")


def _sign(sign: str) -> Callable[[Inline, Element], str]:
    return lambda inline, _: inline._shown(sign)


_READ: Mapping[str, Callable[[Inline, Element], str]] = {
    ALTERNATIVES: Inline._alternatives,
    MATH + "t": Inline._letters,
    _EMOJI + "symEx": Inline._symbol,
    **{
        WORD + name: read
        for name, read in {
            "t": Inline._letters,
            "delText": Inline._letters,
            "r": Inline._run,
            "sym": Inline._symbol,
            "tab": _sign("\t"),
            "ptab": _sign("\t"),
            "br": _sign("\n"),
            "cr": _sign("\n"),
            "noBreakHyphen": _sign("-"),
            "ruby": Inline._ruby,
            "sdt": Inline._control,
            "fldChar": Inline._field_character,
            "instrText": Inline._code,
            "footnoteReference": Inline._note,
            "endnoteReference": Inline._note,
            "commentReference": Inline._comment,
            "txbxContent": Inline._box,
            "drawing": Inline._drawing,
            "pict": Inline._drawing,
            "object": Inline._drawing,
            "del": lambda inline, node: inline._hidden(node, "deleted text"),
            "moveFrom": lambda inline, node: inline._hidden(node, "text moved elsewhere"),
        }.items()
    },
}
_NOT_TEXT = {WORD + name for name in ("pPr", "rPr", "sdtPr", "sdtEndPr", "delInstrText", "softHyphen")}
