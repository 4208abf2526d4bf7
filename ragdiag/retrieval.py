"""From documents to rankings: the strategies that an audit names, or the team's own chunks, collection or run."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag import __version__
from ragdiag.cache import Cache, default_folder
from ragdiag.chunks import cut, embed_texts, place, read_chunks, within
from ragdiag.errors import InputError
from ragdiag.options import Options
from ragdiag.protocols import Index, Progress
from ragdiag.records import Chunking, Corpus, IntArray, Query, Run
from ragdiag.registry import make, spec_of
from ragdiag.runs import bind, read_run
from ragdiag.setting import Span

__all__ = ["Clock", "Indexed", "Plan", "Retrieved"]

DEPTH = 100
"""Chunks ranked for each query at least; measures with deeper cutoffs see no more unless k asks for it."""


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - started, 3)


class Retrieved(NamedTuple):
    """The chunks, each query's ranking of them, what made both, by name, and the index (None where a run was recorded)."""

    chunking: Chunking
    run: Run
    source: dict[str, Any]
    searchable: Index | None


@dataclass(frozen=True)
class Indexed:
    """An index with what a diagnosis asks of it: what it holds of a span, what its encoder reads, other retrievers.

    `searchable` is None where a run was recorded. `visible` is the number of characters that the encoder reads of each chunk's
    text, the largest integer where it reads all; None, as `seen`, without an encoder. `swaps` make other indexes of these texts.
    """

    searchable: Index | None
    embed: Callable[[Span], str]
    visible: IntArray | None = None
    seen: Callable[[Sequence[str]], Sequence[int]] | None = None
    swaps: Mapping[str, Callable[[], Index]] = field(default_factory=dict)
    limit: int = 0

    def unseen(self, lengths: IntArray) -> dict[str, Any]:
        """Of the chunks, those of which the encoder reads a part only, and the share of all characters that it never sees.

        `lengths` are the chunks' in characters. Empty without an encoder, and where it reads everything.
        """
        if self.visible is None or not (self.visible < lengths).any():
            return {}
        lost = int(np.maximum(lengths - self.visible, 0).sum())
        share = round(lost / int(lengths.sum()), 4)
        return {"unseen": {"chunks": int((self.visible < lengths).sum()), "share": share, "limit": self.limit}}


