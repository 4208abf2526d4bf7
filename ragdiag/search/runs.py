"""Recorded runs: TREC runs, or JSONL with the spans that were retrieved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.files import field, read_jsonl, read_text
from ragdiag.core.records import StoredChunk
from ragdiag.core.writing import json_lines
from ragdiag.search.orders import Directions
from ragdiag.search.stages import Stage, linked, no_list, stage_lists
from ragdiag.sources.fields import Fields
from ragdiag.sources.stored import BESIDE, CHUNK, record_of, stored_chunk

__all__ = ["CUT_SHARE", "Ranking", "Rankings", "cut_short", "read_run", "run_lines"]


class Ranking(NamedTuple):
    """What one query retrieved, best first; `failed` where the file records an error instead.

    `listed`: somebody states the order, by ranks or as a list, so that equal scores are no ties. `stages` are those of the
    pipeline that the file has, in order; `chunks` are then those of the last.
    """

    query_id: str
    chunks: tuple[StoredChunk, ...]
    scores: tuple[float, ...]
    failed: bool
    file: str
    line: int
    listed: bool = False
    stages: tuple[Stage, ...] = ()

    @classmethod
    def of_stages(cls, query_id: str, stages: Mapping[str, tuple[StoredChunk, ...]], file: str, line: int) -> Ranking:
        """The ranking that the last of `stages`, which are in order, is."""
        known = linked(stages)
        chunks = known[-1].chunks
        scores = tuple(0.0 - n for n in range(len(chunks)))
        return cls(query_id, chunks, scores, False, file, line, listed=True, stages=known)


class Rankings(NamedTuple):
    """What a recorded run, or a search, ranks for its queries, and notes on what had to be guessed or left out."""

    rankings: list[Ranking]
    notes: tuple[str, ...]


CUT_SHARE = 0.9
"""From this share of rankings that are of one length, which none exceeds, something has cut them to it."""


def cut_short(rankings: Sequence[Ranking], depth: int, chunks: int, recorded: bool) -> Iterator[str]:
    """A note where rankings end all at the same number of results, fewer than the `depth` that measures look at.

    `chunks` are those that all rankings name together: where one ranking names them all, there are no more. A `recorded` run may
    be of an application that uses no more than it recorded; a search was asked for more. Where
    stages are known, so is what cut them.
    """
    lengths = [len(r.chunks) for r in rankings if not r.failed and not r.stages]
    most = max(lengths, default=0)
    at_most = sum(n == most for n in lengths)
    if not 0 < most < min(depth, chunks) or len(lengths) < 2 or at_most < CUT_SHARE * len(lengths):
        return
    how_many = "every ranking has exactly" if at_most == len(lengths) else f"{at_most} of {len(lengths)} rankings have exactly"
    more = "" if at_most == len(lengths) else ", none has more"
    asked = "" if recorded else f", and {depth} were asked for"
    results = "1 result" if most == 1 else f"{most} results"
    yield f"{how_many} {results}{more}{asked}: cut by the framework's own k? Measures at {depth} see no more than {most}"


FIELDS = ("query_id", "_id", "retrieved", "error")
STAGED = ("query_id", "_id", "stages", "error")
ORDER = ("rank", "score")
"""What says where a chunk stands in a ranking."""


def read_run(path: Path, ties: str = "expected") -> Rankings:
    """Read a run, by its form: JSON objects on lines, or TREC's six columns. Raises `InputError` with file and line.

    Of equal scores in TREC's form the lower rank comes first; with `ties` "id", as in trec_eval, the name that sorts last does.

    A score is the better the higher it is. So a run whose scores rise in most rankings, as listed or by rank, is refused: those
    are distances, and to sort them would turn each ranking round. Where few rise, a note says so.
    """
    text = read_text(path)
    first = text.lstrip()[:1]
    if first == "[":
        raise InputError("is one JSON list, not JSON Lines", path, 1, 'write one {"query_id", "retrieved"} per line')
    orders = _Orders(path, trec=first != "{")
    rankings = list(_jsonl(path, orders)) if first == "{" else list(_trec(text, path, orders, ties))
    if not rankings:
        raise InputError("has no rankings", path, remedy="write a TREC run, or JSONL with query_id and retrieved")
    line_of: dict[str, int] = {}
    for ranking in rankings:
        first_line = line_of.setdefault(ranking.query_id, ranking.line)
        if first_line != ranking.line:
            message = f"query {ranking.query_id!r} is ranked twice, first at line {first_line}"
            raise InputError(message, path, ranking.line, "keep one ranking a query")
    return Rankings(rankings, orders.notes())


class _Orders:
    """Which way the scores of a run go, and whether its ranks agree with them."""

    def __init__(self, path: Path, trec: bool) -> None:
        self._path, self._trec = path, trec
        self.by_score = Directions()  # of rankings that go by their scores: as they stand, or by their ranks
        self.by_rank = Directions()  # of rankings that go by their ranks

    def notes(self) -> tuple[str, ...]:
        """Notes on rankings that go another way than most. Raises `InputError` where most that go by their scores rise."""
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
        return tuple(f"{n} of {of} {what}" for n, of, what in counts if n)


def _jsonl(path: Path, orders: _Orders) -> Iterator[Ranking]:
    with Fields(path) as fields:
        for line, record in read_jsonl(path):
            staged = record.get("stages") is not None
            fields.look(record, STAGED if staged else FIELDS, line)
            yield (_staged if staged else _ranking)(record, fields, path, line, orders)


def _ranking(record: dict[str, Any], fields: Fields, path: Path, line: int, orders: _Orders) -> Ranking:
    query_id = str(field(record, ("query_id", "_id"), (str, int), path, line))
    if record.get("error"):
        return Ranking(query_id, (), (), True, str(path), line)
    items = field(record, ("retrieved",), list, path, line)
    chunks = _chunks(items, "retrieved", fields, path, line)
    order, scores = _order(items, path, line, orders)
    listed = any(item.get("rank") is not None for item in items) or len(set(scores)) == 1
    return Ranking(query_id, tuple(chunks[i] for i in order), tuple(scores), False, str(path), line, listed)


def _chunks(items: Sequence[Any], where: str, fields: Fields, path: Path, line: int) -> list[StoredChunk]:
    """The chunks of a list of results, as listed."""
    if not all(isinstance(item, dict) for item in items):
        wanted = "an object" if where == "retrieved" else "an object or a chunk's id"
        raise InputError(f"each {where} item must be {wanted}", path, line, 'write {"doc_id", "start", "end"}')
    for item in items:
        fields.look(item, (*CHUNK, *ORDER), line, where, known=BESIDE)
    return [stored_chunk(item, path, line, named=True) for item in items]


def _staged(record: dict[str, Any], fields: Fields, path: Path, line: int, orders: _Orders) -> Ranking:
    """The ranking of a record with stages: each by rank where given, else as listed, for a score may be an earlier stage's."""
    query_id = str(field(record, ("query_id", "_id"), (str, int), path, line))
    if record.get("error"):
        return Ranking(query_id, (), (), True, str(path), line)
    stages = {}
    for name, given in stage_lists(record["stages"], path, line).items():
        if not isinstance(given, list):
            raise no_list(name, given, path, line)
        items = [{"chunk_id": item} if isinstance(item, str) else item for item in given]
        chunks = _chunks(items, f"stages.{name}", fields, path, line)
        order, _ = _order([item | {"score": None} for item in items], path, line, orders)
        stages[name] = tuple(chunks[i] for i in order)
    return Ranking.of_stages(query_id, stages, str(path), line)


