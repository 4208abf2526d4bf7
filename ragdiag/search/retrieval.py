"""From documents to rankings: the strategies that an audit names, or the team's own chunks, collection or run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.core.cache import opened as opened_cache
from ragdiag.core.encoders import Readable
from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.options import NO_SWAP, Options
from ragdiag.core.passages import HandsOver
from ragdiag.core.pipelines import Unread
from ragdiag.core.protocols import ChunkTexts, Collection, Index, Progress, Retriever, Store
from ragdiag.core.records import Chunking, Corpus, Labels, Query, Run, Span, StoredChunk
from ragdiag.core.registry import make, spec_of
from ragdiag.scoring.packing import Packing
from ragdiag.search.analyses import analyses_of
from ragdiag.search.approximate import Health, as_asked, exact_swap, index_health, notes_on
from ragdiag.search.asked import SURELY, AskedIndex, ByCosine
from ragdiag.search.beside import NAME, by_meaning, note_on
from ragdiag.search.elsewhere import Given, of_run, of_search
from ragdiag.search.indexed import Indexed, reader_of
from ragdiag.search.late import NO_CONTEXT
from ragdiag.search.latency import Clock, latency_of, told
from ragdiag.search.nested import (
    WORDS,
    all_models,
    collection_of,
    encodes_anew,
    handing_over,
    kept_of,
    models_of,
    notes_on_models,
    opened,
    own_models,
    parts_of,
    readers_of,
    reads_documents,
    retriever_of,
    searching,
    swaps_of,
)
from ragdiag.search.precision import kept_in
from ragdiag.search.reading import unread_of
from ragdiag.search.retrieved import Retrieved, Source, signed
from ragdiag.search.rewriting import rewriter_of
from ragdiag.search.searches import chunks_of
from ragdiag.search.surroundings import Surroundings
from ragdiag.sources.chunks import Placed, cut, place, place_stored, read_chunks, within

__all__ = ["Indexed", "Plan", "Retrieved", "Source"]

DEPTH = 100
"""Chunks ranked for each query at least; measures with deeper cutoffs see no more unless k asks for it."""


class _Indexed(NamedTuple):
    """Chunks and the index of them, with the names of the chunker and the context, and notes."""

    chunking: Chunking
    searchable: Index
    chunker: str
    context: str | None
    corpus: Corpus
    notes: tuple[str, ...] = ()


class Plan:
    """The strategies of an audit, made before anything is read: a misspelt name costs no time."""

    def __init__(self, options: Options, store: Store | None = None) -> None:
        """With the cache that `options` name, or `store` in its place."""
        self.options = options
        self.chunker = make("chunkers", options.chunker)
        self.context = make("contexts", options.context)
        self.retriever = retriever_of(options.retriever)
        named = options.swap not in ("", NO_SWAP)
        self.swap = handing_over(self.retriever, retriever_of(options.swap)) if named else None
        _ = [all_models(strategy) for strategy in (self.chunker, self.retriever, self.swap)]  # raises where one cannot be
        if spec_of(self.context) != "none" and (reads_documents(self.retriever) or reads_documents(self.swap)):
            raise SpecError(NO_CONTEXT)
        self.rewriter = rewriter_of(options.rewrite)
        self.collection = collection_of(self.retriever)
        if self.collection is not None:  # what a collection has embedded is its own business
            self.context = make("contexts", "none")
        self.store = opened_cache(options.cache) if store is None else store
        kept_in(self.store)
        self.surroundings = Surroundings(self.context, self.store)

    def retrieve(
        self, whole: Corpus, corpus: Corpus, queries: Sequence[Query], progress: Progress, labels: Labels | None = None
    ) -> Retrieved:
        """Chunks of `corpus`, which is `whole` or the part of it that is audited, and a ranking for each query.

        `labels`, of these queries, tell which place of several a recorded text counts at.
        """
        if self.options.run or self.options.search is not None:
            return self._recorded(whole, corpus, queries, progress, labels)
        clock = Clock()
        if self.collection is not None:
            made = self._stored(self.collection, whole, corpus, clock, progress)
        else:
            made = self._cut(whole, corpus, clock, progress)
        with clock("search"):
            run = self._search(self._as_asked(made.searchable, made.corpus, made.chunking), queries, len(made.chunking))
        cuts = self.collection is None and not self._own_name()
        makers = (self.retriever, *([self.chunker] if cuts else []))
        models = dict.fromkeys(name for maker in makers for name in models_of(maker))
        health = Health()
        if exact_swap(made.searchable):  # this reads all vectors of a store
            with clock("exact search"):
                health = index_health(made.searchable, _texts(queries), self.options.k)
        source = Source(made.chunker, made.context, spec_of(self.retriever), tuple(models) or None, *health)
        notes = (*made.notes, *notes_on(health, len(made.chunking)), *notes_on_models(makers))
        return Retrieved(made.chunking, run, source, made.searchable, notes, clock.seconds, made.corpus)

    def _recorded(
        self, whole: Corpus, corpus: Corpus, queries: Sequence[Query], progress: Progress, labels: Labels | None
    ) -> Retrieved:
        """The rankings of a recorded run, or of the team's own search."""
        options, own = self.options, self._own(whole, corpus)
        given = Given(whole, corpus, queries, labels, own)
        made = of_run(options, given) if options.run else of_search(options, given, self.surroundings, self.store, progress)
        return made._replace(source=made.source._replace(chunker=self._own_name() or made.source.chunker))

    def texts(self, whole: Corpus, corpus: Corpus, progress: Progress) -> Sequence[str]:
        """What is indexed for each chunk; nothing for a collection that has its own."""
        if self.collection is not None:
            return []
        own = self._own(whole, corpus)
        chunking = own.chunking if own else cut(corpus, self.chunker, progress, self.store)
        return self.surroundings.texts(corpus, chunking, progress)

    def _own(self, whole: Corpus, corpus: Corpus) -> Placed | None:
        """The team's own chunks of the documents that are audited, where they are given."""
        file = self.options.chunks
        chunks = read_chunks(Path(file)) if file else chunks_of(self.options.own_chunks)
        return _placed(chunks, whole, corpus) if chunks else None

    def _own_name(self) -> str:
        """What the team's own chunks are called; "" where there are none."""
        if self.options.chunks:
            return f"chunks {Path(self.options.chunks).name}"
        return "own chunks" if self.options.own_chunks else ""

    def _stored(self, collection: Collection, whole: Corpus, corpus: Corpus, clock: Clock, progress: Progress) -> _Indexed:
        """The chunks of the collection, and the index that it is."""
        with clock("open collection"):
            placed, known = place_stored(collection.stored_chunks(progress), whole, corpus)
            chunking = placed.chunking
            index = self._index(opened(self.retriever, chunking, self.store), known, chunking, progress)
        return _Indexed(chunking, index, "as stored", None, known, placed.notes)

    def _cut(self, whole: Corpus, corpus: Corpus, clock: Clock, progress: Progress) -> _Indexed:
        """The team's own chunks, or those of the chunker, and an index of them."""
        own = self._own(whole, corpus)
        with clock("chunk"):
            chunking = own.chunking if own else cut(corpus, self.chunker, progress, self.store)
        if not len(chunking):
            raise InputError("there is no text to index in these documents", remedy="check the corpus")
        with clock("index"):
            index = self._index(self.retriever, corpus, chunking, progress)
        notes = (*(own.notes if own else ()), *self.surroundings.notes(corpus, chunking))
        chunker = self._own_name() or spec_of(self.chunker, full=True)
        return _Indexed(chunking, index, chunker, spec_of(self.context), corpus, notes)

    def _index(self, retriever: Retriever, corpus: Corpus, chunking: Chunking, progress: Progress) -> Index:
        texts = ChunkTexts(self.surroundings.texts(corpus, chunking, progress), corpus, chunking)
        return retriever.index(texts, self.store, progress)

    def _as_asked(self, index: Index, corpus: Corpus, chunking: Chunking) -> Index:
        return as_asked(index, Packing(corpus, chunking, self.options.k, self.options.budget, isinstance(index, HandsOver)))

    def _search(self, index: Index, queries: Sequence[Query], n_chunks: int) -> Run:
        """Rank for every query that has text: one without is a label defect, and an encoder would answer it all the same."""
        k, passages = self.options.k, isinstance(index, HandsOver)
        for_k = index.depth_for(k) if isinstance(index, HandsOver) else 10 * k
        depth = min(max(DEPTH, for_k, self.options.budget // 8), n_chunks)
        with_text = [i for i, query in enumerate(queries) if query.text.strip()]
        ranked = index.search([queries[i].text for i in with_text], depth)
        chunks = np.full((len(queries), depth), -1, dtype=np.int64)
        scores = np.full((len(queries), depth), -np.inf)
        chunks[with_text], scores[with_text] = ranked
        return Run(chunks, scores, listed=tuple(range(len(queries))) if passages else (), passages=passages)

    def indexed(self, retrieved: Retrieved, progress: Progress) -> Indexed:
        """What a diagnosis may ask of the index that `retrieve` made."""
        index, embed = retrieved.searchable, functools.partial(self.surroundings.text, retrieved.corpus, retrieved.chunking)
        if isinstance(index, AskedIndex):
            return self._asked(index, retrieved, embed, progress)
        return Indexed(None, embed) if index is None else self._made(index, retrieved, embed, progress)

    def _made(self, index: Index, retrieved: Retrieved, embed: Callable[[Span], str], progress: Progress) -> Indexed:
        """An index of ours, or a store."""
        chunking, corpus = retrieved.chunking, retrieved.corpus
        reads = reader_of(index)
        visible = None if reads is None else reads.visible(self.surroundings.texts(corpus, chunking), self.store)
        make_index = functools.partial(self._index, corpus=corpus, chunking=chunking, progress=progress)
        texts = functools.partial(self.surroundings.texts, corpus, chunking)
        swaps = self._swaps(index, make_index, lambda: by_meaning(texts(), self.store))
        chosen = bool(swaps) and not self.options.swap and NAME not in spec_of(self.retriever) and set(swaps) == {NAME}

        def as_asked(made: Callable[[], Index]) -> Callable[[], Index]:
            return lambda: self._as_asked(made(), corpus, chunking)

        analyses = analyses_of(self.retriever, index, corpus, make_index)
        return Indexed(
            self._as_asked(index, corpus, chunking),
            embed,
            visible,
            reads.seen if reads else None,
            {name: as_asked(made) for name, made in swaps.items()} | exact_swap(index),
            reads.max_tokens if reads else 0,
            readers_of(self.retriever, swaps),
            (note_on(tuple(swaps)),) if chosen else (),
            {mended: (spec, as_asked(made)) for mended, (spec, made) in analyses.items()},
            self.rewriter,
            self.store,
            *kept_of(index),
        )

    def _asked(self, index: AskedIndex, retrieved: Retrieved, embed: Callable[[Span], str], progress: Progress) -> Indexed:
        """A search, or a run, that takes no text; other retrievers are asked where all its chunks are known."""
        texts = self.surroundings.texts(retrieved.corpus, retrieved.chunking, progress)
        swaps = self._others(retrieved, texts, progress)
        encoder, reads = index.encoder if isinstance(index, ByCosine) else None, reader_of(index)
        own: dict[str, Readable] = {"": encoder} if isinstance(encoder, Readable) else {}
        return Indexed(
            index,
            embed,
            reads.visible(texts, self.store) if reads else None,
            reads.seen if reads else None,
            swaps,
            reads.max_tokens if reads else 0,
            own | readers_of(None, swaps),
            rewriter=self.rewriter,
            store=self.store,
            adds=encoder is not None,
            surely=0 if encoder or index.asking is None else SURELY,
        )

    def _others(self, retrieved: Retrieved, texts: Sequence[str], progress: Progress) -> dict[str, Callable[[], Index]]:
        """Retrievers of ours over the chunks of a search: the one that is named, or those that cost little."""
        chunking, corpus = retrieved.chunking, retrieved.corpus

        def made(retriever: Retriever) -> Callable[[], Index]:
            return lambda: self._as_asked(self._index(retriever, corpus, chunking, progress), corpus, chunking)

        if not chunking.complete or self.options.swap == NO_SWAP:
            return {}
        others = [self.swap] if self.swap else [make("retrievers", WORDS), by_meaning(texts, self.store)]
        return {spec_of(other): made(other) for other in others if other is not None}

    def _swaps(
        self, index: Index, make_index: Callable[[Retriever], Index], meaning: Callable[[], Retriever | None]
    ) -> dict[str, Callable[[], Index]]:
        """Other retrievers that queries are put to: the one that is named, or those that cost little."""
        swap = self.swap
        if self.options.swap == NO_SWAP:
            return {}
        if swap is None:
            return swaps_of(self.retriever, index, make_index, meaning)
        return {spec_of(searching(swap)): lambda: make_index(swap)}

    def unread(self, retrieved: Retrieved, queries: Sequence[Query]) -> Unread | None:
        """What the encoder cannot read of what is indexed and asked; None without one, or where it reads all of it."""
        reader = next(iter(readers_of(self.retriever, ()).values()), None)
        if reader is None or retrieved.searchable is None or isinstance(retrieved.searchable, AskedIndex):
            return None
        return unread_of(reader, self.surroundings.texts(retrieved.corpus, retrieved.chunking), _texts(queries), self.store)

    def notes_of(self, index: Index | None) -> tuple[str, ...]:
        """What a reader should know of what was asked, once all is: of the rewriter, and of a search."""
        return (*(self.rewriter.notes if self.rewriter else ()), *(index.notes if isinstance(index, AskedIndex) else ()))

    def latency(self, index: Index, queries: Sequence[Query]) -> dict[str, object]:
        """How long one query takes, see `latency.latency_of`; ``encoding`` tells whether that includes encoding it."""
        if isinstance(index, AskedIndex):
            return told(index.asking.times) if index.asking else {}
        texts = _texts(queries)
        latency = latency_of(lambda text: index.answer(text, self.options.k), texts)
        timed = [m.loaded and encodes_anew(part) for part in parts_of(index) for m in own_models(part)]
        return latency | ({"encoding": "timed" if all(timed) else "from the cache, not timed"} if timed else {})

    def signature(self, source: Source) -> str:
        """Everything that defines the ranking and its measures, on one line."""
        options = self.options
        elsewhere = options.run or options.search is not None
        source = source._replace(context=self.surroundings.signed) if source.context is not None else source
        return signed(options, source, source.retriever if elsewhere else spec_of(self.retriever, full=True))


def _placed(chunks: Sequence[StoredChunk], whole: Corpus, corpus: Corpus) -> Placed:
    """Chunks in the documents that are audited."""
    placed = place(chunks, whole)
    return placed._replace(chunking=within(placed.chunking, whole, corpus))


def _texts(queries: Sequence[Query]) -> list[str]:
    """What is asked, of the queries that ask anything."""
    return [q.text for q in queries if q.text.strip()]
