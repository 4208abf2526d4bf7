"""Rankings that name chunks, tied to the chunks of an audit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.records import Chunking, Corpus, Query, Run, StoredChunk
from ragdiag.search.runs import Ranking
from ragdiag.sources.places import Place, Placer, from_spans, nearest_document

__all__ = ["Bound", "bind"]


class Bound(NamedTuple):
    """A run tied to chunks, with notes on what did not fit the query set."""

    chunking: Chunking
    run: Run
    notes: tuple[str, ...]


def bind(
    rankings: Sequence[Ranking], queries: Sequence[Query], corpus: Corpus, chunking: Chunking | None, partial: bool = False
) -> Bound:
    """Tie each ranking to chunks: those of `chunking`, else the ones the run itself names.

    A document named alone stands for all of it. Raises `InputError` for a chunk that is not there, except in a `partial` corpus,
    where chunks of documents left out are left out too. Repeats in a ranking are removed, the first kept. A query that the run
    does not have retrieves nothing and is scored so.
    """
    position = {query.id: i for i, query in enumerate(queries)}
    ids = frozenset(chunking.ids if chunking is not None else ())
    known = [_within(r, corpus, ids) if partial else r for r in rankings if r.query_id in position]
    if not known and not partial:
        message = f"none of its {len(rankings)} queries is in the query set (the first is {rankings[0].query_id!r})"
        raise InputError(message, rankings[0].file, rankings[0].line, "give the run of these queries")
    placed = _placed([[_as_span(c, corpus, ids) for c in r.chunks] for r in known], corpus, chunking)
    run, repeated = _columns(known, placed.chunks, position)
    counts = (
        (len(rankings) - len(known), "queries of the run are not in the query set: left out"),
        (len(queries) - len(known), "queries are not in the run: they retrieve nothing and score 0"),
        (repeated, "repeated chunks in rankings: removed"),
    )
    return Bound(placed.chunking, run, (*(f"{n} {what}" for n, what in counts if n), *placed.notes))


def _columns(rankings: Sequence[Ranking], chunks: Iterable[int], position: Mapping[str, int]) -> tuple[Run, int]:
    """A row for each query, and how many repeated chunks are left out; `chunks` are those of all rankings in turn."""
    depth = max((len(r.chunks) for r in rankings), default=0) or 1
    run = Run(np.full((len(position), depth), -1, dtype=np.int64), np.full((len(position), depth), -np.inf))
    following, repeated = iter(chunks), 0
    for ranking in rankings:
        score_of = dict[int, float]()
        for score in ranking.scores:
            score_of.setdefault(next(following), score)
        repeated += len(ranking.chunks) - len(score_of)
        row = position[ranking.query_id]
        run.chunks[row, : len(score_of)] = list(score_of)
        run.scores[row, : len(score_of)] = list(score_of.values())
    failed = tuple(sorted(position[r.query_id] for r in rankings if r.failed))
    listed = tuple(sorted(position[r.query_id] for r in rankings if r.listed))
    return replace(run, failed=failed, listed=listed), repeated


def _within(ranking: Ranking, corpus: Corpus, ids: Set[str]) -> Ranking:
    """A ranking without the chunks of documents that are not in the corpus."""

    def stays(chunk: StoredChunk) -> bool:
        return chunk.id in ids or bool({chunk.doc_id, chunk.id.rpartition("#")[0], chunk.id} & corpus.position.keys())

    ranks = [i for i, chunk in enumerate(ranking.chunks) if stays(chunk)]
    return ranking._replace(chunks=tuple(ranking.chunks[i] for i in ranks), scores=tuple(ranking.scores[i] for i in ranks))


def _as_span(chunk: StoredChunk, corpus: Corpus, ids: Set[str]) -> StoredChunk:
    """A chunk that a run names, with its document: by its fields, by an id ``doc#start-end``, or as a whole document.

    One that is named by an id of `ids` alone is given back without a document.
    """
    bare = chunk.start is None and not chunk.text
    if chunk.doc_id and not bare:
        return chunk
    if chunk.id in ids:
        return replace(chunk, doc_id="")
    name = chunk.id or chunk.doc_id
    if bare and name in corpus.position and chunk.doc_id in ("", name):
        return replace(chunk, doc_id=name, start=0, end=len(corpus.documents[corpus.position[name]].text))
    document, _, span = name.rpartition("#")
    if document in corpus.position and chunk.doc_id in ("", document) and re.fullmatch(r"[0-9]{1,15}-[0-9]{1,15}", span):
        start, _, end = span.partition("-")
        return replace(chunk, doc_id=document, text="", start=int(start), end=int(end))
    message = f"unknown chunk {name!r}{nearest_document(name, corpus)}"
    raise InputError(message, chunk.file, chunk.line, "name documents, chunks as doc#start-end, or ids of the --chunks file")


class _PlacedRankings(NamedTuple):
    """A chunking, the numbers in it of the chunks of all rankings in turn, and notes on guesses."""

    chunking: Chunking
    chunks: list[int]
    notes: tuple[str, ...]


def _placed(rankings: Sequence[Sequence[StoredChunk]], corpus: Corpus, chunking: Chunking | None) -> _PlacedRankings:
    """Where in `chunking`, else in a chunking of what they name, the chunks of rankings are."""
    placer, spans = Placer(corpus, () if chunking is None else _rows(chunking)), list[Place | None]()
    for ranking in rankings:  # rankings repeat chunks: in each, the first of a text has its first place
        placer.start_over()
        spans += [placer.span(c) if c.doc_id else None for c in ranking]
    if chunking is None:
        named = from_spans(sorted({s for s in spans if s}), [])
        chunking = Chunking(named.document, named.start, named.end, complete=False)
    numbers = _numbers([c for ranking in rankings for c in ranking], spans, chunking)
    return _PlacedRankings(chunking, numbers, placer.notes())


def _numbers(chunks: Sequence[StoredChunk], places: Sequence[Place | None], chunking: Chunking) -> list[int]:
    """The number in `chunking` of each chunk, by its place, else by its id. Raises `InputError` for one that is not there."""
    by_span: dict[Place, int] = {}
    for i, span in enumerate(_rows(chunking)):
        by_span.setdefault(span, i)
    by_id = {name: i for i, name in enumerate(chunking.ids)}
    numbers = []
    for chunk, place in zip(chunks, places, strict=True):
        number = by_span.get(place) if place else by_id.get(chunk.id)
        if number is None:
            message = f"chunk {chunk.id or chunk.doc_id!r} is not one of --chunks"
            raise InputError(message, chunk.file, chunk.line, "use one chunk set")
        numbers.append(number)
    return numbers


def _rows(chunking: Chunking) -> list[Place]:
    return list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
