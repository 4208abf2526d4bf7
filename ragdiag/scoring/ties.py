"""Results with equal scores: which they are, and what a ranking holds in expectation over the orders that they might stand in.

Each order of tied results is as likely as another (McSherry and Najork 2008, "Computing Information Retrieval Performance
Measures Efficiently in the Presence of Tied Scores").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ragdiag.core.records import BoolArray, FloatArray, IntArray, Run

__all__ = ["Ties", "at_cut", "first_of", "orders", "tied", "untied"]

SHUFFLES = 20
"""Random orders of tied results that are tried, beside the best and the worst for the evidence."""


class Ties(NamedTuple):
    """For each place of each ranking, the results that tie with it, itself among them: the first such place, and how many.

    Both of shape ``(n_queries, depth)``.
    """

    start: IntArray
    size: IntArray

    def total(self, values: FloatArray | BoolArray) -> FloatArray:
        """The sum of `values` over the results that tie, at each place."""
        rows, depth = self.start.shape
        at = self.start + np.arange(rows)[:, None] * depth
        sums: FloatArray = np.bincount(at.ravel(), weights=values.ravel(), minlength=rows * depth)[at]
        return sums

    def mean(self, values: FloatArray | BoolArray) -> FloatArray:
        """What each place holds in expectation."""
        return self.total(values) / self.size

    def first_met(self, relevant: BoolArray) -> FloatArray:
        """The chance that the first of the relevant results stands at each place."""
        left = self.size - (np.arange(self.start.shape[1]) - self.start)  # results of the tie that may stand here
        among = self.total(relevant)
        missed = np.cumprod(np.maximum(left - among, 0) / left, axis=1)
        before = np.concatenate([np.ones((len(missed), 1)), missed[:, :-1]], axis=1)
        return before * np.minimum(among / left, 1)

    def met_with_earlier(self, relevant: BoolArray) -> FloatArray:
        """Relevant results from the first place down to each, counted where that one is relevant: in expectation."""
        above: IntArray = np.take_along_axis(np.cumsum(relevant, axis=1) - relevant, self.start, axis=1)
        among, place = self.total(relevant), np.arange(self.start.shape[1]) - self.start
        both = among * (among - 1) / np.maximum(self.size * (self.size - 1), 1)
        met: FloatArray = among / self.size * (above + 1) + place * both
        return met


def tied(scores: FloatArray, listed: tuple[int, ...] = ()) -> Ties:
    """The ties of rankings, best first; the rows `listed` have an order of their own, whatever their scores."""
    new = np.ones(scores.shape, dtype=bool)
    new[:, 1:] = scores[:, 1:] != scores[:, :-1]
    new[list(listed)] = True
    start = np.maximum.accumulate(np.where(new, np.arange(scores.shape[1]), 0), axis=1)
    alone = Ties(start, np.ones(scores.shape, dtype=np.int64))
    return Ties(start, alone.total(np.ones(scores.shape)).astype(np.int64))


def untied(shape: tuple[int, ...]) -> Ties:
    """Every place for itself: the order is what it is."""
    return Ties(np.broadcast_to(np.arange(shape[1]), shape), np.ones(shape, dtype=np.int64))


def first_of(size: int, among: int) -> FloatArray:
    """The chance that the first of `among` results stands at each place of a tie of `size`."""
    left = np.arange(size, 0, -1.0)
    missed = np.cumprod(np.maximum(left - among, 0) / left)
    first: FloatArray = np.concatenate([[1.0], missed[:-1]]) * np.minimum(among / left, 1)
    return first


def at_cut(run: Run, lengths: IntArray) -> BoolArray:
    """Of each query, whether the last result in its context, of `lengths`, ties with the first that is not."""
    rows, depth = run.chunks.shape
    inside = (lengths > 0) & (lengths < depth)
    last, following = np.maximum(lengths, 1) - 1, np.minimum(lengths, depth - 1)
    query = np.arange(rows)
    same = run.scores[query, last] == run.scores[query, following]
    cut: BoolArray = inside & same & (run.chunks[query, following] >= 0) & ~np.isin(query, run.listed)
    return cut


def orders(ties: Ties, relevant: BoolArray, seed: int) -> Iterator[IntArray]:
    """Orders of rankings with tied results in other places: the relevant ones first, last, and some at random."""
    rng = np.random.default_rng(seed)
    yield np.lexsort((~relevant, ties.start), axis=-1)
    yield np.lexsort((relevant, ties.start), axis=-1)
    for _ in range(SHUFFLES):
        yield np.lexsort((rng.random(relevant.shape), ties.start), axis=-1)
