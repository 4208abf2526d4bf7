"""Windows of a fixed number of tokens, wherever they cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ragdiag.chunkers._pack import check_size
from ragdiag.records import IntArray
from ragdiag.tokens import token_starts


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
        grid = token_starts(text, self.unit)
        if not len(token_starts(text)):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        step = self.size - self.overlap
        # Windows that would only repeat the overlap's end are not begun.
        first = np.arange(0, max(len(grid) - self.overlap, 1), step)
        last = first + self.size
        starts = np.where(first == 0, 0, grid[first])
        ends = np.where(last < len(grid), grid[np.minimum(last, len(grid) - 1)], len(text))
        return starts, ends
