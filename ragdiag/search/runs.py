"""The team's own ranking: a TREC run, or JSONL with the spans that were retrieved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.files import field, read_jsonl, read_text
from ragdiag.core.records import Chunking, Corpus, Query, Run, StoredChunk
from ragdiag.core.writing import json_lines
from ragdiag.search.orders import Directions
from ragdiag.sources.fields import Fields
from ragdiag.sources.places import CHUNK, Place, Placer, from_spans, nearest_document, stored_chunk

__all__ = ["Ranking", "bind", "read_run", "run_lines"]


class Ranking(NamedTuple):
    """What one query retrieved, best first; `failed` where the file records an error instead."""

    query_id: str
    chunks: tuple[StoredChunk, ...]
    scores: tuple[float, ...]
    failed: bool
    file: str
    line: int


FIELDS = ("query_id", "_id", "retrieved", "error")
ORDER = ("rank", "score")
"""What says where a chunk stands in a ranking."""


def read_run(path: Path, notes: list[str] | None = None) -> list[Ranking]:
    """Read a run, by its form: JSON objects on lines, or TREC's six columns. Raises `InputError` with file and line.

    A score is the better the higher it is. So a run whose scores rise in most rankings, as listed or by rank, is refused: those
    are distances, and to sort them would turn each ranking round. `notes` are told of a few such rankings.
    """
    text = read_text(path)
    first = text.lstrip()[:1]
    if first == "[":
        raise InputError("is one JSON list, not JSON Lines", path, 1, 'write one {"query_id", "retrieved"} per line')
    orders = _Orders(path, trec=first != "{")
    rankings = list(_jsonl(path, orders)) if first == "{" else list(_trec(text, path, orders))
    if not rankings:
        raise InputError("has no rankings", path, remedy="write a TREC run, or JSONL with query_id and retrieved")
    seen: dict[str, int] = {}
    for ranking in rankings:
        if ranking.query_id in seen:
            message = f"query {ranking.query_id!r} is ranked twice, first at line {seen[ranking.query_id]}"
            raise InputError(message, path, ranking.line, "keep one ranking a query")
        seen[ranking.query_id] = ranking.line
    told = orders.told()
    if notes is not None:
        notes += told
    return rankings


class _Orders:
    """Which way the scores of a run go, and whether its ranks agree with them."""

    def __init__(self, path: Path, trec: bool) -> None:
        self._path, self._trec = path, trec
        self.by_score = Directions()  # of rankings that go by their scores: as they stand, or by their ranks
        self.by_rank = Directions()  # of rankings that go by their ranks

    def told(self) -> list[str]:
        """Notes on them. Raises `InputError` where most of those that go by their scores rise."""
        rising, total = self.by_score.rising, self.by_score.total
        if 2 * rising > total:
            message = f"scores rise down {rising} of {total} rankings: distances? A score is the better the higher it is"
            remedy = "negate them" if self._trec else "give rank, leave score out, or negate it"
            raise InputError(message, self._path, self.by_score.first, remedy)
        counts = (
            (rising, total, "rankings have scores that rise as they stand: the highest is taken for the best"),
            (self.by_rank.neither, self.by_rank.total, "rankings have ranks and scores that disagree: the ranks count"),
            (self._trec and self.by_score.neither, total, "rankings have ranks and scores that disagree: the scores count"),
        )
        return [f"{n} of {of} {what}" for n, of, what in counts if n]


def _jsonl(path: Path, orders: _Orders) -> Iterator[Ranking]:
    with Fields(path) as fields:
        for line, record in read_jsonl(path):
            fields.look(record, FIELDS, line)
            yield _ranking(record, fields, path, line, orders)


def _ranking(record: dict[str, Any], fields: Fields, path: Path, line: int, orders: _Orders) -> Ranking:
    query_id = str(field(record, ("query_id", "_id"), (str, int), path, line))
    if record.get("error"):
        return Ranking(query_id, (), (), True, str(path), line)
    items = field(record, ("retrieved",), list, path, line)
    if not all(isinstance(item, dict) for item in items):
        raise InputError("each retrieved item must be an object", path, line, 'write {"doc_id", "start", "end"}')
    for item in items:
        fields.look(item, (*CHUNK, *ORDER), line, "retrieved", known=("metadata", "meta"))
    chunks = [stored_chunk(item, path, line, named=True) for item in items]
    order, scores = _order(items, path, line, orders)
    return Ranking(query_id, tuple(chunks[i] for i in order), tuple(scores), False, str(path), line)


def run_lines(rankings: Iterable[Ranking]) -> bytes:
    """`rankings` as the JSON Lines that `read_run` reads."""
    lines: list[dict[str, object]] = []
    for ranking in rankings:
        items = [{"chunk_id": c.id, "doc_id": c.doc_id, "start": c.start, "end": c.end} for c in ranking.chunks]
        retrieved = [{name: value for name, value in item.items() if value not in ("", None)} for item in items]
        found = {"error": "failed"} if ranking.failed else {"retrieved": retrieved}
        lines.append({"query_id": ranking.query_id, **found})
    return json_lines(lines, ascii_only=True)


def _order(items: Sequence[Mapping[str, Any]], path: Path, line: int, orders: _Orders) -> tuple[list[int], list[float]]:
    """By rank where given, else by score, else as listed; a mixture is an error, and so is a rank that two have."""
    columns = {key: values for key in ORDER if (values := _column(items, key, path, line))}
    order, ranks, scores = list(range(len(items))), columns.get("rank"), columns.get("score")
    if ranks:
        order.sort(key=ranks.__getitem__)
        twice = next((ranks[b] for a, b in pairwise(order) if ranks[a] == ranks[b]), None)
        if twice is not None:
            raise InputError(f"two results have rank {twice:g}", path, line, "number them 1, 2, 3 and so on")
    if scores and ranks:
        orders.by_rank = orders.by_rank.and_of([scores[i] for i in order], line)
    elif scores:
        orders.by_score = orders.by_score.and_of(scores, line)
        order.sort(key=lambda i: -scores[i])
    return order, [scores[i] for i in order] if scores else [-float(n) for n in range(len(items))]


def _column(items: Sequence[Mapping[str, Any]], key: str, path: Path, line: int) -> list[float]:
    """What all items have under `key`; nothing where none has it."""
    given = [dict(item) for item in items if item.get(key) is not None]
    if given and len(given) < len(items):
        raise InputError(f"some retrieved items have a {key}, others have none", path, line, "give it for all or for none")
    return [float(field(item, (key,), (int, float), path, line)) for item in given]


def _trec(text: str, path: Path, orders: _Orders) -> Iterator[Ranking]:
    rows: dict[str, list[tuple[float, int, str, int]]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        columns = line.split()
        if not columns:
            continue
        if len(columns) != 6:
            wanted = "is not a TREC run, query Q0 document rank score tag, nor JSONL"
            raise InputError(f"{wanted}: {len(columns)} columns, not 6", path, number, "mend that line")
        query_id, _, name, rank, score, _ = columns
        try:
            row = (-float(score), int(rank), name, number)
        except ValueError as e:
            raise InputError(f"rank {rank!r} or score {score!r} is not a number", path, number, "mend that line") from e
        if not np.isfinite(row[0]):
            raise InputError(f"score {score} is not a finite number", path, number, "mend that line")
        rows.setdefault(query_id, []).append(row)
    for query_id, ranked in rows.items():
        # trec_eval goes by score, not by the rank column; that tells whether the scores are distances.
        if len({rank for _, rank, *_ in ranked}) == len(ranked):
            listed = sorted(ranked, key=lambda row: row[1])
            orders.by_score = orders.by_score.and_of([-row[0] for row in listed], listed[0][3])
        ranked.sort(key=lambda row: row[:2])
        chunks = tuple(StoredChunk(id=name, file=str(path), line=number) for _, _, name, number in ranked)
        yield Ranking(query_id, chunks, tuple(-score for score, *_ in ranked), False, str(path), min(r[3] for r in ranked))


class Bound(NamedTuple):
    """A run tied to chunks, with notes on what did not fit the query set."""

    chunking: Chunking
    run: Run
    notes: list[str]


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
    chunking, where, guesses = _positions([[_as_span(c, corpus, ids) for c in r.chunks] for r in known], corpus, chunking)
    depth = max((len(r.chunks) for r in known), default=0) or 1
    chunks = np.full((len(queries), depth), -1, dtype=np.int64)
    scores = np.full((len(queries), depth), -np.inf)
    at = repeated = 0
    for ranking in known:
        row, seen = position[ranking.query_id], dict[int, float]()
        for chunk, score in zip(where[at : at + len(ranking.chunks)], ranking.scores, strict=True):
            seen.setdefault(chunk, score)
        at += len(ranking.chunks)
        repeated += len(ranking.chunks) - len(seen)
        chunks[row, : len(seen)] = list(seen)
        scores[row, : len(seen)] = list(seen.values())
    failed = tuple(sorted(position[r.query_id] for r in known if r.failed))
    counts = (
        (len(rankings) - len(known), "queries of the run are not in the query set: left out"),
        (len(queries) - len(known), "queries are not in the run: they retrieve nothing and score 0"),
        (repeated, "repeated chunks in rankings: removed"),
    )
    return Bound(chunking, Run(chunks, scores, failed), [f"{n} {what}" for n, what in counts if n] + guesses)


def _within(ranking: Ranking, corpus: Corpus, ids: Set[str]) -> Ranking:
    """A ranking without the chunks of documents that are not in the corpus."""

    def stays(chunk: StoredChunk) -> bool:
        return chunk.id in ids or bool({chunk.doc_id, chunk.id.rpartition("#")[0], chunk.id} & corpus.position.keys())

    kept = [i for i, chunk in enumerate(ranking.chunks) if stays(chunk)]
    return ranking._replace(chunks=tuple(ranking.chunks[i] for i in kept), scores=tuple(ranking.scores[i] for i in kept))


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


def _positions(
    rankings: Sequence[Sequence[StoredChunk]], corpus: Corpus, chunking: Chunking | None
) -> tuple[Chunking, list[int], list[str]]:
    """The chunking, where in it each chunk that rankings name is, and notes on guesses."""
    rows = (
        [] if chunking is None else zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)
    )
    by_span = {span: i for i, span in reversed(list(enumerate(rows)))}
    placer, spans = Placer(corpus, by_span), list[Place | None]()
    for ranking in rankings:  # rankings repeat chunks: in each, the first of a text has its first place
        placer.start_over()
        spans += [placer.span(c) if c.doc_id else None for c in ranking]
    if chunking is None:
        own = from_spans(sorted({s for s in spans if s}), [])
        chunking = Chunking(own.document, own.start, own.end, complete=False)
        rows = zip(own.document.tolist(), own.start.tolist(), own.end.tolist(), strict=True)
        by_span = {span: i for i, span in enumerate(rows)}
    by_id = {name: i for i, name in enumerate(chunking.ids)}
    found = []
    for chunk, span in zip((c for ranking in rankings for c in ranking), spans, strict=True):
        at = by_span.get(span) if span else by_id.get(chunk.id)
        if at is None:
            message = f"chunk {chunk.id or chunk.doc_id!r} is not one of --chunks"
            raise InputError(message, chunk.file, chunk.line, "use one chunk set")
        found.append(at)
    return chunking, found, placer.notes()
