"""Which way the scores of a ranking go: those of a ranking that is listed best first fall, distances rise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Directions"]


class Directions(NamedTuple):
    """How many rankings have scores that fall, rise, or do neither, and the first that rises, as a place in a file.

    A ranking of one score, or of equal ones, goes no way and is not counted.
    """

    falling: int = 0
    rising: int = 0
    neither: int = 0
    first: int = 0

    def and_of(self, scores: Sequence[float], place: int = 0) -> Directions:
        """With one ranking more."""
        falls = all(a >= b for a, b in pairwise(scores))
        rises = all(a <= b for a, b in pairwise(scores))
        if falls:
            return self if rises else self._replace(falling=self.falling + 1)
        if rises:
            return self._replace(rising=self.rising + 1, first=self.first or place)
        return self._replace(neither=self.neither + 1)

    @property
    def total(self) -> int:
        """Rankings that are counted."""
        return self.falling + self.rising + self.neither
