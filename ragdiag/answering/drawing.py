"""Which queries' answers a person should label next: at random, or where labels narrow the verdict's interval most.

Drawn by doubt means stratified: queries of which the judge says the same (both answers right, the first alone, and so on) are
drawn in a random order, and only how many are taken of each kind depends on what is known. The correction looks at each kind by
itself (see `calibration`), so that no weights are needed for it to stay unbiased: within a kind the labelled queries are a random
sample. How many of each kind is Neyman's allocation (1934, "On the Two Different Aspects of the Representative Method"), a query
at a time, with what labels have told so far.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.answering.said import Said
from ragdiag.core.records import BoolArray, FloatArray, IntArray
from ragdiag.core.reviews import place_in_draw

__all__ = ["WAYS", "drawn", "reach"]

WAYS = ("doubt", "random")

PRIOR = 1.0
"""The weight, in labelled queries, of what is believed of a kind before any label: that any truth is as likely."""

EXPECTED, RIGHT = 4.0, 0.85
"""Of a forecast: the weight of what is believed of a kind, in queries, and the share of it on what the judge says."""

TRUTHS = 4
"""Of two answers: both wrong, the first right, the second, both. Bit c of its number says whether answer c is right."""

BOTH_WRONG, SECOND_ALONE = 0, 2

Z = 1.96
"""Standard errors to either end of a 95 % interval."""


class _Kind(NamedTuple):
    """Queries of which the judge says the same: how many there are, those without a label in random order, what labels told."""

    size: int
    open: list[int]
    truths: FloatArray  # labelled queries by truth, shape (4,)

    @property
    def shares(self) -> FloatArray:
        """What is believed of its truths, shape ``(4,)``."""
        shares: FloatArray = (self.truths + PRIOR / TRUTHS) / (self.truths.sum() + PRIOR)
        return shares


def drawn(said: Said, ids: Sequence[str], way: str, seed: int) -> Iterator[int]:
    """Positions of queries without labels, in the order in which to label them; `way` is one of `WAYS`.

    `said` is of the answers with the pipeline's context and with exactly the evidence, `ids` are those of the queries. Where the
    judge speaks of one of the two conditions alone, the order is random.
    """
    spoken: BoolArray = np.isfinite(said.judged).sum(axis=0) > 0
    usable, labelled = _whole(said.judged[:, spoken]), _whole(said.label[:, spoken])
    in_order = sorted(np.flatnonzero(usable & ~labelled).tolist(), key=lambda q: place_in_draw(seed, ids[q]))
    if way == "random" or not spoken.all():
        yield from in_order if spoken.any() else ()
        return
    kinds = _kinds(said, usable & labelled, in_order)
    while any(kind.open for kind in kinds):
        yield _next(kinds)


def reach(said: Said, more: int, way: str, ids: Sequence[str], seed: int) -> float | None:
    """Half the width of the corrected interval of the share that perfect context fixes, once `more` queries are labelled.

    By the normal approximation, as far as is known now: the failures' own variance, and that of the judge's errors in each kind.
    None where not both answers are judged.
    """
    if not _whole(said.judged).any():
        return None
    order = list(itertools.islice(drawn(said, ids, way, seed), more))
    kinds = _kinds(said, _whole(said.judged) & _whole(said.label), [])
    kind_of = _numbers(said.judged)
    planned = np.bincount(kind_of[order], minlength=TRUTHS) if order else np.zeros(TRUTHS)
    sizes = np.bincount(kind_of[_whole(said.judged)], minlength=TRUTHS)
    by_number = [_Kind(int(sizes[k]), [], kinds[k].truths + _expected(k)) for k in range(TRUTHS)]
    failures, share, slope = _slope(by_number)
    variance = share * (1 - share) / failures
    for kind, labels in zip(by_number, planned.tolist(), strict=True):
        known = min(float(kind.truths.sum()) - EXPECTED + labels, kind.size)
        unknown = 1 - known / kind.size if kind.size else 0.0
        variance += unknown * kind.size**2 * _spread(kind, slope) / (known + PRIOR)
    return Z * math.sqrt(variance)


def _expected(number: int) -> FloatArray:
    """What a forecast believes of a kind before labels tell, as so many labelled queries: that the judge is mostly right."""
    believed = np.full(TRUTHS, EXPECTED * (1 - RIGHT) / (TRUTHS - 1))
    believed[number] = EXPECTED * RIGHT
    return believed


def _whole(values: FloatArray) -> BoolArray:
    """Rows without NaN."""
    whole: BoolArray = np.isfinite(values).sum(axis=1) == values.shape[1]
    return whole


def _numbers(values: FloatArray) -> IntArray:
    """Two answers, right or wrong, as numbers of `TRUTHS`."""
    numbers: IntArray = (np.nan_to_num(values) @ np.array([1, 2])).astype(np.int64)
    return numbers


def _kinds(said: Said, labelled: BoolArray, in_order: Sequence[int]) -> list[_Kind]:
    """By what the judge says of both answers, as a number of `TRUTHS`."""
    kind_of, truth_of = _numbers(said.judged), _numbers(said.label)
    kinds = []
    for number in range(TRUTHS):
        open_ = [q for q in in_order if kind_of[q] == number]
        truths = np.bincount(truth_of[labelled & (kind_of == number)], minlength=TRUTHS).astype(np.float64)
        kinds.append(_Kind(len(open_) + int(truths.sum()), open_, truths))
    return kinds


def _next(kinds: Sequence[_Kind]) -> int:
    """Take a query of the kind where one more label takes most off the variance; till it is known, it is as its kind is."""
    _, _, slope = _slope(kinds)

    def gain(kind: _Kind) -> float:
        labels = float(kind.truths.sum()) + PRIOR
        return kind.size**2 * _spread(kind, slope) * (1 / labels - 1 / (labels + 1))

    best = max((kind for kind in kinds if kind.open), key=gain)
    best.truths[:] += best.shares
    return best.open.pop(0)


def _slope(kinds: Sequence[_Kind]) -> tuple[float, float, FloatArray]:
    """The failures, the share of them that perfect context fixes, ``c2 / (c0 + c2)``, and its derivative by the truths c."""
    cells = np.array([kind.size for kind in kinds], dtype=np.float64) @ np.stack([kind.shares for kind in kinds])
    failures = max(float(cells[BOTH_WRONG] + cells[SECOND_ALONE]), 1.0)
    share = float(cells[SECOND_ALONE]) / failures
    slope = np.zeros(TRUTHS)
    slope[BOTH_WRONG], slope[SECOND_ALONE] = -share / failures, (1 - share) / failures
    return failures, share, slope


def _spread(kind: _Kind, slope: FloatArray) -> float:
    """The variance of one query's part in the share."""
    return float(kind.shares @ slope**2 - (kind.shares @ slope) ** 2)
