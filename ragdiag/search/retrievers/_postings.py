"""The texts that an inverted index ranks first: found by coarse sums of small integers, then scored exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ragdiag.core.arrays import Array, FloatArray, IntArray
from ragdiag.core.ranking import best, reached

Coarse = npt.NDArray[np.uint16]

LEVELS = 2047
"""Steps in which the coarse sums count: the largest weight of an index has so many."""

MOST = int(np.iinfo(np.uint16).max)
"""What a coarse sum can reach."""

COARSE_FROM = 10_000
"""Texts from which the coarse sums save more time than the exact scores of a few texts take after them."""

COMMON = 16
"""A term that more than one text in so many has is added as a row of all texts: quicker than text by text."""


class Rounded(NamedTuple):
    """The weights of an index in steps, rounded down, and the largest of each term."""

    weights: Coarse
    largest: IntArray


class Postings:
    """What each term of each text adds to its score, term by term: `texts` and `weights` from ``starts[t]`` to ``starts[t + 1]``.

    A score is the sum of the weights of a query's terms, added in their order, so that it is rounded as a plain loop rounds it.
    """

    def __init__(self, starts: IntArray, texts: Array, weights: FloatArray, n_texts: int) -> None:
        self.n_texts = n_texts
        self._starts, self._texts, self._weights = starts, texts, weights
        self._rows: dict[int, Coarse] = {}  # common terms that were asked for

    def first(self, terms: Sequence[int], depth: int) -> tuple[IntArray, FloatArray]:
        """Positions and scores of the `depth` best of the texts that have one of `terms`, of which there is at least one."""
        parts = {term: slice(*self._starts[term : term + 2].tolist()) for term in terms}
        likely = self._likely(terms, parts, depth)
        if likely is None:
            return self._of_all([parts[term] for term in terms], depth)
        scores = self._scores([parts[term] for term in terms], likely)
        order = np.argsort(-scores, kind="stable")[:depth]
        return likely[order], scores[order]

    def _of_all(self, parts: Sequence[slice], depth: int) -> tuple[IntArray, FloatArray]:
        """As `first`, by the score of every text."""
        scores = np.zeros(self.n_texts)
        for part in parts:
            np.add.at(scores, self._texts[part], self._weights[part])
        found = best(scores, depth)
        if len(found) < depth or scores[found[-1]] <= 0:  # texts that share a term but score 0 or less come last, not never
            matching = np.unique(np.concatenate([self._texts[part] for part in parts])).astype(np.int64)
            found = matching[best(scores[matching], depth)]
        return found, scores[found]

    def _likely(self, terms: Sequence[int], parts: Mapping[int, slice], depth: int) -> IntArray | None:
        """The texts among which the `depth` best are for certain; None where that is not worth while or cannot be told.

        A weight in steps loses less than one, so a score lies less than a step a term above its coarse sum. A text is among
        the best only if its score reaches that of `depth` others, so if its coarse sum is at most so much below theirs. One step
        more is allowed for what the rounding of the exact sums may do.
        """
        rounded = self._rounded if COARSE_FROM <= self.n_texts > 2 * depth else None
        if rounded is None or rounded.largest[terms].sum() > MOST:
            return None
        sums = np.zeros(self.n_texts, dtype=np.uint16)
        for term in terms:
            part = parts[term]
            if (part.stop - part.start) * COMMON > self.n_texts:
                sums += self._row(term, part, rounded)
            else:
                np.add.at(sums, self._texts[part], rounded.weights[part])
        least = int(reached(sums, depth)) - len(terms) - 1
        return np.flatnonzero(sums >= least) if least > 0 else None

    def _scores(self, parts: Sequence[slice], texts: IntArray) -> FloatArray:
        """The scores of `texts`, which ascend."""
        wanted = texts.astype(self._texts.dtype)  # another type would make each search convert all that it searches
        at = np.array([part.start + self._texts[part].searchsorted(wanted) for part in parts])
        np.minimum(at, [[part.stop - 1] for part in parts], out=at)
        added = np.where(self._texts[at] == wanted, self._weights[at], 0.0)
        scores: FloatArray = np.add.accumulate(added, axis=0)[-1]
        return scores

    def _row(self, term: int, part: slice, rounded: Rounded) -> Coarse:
        if term not in self._rows:
            row = np.zeros(self.n_texts, dtype=np.uint16)
            row[self._texts[part]] = rounded.weights[part]
            self._rows[term] = row
        return self._rows[term]

    @cached_property
    def _rounded(self) -> Rounded | None:
        """None where a weight is negative, or none is positive."""
        largest = float(self._weights.max(initial=0.0))
        if not 0 < largest < np.inf or self._weights.min() < 0:
            return None
        weights = np.empty(len(self._weights), dtype=np.uint16)
        np.multiply(self._weights, LEVELS / largest, out=weights, casting="unsafe")
        return Rounded(weights, np.maximum.reduceat(weights, self._starts[:-1]).astype(np.int64))
