"""Indexes that may miss what they hold (`protocols.Approximate`): asked as an application asks, beside exact search."""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.core.passages import HandsOver
from ragdiag.core.proofs import EXACT, Edit
from ragdiag.core.protocols import Approximate, Composed, Index, Relinked, Tunable
from ragdiag.core.ranking import followed, padded
from ragdiag.core.records import FloatArray, IndexRecall, IntArray
from ragdiag.scoring.packing import Packing
from ragdiag.search.nested import parts_of, weights_of

__all__ = [
    "WHOLE", "AsAsked", "Health", "as_asked", "exact_swap", "index_health", "notes_on", "recall", "recalls", "remedy_of",
]  # fmt: skip

WHOLE = 0.999
"""The share of exact search from which an index is taken to miss nothing."""

STARTS = (1, 2)

SLACK = 1e-5
"""Two computations of one score differ by no more, as a share of it."""


def exact_swap(index: Index) -> dict[str, Callable[[], Index]]:
    """By the name of that swap, `index` searched exactly, made when asked; nothing for an index that misses nothing."""
    return {EXACT: lambda: _exactly(index)} if any(isinstance(part, Approximate) for part in parts_of(index)) else {}


def remedy_of(index: Index | None) -> str:
    """What makes an approximate index miss less, as the first part of it says that knows; "" where none does."""
    parts = () if index is None else parts_of(index)
    return next((part.remedy for part in parts if isinstance(part, Tunable)), "")


class Health(NamedTuple):
    """What an approximate index misses, and how many of its texts it links anew at each start; None where nothing."""

    recall: IndexRecall | None = None
    unlinked: int | None = None


def index_health(index: Index, queries: Sequence[str], k: int) -> Health:
    """How much of the first `k` of exact search an approximate index returns, asked for `k` as an application would.

    One in a fusion or below steps is asked for as many as those ask of it. Where it misses some, and would miss others at another
    start of the application, `other_starts` has the same figure for some of those.
    """
    part, depth = _approximate(index, k)
    if part is None or not queries:
        return Health()
    exact = part.exact().search(queries, k)[1]

    def mean(approximate: Index) -> float:
        return round(recall(approximate.search(queries, depth)[1][:, :k], exact), 6)

    share = mean(part)
    if not isinstance(part, Relinked) or not part.unlinked:
        return Health(IndexRecall(k, share))
    others = tuple(mean(part.started_anew(start)) for start in STARTS) if share < WHOLE else None
    return Health(IndexRecall(k, share, others), part.unlinked)


def notes_on(health: Health, n_texts: int) -> list[str]:
    """What is to be said of an index of `n_texts` that is another one at each start."""
    if health.recall is None or health.recall.other_starts is None:
        return []
    means, k = [health.recall.mean, *health.recall.other_starts], health.recall.k
    return [
        f"{health.unlinked} of {n_texts} records are in no graph that the store has saved: each start of an application "
        f"links them in another order and misses others. Audited as they were added; over {len(means)} orders the index returns "
        f"{min(means):.1%} to {max(means):.1%} of the first {k} chunks of exact search. A lower sync_threshold saves them"
    ]


def _approximate(index: Index, depth: int) -> tuple[Approximate | None, int]:
    """The first approximate part of an index that is asked for `depth`, and for how many that is asked; None without one."""
    if isinstance(index, Approximate):
        return index, depth
    if isinstance(index, Composed):
        within = (_approximate(part, index.depth_below(depth)) for part in index.indexes)
        return next(((part, below) for part, below in within if part is not None), (None, depth))
    return None, depth


def recall(scores: FloatArray, exact: FloatArray) -> float:
    """The mean of `recalls`."""
    return float(recalls(scores, exact).mean())


