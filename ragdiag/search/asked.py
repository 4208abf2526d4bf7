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
from ragdiag.search.binding import distinct
from ragdiag.search.named import AnyEncoder
from ragdiag.search.runs import CUT_SHARE, Ranking

__all__ = ["SURELY", "AskedIndex", "ByCosine", "by_cosine"]

STAGES = "the stages behind the search would have to be run again"

SAMPLE, MOST, SLACK = 16, 0.9, 5e-3
"""Queries by which it is told what a search ranks by, the share of them that has to agree, and by how much cosines made anew may
differ: those of a model in half precision do by so much.
"""

FEWEST = 20
"""Pairs of neighbours in rankings by which it is told: a few results are in any order by chance."""

BELOW = "where a text would stand below what the search gives is not known"

DEEPER = 4
"""How many times as many results a search is asked for, where those that it gave do not fill a context."""

SURELY = 800
"""Characters that any encoder in use reads of a text: those that read least stop at 256 word pieces."""


class AskedIndex:
    """A search over numbered chunks; see `protocols.Index`. What an edit drops is passed over, other words are asked.

    `known` has the ranking of each labelled query, by its text, to `depth` results; `staged` are those whose stages are known.
    `asking` asks on, None for a recorded run; `numbered` gives the chunks of a ranking, and raises `InputError` for one that has
    another. Scores count down. What it cannot be asked raises `Untestable`.

    A search may find others when it is asked for more: then it is asked for as many more results as an edit drops, and for no
    more than that.
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
        self._context = packing.k if asking and asking.takes_k and not packing.budget else 0
        self._most = _cut_at([len(row) for text, row in known.items() if text not in staged], depth, len(packing.chunking))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how it was asked."""
        return tuple(self.asking.said()) if self.asking else ()

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
        dropped = np.isin(row, removed)
        kept = row[~dropped]
        if len(kept) == len(row):
            return kept
        if dropped[: self._context].any() and query not in self._staged and self._finds_others(row):
            return self._continued(self._asked_without(query, removed, self._context + int(dropped.sum())), kept)
        if self._packing.full(kept, Edit()):
            return kept
        wider = self._wider(query, row)
        return wider[~np.isin(wider, removed)]

    def _finds_others(self, row: IntArray) -> bool:
        """Whether what stands below a context is not what comes into it when something is dropped, or is not known."""
        return self.asking is not None and (bool(self.asking.unsteady) or len(row) < self._context)

    def _asked_without(self, query: str, removed: Sequence[int], n: int) -> IntArray:
        """The results of a search that is asked for `n`, or for as many more as are left out of these: what is dropped."""
        while n <= self._depth:
            results = self._results(query, n)
            kept = results[~np.isin(results, removed)]
            if len(kept) >= self._context or len(results) < n:
                return kept
            n = self._context + len(results) - len(kept)
        raise Untestable("the search gives the same chunks again and again")

    def _wider(self, query: str, row: IntArray) -> IntArray:
        """More of the ranking of a query, where what is left of its results does not fill a context."""
        if query in self._staged:
            raise Untestable(STAGES)
        if self.asking is None:
            raise Untestable("the run has no more results of this query")
        if not self.asking.takes_k:
            raise Untestable("the search says itself how many results it gives")
        if self._most and len(row) >= self._most:
            raise Untestable(f"the search gives no more than {self._most} results")
        if len(row) < self._depth:  # it was asked for more than it has
            return row
        return _followed(row, distinct(self._results(query, DEEPER * len(row)), 0))

    def _ranking(self, query: str, depth: int) -> IntArray:
        """The ranking of a query, asked for at first as an application asks."""
        if query not in self._known:
            if self.asking is None:
                raise Untestable("a recorded run cannot be asked other words")
            deep = self._results(query, depth)
            if self._context and self.asking.unsteady:
                self._known[query] = self._continued(self._results(query, self._context), deep)
            else:
                self._known[query] = distinct(deep, self._context)
        return self._known[query]

    def _continued(self, first: IntArray, deep: IntArray) -> IntArray:
        """What a deeper search finds below what fills a context, with as many chunks as results."""
        context = distinct(first, self._context)
        return _followed(context, distinct(deep, 0)) if len(context) >= self._context else context

    def _results(self, query: str, n: int) -> IntArray:
        assert self.asking is not None
        try:
            return self._numbered(self.asking.more(query, n))
        except InputError as e:
            raise Untestable(f"the search gives a text that is none of the chunks known ({e.message})") from e


