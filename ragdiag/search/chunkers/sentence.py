"""Whole sentences, packed up to a size."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.records import IntArray
from ragdiag.search.chunkers._pack import check_size, pack
from ragdiag.text.sentences import Cuts


@dataclass(frozen=True)
class Sentence:
    """Whole sentences packed up to `size` tokens; a longer sentence is cut. `overlap` repeats whole sentences."""

    size: int = 160
    overlap: int = 0
    unit: str = "tokens"

    def __post_init__(self) -> None:
        check_size("sentence", self.size, self.overlap)

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """See `protocols.Chunker`."""
        cuts = Cuts(text)
        return pack(cuts, self.size, [cuts.sentences()], self.unit, self.overlap)
