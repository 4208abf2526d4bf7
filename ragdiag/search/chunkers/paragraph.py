"""Whole paragraphs, packed up to a size."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.records import IntArray
from ragdiag.search.chunkers._pack import check_size, pack
from ragdiag.text.sentences import Cuts


@dataclass(frozen=True)
class Paragraph:
    """Whole paragraphs (parted by blank lines) packed up to `size` tokens; a longer one is cut at its sentences."""

    size: int = 160
    unit: str = "tokens"

    def __post_init__(self) -> None:
        check_size("paragraph", self.size)

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """See `protocols.Chunker`."""
        cuts = Cuts(text)
        return pack(cuts, self.size, [cuts.paragraphs, cuts.sentences()], self.unit)
