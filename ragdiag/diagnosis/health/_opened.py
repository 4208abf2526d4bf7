"""A stored index with all that its checks look at, each thing read or computed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ragdiag.core.encoders import TextEncoder
from ragdiag.core.protocols import Beside, Examined, Progress, Store
from ragdiag.core.records import Chunking, Corpus, FloatArray, IntArray, Mean, StoredChunk
from ragdiag.diagnosis.health._coverage import Coverage, coverage
from ragdiag.search.approximate import recalls
from ragdiag.search.nested import encoder_of
from ragdiag.stats.statistics import Resampler, clusters

__all__ = ["DEPTH", "SAMPLE", "Opened", "Searched", "evenly"]

SAMPLE = 2000
"""Records whose vectors are made anew, unless said otherwise."""

SEARCHED = 2000
"""Records that are searched for at most: exact search looks at all records for each of them."""

DEPTH = 10
"""Results asked for, as many as an application asks for."""


class Searched(NamedTuple):
    """Records searched for by their own vectors: which, how much of exact search each search returns, which miss themselves."""

    chunks: IntArray
    recalls: FloatArray
    missed: IntArray


@dataclass(frozen=True, eq=False)
class Opened:
    """`chunking` are the records, in the order of the documents of `corpus`, foreign ones behind all others; `records` are the
    same in the order of the store.

    `altered` and `several` are the ids of records placed with a remark, see `foreign.Sorted`; `asked` has the queries whose
    evidence is in a document, by its id; `most` is the number of records whose vectors are made anew.
    """

    corpus: Corpus
    chunking: Chunking
    records: Sequence[StoredChunk]
    index: Examined
    altered: frozenset[str]
    several: frozenset[str]
    asked: Mapping[str, Sequence[str]]
    most: int
    store: Store | None
    progress: Progress

    @cached_property
    def by_id(self) -> dict[str, StoredChunk]:
        """Each record by its id."""
        return {record.id: record for record in self.records}

    @cached_property
    def order(self) -> IntArray:
        """The place of each chunk in the store."""
        place = {record.id: i for i, record in enumerate(self.records)}
        return np.array([place[name] for name in self.chunking.ids], dtype=np.int64)

    @cached_property
    def kinds(self) -> list[str]:
        """Of each chunk why it is of no document; "" of one that is of a document."""
        return [self.corpus.documents[d].foreign for d in self.chunking.document.tolist()]

    @cached_property
    def sample(self) -> IntArray:
        """Chunks whose vectors are made anew, evenly spread over the store."""
        return np.sort(np.argsort(self.order)[evenly(len(self.chunking), self.most)])

    @cached_property
    def beside(self) -> Beside:
        """The vectors of `sample` beside new ones."""
        return self.index.beside(self.sample.tolist(), self.progress)

    @cached_property
    def searched(self) -> Searched:
        """Some of `sample` searched for by their own vectors. One misses itself where exact search finds it and the index gives
        something farther instead.
        """
        some = evenly(len(self.sample), SEARCHED)
        chunks, vectors = self.sample[some], self.beside.stored[some]
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        whole = (np.isfinite(norms) & (norms > 0)).ravel()  # a vector of zeros looks for nothing
        chunks, asked = chunks[whole], np.asarray(vectors[whole] / norms[whole], dtype=np.float32)
        depth = min(DEPTH, len(self.chunking))
        found, scores = self.index.nearest(asked, depth)
        exact, best = self.index.nearest(asked, depth, exactly=True)
        own = exact == chunks[:, None]
        score = np.where(own, best, -np.inf).max(axis=1, initial=-np.inf)
        missed = own.any(axis=1) & ~(found == chunks[:, None]).any(axis=1) & (recalls(scores[:, -1:], score[:, None]) < 1)
        return Searched(chunks, recalls(scores, best), chunks[missed])

    @cached_property
    def reads(self) -> TextEncoder | None:
        """The model that makes the vectors, where it says how much of a text it reads."""
        encoder = encoder_of(self.index)
        return encoder if isinstance(encoder, TextEncoder) else None

    @cached_property
    def covered(self) -> Coverage:
        """What of the documents is in no record, and what records have that these do not say any more."""
        return coverage(self.corpus, self.chunking, self.by_id, self.altered)

    def of_kind(self, kind: str) -> list[str]:
        """The ids of foreign records of a kind."""
        return [name for name, own in zip(self.chunking.ids, self.kinds, strict=True) if own == kind]

    def ids(self, chunks: Iterable[int]) -> tuple[str, ...]:
        """The ids of chunks, in the order of the store."""
        return tuple(self.chunking.ids[c] for c in sorted(chunks, key=lambda c: int(self.order[c])))

    def documents_of(self, chunks: Iterable[int]) -> tuple[str, ...]:
        """The documents that chunks are of, each once."""
        found = sorted({int(self.chunking.document[c]) for c in chunks})
        return tuple(self.corpus.documents[d].id for d in found if not self.corpus.documents[d].foreign)

    def queries_of(self, documents: Iterable[str]) -> tuple[str, ...]:
        """The queries whose evidence stands in some documents, each once."""
        return tuple(dict.fromkeys(query for document in documents for query in self.asked.get(document, ())))

    def mean(self, chunks: IntArray, values: FloatArray) -> Mean:
        """The mean of what was seen of each of some chunks; its interval is that of all records, of which these are a sample."""
        whole = float(values.mean()) if len(values) else None
        if len(chunks) == len(self.chunking) or whole is None:
            return Mean(whole, whole, whole, len(values))
        return Resampler(clusters([[d] for d in self.chunking.document[chunks].tolist()]), 0).mean(values)


def evenly(n: int, most: int) -> IntArray:
    """`most` of `n` positions, all where there are fewer, at even distances."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
