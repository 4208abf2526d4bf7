"""Batches of one length: what a model makes of a text must not depend on the texts beside it.

In a batch of texts of several lengths the shorter ones are padded. Padding, and how many rows a matrix has, change in which order
a processor adds a text's numbers, and so their last digits. These order texts that are nearly equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ragdiag.core.arrays import Array

__all__ = ["BATCH", "EVEN", "LEAST", "evenly"]

BATCH = 32
"""Texts that a model reads at once, at most."""

LEAST = 64
"""Word pieces that it reads at once, at least: of fewer rows a matrix product adds otherwise, from eight on with two threads."""

EVEN = "even 1"
"""How batches are made, for what is kept: numbers that were made otherwise differ in their last digits."""

T = TypeVar("T")


def evenly(things: Sequence[T], lengths: Sequence[int], make: Callable[[list[T]], Array], alone: bool = False) -> list[Array]:
    """What `make` gives for each thing: it is given things of one length at a time, and gives an array with a row for each.

    A batch that is too small has its last thing several times. With `alone` things are made one by one: for a model with layers
    after the mean of the word pieces, which see a row for each text of a batch.
    """
    if alone:
        return [make([thing])[0] for thing in things]
    of: dict[int, list[int]] = {}
    for i, length in enumerate(lengths):
        of.setdefault(length, []).append(i)
    made: dict[int, Array] = {}
    for length, places in of.items():
        least = min(-(-LEAST // max(length, 1)), BATCH)
        for at in range(0, len(places), BATCH):
            own = places[at : at + BATCH]
            batch = [things[i] for i in own]
            made |= zip(own, make(batch + batch[-1:] * (least - len(own))), strict=False)
    return [made[i] for i in range(len(things))]
