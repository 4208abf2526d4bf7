"""Every place at which a text stands in another one, as it is or else whatever its white space."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ragdiag.core.records import IntArray

__all__ = ["Even", "Occurrences"]

NO_WHOLE_WORD = 2
"""A text of so many words, or fewer, may have none that is whole: its ends may cut off the first and the last."""


class Even:
    """A text with one space for all white space in `text`, and the way from there to its own positions."""

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._spans: IntArray = np.array([m.span() for m in re.finditer(r"\S+", text)], dtype=np.int64).reshape(-1, 2)
        lengths = self._spans[:, 1] - self._spans[:, 0] + 1
        self.starts: IntArray = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        """Where each word starts here, shape ``(n_words,)``."""

    def own(self, start: int, end: int) -> tuple[int, int]:
        """Where the text itself has what stands at ``[start, end)`` here."""
        return self._own(start), self._own(end - 1) + 1

    def _own(self, at: int) -> int:
        word = int(np.searchsorted(self.starts, at, side="right")) - 1
        return int(self._spans[word, 0]) + at - int(self.starts[word])


class Occurrences:
    """A text, to find other texts in. It is read through once, however many are looked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    def of(self, searched: str) -> list[tuple[int, int]]:
        """Where `searched` stands, ``(start, end)`` in order: as it is, else with other white space."""
        words = searched.split()
        even = " ".join(words)
        starts = self._starts(words, even) if words else iter(())
        places = [self._even.own(start, start + len(even)) for start in starts]
        lead = len(searched) - len(searched.lstrip())
        exact = [start - lead for start, _ in places if start >= lead and self.text.startswith(searched, start - lead)]
        return [(start, start + len(searched)) for start in exact] or places

    def __contains__(self, searched: str) -> bool:
        return bool(self.of(searched))

    def _starts(self, words: list[str], even: str) -> Iterator[int]:
        """Where `even` stands in the evened text."""
        if len(words) <= NO_WHOLE_WORD:
            start = self._even.text.find(even)
            while start >= 0:
                yield start
                start = self._even.text.find(even, start + 1)
            return
        rarest = min(range(1, len(words) - 1), key=lambda i: len(self._numbers.get(words[i], ())))
        before = len(" ".join(words[:rarest])) + 1
        for number in self._numbers.get(words[rarest], ()):
            start = int(self._even.starts[number]) - before
            if start >= 0 and self._even.text.startswith(even, start):
                yield start

    @cached_property
    def _even(self) -> Even:
        return Even(self.text)

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """Which words, by number, are that word."""
        numbers: dict[str, list[int]] = {}
        for i, word in enumerate(self.text.split()):
            numbers.setdefault(word, []).append(i)
        return numbers
