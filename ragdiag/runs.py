"""The team's own ranking: a TREC run, or JSONL with the spans that were retrieved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.errors import InputError
from ragdiag.files import field, read_jsonl, read_text
from ragdiag.places import Placer, from_spans
from ragdiag.records import Chunking, Corpus, Query, Run, StoredChunk

__all__ = ["Ranking", "bind", "read_run"]


class Ranking(NamedTuple):
    """What one query retrieved, best first; `failed` where the file records an error instead."""

    query_id: str
    chunks: tuple[StoredChunk, ...]
    scores: tuple[float, ...]
    failed: bool
    line: int


def read_run(path: Path) -> list[Ranking]:
    """Read a run, by its form: JSON objects on lines, or TREC's six columns. Raises `InputError` with file and line."""
    text = read_text(path)
    first = text.lstrip()[:1]
    rankings = list(_jsonl(path)) if first == "{" else list(_trec(text, path))
    if not rankings:
        raise InputError("has no rankings", path, remedy="write a TREC run, or JSONL with query_id and retrieved")
    seen: dict[str, int] = {}
    for ranking in rankings:
        if ranking.query_id in seen:
            message = f"query {ranking.query_id!r} is ranked twice, first at line {seen[ranking.query_id]}"
            raise InputError(message, path, ranking.line, "keep one ranking a query")
        seen[ranking.query_id] = ranking.line
    return rankings


def _jsonl(path: Path) -> Iterator[Ranking]:
    for line, record in read_jsonl(path):
        query_id = str(field(record, ("query_id", "_id"), (str, int), path, line))
        failed = bool(record.get("error"))
        items = field(record, ("retrieved",), list, path, line) if not failed or "retrieved" in record else []
        chunks = [_item(item, path, line) for item in items]
        order, scores = _order(items, path, line)
        yield Ranking(query_id, tuple(chunks[i] for i in order), tuple(scores), failed, line)


def _item(item: Any, path: Path, line: int) -> StoredChunk:
    if not isinstance(item, dict):
        raise InputError("each retrieved item must be an object", path, line, 'write {"doc_id", "start", "end"}')
    name = str(item.get("chunk_id", ""))
    offsets = "start" in item or "end" in item
    return StoredChunk(
        id=name,
        doc_id=str(field(item, ("doc_id",), (str, int), path, line)) if "doc_id" in item or not name else "",
        text=field(item, ("text",), str, path, line) if "text" in item else "",
        start=field(item, ("start",), int, path, line) if offsets else None,
        end=field(item, ("end",), int, path, line) if offsets else None,
        file=str(path),
        line=line,
    )


def _order(items: Sequence[Mapping[str, Any]], path: Path, line: int) -> tuple[list[int], list[float]]:
    """By rank where given, else by score, else as listed; a mixture is an error."""
    for key, sign in (("rank", 1), ("score", -1)):
        given = [key in item for item in items]
        if all(given) and items:
            values = [float(field(dict(item), (key,), (int, float), path, line)) for item in items]
            order = sorted(range(len(items)), key=lambda i: sign * values[i])
            scores = [float(field(dict(items[i]), ("score",), (int, float), path, line)) if "score" in items[i] else -float(n)
                      for n, i in enumerate(order)]  # fmt: skip
            return order, scores
        if any(given):
            raise InputError(f"some retrieved items have a {key}, others have none", path, line, "give it for all or for none")
    return list(range(len(items))), [-float(n) for n in range(len(items))]


def _trec(text: str, path: Path) -> Iterator[Ranking]:
    rows: dict[str, list[tuple[float, int, str, int]]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        columns = line.split()
        if not columns:
            continue
        try:
            query_id, _, name, rank, score, _ = columns
            row = (-float(score), int(rank), name, number)
        except ValueError as e:
            raise InputError(
                "is not a TREC run: six columns, query Q0 document rank score tag", path, number, "mend that line"
            ) from e
        if not np.isfinite(row[0]):
            raise InputError(f"score {score} is not a number", path, number, "mend that line")
        rows.setdefault(query_id, []).append(row)
    for query_id, ranked in rows.items():
        # trec_eval goes by score, not by the rank column.
        ranked.sort(key=lambda row: row[:2])
        chunks = tuple(StoredChunk(id=name, file=str(path), line=number) for _, _, name, number in ranked)
        yield Ranking(query_id, chunks, tuple(-score for score, *_ in ranked), False, min(r[3] for r in ranked))


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
    known = [_within(r, corpus) if partial else r for r in rankings if r.query_id in position]
    ids = frozenset(chunking.ids if chunking is not None else ())
    chunking, where = _positions([_as_span(c, corpus, ids) for r in known for c in r.chunks], corpus, chunking)
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
    return Bound(chunking, Run(chunks, scores, failed), [f"{n} {what}" for n, what in counts if n])


def _within(ranking: Ranking, corpus: Corpus) -> Ranking:
    kept = [i for i, c in enumerate(ranking.chunks) if (c.doc_id or c.id.rpartition("#")[0] or c.id) in corpus.position]
    return ranking._replace(chunks=tuple(ranking.chunks[i] for i in kept), scores=tuple(ranking.scores[i] for i in kept))


def _as_span(chunk: StoredChunk, corpus: Corpus, ids: Set[str]) -> StoredChunk:
    """A chunk that a run names, with its document: by its fields, by an id ``doc#start-end``, or as a whole document."""
    if chunk.id in ids and not chunk.doc_id:
        return chunk
    document, _, span = chunk.id.rpartition("#")
    start, _, end = span.partition("-")
    whole = chunk.doc_id or chunk.id
    if chunk.doc_id and (chunk.start is not None or chunk.text):
        return chunk
    if not chunk.doc_id and document in corpus.position and start.isdigit() and end.isdigit():
        return StoredChunk(chunk.id, document, "", int(start), int(end), chunk.file, chunk.line)
    if whole in corpus.position:
        return StoredChunk(chunk.id, whole, "", 0, len(corpus.documents[corpus.position[whole]].text), chunk.file, chunk.line)
    remedy = "name documents, chunks as doc#start-end, or ids of the --chunks file"
    raise InputError(f"unknown chunk {whole!r}", chunk.file, chunk.line, remedy)


def _positions(named: Sequence[StoredChunk], corpus: Corpus, chunking: Chunking | None) -> tuple[Chunking, list[int]]:
    """The chunking, and where in it each named chunk is."""
    # Runs repeat chunks from query to query, and the n-th repeat of a text is not its n-th place: each gets a fresh placer.
    spans = [Placer(corpus).span(c) if c.doc_id else None for c in named]
    if chunking is None:
        own = from_spans(sorted({s for s in spans if s}), [])
        chunking = Chunking(own.document, own.start, own.end, complete=False)
    rows = zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)
    by_span = {span: i for i, span in reversed(list(enumerate(rows)))}
    by_id = {name: i for i, name in enumerate(chunking.ids)}
    found = []
    for chunk, span in zip(named, spans, strict=True):
        at = by_span.get(span) if span else by_id.get(chunk.id)
        if at is None:
            raise InputError(
                f"chunk {chunk.id or chunk.doc_id!r} is not one of --chunks", chunk.file, chunk.line, "use one chunk set"
            )
        found.append(at)
    return chunking, found
