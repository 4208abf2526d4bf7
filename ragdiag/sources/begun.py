"""Chunks of whose text there may be no more than the beginning, as where a tracer limits the length of what it records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from ragdiag.core.records import StoredChunk
from ragdiag.sources.holding import SourceText

__all__ = ["CUT_MARKS", "Begun", "mark_of"]

CUT_MARKS = ("...", "…")
"""What is written where a text is cut."""

Place = tuple[int, int, int]


def mark_of(text: str) -> str:
    """The mark at the end of a text that was cut; "" without one."""
    return next((mark for mark in CUT_MARKS if text.rstrip().endswith(mark)), "")


class Begun:
    """Places the chunks of one list by how they begin, among the `known` ones."""

    def __init__(self, known: Collection[Place], text_of: Callable[[int], SourceText]) -> None:
        self._known, self._text_of = known, text_of
        self._whole, self._marked = set[StoredChunk](), set[StoredChunk]()
        self._in_part: dict[StoredChunk, Place] = {}

    def places(self, chunk: StoredChunk, beginnings: Sequence[Place], marked: bool) -> list[Place]:
        """The known chunks that begin as `chunk` does, which stands at `beginnings`; these, where there are none."""
        longer = [found for place in beginnings if (found := self._beginning_at(place))]
        if longer:
            self._whole.add(chunk)
            return longer
        self._in_part[chunk] = beginnings[0]
        if marked:
            self._marked.add(chunk)
        return list(beginnings)

    def notes(self) -> Iterator[str]:
        """How many texts were cut, and what they are taken for.

        Those without a mark of which one goes on where another ends are chunks of one size: nothing says that they are cut.
        """
        in_part = self._marked if self._tiled() else self._in_part.keys()
        whole, part = (len({chunk.text for chunk in chunks}) for chunks in (self._whole, in_part))
        if whole:
            yield f"{whole} retrieved texts were cut in the trace: each is taken for the chunk of --chunks that begins so"
        if part:
            yield f"{part} retrieved texts seem to be cut in the trace: they count for what is there, --chunks tells the rest"

    def _tiled(self) -> bool:
        places = sorted({place for chunk, place in self._in_part.items() if chunk not in self._marked})
        return any(one[0] == other[0] and other[1] <= one[2] for one, other in pairwise(places))

    def _beginning_at(self, place: Place) -> Place | None:
        """The shortest of the known chunks that begins where a text does, white space apart, and holds it."""
        document, start, end = place
        begins = self._by_beginning.get((document, self._text_of(document).letter_from(start)), [])
        return min((known for known in begins if known[2] >= end), default=None, key=lambda known: known[2])

    @cached_property
    def _by_beginning(self) -> dict[tuple[int, int], list[Place]]:
        begins: dict[tuple[int, int], list[Place]] = {}
        for document, start, end in sorted(self._known):
            begins.setdefault((document, self._text_of(document).letter_from(start)), []).append((document, start, end))
        return begins
