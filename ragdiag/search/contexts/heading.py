"""Embed the chunk under the headings that lead to it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ragdiag.core.records import Document, IntArray
from ragdiag.text.headings import headings, path_at, titled

# A diagnosis asks again and again for a single span of one document.
_headings = functools.lru_cache(maxsize=4)(headings)


@dataclass(frozen=True)
class HeadingPath:
    """The document's title and the headings above the chunk's start, outermost first, joined by `` > ``; then the chunk."""

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`."""
        texts = []
        paths = path_at(_headings(document.text), starts.tolist())
        for path, a, b in zip(paths, starts.tolist(), ends.tolist(), strict=True):
            titles = path if not document.title or document.title in path else (document.title, *path)
            texts.append(titled(titles, document.text[a:b]))
        return texts