class Plan:
    """The strategies of an audit, made before anything is read: a misspelt name costs no time."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.chunker = make("chunkers", options.chunker)
        self.context = make("contexts", options.context)
        self.retriever = make("retrievers", options.retriever)
        self.swap = make("retrievers", options.swap) if options.swap else None
        self.store = None if options.cache is None else Cache(options.cache or default_folder())

    def retrieve(
        self, whole: Corpus, corpus: Corpus, queries: Sequence[Query], clock: Clock, notes: list[str], progress: Progress
    ) -> Retrieved:
        """Chunks of `corpus`, which is `whole` or the part of it that is audited, and a ranking for each query."""
        chunks, run_file = self.options.chunks, self.options.run
        source: dict[str, Any] = {"chunker": f"chunks {Path(chunks).name}" if chunks else None, "context": None}
        own = within(place(read_chunks(Path(chunks)), whole), whole, corpus) if chunks else None
        if run_file:
            with clock("read run"):
                bound = bind(read_run(Path(run_file)), queries, corpus, own, corpus is not whole)
            notes += bound.notes
            source |= {"chunker": source["chunker"] or "as in the run", "retriever": f"run {Path(run_file).name}"}
            return Retrieved(bound.chunking, bound.run, source, None)
        source["retriever"] = spec_of(self.retriever)
        if hasattr(self.retriever, "stored_chunks"):
            with clock("open collection"):
                chunking = within(place(self.retriever.stored_chunks(progress), whole), whole, corpus)
                index = self.retriever.open(chunking.ids, self.store)
            source["chunker"] = "as stored"
        else:
            chunking, index = self._indexed(own, corpus, clock, progress)
            source["chunker"] = source["chunker"] or spec_of(self.chunker, full=True)
            source["context"] = spec_of(self.context)
        with clock("search"):
            run = self._search(index, queries, len(chunking))
        models = _models(self.retriever)
        return Retrieved(chunking, run, source | ({"models": models} if models else {}), index)

    def _indexed(self, own: Chunking | None, corpus: Corpus, clock: Clock, progress: Progress) -> tuple[Chunking, Index]:
        with clock("chunk"):
            chunking = cut(corpus, self.chunker, progress) if own is None else own
        if not len(chunking):
            raise InputError("there is no text to index in these documents", remedy="check the corpus")
        with clock("index"):
            return chunking, self.retriever.index(embed_texts(corpus, chunking, self.context), self.store, progress)

    def _search(self, index: Index, queries: Sequence[Query], n_chunks: int) -> Run:
        """Rank for every query that has text: one without is a label defect, and an encoder would answer it all the same."""
        depth = min(max(DEPTH, 10 * self.options.k, self.options.budget // 8), n_chunks)
        asked = [i for i, query in enumerate(queries) if query.text.strip()]
        found, values = index.search([queries[i].text for i in asked], depth)
        chunks = np.full((len(queries), depth), -1, dtype=np.int64)
        scores = np.full((len(queries), depth), -np.inf)
        chunks[asked], scores[asked] = found, values
        return Run(chunks, scores)

    def indexed(self, retrieved: Retrieved, corpus: Corpus, progress: Progress) -> Indexed:
        """What a diagnosis may ask of the index that `retrieve` made."""
        chunking, index = retrieved.chunking, retrieved.searchable
        stored = hasattr(self.retriever, "stored_chunks")

        def embed(span: Span) -> str:
            document = corpus.documents[span.document]
            if stored:
                return document.text[span.start : span.end]
            texts: list[str] = self.context.texts(document, np.array([span.start]), np.array([span.end]))
            return texts[0]

        if index is None:
            return Indexed(None, embed)
        texts = functools.cache(lambda: embed_texts(corpus, chunking, make("contexts", "none") if stored else self.context))
        encoder = _encoder(index)
        visible = None if encoder is None else encoder.visible(texts(), self.store)
        return Indexed(
            index,
            embed,
            visible,
            encoder.seen if encoder else None,
            self._swaps(index, texts, progress),
            encoder.max_tokens if encoder else 0,
        )

    def latency(self, index: Index, queries: Sequence[Query]) -> dict[str, Any]:
        """How long one query takes, see `failures.slow`; ``encoding`` tells whether that includes encoding it."""
        texts = [q.text for q in queries if q.text.strip()]
        found: dict[str, Any] = make("failures", "slow").measure(lambda text: index.answer(text, self.options.k), texts)
        encoder = _encoder(index)
        return found | ({} if encoder is None else {"encoding": "timed" if encoder.loaded else "from the cache, not timed"})

    def _swaps(self, index: Index, texts: Callable[[], list[str]], progress: Progress) -> dict[str, Callable[[], Index]]:
        """Other retrievers for the same texts: the one asked for, else cheap ones (a fusion's parts; bm25 beside an encoder)."""
        if self.swap is None and hasattr(self.retriever, "retrievers"):
            parts = zip(self.retriever.retrievers, index.indexes, strict=True)  # type: ignore[attr-defined]
            return {spec_of(r): functools.partial(lambda own: own, own) for r, own in parts}
        if self.swap is None and spec_of(self.retriever).startswith("bm25"):
            return {}
        swap = self.swap or make("retrievers", "bm25")
        return {spec_of(swap): lambda: swap.index(texts(), self.store, progress)}

    def signature(self, source: Mapping[str, Any]) -> str:
        """Everything that defines the ranking and its measures, on one line."""
        options = self.options
        parts = [
            str(source["chunker"]),
            f"context:{source['context']}",
            source["retriever"] if options.run else spec_of(self.retriever, full=True),
            *source.get("models", []),
            "words:lower-\\w+",
            f"budget:{options.budget}tok" if options.budget else f"k:{options.k}",
            f"copies:{options.copies}",
            "tau:1.0",
            "ties:position",
            f"seed:{options.seed}",
            f"version:{__version__}",
        ]
        return "|".join(parts)


def _models(retriever: Any) -> list[str]:
    """The models behind a retriever, nested ones too: name, hash of the files, precision."""
    nested = getattr(retriever, "retrievers", ()) or [getattr(retriever, "retriever", None)]
    own = [retriever.encoder.described] if hasattr(retriever, "encoder") else []
    return own + [name for r in nested if r is not None for name in _models(r)]


def _encoder(index: Any) -> Any:
    """The encoder of an index, or of the first part of it that has one."""
    if hasattr(index, "encoder"):
        return index.encoder
    return next((e for part in getattr(index, "indexes", ()) if (e := _encoder(part)) is not None), None)
