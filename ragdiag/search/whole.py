"""What searches rank first in a corpus that goes by in shards and is never held.

Shards are ranked one by one, by an engine's workers where one works, and the first of all of them are kept. So the rankings are
those of an index of the whole, in whatever shards it comes.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np

from ragdiag.core.arrays import Array, FloatArray, IntArray
from ragdiag.core.cache import key_of
from ragdiag.core.engines import results, workers
from ragdiag.core.errors import UsageError
from ragdiag.core.protocols import Chunker, CorpusChunker, Progress, Retriever, Store
from ragdiag.core.ranking import padded
from ragdiag.core.records import Document
from ragdiag.core.registry import make, spec_of
from ragdiag.search.encoder import Encoder
from ragdiag.search.late import LateEncoder
from ragdiag.search.nested import models_of
from ragdiag.search.retrievers.bm25 import Bm25
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.hybrid import Hybrid, HybridIndex
from ragdiag.search.whole_vectors import VectorSearch
from ragdiag.search.whole_words import Counts, WholeWords, counts_of
from ragdiag.text.analysis import Analysis

__all__ = ["Found", "Whole"]

ROUND = 4
"""Shards for each worker that are held together."""

SEARCHES = "bm25, dense with a model's files, and hybrid of these search a corpus that is not held"


class Found(NamedTuple):
    """A chunk that a query ranks; these sort with the best first, of equal scores by the place of the chunk."""

    negative_score: float
    doc_id: str
    start: int
    end: int


Rankings = dict[int, dict[str, Array]]
"""By the number of a search, for each query the numbers of chunks and their scores."""


class Search(Protocol):
    """Ranks texts for its queries as an index of all texts of a corpus does, wherever it is sent."""

    @property
    def name(self) -> str:
        """What rankings by it are kept under; "" where they are made as soon as read."""
        ...

    @property
    def depth(self) -> int:
        """How much of each ranking counts."""
        ...

    def ranked(self, texts: Sequence[str]) -> tuple[IntArray, FloatArray]:
        """For each query the positions of texts and their scores, as `protocols.Index.search`."""
        ...


@dataclass(frozen=True, eq=False)
class _Work:
    """What is done with each shard; an engine is sent it once for many of them."""

    chunker: Chunker
    analyses: tuple[Analysis, ...] = ()
    searches: tuple[Search, ...] = ()

    def __sizeof__(self) -> int:
        """Bytes, about: an engine asks how large a thing is before it sends it."""
        return 2**20

    def places(self, texts: Sequence[str]) -> list[tuple[int, int, int]]:
        """Where each chunk is: its text's number, its start and end."""
        spans = (zip(*map(np.ndarray.tolist, self.chunker.spans(text)), strict=True) for text in texts)
        return [(i, start, end) for i, of_text in enumerate(spans) for start, end in of_text]


def _counted(work: _Work, texts: Sequence[str]) -> list[Counts]:
    """What each analysis counts in a shard."""
    chunks = [texts[i][start:end] for i, start, end in work.places(texts)]
    return [counts_of(analysis, chunks) for analysis in work.analyses]


def _ranked(work: _Work, texts: Sequence[str], wanted: Sequence[int]) -> tuple[IntArray, Rankings]:
    """The places of a shard's chunks, as rows, and the rankings of the searches that are `wanted`."""
    places = work.places(texts)
    chunks = [texts[i][start:end] for i, start, end in places]
    made: Rankings = {}
    for n in wanted:
        of_texts, scores = work.searches[n].ranked(chunks)
        made[n] = {"chunks": of_texts.astype(np.int32), "scores": scores}
    return np.array(places, dtype=np.int64).reshape(-1, 3), made