def run_lines(rankings: Iterable[Ranking]) -> bytes:
    """`rankings` as the JSON Lines that `read_run` reads."""
    return json_lines(map(_record, rankings), ascii_only=True)


def _record(ranking: Ranking) -> dict[str, object]:
    """A ranking as one line's record."""
    if ranking.failed:
        return {"query_id": ranking.query_id, "error": "failed"}
    if ranking.stages:
        return {"query_id": ranking.query_id, "stages": {name: list(map(record_of, chunks)) for name, chunks in ranking.stages}}
    return {"query_id": ranking.query_id, "retrieved": [record_of(chunk) for chunk in ranking.chunks]}


def _order(items: Sequence[Mapping[str, Any]], path: Path, line: int, orders: _Orders) -> tuple[list[int], list[float]]:
    """By rank where given, else by score, else as listed; a mixture is an error, and so is a rank that two have."""
    order, ranks, scores = list(range(len(items))), *(_column(items, key, path, line) for key in ORDER)
    if ranks:
        order.sort(key=ranks.__getitem__)
        _check_distinct([ranks[i] for i in order], path, line)
    if scores and ranks:
        orders.by_rank = orders.by_rank.and_of([scores[i] for i in order], line)
    elif scores:
        orders.by_score = orders.by_score.and_of(scores, line)
        order.sort(key=lambda i: -scores[i])
    return order, [scores[i] for i in order] if scores else [0.0 - n for n in range(len(items))]


