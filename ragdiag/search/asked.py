"""A search that only answers questions, as an index of chunks: the team's own function, or a run that it once made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import InputError, Untestable
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Store, no_progress
from ragdiag.core.ranking import padded
from ragdiag.core.records import FloatArray, IntArray
from ragdiag.scoring.packing import Packing
from ragdiag.search.asking import Asking
from ragdiag.search.named import AnyEncoder
from ragdiag.search.runs import Ranking

__all__ = ["AskedIndex", "ByCosine", "by_cosine"]

STAGES = "the stages behind the search would have to be run again"

SAMPLE, MOST, SLACK = 16, 0.9, 5e-3
"""Queries by which it is told what a search ranks by, the share of them that has to agree, and by how much cosines made anew may
differ: those of a model in half precision do by so much.
"""

DEEPER = 4
"""How many times as many results a search is asked for, where those that it gave do not fill a context."""


class AskedIndex:
    """A search over numbered chunks; see `protocols.Index`. What an edit drops is passed over, other words are asked.

    `known` has the ranking of each labelled query, by its text, to `depth` results; `staged` are those whose stages are known.
    `asking` asks on, None for a recorded run; `numbered` gives the chunks of a ranking, and raises `InputError` for one that has
    another. Scores count down. What it cannot be asked raises `Untestable`.
    """

    nbytes = 0

    def __init__(
        self,
        known: dict[str, IntArray],
        staged: frozenset[str],
        numbered: Callable[[Ranking], IntArray],
        asking: Asking | None,
        packing: Packing,
        depth: int,
    ) -> None:
        self._known, self._staged, self._numbered = known, staged, numbered
        self.asking, self._packing, self._depth = asking, packing, depth

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how it was asked."""
        return self.asking.said() if self.asking else ()

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. A labelled query is not asked again, however deep."""
        return self._scored([self._ranking(query, depth) for query in queries], depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._scored([self._edited(query, edit, depth) for query, edit in zip(queries, edits, strict=True)], depth)

    def _scored(self, rows: Sequence[IntArray], depth: int) -> tuple[IntArray, FloatArray]:
        return padded([(row[:depth], 0.0 - np.arange(len(row[:depth]), dtype=np.float64)) for row in rows], depth)

    def _edited(self, query: str, edit: Edit, depth: int) -> IntArray:
        return self._without(query, edit, depth)

    def _without(self, query: str, edit: Edit, depth: int) -> IntArray:
        """The ranking of a query without what an edit drops."""
        row, removed = self._ranking(query, depth), list(edit.removed)
        kept = row[~np.isin(row, removed)]
        if len(kept) == len(row) or self._packing.full(kept, Edit()):
            return kept
        wider = self._wider(query, row)
        return wider[~np.isin(wider, removed)]

    def _wider(self, query: str, row: IntArray) -> IntArray:
        """More of the ranking of a query, where what is left of its results does not fill a context."""
        if query in self._staged:
            raise Untestable(STAGES)
        if self.asking is None:
            raise Untestable("the run has no more results of this query")
        if not self.asking.takes_k:
            raise Untestable("the search says itself how many results it gives")
        if len(row) < self._depth:  # it was asked for more than it has
            return row
        return _followed(row, self._chunks(query, DEEPER * len(row)))

    def _ranking(self, query: str, depth: int) -> IntArray:
        """The ranking of a query, asked for at first as an application asks."""
        if query not in self._known:
            if self.asking is None:
                raise Untestable("a recorded run cannot be asked other words")
            deep = self._chunks(query, depth)
            if self._packing.budget or self.asking.steady or not self.asking.takes_k:
                self._known[query] = deep
            else:
                self._known[query] = self._continued(self._chunks(query, self._packing.k), deep)
        return self._known[query]

    def _continued(self, first: IntArray, deep: IntArray) -> IntArray:
        """What a deeper search finds below what fills a context."""
        return _followed(first, deep) if len(first) >= self._packing.k else first

    def _chunks(self, query: str, n: int) -> IntArray:
        assert self.asking is not None
        try:
            return self._numbered(self.asking.more(query, n))
        except InputError as e:
            raise Untestable(f"the search gives a text that is none of the chunks known ({e.message})") from e


class ByCosine(AskedIndex):
    """A search that ranks by the cosine of vectors of `encoder`, so that it is known where a text would stand that it has not.

    `texts` are those of its chunks. The order of what it gives stays: an added text stands before the first that is less near.
    """

    def __init__(self, index: AskedIndex, encoder: AnyEncoder, texts: Sequence[str], store: Store | None) -> None:
        vars(self).update(vars(index))
        self.encoder, self._texts, self._store = encoder, texts, store
        self._vectors: dict[tuple[str, Kind], VectorArray] = {}

    def fits(self) -> bool:
        """Whether the search ranks so, by a sample of the labelled queries."""
        queries = [query for query, row in self._known.items() if len(row) > 1 and query not in self._staged]
        sample = queries[:: max(len(queries) // SAMPLE, 1)]
        rises = [_rise(self._cosines(query, [self._texts[c] for c in self._known[query].tolist()])) for query in sample]
        return bool(rises) and sum(rise <= SLACK for rise in rises) >= MOST * len(rises)

    def _edited(self, query: str, edit: Edit, depth: int) -> IntArray:
        row = self._without(query, edit, depth)
        if not edit.added:
            return row
        if query in self._staged:
            raise Untestable(STAGES)
        known = np.minimum.accumulate(self._cosines(query, [self._texts[c] for c in row.tolist()]))
        added = self._cosines(query, [a.seen or a.text for a in edit.added])
        if len(row) >= depth:  # where it would stand below these is not known
            added = np.where(added < known[-1], -np.inf, added)
        scores = np.concatenate([known, added])
        numbers = np.concatenate([row, len(self._texts) + np.arange(len(added))])
        order = np.argsort(-scores, kind="stable")
        return numbers[order[scores[order] > -np.inf]]

    def _cosines(self, query: str, texts: Sequence[str]) -> FloatArray:
        return np.asarray(self._encoded(texts, "document") @ self._encoded([query], "query")[0], dtype=np.float64)

    def _encoded(self, texts: Sequence[str], kind: Kind) -> VectorArray:
        new = [text for text in dict.fromkeys(texts) if (text, kind) not in self._vectors]
        if new:
            made = self.encoder.encode(new, kind, self._store, no_progress)
            self._vectors |= {(text, kind): vector for text, vector in zip(new, made, strict=True)}
        return np.array([self._vectors[text, kind] for text in texts], dtype=np.float32)


def by_cosine(
    index: AskedIndex, encoder: AnyEncoder, texts: Sequence[str], store: Store | None
) -> tuple[AskedIndex, tuple[str, ...]]:
    """`index` with what places added texts, where it ranks by cosines of the encoder's vectors; else a note that it does not."""
    placing = ByCosine(index, encoder, texts, store)
    if placing.fits():
        return placing, ()
    return index, (f"the search does not rank by cosines of {encoder.described}: no text can be added to it",)


def _rise(cosines: FloatArray) -> float:
    """By how much a value is above one that stands before it, at most."""
    return float((cosines - np.minimum.accumulate(cosines)).max())


def _followed(first: IntArray, more: IntArray) -> IntArray:
    return np.concatenate([first, more[~np.isin(more, first)]])