class _Kept:
    """Rankings of shards that were made before, of searches that have a name; `of` is what they depend on besides."""

    def __init__(self, store: Store | None, searches: Sequence[Search], *of: object) -> None:
        self._store = store
        self._named = {n: json.dumps(["whole 1", s.name, s.depth, *of]) for n, s in enumerate(searches) if s.name}

    def known(self, texts: Sequence[str]) -> Rankings:
        """Those of a shard."""
        if self._store is None:
            return {}
        kept = {n: self._store.arrays(key_of(named, texts)) for n, named in self._named.items()}
        return {n: arrays for n, arrays in kept.items() if arrays is not None}

    def add(self, texts: Sequence[str], made: Rankings) -> None:
        """Keep those of a shard."""
        if self._store is not None:
            for n in self._named.keys() & made.keys():
                self._store.add_arrays(key_of(self._named[n], texts), made[n])


class _Firsts:
    """What each query ranks first of all that went by."""

    def __init__(self, queries: int, depth: int) -> None:
        self.depth = depth
        self.found: list[list[Found]] = [[] for _ in range(queries)]

    def add(self, names: Sequence[str], places: IntArray, chunks: IntArray, scores: FloatArray) -> None:
        """Add rankings of a shard whose documents have these names."""
        for first, own, values in zip(self.found, chunks, scores, strict=True):
            least = -first[-1].negative_score if len(first) == self.depth else -np.inf
            better = np.flatnonzero((own >= 0) & (values >= least))
            if len(better):
                rows, negative = places[own[better]].tolist(), (-values[better]).tolist()
                new = (Found(score, names[d], start, end) for score, (d, start, end) in zip(negative, rows, strict=True))
                first[:] = heapq.nsmallest(self.depth, [*first, *new])


