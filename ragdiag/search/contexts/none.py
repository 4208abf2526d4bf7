"""Embed the chunk alone."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.records import Document, IntArray


@dataclass(frozen=True)
class Nothing:
    """The chunk's own text."""

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`."""
        return [document.text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