class ByCosine(AskedIndex):
    """A search that ranks by the cosine of vectors of `encoder`, so that it is known where a text would stand that it has not.

    `texts` are those of its chunks, `documents` the numbers of their documents. The order of what it gives stays: an added text
    stands before the first that is less near. Where a query is ranked otherwise, or nearer chunks of the same document are left
    out, something else than the cosine decides, and it is not known what it would make of another text.
    """

    def __init__(
        self, index: AskedIndex, encoder: AnyEncoder, texts: Sequence[str], documents: IntArray, store: Store | None
    ) -> None:
        vars(self).update(vars(index))
        self.encoder, self._texts, self._documents, self._store = encoder, texts, documents, store
        self._vectors: dict[tuple[str, Kind], VectorArray] = {}

    def fits(self) -> bool:
        """Whether the search ranks so, by a sample of the labelled queries."""
        queries = [query for query, row in self._known.items() if len(row) > 1 and query not in self._staged]
        sample = queries[:: max(len(queries) // SAMPLE, 1)]
        rises = [_rise(self._near(query, self._known[query])) for query in sample]
        pairs = sum(len(self._known[query]) - 1 for query in sample)
        return pairs >= FEWEST and sum(rise <= SLACK for rise in rises) >= MOST * len(rises)

    def _edited(self, query: str, edit: Edit, depth: int) -> IntArray:
        row = self._without(query, edit, depth)
        if not edit.added:
            return row
        if query in self._staged:
            raise Untestable(STAGES)
        known = self._by_cosine(query, row, edit)
        added = self._cosines(query, [a.seen or a.text for a in edit.added])
        if not set(range(len(self._texts))) <= edit.removed.union(row.tolist()):
            low = added < (known[-1] if len(known) else np.inf)
            if low.any() and not self._packing.full(row, Edit()):
                raise Untestable(BELOW)
            added = np.where(low, -np.inf, added)
        scores = np.concatenate([known, added])
        numbers = np.concatenate([row, len(self._texts) + np.arange(len(added))])
        order = np.argsort(-scores, kind="stable")
        return numbers[order[scores[order] > -np.inf]]

    def _by_cosine(self, query: str, row: IntArray, edit: Edit) -> FloatArray:
        """The cosines of what a query is given, where it is ranked by them and what an edit adds would be too."""
        if not len(row):
            return np.array([], dtype=np.float64)
        cosines, given = self._near(query, row), {self._texts[c] for c in row.tolist()}
        if _rise(cosines) > SLACK:
            raise Untestable("the search does not rank this query by the cosine")
        own = np.flatnonzero(np.isin(self._documents, [a.document for a in edit.added]))
        left_out = [c for c in own.tolist() if c not in edit.removed.intersection(self._known[query].tolist())]
        left_out = [c for c in left_out if self._texts[c] not in given]
        if left_out and (self._near(query, np.array(left_out)) > cosines[-1] + SLACK).any():
            raise Untestable("the search leaves out nearer chunks of the document, so that the cosine alone does not decide")
        return np.minimum.accumulate(cosines)

    def _near(self, query: str, chunks: IntArray) -> FloatArray:
        """The cosines of chunks."""
        return self._cosines(query, [self._texts[c] for c in chunks.tolist()])

    def _cosines(self, query: str, texts: Sequence[str]) -> FloatArray:
        return np.asarray(self._encoded(texts, "document") @ self._encoded([query], "query")[0], dtype=np.float64)

    def _encoded(self, texts: Sequence[str], kind: Kind) -> VectorArray:
        new = [text for text in dict.fromkeys(texts) if (text, kind) not in self._vectors]
        if new:
            made = self.encoder.encode(new, kind, self._store, no_progress)
            self._vectors |= {(text, kind): vector for text, vector in zip(new, made, strict=True)}
        return np.array([self._vectors[text, kind] for text in texts], dtype=np.float32)


def by_cosine(
    index: AskedIndex, encoder: AnyEncoder, texts: Sequence[str], documents: IntArray, store: Store | None
) -> tuple[AskedIndex, tuple[str, ...]]:
    """`index` with what places added texts, where it ranks by cosines of the encoder's vectors; else a note that it does not."""
    placing = ByCosine(index, encoder, texts, documents, store)
    if placing.fits():
        return placing, ()
    return index, (f"the search does not rank by cosines of {encoder.described}: no text can be added to it",)


def _cut_at(lengths: Sequence[int], depth: int, chunks: int) -> int:
    """The number of results from which on rankings are cut, whatever is asked for; 0 where nothing cuts them."""
    most = max(lengths, default=0)
    cut = len(lengths) > 1 and most < min(depth, chunks) and sum(n == most for n in lengths) >= CUT_SHARE * len(lengths)
    return most if cut else 0


def _rise(cosines: FloatArray) -> float:
    """By how much a value is above one that stands before it, at most."""
    return float((cosines - np.minimum.accumulate(cosines)).max())


def _followed(first: IntArray, more: IntArray) -> IntArray:
    return np.concatenate([first, more[~np.isin(more, first)]])
