"""The blocks of a Word document: paragraphs, tables, text boxes and notes, each with the group that it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ragdiag.sources.loaders._docx_fields import placeholder
from ragdiag.sources.loaders._docx_left import Left
from ragdiag.sources.loaders._docx_marks import MARKS, settled
from ragdiag.sources.loaders._docx_notes import Notes
from ragdiag.sources.loaders._docx_numbering import DEEPEST, Numbering
from ragdiag.sources.loaders._docx_package import WORD, Element, Part, by_id, children, number, root, value
from ragdiag.sources.loaders._docx_styles import Style, Styles, switch
from ragdiag.sources.loaders._docx_text import ALTERNATIVES, Inline, chosen

__all__ = ["Block", "Reader", "joined"]

MOST_COLUMNS = 63
"""Word's tables have no more columns."""
LONGEST_REPEATED = 500
"""Characters of a cell beyond which it stands in the first of the rows that share it alone."""

Block = tuple[str, str]
"""A text and its group: blocks of one group stand on lines of their own, others apart; "" and "heading" are no groups."""

_AROUND = {WORD + tag for tag in ("customXml", "ins", "moveTo", "smartTag", "sdtContent")}
_FORMULAS = {"{http://schemas.openxmlformats.org/officeDocument/2006/math}" + tag for tag in ("oMath", "oMathPara")}


class Reader:
    """Turns body elements into blocks."""

    def __init__(self, part: Part, left: Left) -> None:
        self._part, self._left = part, left
        self._styles = Styles(root(part.of_kind("styles")))
        self._numbering = Numbering(root(part.of_kind("numbering")), self._styles)
        self._inline = Inline(part, self._styles, left, self._plain)
        self._inline.comments = by_id(root(part.of_kind("comments")), "comment")
        self._notes = Notes(part)
        self._tables = self._depth = 0
        self._marks = self._ahead = ""  # what was left out, and a paragraph that goes on, since the last block

    def document(self) -> list[Block]:
        """The blocks of the document, with its page headers and footers where they are kept."""
        body = self._part.root.find(WORD + "body")
        top, bottom = (list(self._margins(kind)) for kind in ("header", "footer"))
        blocks = [*top, *self.blocks(() if body is None else body)]
        blocks += [
            (self._left.out("hidden", self._plain(note), "note that is called nowhere"), "") for note in self._notes.uncalled()
        ]
        return [*blocks, (self._marks, ""), *bottom]

    def _margins(self, kind: str) -> Iterator[Block]:
        """The page headers, or footers, of all sections."""
        parts = (self._part.called(each) for each in self._part.root.iter(f"{WORD}{kind}Reference"))
        for part in {part.name: part for part in parts if part is not None}.values():
            before = self._inline.enter(part)
            text = self._plain(part.root)
            self._inline.enter(before)
            if text.strip():
                yield self._left.out("navigation", text, f"page {kind}"), ""

    def blocks(self, parent: Iterable[Element]) -> Iterator[Block]:
        """The blocks of everything in `parent`, in document order."""
        for child in parent:
            if child.tag == WORD + "p":
                yield from self._paragraph(child)
            elif child.tag == WORD + "tbl":
                yield from self._table(child)
            elif child.tag == WORD + "sdt":
                yield from self._control(child)
            elif child.tag in _AROUND:
                yield from self.blocks(child)
            else:
                yield from self._rest(child)
        if self._ahead:
            text, self._ahead = self._ahead, ""
            yield from self._block(text, "")

    def _rest(self, node: Element) -> Iterator[Block]:
        """The blocks of what stands among paragraphs and tables more rarely."""
        if node.tag == ALTERNATIVES:
            yield from self.blocks(next((each for each in chosen(node) if each is not None), ()))
        elif node.tag in _FORMULAS:
            yield from self._block(settled(self._inline.one(node)), "")
        elif node.tag == WORD + "altChunk":
            part = self._inline.part.called(node)
            name = "" if part is None else part.name
            yield from self._block(self._left.out("unreadable", "", f"inserted file {name}".strip()), "")

    def _block(self, text: str, group: str) -> Iterator[Block]:
        """A block, unless it holds marks alone, which the next takes along."""
        if MARKS.sub("", text).strip():
            text, self._marks = self._marks + text, ""
            yield text, group
        else:
            self._marks += "".join(MARKS.findall(text))

    def _plain(self, node: Element) -> str:
        """The text of everything in `node`, as one."""
        ahead, self._ahead = self._ahead, ""
        marks, self._marks = self._marks, ""
        with self._inline.apart():
            text = joined(list(self.blocks(node))) + self._marks
        self._ahead, self._marks = ahead, marks
        return text

    def _paragraph(self, node: Element) -> Iterator[Block]:
        properties = node.find(WORD + "pPr")
        name = value(properties, "pStyle")
        look = self._styles.paragraph(name)
        text = settled(self._inline.paragraph(node, look)).strip("\n")
        if switch(properties, "rPr/del") or switch(properties, "rPr/moveFrom"):  # its end was deleted: the next goes on
            self._ahead += text
        else:
            shown = bool(MARKS.sub("", self._ahead + text).strip())
            prefix, group = self._prefix(properties, name, look) if shown or not switch(properties, "rPr/vanish") else ("", "")
            text, self._ahead = self._ahead + text, ""
            if prefix and shown:
                text = prefix + (" ".join(text.split()) if group == "heading" else text.strip())
            yield from self._block(text, group)
        boxes, self._inline.boxes = self._inline.boxes, []
        for box in boxes:
            yield from ((line, "box") for line in box) if isinstance(box, tuple) else self.blocks(box)
        if not self._depth:
            yield from self._called()

    def _prefix(self, node: Element | None, name: str, look: Style) -> Block:
        """What a paragraph starts with, and its group."""
        direct = value(node, "numPr/numId")
        label, level = self._label(node, name, look, direct or look.list_id)
        if look.heading:
            return "#" * look.heading + " " + (f"{label} " if label and label != "-" else ""), "heading"
        if label == "" or direct == "0" or not (direct or look.list_id or look.listed):
            return "", ""
        return "  " * level + f"{label or '-'} ", "list"

    def _label(self, node: Element | None, name: str, look: Style, list_id: str) -> tuple[str | None, int]:
        """The number of an item and its level; no number where it is in no list that the document has."""
        level = value(node, "numPr/ilvl") or ("" if value(node, "numPr/numId") else look.level)
        depth = number(level, DEEPEST) if level else self._numbering.level_of(list_id, name)
        return (None if list_id in ("", "0") else self._numbering.label(list_id, depth)), depth

    def _control(self, node: Element) -> Iterator[Block]:
        blocks = [block for part in node if part.tag == WORD + "sdtContent" for block in self.blocks(part)]
        empty = placeholder(node) is not None and "forms" not in self._left.keep
        if not empty:
            yield from blocks
        text = joined(blocks)
        shown = self._inline.control(node, text)
        yield from self._block(shown if empty else shown.removeprefix(text), "")

    def _table(self, table: Element) -> Iterator[Block]:
        self._tables += 1
        self._depth += 1
        group, above = f"table {self._tables}", dict[int, list[Block]]()
        for row in children(table, "tr"):
            own, cells = self._row(row, above)
            if switch(row, "trPr/del") or switch(row, "trPr/hidden"):
                yield from self._block(self._left.out("hidden", _line(cells), "row of a table"), group)
            elif any(map(_lays_out, own)):
                yield from (block for cell in own for block in cell)
            else:
                yield from self._block(_line(cells) if any(cells) else "", group)
        self._depth -= 1
        if not self._depth:
            yield from self._called()

    def _row(self, row: Element, above: dict[int, list[Block]]) -> tuple[list[list[Block]], list[list[Block]]]:
        """The cells of a row: its own, and what stands in each column, the cells that come down from above among it."""
        own: list[list[Block]] = []
        cells: list[list[Block]] = [[] for _ in range(number(value(row, "trPr/gridBefore"), MOST_COLUMNS))]
        for cell in children(row, "tc"):
            blocks, column = list(self.blocks(cell)), len(cells)
            down, across = _merged(cell, "vMerge"), _merged(cell, "hMerge")
            if (down or across) and blocks:
                self._marks += self._left.out("hidden", joined(blocks), "merged cell of a table")
                blocks = []
            own.append(blocks)
            cells.append(above.get(column, []) if down else blocks)
            if not down:
                above[column] = blocks if down is not None and _repeats(blocks) else []
            cells += [
                [] for _ in range(min(number(value(cell, "tcPr/gridSpan"), MOST_COLUMNS), MOST_COLUMNS - len(cells) + 1) - 1)
            ]
        return own, cells

    def _called(self) -> Iterator[Block]:
        """The notes that were called since the last ones."""
        references, self._inline.notes = self._inline.notes, []
        for reference in references:
            note = self._notes.called(reference)
            if note is not None:
                before = self._inline.enter(note.part)
                text = self._plain(note.body).strip()
                self._inline.enter(before)
                yield from self._block(note.mark + text if MARKS.sub("", text).strip() else text, "note")