def _check_distinct(ranks: Sequence[float], path: Path, line: int) -> None:
    """Raise `InputError` where two of `ranks`, which are sorted, are the same."""
    twice = next((rank for rank, following in pairwise(ranks) if rank == following), None)
    if twice is not None:
        raise InputError(f"two results have rank {twice:g}", path, line, "number them 1, 2, 3 and so on")


def _column(items: Sequence[Mapping[str, Any]], key: str, path: Path, line: int) -> list[float]:
    """What all items have under `key`; nothing where none has it."""
    having = [dict(item) for item in items if item.get(key) is not None]
    if having and len(having) < len(items):
        raise InputError(f"some retrieved items have a {key}, others have none", path, line, "give it for all or for none")
    return [float(field(item, (key,), (int, float), path, line)) for item in having]


class _Row(NamedTuple):
    """A line of a TREC run; rows sort by score, the highest first, then by rank."""

    negative_score: float
    rank: int
    name: str
    line: int


def _trec(text: str, path: Path, orders: _Orders, ties: str) -> Iterator[Ranking]:
    rows: dict[str, list[_Row]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if columns := line.split():
            query_id, row = _trec_row(columns, path, number)
            rows.setdefault(query_id, []).append(row)
    for query_id, ranked in rows.items():
        # trec_eval goes by score, not by the rank column; that tells whether the scores are distances.
        numbered = len({row.rank for row in ranked}) == len(ranked)
        if numbered:
            listed = sorted(ranked, key=lambda row: row.rank)
            orders.by_score = orders.by_score.and_of([-row.negative_score for row in listed], listed[0].line)
        ranked = _best_first(ranked, ties)
        chunks = tuple(StoredChunk(id=row.name, file=str(path), line=row.line) for row in ranked)
        scores = tuple(-row.negative_score for row in ranked)
        by_rank = numbered and len(set(scores)) == 1  # the ranks are all that it says
        yield Ranking(query_id, chunks, scores, False, str(path), min(row.line for row in ranked), by_rank)


def _best_first(rows: Sequence[_Row], ties: str) -> list[_Row]:
    """The lines of a ranking by score; equal scores by rank, or with `ties` "id" as in trec_eval: the last name first."""
    if ties == "id":
        return sorted(sorted(rows, key=lambda row: row.name, reverse=True), key=lambda row: row.negative_score)
    return sorted(rows, key=lambda row: row[:2])


def _trec_row(columns: Sequence[str], path: Path, line: int) -> tuple[str, _Row]:
    """The query of a line, and the rest of it. Raises `InputError` for a line that is not of a TREC run."""
    if len(columns) != 6:
        message = f"is not a TREC run, query Q0 document rank score tag, nor JSONL: {len(columns)} columns, not 6"
        raise InputError(message, path, line, "mend that line")
    query_id, _, name, rank, score, _ = columns
    try:
        row = _Row(-float(score), int(rank), name, line)
    except ValueError as e:
        raise InputError(f"rank {rank!r} or score {score!r} is not a number", path, line, "mend that line") from e
    if not np.isfinite(row.negative_score):
        raise InputError(f"score {score} is not a finite number", path, line, "mend that line")
    return query_id, row
