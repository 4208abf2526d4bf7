"""How much of a context repeats itself."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import count, pairwise

import numpy as np
import numpy.typing as npt

from ragdiag.core.records import FloatArray, IntArray
from ragdiag.text.spans import expand, ratio
from ragdiag.text.words import words as split

__all__ = ["Kept", "duplicate_share", "near_duplicates", "shingles"]

FEWEST_PAIRS = 8
"""Texts of fewer pairs of words are too short for a share of them to tell: they are compared whole."""

BLOCK = 500_000
"""Words of contexts that are compared at a time: it bounds the memory that this takes."""


def duplicate_share(query: IntArray, shown: IntArray, texts: Sequence[str], n_queries: int, words: int = 8) -> FloatArray:
    """Of each query's context, the share of characters (of words) that repeats text already in it: shape ``(n_queries,)``.

    Row i of the contexts, sorted by query, then rank, shows ``texts[shown[i]]`` to ``query[i]``. Text repeats an earlier chunk in
    runs of `words` words or more; a chunk of fewer words only as a whole.
    """
    word, length, first = _words(texts, words)
    factors = np.random.default_rng(0).integers(0, 2**63, size=words, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    gram = np.zeros(max(len(word) - words + 1, 0), dtype=np.uint64)  # a hash of the run of words that starts here, modulo 2 ** 64
    for i, factor in enumerate(factors):
        gram += word[i : len(gram) + i] * factor
    n_words = np.diff(first) - words
    repeated, total = np.zeros(n_queries), np.zeros(n_queries)
    block = np.cumsum(n_words[shown]) // BLOCK
    edges = np.append(np.searchsorted(query, query[np.flatnonzero(np.diff(block, prepend=-1))]), len(query))  # whole queries
    for a, b in pairwise(edges.tolist()):
        here = shown[a:b]
        owner, at = expand(first[here], n_words[here])
        total += np.bincount(query[a:b][owner], weights=length[at], minlength=n_queries)
        again = _repeats(query[a:b], gram, first[here], n_words[here], words)
        repeated += np.bincount(query[a:b][owner], weights=length[at] * again, minlength=n_queries)
    return ratio(repeated, total)


def _words(texts: Sequence[str], padding: int) -> tuple[npt.NDArray[np.uint64], IntArray, IntArray]:
    """The words of all texts, as numbers, and their lengths; `first` is where each text starts, and where the last ends.

    After each text come `padding` zeros, which are no words.
    """
    number: defaultdict[str, int] = defaultdict(count(1).__next__)
    nothing, rows, first = [0] * padding, list[int](), [0]
    for text in texts:
        rows += map(number.__getitem__, split(text))
        rows += nothing
        first.append(len(rows))
    word = np.array(rows, dtype=np.uint64)
    lengths = np.array([0, *map(len, number)], dtype=np.int64)
    return word, lengths[word.astype(np.int64)], np.array(first, dtype=np.int64)


def _repeats(query: IntArray, gram: npt.NDArray[np.uint64], first: IntArray, n_words: IntArray, words: int) -> IntArray:
    """1 for each word of the rows' texts that is in a run which an earlier row of the same query has, else 0."""
    run = np.minimum(n_words, words)
    owner, at = expand(first, np.where(n_words > 0, n_words - run + 1, 0))
    key = gram[at] ^ (query[owner].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    order = np.argsort(key, kind="stable")
    new = np.diff(key[order], prepend=~key[order[:1]]) != 0
    earliest = np.zeros(len(at), dtype=np.int64)
    earliest[order] = owner[order][np.flatnonzero(new)][np.cumsum(new) - 1]
    again = earliest < owner
    starts = np.cumsum(n_words) - n_words  # where each row's words stand among those of all rows
    begin = (at - first[owner] + starts[owner])[again]
    steps = np.bincount(begin, minlength=n_words.sum() + 1) - np.bincount(begin + run[owner][again], minlength=n_words.sum() + 1)
    return (np.cumsum(steps)[:-1] > 0).astype(np.int64)


def shingles(text: str) -> frozenset[tuple[str, str]]:
    """The pairs of neighbouring words in a text, in lower case."""
    return frozenset(pairwise(split(text)))


def near_duplicates(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]], share: float = 0.6) -> bool:
    """Whether two texts, as `shingles`, say the same in nearly the same words: `share` of the shorter one's is in the other.

    The shorter one must be at least half as long; texts of fewer than `FEWEST_PAIRS` are compared whole.
    """
    less, more = sorted((len(one), len(other)))
    if less < FEWEST_PAIRS:
        return one == other and less > 0
    return 2 * less >= more and len(one & other) >= share * less


class Kept:
    """Texts, as `shingles`, numbered as they are added: which of them another one nearly repeats, without comparing it with each.

    Two near-duplicates share so many pairs of words that some of the rarest of either are among them: only texts with one of
    those are compared.
    """

    def __init__(self, share: float = 0.6) -> None:
        self._share = share
        self._texts: list[frozenset[tuple[str, str]]] = []
        self._with: defaultdict[tuple[str, str], list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: frozenset[tuple[str, str]]) -> None:
        """Keep a text, whose number is that of those kept before."""
        for pair in text:
            self._with[pair].append(len(self._texts))
        self._texts.append(text)

    def first_like(self, text: frozenset[tuple[str, str]]) -> int | None:
        """The first that is a near-duplicate of `text`, as `near_duplicates` says with this `share`; None where none is."""
        fewest = len(text)  # pairs that a near-duplicate shares with it: all, where it is too short for a share of them
        if fewest >= FEWEST_PAIRS:
            fewest = math.ceil(self._share * max(FEWEST_PAIRS, (len(text) + 1) // 2))
        rarest = sorted((self._with[pair] for pair in text if pair in self._with), key=len)
        lacking = len(text) - len(rarest)  # pairs that no text has
        near = {number for having in rarest[: max(len(text) - fewest - lacking + 1, 0)] for number in having}
        return next((number for number in sorted(near) if near_duplicates(text, self._texts[number], self._share)), None)
