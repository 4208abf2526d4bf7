"""Embed the chunk under its document's title."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.records import Document, IntArray
from ragdiag.text.headings import titled


@dataclass(frozen=True)
class Title:
    """The document's title, a blank line, the chunk; a document without a title adds nothing."""

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`."""
        titles = [document.title] if document.title else []
        return [titled(titles, document.text[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