def recalls(scores: FloatArray, exact: FloatArray) -> FloatArray:
    """For each query the share of the first k of exact search that an index returns, by scores: what ties with the last will do.

    Both of shape ``(n_queries, k)``, best first, -inf where there is nothing; where exact search has nothing, nothing is missed.
    """
    n = np.isfinite(exact).sum(axis=1)
    last = exact[np.arange(len(n)), np.maximum(n - 1, 0)]
    as_good = (scores >= (last - SLACK * np.maximum(np.abs(last), 1))[:, None]).sum(axis=1)
    return np.asarray(np.where(n, np.minimum(as_good, n) / np.maximum(n, 1), 1.0), dtype=np.float64)


def _exactly(index: Index) -> Index:
    """The same, with what is approximate in it searched exactly."""
    if isinstance(index, Approximate):
        return index.exact()
    if not isinstance(index, Composed):
        return index
    other = copy.copy(index)
    other.indexes = [_exactly(part) for part in index.indexes]
    return other


Ask = Callable[[Sequence[str], Sequence[Edit], int], tuple[IntArray, FloatArray]]
"""Rankings of queries under edits, so many places deep."""


def as_asked(index: Index, packing: Packing) -> Index:
    """`index`; one that may miss texts as `AsAsked`, below the step that hands over passages where there is one."""
    if not exact_swap(index):
        return index
    if isinstance(index, HandsOver):
        return index.over(AsAsked(index.indexes[0], packing, index))
    return AsAsked(index, packing)


class AsAsked:
    """An index that may miss texts, asked for a context as an application asks it; see `protocols.Index`.

    Such an index looks the wider the more it is asked for, and finds what it misses when asked for less. So the context is that
    of a search for k; with a budget, of the search for the least number of results that do not all fit it. What only a deeper
    search finds ranks below, whatever its score. Where a search for k gives fewer, there is nothing below. `step` is what makes
    passages of the results, which then are what has to fit a budget.
    """

    def __init__(self, index: Index, packing: Packing, step: HandsOver | None = None) -> None:
        self._index, self._packing, self._step = index, packing, step

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return self._index.nbytes

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._ranked(lambda asked, _, n: self._index.search(asked, n), queries, [Edit()] * len(queries), depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._index.answer(query, depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._ranked(self._index.what_if, queries, edits, depth)

    @property
    def remedy(self) -> str:
        """See `protocols.Tunable`."""
        return remedy_of(self._index)

    def weights_of(self, query: str) -> Mapping[str, float]:
        """See `protocols.Weighted`."""
        return weights_of(self._index, query)

    def _ranked(self, ask: Ask, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        deep = zip(*ask(queries, edits, depth), strict=True)
        if self._packing.budget:
            first = [self._filled(ask, query, edit) for query, edit in zip(queries, edits, strict=True)]
        else:
            first = list(zip(*ask(queries, edits, self._packing.k), strict=True))
        full = [self._full(order, edit) for (order, _), edit in zip(first, edits, strict=True)]
        rows = zip(first, deep, full, strict=True)
        return padded([followed(head, more if whole else head, depth) for head, more, whole in rows], depth)

    def _filled(self, ask: Ask, query: str, edit: Edit) -> tuple[IntArray, FloatArray]:
        """The ranking of the least number of results that do not all fit the budget; of all texts where they do."""

        def asked(n: int) -> tuple[IntArray, FloatArray]:
            order, scores = ask([query], [edit], n)
            return order[0], scores[0]

        def full(n: int) -> bool:
            return self._full(asked(n)[0], edit)

        n, most = 1, len(self._packing.chunking) + len(edit.added)
        while n < most and not full(n):
            n = min(2 * n, most)
        few = range(n // 2 + 1, n)  # not all that are fewer: the last that did not do is about half
        return asked(n // 2 + 1 + bisect_left(few, True, key=full))

    def _full(self, order: IntArray, edit: Edit) -> bool:
        """Whether results, padded with -1, fill the prompt, so that nothing below matters."""
        if self._step is not None and self._packing.budget:
            order = self._step.passages_of(order, edit)
        return self._packing.full(order, edit)
