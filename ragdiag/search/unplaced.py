"""Results of a search whose text is of no document as it is now: kept, each as a document of its own, since they take places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ragdiag.core.records import Chunking, Corpus, Document, StoredChunk
from ragdiag.search.runs import Ranking
from ragdiag.search.stages import Stage
from ragdiag.sources.foreign import beside, sorted_out

__all__ = ["Kept", "kept"]


class Kept(NamedTuple):
    """Rankings all of whose texts have a document, with the documents added for it, and notes on them."""

    rankings: list[Ranking]
    documents: tuple[Document, ...]
    notes: tuple[str, ...]

    def within(self, corpus: Corpus) -> Corpus:
        """`corpus` with these documents behind its own."""
        return replace(corpus, documents=(*corpus.documents, *self.documents))

    def beside(self, chunking: Chunking, corpus: Corpus) -> Chunking:
        """`chunking` with a chunk for each of these documents, the last ones of `corpus`."""
        first = len(corpus.documents) - len(self.documents)
        return beside(chunking, first, self.documents, [document.id for document in self.documents] if chunking.ids else [])


def kept(rankings: Sequence[Ranking], corpus: Corpus) -> Kept:
    """`rankings` with a document for each text that `corpus` does not hold; see `foreign.sorted_out`, also for what it raises.

    A result that names its document and its place, and has no text, has to be there: it stays as it is.
    """
    texts = list(dict.fromkeys(c for r in rankings for c in _chunks(r) if c.text))
    known = sorted_out([replace(chunk, id=str(n)) for n, chunk in enumerate(texts)], corpus)
    documents = tuple(Document(f"result {n}", c.text, foreign=kind) for n, (c, kind) in enumerate(known.foreign, 1))
    instead: dict[StoredChunk, StoredChunk] = {}
    for placed in known.placed:
        given = texts[int(placed.id)]
        if placed.text != given.text:  # found elsewhere than as it says
            instead[given] = replace(placed, id=given.id)
    for document, (chunk, _) in zip(documents, known.foreign, strict=True):
        given = texts[int(chunk.id)]
        instead[given] = StoredChunk(given.id, document.id, "", 0, len(document.text), given.file, given.line)
    return Kept([_replaced(r, instead) for r in rankings], documents, known.notes)


def _chunks(ranking: Ranking) -> Iterator[StoredChunk]:
    yield from ranking.chunks
    for stage in ranking.stages:
        yield from stage.chunks


def _replaced(ranking: Ranking, instead: Mapping[StoredChunk, StoredChunk]) -> Ranking:
    chunks = tuple(instead.get(chunk, chunk) for chunk in ranking.chunks)
    stages = tuple(Stage(name, tuple(instead.get(c, c) for c in held)) for name, held in ranking.stages)
    return ranking._replace(chunks=chunks, stages=stages)
