"""Paragraphs, else lines, else sentences, else tokens: the coarsest cut that fits."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.records import IntArray
from ragdiag.search.chunkers._pack import check_size, pack
from ragdiag.text.sentences import Cuts


@dataclass(frozen=True)
class Recursive:
    """Cut at the coarsest of paragraphs, lines and sentences that fits `size` tokens."""

    size: int = 160
    overlap: int = 0
    unit: str = "tokens"

    def __post_init__(self) -> None:
        check_size("recursive", self.size, self.overlap)

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """See `protocols.Chunker`."""
        cuts = Cuts(text)
        return pack(cuts, self.size, [cuts.paragraphs, cuts.lines, cuts.sentences()], self.unit, self.overlap)
