"""Foot- and endnotes of a Word document: the note that a mark calls, and the number that stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ragdiag.sources.loaders._docx_numerals import numeral
from ragdiag.sources.loaders._docx_package import WORD, Element, Part, by_id, root, value

__all__ = ["Note", "Notes"]

_KINDS = {"footnote": "decimal", "endnote": "lowerRoman"}
"""The kinds of notes, and how they are numbered where nothing else is stated."""


class Note(NamedTuple):
    """A note: the part that holds it, its content, and its mark as it stands before its text ("[1] ")."""

    part: Part
    body: Element
    mark: str


class Notes:
    """The notes of a document, and how far they have been called."""

    def __init__(self, part: Part) -> None:
        settings = root(part.of_kind("settings"))
        self._notes: dict[tuple[str, str], Note] = {}
        self._forms = dict(_KINDS)
        self._count = dict.fromkeys(_KINDS, 0)
        for kind in _KINDS:
            holder = part.of_kind(kind + "s")
            if settings is not None:
                self._forms[kind] = value(settings, f"{kind}Pr/numFmt") or self._forms[kind]
                self._count[kind] = (
                    max(int(start) - 1, 0) if (start := value(settings, f"{kind}Pr/numStart")[:6]).isdecimal() else 0
                )
            for name, body in by_id(root(holder), kind).items():
                if holder is not None and body.get(WORD + "type") in (None, "normal"):
                    self._notes[kind, name] = Note(holder, body, "")

    def called(self, reference: Element) -> Note | None:
        """The note that a reference calls; none where there is no such note, or it was called before."""
        kind = reference.tag.removeprefix(WORD).removesuffix("Reference")
        note = self._notes.pop((kind, reference.get(WORD + "id") or ""), None)
        if reference.get(WORD + "customMarkFollows") in ("1", "true", "on"):
            return note
        self._count[kind] += 1
        return note and note._replace(mark=f"[{numeral(self._count[kind], self._forms[kind])}] ")

    def uncalled(self) -> Iterator[Element]:
        """The notes that nothing has called."""
        return (note.body for note in self._notes.values())
