"""Windows of a fixed number of tokens, wherever they cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ragdiag.core.records import IntArray
from ragdiag.search.chunkers._pack import check_size, pack
from ragdiag.text.sentences import Cuts
from ragdiag.text.tokens import token_starts


@dataclass(frozen=True)
class Fixed:
    """Windows of `size` tokens, each starting `overlap` tokens before the last one ended."""

    size: int = 160
    overlap: int = 0
    unit: str = "tokens"

    def __post_init__(self) -> None:
        check_size("fixed", self.size, self.overlap)

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """See `protocols.Chunker`."""
        if self.unit != "tokens":  # a window of those may end inside a word, where it is cut before that word
            return pack(Cuts(text), self.size, [], self.unit, self.overlap)
        places = np.append(token_starts(text), len(text))
        n = len(places) - 1
        # Windows that would only repeat the end of the one before are not begun.
        starts = np.arange(0, max(n - self.overlap, min(n, 1)), min(self.size - self.overlap, n + 1))
        ends = np.minimum(starts + min(self.size, n), n)
        places[0] = 0
        return places[starts], places[ends]
