"""Rankings that name chunks, tied to the chunks of an audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.records import Chunking, Corpus, IntArray, Labels, Query, Run
from ragdiag.search.runs import Ranking
from ragdiag.search.standing import PlacedRanking, PlacedResult, Standing, rows_of
from ragdiag.sources.places import Place, from_spans

__all__ = ["Bound", "bind", "distinct"]


class Bound(NamedTuple):
    """A run tied to chunks, with notes on what did not fit the query set.

    `numbered` gives the chunks of any other ranking, best first, as often as it has them; it raises `InputError` for one that has
    another.
    """

    chunking: Chunking
    run: Run
    notes: tuple[str, ...]
    numbered: Callable[[Ranking], IntArray]


def bind(
    rankings: Sequence[Ranking],
    queries: Sequence[Query],
    corpus: Corpus,
    chunking: Chunking | None,
    whole: Corpus | None = None,
    labels: Labels | None = None,
    context: int = 0,
) -> Bound:
    """Tie each ranking to chunks: those of `chunking`, else the ones the run itself names.

    A document named alone stands for all of it. Raises `InputError` for a chunk that is not there; where `corpus` is a part of a
    `whole`, chunks of documents left out are left out too. A text that stands in several places counts at each: it is placed
    where it has most of the query's evidence, by `labels`. Repeats in a ranking are removed, the first kept; one that repeats
    something within a `context` of so many results has no more than these. A query that the run does not have retrieves nothing
    and is scored so.
    """
    position = {query.id: i for i, query in enumerate(queries)}
    known = [r for r in rankings if r.query_id in position]
    if not known and whole is None:
        message = f"none of its {len(rankings)} queries is in the query set (the first is {rankings[0].query_id!r})"
        raise InputError(message, rankings[0].file, rankings[0].line, "give the run of these queries")
    standing = Standing(whole or corpus, corpus, chunking, labels)
    placed = [standing.ranking(r, position[r.query_id]) for r in known]
    if chunking is None:
        named = from_spans(sorted({r.place for r in _results(placed) if r.place}), [])
        chunking = Chunking(named.document, named.start, named.end, complete=False)
    number = _Numbers(chunking)
    run, repeated = _columns(placed, map(number, _results(placed)), position, context)
    notes = _notes(len(rankings) - len(known), len(queries) - len(known), repeated, _new(run))

    def numbered(ranking: Ranking) -> IntArray:
        results = standing.ranking(ranking, None).results
        return np.array(list(map(number, results)), dtype=np.int64)

    return Bound(chunking, run, (*notes, *standing.notes()), numbered)


def _results(rankings: Iterable[PlacedRanking]) -> Iterator[PlacedResult]:
    """All that is ranked, each ranking followed by its stages."""
    for ranking in rankings:
        for held in (ranking.results, *ranking.stages.values()):
            yield from held


def _new(run: Run) -> int:
    """Chunks of later stages that no earlier one has, of all queries."""
    new = 0
    for stages in run.stages.values():
        (first, *later), earlier = (set(chunks.tolist()) for chunks in stages.values()), set[int]()
        earlier |= first
        for chunks in later:
            new += len(chunks - earlier)
            earlier |= chunks
    return new


def _notes(unknown: int, missing: int, repeated: int, new: int) -> Iterable[str]:
    counts = (
        (unknown, "queries of the run are not in the query set: left out"),
        (missing, "queries are not in the run: they retrieve nothing and score 0"),
        (repeated, "repeated chunks in rankings: removed"),
        (new, "chunks of later stages are in no earlier one: kept"),
    )
    return (f"{n} {what}" for n, what in counts if n)


def distinct(chunks: IntArray, context: int) -> IntArray:
    """Each chunk of a ranking once; only those of its first `context` results where these repeat one: so many are handed over."""
    first = np.array(list(dict.fromkeys(chunks[:context].tolist())), dtype=np.int64)
    whole = len(first) == len(chunks[:context])
    return np.array(list(dict.fromkeys(chunks.tolist())), dtype=np.int64) if whole else first


def _columns(
    rankings: Sequence[PlacedRanking], chunks: Iterable[int], position: Mapping[str, int], context: int
) -> tuple[Run, int]:
    """A row for each query, and how many repeated chunks are left out; `chunks` are those of all rankings in turn."""
    depth = max((len(r.results) for r in rankings), default=0) or 1
    run = Run(np.full((len(position), depth), -1, dtype=np.int64), np.full((len(position), depth), -np.inf))
    following, repeated = iter(chunks), 0
    stages: dict[int, dict[str, IntArray]] = {}
    for ranking in rankings:
        score_of = _scores(ranking, following, context)
        repeated += len(ranking.results) - len(score_of)
        row = position[ranking.query_id]
        for name, results in ranking.stages.items():
            held = dict.fromkeys(next(following) for _ in results)
            stages.setdefault(row, {})[name] = np.array(list(held), dtype=np.int64)
        run.chunks[row, : len(score_of)] = list(score_of)
        run.scores[row, : len(score_of)] = list(score_of.values())
    failed = tuple(sorted(position[r.query_id] for r in rankings if r.failed))
    listed = tuple(sorted(position[r.query_id] for r in rankings if r.listed))
    return replace(run, failed=failed, listed=listed, stages=stages), repeated


def _scores(ranking: PlacedRanking, following: Iterator[int], context: int) -> dict[int, float]:
    """The chunks of a ranking, best first, each with the score of its first place."""
    scored = [(next(following), result.score) for result in ranking.results]
    score_of = dict(reversed(scored))
    return {c: score_of[c] for c in distinct(np.array([c for c, _ in scored], dtype=np.int64), context).tolist()}


class _Numbers:
    """The number in a chunking of each result, by its place, else by its id."""

    def __init__(self, chunking: Chunking) -> None:
        self._by_span: dict[Place, int] = {}
        for i, span in enumerate(rows_of(chunking)):
            self._by_span.setdefault(span, i)
        self._by_id = {name: i for i, name in enumerate(chunking.ids)}

    def __call__(self, result: PlacedResult) -> int:
        """Raises `InputError` where it is none of the chunks."""
        chunk = result.chunk
        number = self._by_span.get(result.place) if result.place else self._by_id.get(chunk.id)
        if number is None:
            message = f"chunk {chunk.id or chunk.doc_id!r} is not one of --chunks"
            raise InputError(message, chunk.file, chunk.line, "use one chunk set")
        return number