class Whole:
    """Searches of a corpus, by their specs: `count` every shard if `counts`, then `rank` every shard, then ask for `first`.

    Raises `UsageError` for a search that needs all of the corpus at once, and for such a chunker.
    """

    def __init__(
        self, specs: Sequence[str], chunker: str, queries: Sequence[str], depth: int, store: Store | None, progress: Progress
    ) -> None:
        self.chunks = 0
        self._chunker = make("chunkers", chunker)
        if specs and isinstance(self._chunker, CorpusChunker):
            raise UsageError(f"--chunker {chunker} embeds all documents together; name one that does not")
        self._tops: list[Retriever] = [make("retrievers", spec) for spec in specs]
        self._queries, self._depth, self._store, self._progress = queries, depth, store, progress
        self._own: dict[str, Bm25 | Dense] = {}
        self._firsts: dict[str, _Firsts] = {}
        for spec, top in zip(specs, self._tops, strict=True):
            for own, deep in _searches(top, spec, depth):
                key = spec_of(own, full=True)
                self._own[key] = own
                self._firsts[key] = _Firsts(len(queries), max(deep, self._firsts[key].depth if key in self._firsts else 0))
        deepest = {key: first.depth for key, first in self._firsts.items()}
        self._words = {k: WholeWords(own, queries, deepest[k]) for k, own in self._own.items() if isinstance(own, Bm25)}

    def described(self, n: int) -> dict[str, str]:
        """What the search number `n` is, and what it searches, in full."""
        models = ", ".join(models_of(self._tops[n]))
        return {"retriever": spec_of(self._tops[n], full=True), "cut": spec_of(self._chunker, full=True), "model": models}

    @property
    def searches(self) -> bool:
        """Whether anything is searched at all."""
        return bool(self._own)

    @property
    def embeds(self) -> bool:
        """Whether texts are embedded."""
        return len(self._own) > len(self._words)

    @property
    def counts(self) -> bool:
        """Whether shards are to be counted first."""
        return bool(self._words)

    def count(self, shards: Iterable[list[Document]]) -> None:
        """Add all shards to the statistics."""
        work = _Work(self._chunker, tuple(words.bm25.analysis for words in self._words.values()))
        for of_round in _rounds(shards):
            for _, counted in results(_counted, [(work, [d.text for d in shard]) for shard in of_round]):
                for words, counts in zip(self._words.values(), counted, strict=True):
                    words.add(counts)

    def rank(self, shards: Iterable[list[Document]]) -> Iterator[list[Document]]:
        """Add all shards, which are counted, to the rankings; each comes back when it has been added, in whatever order."""
        work = _Work(self._chunker, (), tuple(self._search(key) for key in self._firsts))
        kept = _Kept(self._store, work.searches, spec_of(self._chunker, full=True), list(self._queries))
        every = range(len(work.searches))
        for of_round in _rounds(shards):
            # By id: equal scores are ordered by place, also where only some of them count.
            ordered = [sorted(shard, key=lambda d: d.id) for shard in of_round]
            texts = [[document.text for document in shard] for shard in ordered]
            known = [kept.known(own) for own in texts]
            asked = [(work, own, [n for n in every if n not in of]) for own, of in zip(texts, known, strict=True)]
            for i, (places, made) in results(_ranked, asked):
                kept.add(texts[i], made)
                self._add([document.id for document in ordered[i]], places, known[i] | made)
                yield of_round[i]

    def _add(self, names: Sequence[str], places: IntArray, rankings: Rankings) -> None:
        """Add what is ranked first in a shard whose documents have these names."""
        self.chunks += len(places)
        for n, first in enumerate(self._firsts.values()):
            first.add(names, places, rankings[n]["chunks"].astype(np.int64), rankings[n]["scores"])

    def _search(self, key: str) -> Search:
        """A search that is ready to rank."""
        own = self._own[key]
        if isinstance(own, Bm25):
            return self._words[key].search()
        encoder = own.encoder
        assert isinstance(encoder, Encoder)
        vectors = encoder.encode(self._queries, "query", self._store, self._progress)
        return VectorSearch(encoder, encoder.identity, vectors, self._firsts[key].depth)

    def standing(self) -> set[str]:
        """The documents of what any search ranks first, as it stands."""
        return {found.doc_id for firsts in self._firsts.values() for of_query in firsts.found for found in of_query}

    def first(self, n: int) -> list[list[Found]]:
        """What each query ranks first by the search number `n`, best first."""
        top = self._tops[n]
        if not isinstance(top, Hybrid):
            return [found[: self._depth] for found in self._firsts[spec_of(top, full=True)].found]
        every = sorted({f[1:] for firsts in self._firsts.values() for found in firsts.found for f in found})
        number = {place: i for i, place in enumerate(every)}
        chunks, scores = self._fused(top, number, self._depth)
        return [
            [Found(-score, *every[c]) for c, score in zip(own, values, strict=True) if c >= 0]
            for own, values in zip(chunks.tolist(), scores.tolist(), strict=True)
        ]

    def _fused(self, top: Retriever, number: dict[tuple[str, int, int], int], depth: int) -> tuple[IntArray, FloatArray]:
        """What a search ranks first, by the numbers of places."""
        if isinstance(top, Hybrid):
            index = HybridIndex(top, (), self.chunks)
            rankings = [self._fused(own, number, index.depth_below(depth)) for own in top.retrievers]
            return index.fused(rankings, len(self._queries), depth)
        found = (of_query[:depth] for of_query in self._firsts[spec_of(top, full=True)].found)
        rows = [([number[f[1:]] for f in of_query], [-f.negative_score for f in of_query]) for of_query in found]
        return padded([(np.array(at, dtype=np.int64), np.array(scores)) for at, scores in rows], depth)


def _searches(top: Retriever, spec: str, depth: int) -> Iterator[tuple[Bm25 | Dense, int]]:
    """The searches that a retriever is made of, with how much of their rankings it needs."""
    if isinstance(top, Hybrid):
        for own in top.retrievers:
            yield from _searches(own, spec, top.depth)
    elif isinstance(top, Bm25) or (isinstance(top, Dense) and _has_files(top)):
        yield top, depth
    else:
        raise UsageError(f"--tops {spec}: {SEARCHES}; give the others' rankings as --run")


def _has_files(dense: Dense) -> bool:
    """Whether its model is files, and reads texts one by one."""
    return isinstance(dense.encoder, Encoder) and not isinstance(dense.encoder, LateEncoder)


def _rounds(shards: Iterable[list[Document]]) -> Iterator[list[list[Document]]]:
    """As many shards together as keep the workers busy."""
    coming, size = iter(shards), ROUND * workers()
    while of_round := list(islice(coming, size)):
        yield of_round
