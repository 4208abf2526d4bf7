"""What steps share that hand over more than was found: each chunk with others of its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ragdiag.core.errors import UsageError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import ChunkTexts, Index
from ragdiag.core.ranking import padded
from ragdiag.core.records import IntArray
from ragdiag.search.retrievers._steps import Pool, Run, StepIndex, pools_of


class PassageIndex(StepIndex):
    """An index that ranks, after each chunk found, what is handed over with it; see `core.passages.HandsOver`.

    With chunk i go those from ``first[i]`` up to, not including, ``last[i]``, all of its document: the nearest first, so that a
    budget that cuts a passage keeps what is next to what was found. No chunk comes twice. What a passage adds to those above it
    shares the score of the chunk found, and no two passages have the same score: of equal ones the lower is the next number
    below. A text that an edit adds takes with it what the chunk takes that shares most of it (the first of equals), and that
    chunk; nothing where that takes no other one, unless `neighbours` says that a text takes what stands beside it.
    """

    hands_over = True

    def __init__(self, inner: Index, texts: ChunkTexts, first: IntArray, last: IntArray, neighbours: bool = False) -> None:
        super().__init__(inner, texts, 0)
        self._neighbours = neighbours
        self._chunking, self.first, self._last = texts.chunking, first, last

    def depth_for(self, k: int) -> int:
        """See `core.passages.HandsOver`."""
        lengths = self._last - self.first
        return max(10 * k * int(np.ceil(lengths.mean())), k * int(lengths.max())) if len(lengths) else k

    def depth_below(self, depth: int) -> int:
        """See `protocols.Index`."""
        return min(depth, self._most(()))

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """See `StepIndex`."""
        return [self._handed_over(pool, depth) for pool in pools]

    def passages_of(self, order: IntArray, edit: Edit) -> IntArray:
        """What is handed over where `order` is what was found, with nothing below it; -1 is padding."""
        found = order[order >= 0]
        pool = Pool("", found, -np.arange(len(found), dtype=np.float64), edit.added, edit.removed)
        return self._handed_over(pool, self._most([edit.added]))[0]

    def _run(
        self, search: Callable[[int], Run], queries: Sequence[str], added: Sequence[tuple[Addition, ...]], depth: int,
        removed: Sequence[frozenset[int]] = (),
    ) -> Run:  # fmt: skip
        pools = pools_of(search(min(depth, self._most(added))), queries, added, removed)
        return padded([(order[:depth], scores[:depth]) for order, scores in self.arranged(pools, depth)], depth)

    def _handed_over(self, pool: Pool, depth: int) -> Run:
        seen, order, scores, least = set(pool.removed), list[int](), list[float](), np.inf
        for text, score in zip(pool.positions.tolist(), pool.scores.tolist(), strict=True):
            new = [other for other in self._with(text, pool.added) if other not in seen]
            if new:
                least = min(score, float(np.nextafter(least, -np.inf)))
                seen.update(new)
                order += new
                scores += [least] * len(new)
            if len(order) >= depth:
                break
        return np.array(order, dtype=np.int64), np.array(scores)

    def _with(self, text: int, added: Sequence[Addition]) -> Iterator[int]:
        """A text, then what is handed over with it, the nearest first, of two as near the one that follows."""
        yield text
        n, place = len(self._chunking), float(text)
        chunk = text
        if text >= n:
            addition = added[text - n]
            place, chunk = addition.place, self._at(addition)
            if chunk < 0 or not (self._neighbours or self._last[chunk] - self.first[chunk] > 1):
                return
        around = (c for c in range(int(self.first[chunk]), int(self._last[chunk])) if c != text)
        yield from sorted(around, key=lambda c: (abs(c - place), -c))

    def _at(self, addition: Addition) -> int:
        """The chunk that shares most of an added text; of a text that stands in none the next one, else the one before it; -1 in
        a document without chunks.
        """
        document, start, end = self._chunking.document, self._chunking.start, self._chunking.end
        low, high = np.searchsorted(document, [addition.document, addition.document + 1]).tolist()
        if low == high:
            return -1
        shared = np.minimum(end[low:high], addition.end) - np.maximum(start[low:high], addition.start)
        return int(low + shared.argmax()) if shared.max() > 0 else min(max(int(np.ceil(addition.place)), low), high - 1)


def chunk_texts(texts: Sequence[str], step: str) -> ChunkTexts:
    """`texts`, whose places in their documents are known. Raises `UsageError` for texts that are no `ChunkTexts`."""
    if not isinstance(texts, ChunkTexts):
        raise UsageError(f"{step} must know where the texts that it indexes stand; give it protocols.ChunkTexts")
    return texts


def documents_of(texts: ChunkTexts) -> tuple[IntArray, IntArray]:
    """For each chunk the first chunk of its document, and the one after its last."""
    document = texts.chunking.document
    return np.searchsorted(document, document, "left"), np.searchsorted(document, document, "right")
