"""Where the results of rankings stand: as they say, else wherever their text does.

A text that stands in several places is in the prompt whichever of them it was cut from. So it counts at each of them: for each
query it is placed where it holds most of that query's evidence, which the other places then hold word for word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.records import Chunking, Corpus, Labels, StoredChunk
from ragdiag.search.runs import Ranking
from ragdiag.sources.naming import DocumentNames
from ragdiag.sources.places import Place, Placer, nearest_document

__all__ = ["PlacedRanking", "PlacedResult", "Standing", "rows_of"]


class PlacedResult(NamedTuple):
    """A result and its place, by the numbers of the documents that are audited; None where only its id says what it is."""

    chunk: StoredChunk
    place: Place | None
    score: float


class PlacedRanking(NamedTuple):
    """What one query retrieved, best first, as `runs.Ranking`."""

    query_id: str
    results: list[PlacedResult]
    failed: bool
    listed: bool = False
    stages: Mapping[str, list[PlacedResult]] = MappingProxyType({})


class Standing:
    """Places the results of one run, or of one search."""

    def __init__(self, whole: Corpus, corpus: Corpus, chunking: Chunking | None, labels: Labels | None) -> None:
        """`corpus` is `whole`, or the part of it that is audited; `chunking` and `labels` are of that part."""
        self._whole, self._names = whole, DocumentNames(whole)
        self._part = None if corpus is whole else {i: corpus.position.get(d.id, -1) for i, d in enumerate(whole.documents)}
        self._number = [whole.position[d.id] for d in corpus.documents]
        chunks = () if chunking is None else [(self._number[i], a, b) for i, a, b in rows_of(chunking)]
        self._placer, self._ids = Placer(whole, chunks), frozenset(chunking.ids if chunking is not None else ())
        self._evidence: dict[int, list[Place]] = {}
        self._several: dict[tuple[str, str], bool] = {}
        self._places: dict[StoredChunk, list[Place]] = {}
        if labels is not None:
            self._learn(labels)

    def ranking(self, ranking: Ranking, query: int | None) -> PlacedRanking:
        """A ranking for the query of that number, or for one of no label. Raises `InputError` for a result that is not there.

        A text that it repeats has its places in turn. Results of documents that are not audited are left out.
        """
        stages = {name: self._placed(chunks, [0.0] * len(chunks), query) for name, chunks in ranking.stages}
        results = self._placed(ranking.chunks, ranking.scores, query)
        return PlacedRanking(ranking.query_id, results, ranking.failed, ranking.listed, stages)

    def _placed(self, chunks: Sequence[StoredChunk], scores: Sequence[float], query: int | None) -> list[PlacedResult]:
        """The places of one list of results."""
        turns, results = Counter[tuple[str, Place]](), list[PlacedResult]()
        for chunk, score in zip(chunks, scores, strict=True):
            named = self._as_span(chunk)
            if named is None or (not named.doc_id and not named.text):
                results += [PlacedResult(named, None, score)] if named else []
                continue
            if named not in self._places:
                self._places[named] = self._placer.places(named)
            places = self._places[named]
            if len(places) > 1:
                key = named.text, places[0]
                places = self._best_first(named, places, query)
                places = [places[turns[key] % len(places)]]
                turns[key] += 1
            document, start, end = places[0]
            audited = document if self._part is None else self._part[document]
            results += [PlacedResult(chunk, (audited, start, end), score)] if audited >= 0 else []
        return results

    def notes(self) -> tuple[str, ...]:
        """A note on texts that stand in several places, and those of the placer."""
        notes = self._placer.notes()
        if not self._several:
            return notes
        (document, text), n = next(iter(self._several)), len(self._several)
        where = f" in {document}" if document else ""
        later = sum(self._several.values())
        taken = "each counts at all of them, taken for the first" + (f" or ({later} of them) where evidence is" if later else "")
        return (f"{n} retrieved texts stand in several places (the first: {text.strip()[:40]!r}{where}): {taken}", *notes)

    def _learn(self, labels: Labels) -> None:
        """Where each query's evidence is, or the documents that are relevant to it, in the whole corpus."""
        rows = labels.evidence
        for query, i, a, b in zip(*(c.tolist() for c in (rows.query, rows.document, rows.start, rows.end)), strict=True):
            self._evidence.setdefault(query, []).append((self._number[i], a, b))
        for query, grades in enumerate(labels.relevant):
            documents = [self._number[i] for i, grade in grades.items() if grade > 0]
            self._evidence.setdefault(query, []).extend((i, 0, len(self._whole.documents[i].text)) for i in documents)

    def _best_first(self, chunk: StoredChunk, places: Sequence[Place], query: int | None) -> list[Place]:
        """The places at which a chunk may stand, those that hold most of the query's evidence first; without one, of any's."""
        evidence = chain(*self._evidence.values()) if query is None else self._evidence.get(query, ())
        held = list(evidence)
        shared = {place: sum(_shared(place, each) for each in held) for place in places}
        ordered = sorted(places, key=lambda place: -shared[place])
        key = chunk.doc_id, chunk.text
        self._several[key] = self._several.get(key, False) or ordered[0] != places[0]
        return ordered

    def _as_span(self, chunk: StoredChunk) -> StoredChunk | None:
        """A chunk with its document: by its fields, by an id ``doc#start-end``, or as a whole document.

        One that is named by an id of the chunks alone is given back without a document; None for one that is of no document,
        where only a part of the corpus is audited.
        """
        bare = chunk.start is None and not chunk.text
        if chunk.doc_id and not bare:
            return chunk
        if chunk.id in self._ids:
            return StoredChunk(chunk.id, file=chunk.file, line=chunk.line)
        if chunk.text:
            return chunk
        return self._by_name(chunk)

    def _by_name(self, chunk: StoredChunk) -> StoredChunk | None:
        """A chunk that a name is all there is of: a document's, or ``doc#start-end``."""
        name = chunk.id or chunk.doc_id
        if name in self._names and chunk.doc_id in ("", name):
            document = self._whole.documents[self._names.position(name) or 0]
            return replace(chunk, doc_id=document.id, start=0, end=len(document.text))
        document_id, _, span = name.rpartition("#")
        if document_id in self._names and chunk.doc_id in ("", document_id) and re.fullmatch(r"[0-9]{1,15}-[0-9]{1,15}", span):
            start, _, end = span.partition("-")
            return replace(chunk, doc_id=document_id, text="", start=int(start), end=int(end))
        if self._part is not None:
            return None
        message = f"unknown chunk {name!r}{nearest_document(name, self._whole)}"
        remedy = "name documents, chunks as doc#start-end, or ids of the --chunks file"
        raise InputError(message, chunk.file, chunk.line, remedy)


def _shared(one: Place, other: Place) -> int:
    """Characters that two places share."""
    return max(0, min(one[2], other[2]) - max(one[1], other[1])) if one[0] == other[0] else 0


def rows_of(chunking: Chunking) -> list[Place]:
    """Each chunk's document, start and end."""
    return list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
