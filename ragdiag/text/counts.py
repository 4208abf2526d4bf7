"""How often each text has each term, counted block by block: what is held is little more than the counts themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import Array, IntArray
from ragdiag.text.analysis import Analysis

BLOCK = 20_000
"""Texts that are counted at once."""

TYPES = (np.uint8, np.uint16, np.int32)
"""Of these the counts of a block are the first that holds them all."""


class TermCounts(NamedTuple):
    """Term by term, the terms sorted: the texts from ``starts[t]`` to ``starts[t + 1]`` have term `t` so many `times`.

    `lengths` are the terms in each text, repeated ones too: shape ``(n_texts,)``.
    """

    terms: list[str]
    starts: IntArray
    texts: Array
    times: Array
    lengths: IntArray


def term_counts(texts: Iterable[str], analysis: Analysis) -> TermCounts:
    """The counts of all texts."""
    from scipy import sparse

    pieces, columns, times, sizes, lengths = _Pieces(analysis), list[Array](), list[Array](), [[0]], list[IntArray]()
    rest = iter(texts)
    while block := list(islice(rest, BLOCK)):
        counts = pieces.counted(block)
        most = int(counts.data.max(initial=0))
        columns.append(counts.indices.astype(np.int32, copy=False))
        times.append(counts.data.astype(next(kind for kind in TYPES if most <= np.iinfo(kind).max), copy=False))
        sizes.append(np.diff(counts.indptr).tolist())
        lengths.append(np.asarray(counts.sum(axis=1, dtype=np.int64)).ravel())
    n_texts = sum(map(len, lengths))
    order = sorted(range(len(pieces.terms)), key=pieces.terms.__getitem__)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    for part in columns:
        part[:] = place[part]
    ends = np.cumsum(np.concatenate(sizes), dtype=np.int64)
    by_text = sparse.csr_array((_one(times), _one(columns), ends), shape=(n_texts, len(order)))
    by_term = by_text.tocsc()
    return TermCounts(
        [pieces.terms[t] for t in order],
        by_term.indptr.astype(np.int64),
        by_term.indices.astype(np.int32, copy=False),
        by_term.data,
        np.concatenate(lengths) if lengths else np.zeros(0, dtype=np.int64),
    )


def _one(parts: list[Array]) -> Array:
    """The parts as one array; each is let go as soon as it is in."""
    whole = np.empty(sum(map(len, parts)), dtype=np.result_type(*parts) if parts else np.int32)
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


class _Pieces:
    """What stands between white space, each read once, however many texts have it: no term goes on beyond white space."""

    def __init__(self, analysis: Analysis) -> None:
        from scipy import sparse

        self._analysis = analysis
        self._number, self._term = defaultdict[str, int](count().__next__), defaultdict[str, int](count().__next__)
        self._terms_of: Any = sparse.csr_array((0, 0), dtype=np.int32)
        self.terms: list[str] = []

    def counted(self, texts: Sequence[str]) -> Any:
        """How often each text has each term so far known: a sparse matrix by rows."""
        from scipy import sparse

        known = len(self._number)
        of_pieces = _rows(map(str.split, texts), self._number)
        new = _rows(self._read(list(islice(self._number, known, None))), self._term)
        self.terms += islice(self._term, len(self.terms), None)
        self._terms_of.resize(known, len(self.terms))
        self._terms_of = sparse.csr_array(sparse.vstack([self._terms_of, new]))
        return sparse.csr_array(of_pieces @ self._terms_of)

    def _read(self, pieces: Sequence[str]) -> Iterator[list[str]]:
        """The terms of each piece."""
        written = [self._analysis.written(piece) for piece in pieces]
        distinct = list(dict.fromkeys(term for terms in written for term in terms))
        become = dict(zip(distinct, self._analysis.of_written(distinct), strict=True))
        return ([new for term in terms for new in become[term]] for terms in written)


def _rows(rows: Iterable[list[str]], number: defaultdict[str, int]) -> Any:
    """How often each row has each item, as a sparse matrix; `number` has the column of each, and gives new ones the next."""
    from scipy import sparse

    columns, times, ends = list[int](), list[int](), [0]
    for row in rows:
        of_row = Counter(row)
        columns += map(number.__getitem__, of_row)
        times += of_row.values()
        ends.append(len(columns))
    data = np.array(times, dtype=np.int32), np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)
    return sparse.csr_array(data, shape=(len(ends) - 1, len(number)))
