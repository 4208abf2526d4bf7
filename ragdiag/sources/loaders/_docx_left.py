"""What is left out of a Word document while it is read."""

from __future__ import annotations

from ragdiag.core.records import Omission
from ragdiag.sources.loaders._docx_marks import MARKS, place, settled
from ragdiag.sources.omissions import Keep

__all__ = ["Left"]


class Left:
    """Omissions so far; `keep` are the kinds that stay in the text."""

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.omissions: list[Omission] = []

    def out(self, kind: str, text: str, where: str, shown: str = "") -> str:
        """What stands in the text for a part that is left out: its mark; where its kind is kept, `shown` or the text itself."""
        if text and kind in self.keep:
            return shown or text
        places = "".join(mark for mark in MARKS.findall(text) if len(mark) > 1)
        self.omissions.append(Omission(kind, MARKS.sub("", settled(text)).strip(), 0, where))
        return place(len(self.omissions) - 1) + places
