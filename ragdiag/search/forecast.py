"""How long making many things will take, said once, by what the first of them took."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ragdiag.core.progress import Telling
from ragdiag.core.protocols import Progress

__all__ = ["Forecast"]

WORTH_SAYING_S = 5.0
MEASURED_FROM = 1
"""The batch that is timed first: the one before it loads the model."""


class Forecast:
    """Hears of each batch before it is made; `sizes` are those of all things, in order, in whatever takes time."""

    def __init__(self, what: str, sizes: Sequence[int], progress: Progress) -> None:
        self._what, self._sizes = what, sizes
        self._progress = progress if isinstance(progress, Telling) else None
        self._batch, self._first, self._started = 0, 0, 0.0

    def at(self, done: int) -> None:
        """The next batch begins with the thing at `done`."""
        if self._progress is not None and self._batch == MEASURED_FROM:
            self._first, self._started = done, time.perf_counter()
        if self._progress is not None and self._batch == MEASURED_FROM + 1:
            rate = (time.perf_counter() - self._started) / max(sum(self._sizes[self._first : done]), 1)
            seconds = rate * sum(self._sizes[done:])
            if seconds >= WORTH_SAYING_S:
                self._progress.say(f"{self._what}: {len(self._sizes):,} texts, about {lasting(seconds)}")
        self._batch += 1


def lasting(seconds: float) -> str:
    """A time in words, as exactly as one can foretell."""
    if seconds < 90:
        return f"{round(seconds):d} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