def joined(blocks: Iterable[Block]) -> str:
    """Blocks as one text; those that hold marks alone part nothing."""
    parts: list[str] = []
    before = ""
    for text, group in blocks:
        if MARKS.sub("", text):
            parts += ["\n" if group == before and group not in ("", "heading") else "\n\n", text]
            before = group
        else:
            parts += ["", text]
    first = next((i for i in range(0, len(parts), 2) if parts[i]), 0)
    return "".join(part for i, part in enumerate(parts) if i != first)


def _line(cells: Sequence[Sequence[Block]]) -> str:
    """A row of a table: a cell's paragraphs stand side by side."""
    return " | ".join(" ".join(" ".join(text for text, _ in cell).split()) for cell in cells)


def _lays_out(cell: Sequence[Block]) -> bool:
    """Whether a cell holds tables or headings: its row lays the page out, and is to be read cell after cell."""
    return any(group == "heading" or group.startswith("table") for _, group in cell)


def _repeats(cell: Sequence[Block]) -> bool:
    """Whether a cell that several rows share is to stand in each of them."""
    return sum(len(text) for text, _ in cell) <= LONGEST_REPEATED and not _lays_out(cell)


def _merged(cell: Element, kind: str) -> bool | None:
    """Whether a cell goes on with the one above or before it; none where it is merged with no other."""
    merge = cell.find(f"{WORD}tcPr/{WORD}{kind}")
    return None if merge is None else merge.get(WORD + "val") != "restart"
