"""Passages: chunks that are handed over together, because one of them was found.

In a ranking they stand one after the other and share a score; no two passages have the same score.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Step, Wrapper
from ragdiag.core.records import Run, Span

__all__ = ["HandsOver", "Passing", "as_k", "joined", "numbered", "passage_at", "tokens_once"]


@runtime_checkable
class Passing(Wrapper, Protocol):
    """A retriever whose index hands over passages."""

    hands_over: ClassVar[bool]


@runtime_checkable
class HandsOver(Step, Protocol):
    """A step that hands over more than was found: its rankings are of passages. It is the outermost step."""

    hands_over: bool

    def depth_for(self, k: int) -> int:
        """The chunks of ten times `k` passages, and at least of the `k` longest."""
        ...

    def passages_of(self, order: IntArray, edit: Edit) -> IntArray:
        """What is handed over where `order` is what was found, with nothing below it; -1 is padding."""
        ...


def numbered(scores: FloatArray) -> IntArray:
    """The number, from 1, of the passage that each place of rankings belongs to, in the shape of `scores`: ``(n, depth)``."""
    new = np.ones(scores.shape, dtype=np.int64)
    new[:, 1:] = scores[:, 1:] != scores[:, :-1]
    return np.cumsum(new, axis=1)


def passage_at(scores: FloatArray | None, rank: int | None) -> int | None:
    """The number, from 1, of the passage at a rank of one ranking; None for none, and where its `scores` are not known."""
    return None if scores is None or not rank else int(numbered(scores[None, :rank])[0, -1])


def as_k(run: Run, ranks: IntArray) -> IntArray:
    """For each query a rank of its chunks, from 1 (0: none), as `k` counts: of passages, the number of the passage there."""
    if not run.passages:
        return ranks
    return np.where(ranks > 0, numbered(run.scores)[np.arange(len(ranks)), np.maximum(ranks, 1) - 1], 0)


def tokens_once(spans: Iterable[Span], count: Callable[[Span], int]) -> list[int]:
    """For each span the tokens of what of it stands in none of those before it, as `count` counts them."""
    held: dict[int, list[tuple[int, int]]] = {}  # by document, what is held: disjoint stretches, in order
    tokens = []
    for document, start, end in spans:
        known = held.setdefault(document, [])
        low, high = bisect_left(known, start, key=itemgetter(1)), bisect_right(known, end, key=itemgetter(0))
        touching = known[low:high]
        bounds = [start, *(bound for stretch in touching for bound in stretch), end]
        gaps = zip(bounds[::2], bounds[1::2], strict=True)
        tokens.append(sum(count(Span(document, *gap)) for gap in gaps if gap[0] < gap[1]))
        known[low:high] = [(min([start, *(s for s, _ in touching)]), max([end, *(e for _, e in touching)]))]
    return tokens


def joined(spans: Sequence[Span]) -> list[Span]:
    """The text of `spans` as passages, each character once: what touches or overlaps is one, in the place of the first of it."""
    passages: list[tuple[int, Span]] = []
    for _, span in sorted(enumerate(spans), key=lambda pair: pair[1]):
        rank = spans.index(span)
        if passages and passages[-1][1].document == span.document and span.start <= passages[-1][1].end:
            at, last = passages[-1]
            passages[-1] = min(at, rank), Span(last.document, last.start, max(last.end, span.end))
        else:
            passages.append((rank, span))
    return [span for _, span in sorted(passages)]
