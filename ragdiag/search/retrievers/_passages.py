"""What steps share that hand over more than was found: each chunk with others of its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ragdiag.core.errors import UsageError
from ragdiag.core.proofs import Addition
from ragdiag.core.protocols import ChunkTexts, Index
from ragdiag.core.ranking import padded
from ragdiag.core.records import IntArray
from ragdiag.search.retrievers._steps import Pool, Run, StepIndex, pools_of


class PassageIndex(StepIndex):
    """An index that ranks, after each chunk found, what is handed over with it; see `core.passages.HandsOver`.

    With chunk i go those from ``first[i]`` up to, not including, ``last[i]``, all of its document: the nearest first, so that a
    budget that cuts a passage keeps what is next to what was found. No chunk comes twice. What a passage adds to those above it
    shares the score of the chunk found, and no two passages have the same score: of equal ones the lower is the next number
    below. A text that an edit adds takes with it what the chunk that stands there takes.
    """

    hands_over = True

    def __init__(self, inner: Index, texts: ChunkTexts, first: IntArray, last: IntArray) -> None:
        super().__init__(inner, texts, 0)
        self._document, self.first, self._last = texts.chunking.document, first, last

    @property
    def spread(self) -> int:
        """The chunks of a passage on average, rounded up."""
        return int(np.ceil((self._last - self.first).mean())) if len(self.first) else 1

    def depth_below(self, depth: int) -> int:
        """See `protocols.Index`."""
        return min(depth, self._most(()))

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """See `StepIndex`."""
        return [self._handed_over(pool, depth) for pool in pools]

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
        n, place = len(self._document), float(text)
        chunk = text
        if text >= n:
            addition = added[text - n]
            place, chunk = addition.place, self._at(addition)
            if chunk < 0:
                return
        around = (c for c in range(int(self.first[chunk]), int(self._last[chunk])) if c != text)
        yield from sorted(around, key=lambda c: (abs(c - place), -c))

    def _at(self, addition: Addition) -> int:
        """The chunk that stands where a text was added: the one that follows, else the one before it; -1 where none does."""
        following = int(np.ceil(addition.place))
        near = (c for c in (following, following - 1) if 0 <= c < len(self._document))
        return next((c for c in near if self._document[c] == addition.document), -1)


def chunk_texts(texts: Sequence[str], step: str) -> ChunkTexts:
    """`texts`, whose places in their documents are known. Raises `UsageError` for texts that are no `ChunkTexts`."""
    if not isinstance(texts, ChunkTexts):
        raise UsageError(f"{step} must know where the texts that it indexes stand; give it protocols.ChunkTexts")
    return texts


def documents_of(texts: ChunkTexts) -> tuple[IntArray, IntArray]:
    """For each chunk the first chunk of its document, and the one after its last."""
    document = texts.chunking.document
    return np.searchsorted(document, document, "left"), np.searchsorted(document, document, "right")
