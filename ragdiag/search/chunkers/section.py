"""One section under its heading, cut where it is too long."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.records import IntArray
from ragdiag.search.chunkers._pack import check_size, pack
from ragdiag.text.headings import headings
from ragdiag.text.sentences import Cuts


@dataclass(frozen=True)
class Section:
    """A chunk never crosses a heading; a section longer than `size` tokens is cut at paragraphs, then sentences."""

    size: int = 160
    unit: str = "tokens"

    def __post_init__(self) -> None:
        check_size("section", self.size)

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """See `protocols.Chunker`."""
        cuts = Cuts(text)
        always = [h.start for h in headings(text)]
        return pack(cuts, self.size, [cuts.paragraphs, cuts.sentences()], self.unit, always=always)
