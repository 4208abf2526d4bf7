"""Texts that somebody wrote for chunks, put before or after them, by the place that each was written for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from ragdiag.core.records import BoolArray, Chunking, Corpus, Document, IntArray

__all__ = ["Place", "Tally", "Text", "Written"]

Place = Literal["before", "after"]
"""Where a text stands: before the chunk, as what situates it, or after it, as questions that it answers."""


class Text(NamedTuple):
    """A text about a span of a document, half-open; about all of it where `start` is None. Empty: nothing to say."""

    document: str
    start: int | None
    end: int | None
    text: str


class Tally(NamedTuple):
    """Of so many chunks, those without a text, and those whose text was written for other bounds; the texts in use."""

    chunks: int
    without: int
    other_bounds: int
    used: int


class _Own(NamedTuple):
    """The texts about one document: those about all of it, and, by place, those about a part; their numbers among all texts."""

    whole: list[int]
    part: IntArray
    starts: IntArray
    ends: IntArray


class Written:
    """A context of texts; see `protocols.Context`. `notes` are what a reader should know of it.

    A text about a span goes with that very chunk, whatever space is round either. A chunk that no text was written for, as where
    a text is asked for other chunks, or a window is tried in a chunk's place, gets each text whose span it shares half of the
    shorter with. So a part of a chunk keeps its text, and a longer chunk has those of all that it holds. A text about the
    document goes with all its chunks.
    """

    def __init__(self, texts: Sequence[Text], place: Place, notes: tuple[str, ...] = ()) -> None:
        self._texts, self._place, self.notes = texts, place, notes
        self._of: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            self._of[text.document].append(number)
        self._own: dict[str, _Own] = {}

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`."""
        return [self._with(document, a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]

    def _with(self, document: Document, start: int, end: int) -> str:
        chunk, about = document.text[start:end], self._about(document, start, end)[0]
        told = "\n".join(self._texts[i].text for i in about if self._texts[i].text)
        if not told:
            return chunk
        return f"{told}\n\n{chunk}" if self._place == "before" else f"{chunk}\n\n{told}"

    def _about(self, document: Document, start: int, end: int) -> tuple[list[int], bool]:
        """The texts that go with a span, those about the document first; whether all were written for one or the other."""
        if document.id not in self._of:
            return [], True
        own = self._own_of(document)
        a, b = _bare(document.text, start, end)
        exact: BoolArray = (own.starts == a) & (own.ends == b)
        if exact.any():
            return [*own.whole, *own.part[exact].tolist()], True
        shared = np.minimum(own.ends, b) - np.maximum(own.starts, a)
        near = (shared > 0) & (2 * shared >= np.minimum(own.ends - own.starts, b - a))
        return [*own.whole, *own.part[near].tolist()], not near.any()

    def _own_of(self, document: Document) -> _Own:
        if document.id not in self._own:
            texts = [(i, self._texts[i]) for i in self._of[document.id]]
            whole = [i for i, text in texts if text.start is None]
            spans = [(*_bare(document.text, t.start, t.end), i) for i, t in texts if t.start is not None and t.end is not None]
            columns = np.array(sorted(spans), dtype=np.int64).reshape(-1, 3)
            self._own[document.id] = _Own(whole, columns[:, 2], columns[:, 0], columns[:, 1])
        return self._own[document.id]

    def tally(self, corpus: Corpus, chunking: Chunking) -> Tally:
        """What the texts come to for these chunks."""
        without = other = 0
        used = set[int]()
        for d, a, b in zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True):
            about, exact = self._about(corpus.documents[d], a, b)
            without += not about
            other += not exact
            used.update(about)
        return Tally(len(chunking), without, other, len(used))


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the space at its ends; as it is where it holds nothing else."""
    own = text[start:end]
    if not own.strip():
        return start, end
    return start + len(own) - len(own.lstrip()), start + len(own.rstrip())
