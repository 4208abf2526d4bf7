"""What steps share: an index over another one, whose rankings are filtered or put in another order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import Index
from ragdiag.core.ranking import padded
from ragdiag.core.records import FloatArray, IntArray

Step = TypeVar("Step", bound="StepIndex")
Run = tuple[IntArray, FloatArray]


class Pool(NamedTuple):
    """The head of one query's ranking, best first. `added` are the texts of an edit, numbered from the number of texts on;
    `removed` those that it drops.
    """

    query: str
    positions: IntArray
    scores: FloatArray
    added: tuple[Addition, ...]
    removed: frozenset[int] = frozenset()


class StepIndex:
    """An index of `texts` over another one of them; see `protocols.Index`.

    A subclass says in `arranged` what becomes of the first `pool` of a ranking; nothing below is returned.
    """

    indexes: Sequence[Index]

    def __init__(self, inner: Index, texts: Sequence[str], pool: int) -> None:
        self.indexes, self._texts, self._pool = [inner], texts, pool

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return self.indexes[0].nbytes

    def over(self: Step, inner: Index) -> Step:
        """The same step over another index of the same texts."""
        other = copy.copy(self)
        other.indexes = [inner]
        return other

    def depth_below(self, depth: int) -> int:
        """See `protocols.Index`."""
        return min(self._pool, self._most(()))

    def search(self, queries: Sequence[str], depth: int) -> Run:
        """See `protocols.Index`."""
        return self._run(lambda pool: self.indexes[0].search(queries, pool), queries, [()] * len(queries), depth)

    def answer(self, query: str, depth: int) -> Run:
        """See `protocols.Index`."""
        return self._run(lambda pool: self.indexes[0].answer(query, pool), [query], [()], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> Run:
        """See `protocols.Index`: the ranking below the step is edited, then it is arranged as ever."""
        added, removed = [edit.added for edit in edits], [edit.removed for edit in edits]
        return self._run(lambda pool: self.indexes[0].what_if(queries, edits, pool), queries, added, depth, removed)

    def arranged(self, pools: Sequence[Pool], depth: int) -> list[Run]:
        """The first `depth` of each query's new ranking, or more: positions and scores, in the order of `protocols.Index`."""
        raise NotImplementedError

    def _run(
        self, search: Callable[[int], Run], queries: Sequence[str], added: Sequence[tuple[Addition, ...]], depth: int,
        removed: Sequence[frozenset[int]] = (),
    ) -> Run:  # fmt: skip
        rows = self.arranged(pools_of(search(min(self._pool, self._most(added))), queries, added, removed), depth)
        return padded([(positions[:depth], scores[:depth]) for positions, scores in rows], depth)

    def _most(self, added: Sequence[tuple[Addition, ...]]) -> int:
        """The number of texts that a ranking can have."""
        return max(len(self._texts) + max(map(len, added), default=0), 1)

    def _said(self, pool: Pool) -> list[str]:
        """What the texts of a pool say."""
        n = len(self._texts)
        return [self._texts[p] if p < n else pool.added[p - n].text for p in pool.positions.tolist()]

    def _places(self, pool: Pool) -> FloatArray:
        """Where the texts of a pool stand among all, which decides ties."""
        n = len(self._texts)
        return np.array([p if p < n else pool.added[p - n].place for p in pool.positions.tolist()], dtype=np.float64)


def pools_of(
    found: Run, queries: Sequence[str], added: Sequence[tuple[Addition, ...]], removed: Sequence[frozenset[int]] = ()
) -> list[Pool]:
    """Rankings, without their padding, with what belongs to each; nothing is dropped where `removed` is empty."""
    rows = zip(queries, *found, added, removed or [frozenset[int]()] * len(queries), strict=True)
    return [Pool(query, order[order >= 0], scores[order >= 0], new, gone) for query, order, scores, new, gone in rows]
