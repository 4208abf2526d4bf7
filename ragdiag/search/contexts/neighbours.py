"""Embed the chunk with the text around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ragdiag.core.errors import SpecError
from ragdiag.core.records import Document, IntArray
from ragdiag.text.tokens import token_starts


@dataclass(frozen=True)
class Neighbours:
    """`tokens` tokens of the document before the chunk, the chunk, and as many after it."""

    tokens: int = 40

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise SpecError(f"neighbours: tokens must be 1 or more, not {self.tokens}")

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`."""
        grid = token_starts(document.text)
        if not len(grid):
            return [document.text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        reach = min(self.tokens, len(grid))
        first = np.searchsorted(grid, starts) - reach
        after = np.searchsorted(grid, ends) + reach
        start = np.where(first > 0, grid[np.clip(first, 0, len(grid) - 1)], 0)
        end = np.where(after < len(grid), grid[np.minimum(after, len(grid) - 1)], len(document.text))
        return [document.text[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]
