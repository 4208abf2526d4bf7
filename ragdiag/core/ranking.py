"""Orders of scores: descending, ties by position, so that the same inputs always give the same ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ragdiag.core.arrays import Array
from ragdiag.core.proofs import Edit
from ragdiag.core.records import FloatArray, IntArray

__all__ = ["best", "edited", "followed", "padded", "reached", "scaled"]

GROUP = 64
"""Scores in a group of `reached`."""


def best(scores: FloatArray, depth: int) -> IntArray:
    """Positions of the `depth` highest of one row of `scores`, score descending, then position."""
    if depth < len(scores):
        near = np.flatnonzero(~(scores < reached(scores, depth)))
        values = scores[near]
        # The threshold's ties are taken from the left, which argpartition alone does not promise.
        threshold = _highest(values, depth)
        above = near[values > threshold]
        level = near[values == threshold][: depth - len(above)]
        chosen = np.concatenate([above, level])
    else:
        chosen = np.arange(len(scores))
    order: IntArray = chosen[np.lexsort((chosen, -scores[chosen]))]
    return order


def reached(scores: Array, depth: int) -> Array:
    """A score that at least `depth` of `scores`, which are more, reach; seldom much below the highest such score.

    The best of each of many groups is as easily found as read, and the `depth`-th of these bests is such a score.
    """
    width = min(GROUP, len(scores) // (4 * depth))
    if width < 2:
        return _highest(scores, depth)
    return _highest(scores[: len(scores) // width * width].reshape(width, -1).max(axis=0), depth)


def _highest(scores: Array, depth: int) -> Array:
    """The `depth`-th highest of `scores`."""
    lower: Array = np.partition(scores, len(scores) - depth)[len(scores) - depth]
    return lower


def padded(rows: list[tuple[IntArray, FloatArray]], depth: int) -> tuple[IntArray, FloatArray]:
    """Rankings of unequal length as two arrays of shape ``(n_queries, depth)``, padded with -1 and -inf."""
    positions = np.full((len(rows), depth), -1, dtype=np.int64)
    scores = np.full((len(rows), depth), -np.inf)
    for i, (ranked, values) in enumerate(rows):
        positions[i, : len(ranked)] = ranked
        scores[i, : len(ranked)] = values
    return positions, scores


def followed(first: tuple[IntArray, FloatArray], more: tuple[IntArray, FloatArray], depth: int) -> tuple[IntArray, FloatArray]:
    """The first `depth` of one ranking with, below it, what another one of the same query has besides; padding is left out."""
    new = ~np.isin(more[0], first[0])
    order, scores = np.concatenate([first[0], more[0][new]]), np.concatenate([first[1], more[1][new]])
    return order[order >= 0][:depth], scores[order >= 0][:depth]


def scaled(scores: FloatArray) -> FloatArray:
    """Scores of one ranking, best first, on a scale from 0 (its last) to 1 (its first); all 1 where they are equal."""
    spread = scores[0] - scores[-1] if len(scores) else 0.0
    return (scores - scores[-1]) / spread if spread > 0 else np.ones(len(scores))


def edited(
    search: Callable[[Sequence[str], int], tuple[IntArray, FloatArray]],
    score: Callable[[str, str], float],
    n_texts: int,
    queries: Sequence[str],
    edits: Sequence[Edit],
    texts: Sequence[Sequence[str]],
    depth: int,
) -> tuple[IntArray, FloatArray]:
    """`protocols.Index.what_if` for an index whose score of a text does not depend on the other texts.

    `search` ranks queries to a depth as `protocols.Index.search` does, of `n_texts` texts. `texts` are those that each edit adds;
    `score` gives the score of such a text for a query, -inf where it is not retrieved. Ties go by place (`Addition.place`).
    """
    distinct = list(dict.fromkeys(queries))
    spare = max((len(e.removed) for e in edits), default=0)
    chunks, scores = search(distinct, min(depth + spare, n_texts))
    row = {query: i for i, query in enumerate(distinct)}
    rows = []
    for query, edit, added in zip(queries, edits, texts, strict=True):
        positions, values = chunks[row[query]], scores[row[query]]
        stays = (positions >= 0) & ~np.isin(positions, list(edit.removed))
        places = np.concatenate([positions[stays].astype(np.float64), [a.place for a in edit.added]])
        numbers = np.concatenate([positions[stays], n_texts + np.arange(len(added))])
        values = np.concatenate([values[stays], [score(query, text) for text in added]])
        order = np.lexsort((places, -values))[:depth]
        order = order[values[order] > -np.inf]
        rows.append((numbers[order].astype(np.int64), values[order]))
    return padded(rows, depth)
