"""The team's own search, asked: each question once, and no more often than it may be."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.errors import RagdiagError, Untestable, UsageError
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Query, StoredChunk
from ragdiag.search.frameworks import asker
from ragdiag.search.orders import Directions
from ragdiag.search.runs import Ranking, Rankings
from ragdiag.search.searches import identity_of, listed, ranking_of
from ragdiag.search.signatures import name_of
from ragdiag.search.waiting import Waiting
from ragdiag.sources.stored import record_of, stored_chunk
from ragdiag.text.phrases import counted

__all__ = ["Asking", "searched", "tried_again"]

AGAIN = 8
"""Queries that a search is asked once more, at most."""

ERROR_LENGTH = 160
"""Characters shown of an error."""


class Raised(Exception):
    """The search raised, for the reason that is this one's cause."""

    def __str__(self) -> str:
        return " ".join(f"{type(self.__cause__).__name__}: {self.__cause__}".split())[:ERROR_LENGTH]


class Asking:
    """Asks a search, and remembers what it gave.

    `calls` are those that may still be made beyond the labelled queries, of the `allowed`; `spent`: one more was wanted. `times`
    are the milliseconds of those that ask a labelled query as an application does. `unsteady` are the questions to which, asked
    for more results, it gave others first. `varies`: asked the same again, it gave something else, so that nothing can be told
    by asking it.
    Where the search states a `version`, as an encoder of the team's does, its answers are kept in `store` from run to run.
    """

    def __init__(self, search: object, calls: int = 0, store: Store | None = None) -> None:
        self._ask, self.takes_k = asker(search)
        self.name, self.calls, self.allowed, self.spent = name_of(search), calls, calls, False
        version = getattr(search, "version", None)
        known = isinstance(version, (str, int)) and not isinstance(version, bool) and str(version).strip()
        self._identity = f"{identity_of(search) or self.name} {version}" if known else ""
        self._store = store if known else None
        self._answers: dict[tuple[str, int], Ranking] = {}
        self._waiting = Waiting()
        self.times, self.unsteady, self.varies = list[float](), list[str](), False
        self._heard = set[str]()

    def answer(self, query_id: str, text: str, n: int) -> Ranking:
        """What the search gives, asked for `n` results. Raises `Raised`, and as `ranking_of`."""
        key = (text, n if self.takes_k else 0)
        if key not in self._answers:
            self._answers[key] = self._kept(*key) or self._asked(query_id, *key, n)
        return self._answers[key]._replace(query_id=query_id)

    def more(self, text: str, n: int) -> Ranking:
        """`answer` to a question of our own. Raises `Untestable` where that is one call too many, the search raises or gives no
        list, or it `varies`.
        """
        if self.varies:
            raise Untestable("the search gives something else when it is asked the same again")
        if (text, n if self.takes_k else 0) not in self._answers:
            self._spend()
        try:
            return self.answer("", text, n)
        except Raised as e:
            raise Untestable(f"the search raised on a question of ours: {e}") from e
        except UsageError as e:
            raise Untestable(f"the search gives no results to a question of ours: {e}") from e

    def said(self) -> Iterator[str]:
        """Notes on how it was asked, once all is; the same whether or not answers were kept."""
        if self.unsteady:
            several = f"asked for more results, the search gives others first for {counted(len(self.unsteady), 'quer', 'y')}"
            yield f"{several}: what a larger k would give these is not what stands below their context"
        if self.spent:
            yield f"all {self.allowed} calls beside those for the queries were used up: --calls allows more"
        elif self.calls < self.allowed:
            yield f"{self.name} was called {counted(self.allowed - self.calls, 'time')} beside the calls for the queries"

    def repeats(self, text: str, n: int) -> bool:
        """Whether the search, asked once more, gives what it gave. Raises `Untestable` where that is one call too many.

        One that states a version says so itself.
        """
        known = self._answers.get((text, n if self.takes_k else 0))
        if self._identity or known is None:
            return True
        self._spend()
        try:
            again, _ = self._called("", text, n)
        except (Raised, RagdiagError):
            return False
        return _same(again, known)

    def _spend(self) -> None:
        if self.calls < 1:
            self.spent = True
            raise Untestable("the search has been called as often as it may be; --calls allows more")
        self.calls -= 1

    def _called(self, query_id: str, text: str, results: int) -> tuple[Ranking, float]:
        """What the search gives, and the milliseconds that it took."""
        started = time.perf_counter()
        try:
            given = listed(self._waiting.waited(self._ask(text, results)))
        except Exception as e:
            raise Raised from e
        taken = 1000 * (time.perf_counter() - started)
        where = f"{self.name}, query {query_id!r}" if query_id else f"{self.name}, asked {text[:40]!r}"
        return ranking_of(query_id, given, where), taken

    def _asked(self, query_id: str, text: str, n: int, results: int) -> Ranking:
        ranking, taken = self._called(query_id, text, results)
        if query_id and text not in self._heard:
            self.times.append(taken)
        self._heard.add(text)
        if self._store is not None:
            raw = json.dumps(_as_record(ranking), ensure_ascii=False).encode("utf-8", "surrogatepass")
            self._store.add_arrays(self._key(text, n), {"answer": np.frombuffer(raw, dtype=np.uint8)})
        return ranking

    def _kept(self, text: str, n: int) -> Ranking | None:
        """An answer of an earlier run."""
        found = self._store.arrays(self._key(text, n)) if self._store is not None else None
        if found is None:
            return None
        return _of_record(json.loads(found["answer"].tobytes().decode("utf-8", "surrogatepass")))

    def _key(self, text: str, n: int) -> str:
        parts = json.dumps([self._identity, text, n]).encode()
        return f"answer-{hashlib.sha256(parts).hexdigest()[:32]}"


def _as_record(ranking: Ranking) -> dict[str, object]:
    """A ranking as JSON has it."""
    stages = {name: list(map(record_of, chunks)) for name, chunks in ranking.stages}
    return {"where": ranking.file, "chunks": list(map(record_of, ranking.chunks)), "scores": ranking.scores, "stages": stages}


def _of_record(record: Mapping[str, Any]) -> Ranking:
    """The ranking that `_as_record` wrote."""

    def read(chunks: Sequence[Mapping[str, Any]]) -> tuple[StoredChunk, ...]:
        return tuple(stored_chunk(chunk, Path(record["where"]), 0, named=True) for chunk in chunks)

    if record["stages"]:
        return Ranking.of_stages("", {name: read(chunks) for name, chunks in record["stages"].items()}, record["where"], 0)
    return Ranking("", read(record["chunks"]), tuple(record["scores"]), False, record["where"], 0, listed=True)


def searched(search: object, queries: Sequence[Query], depth: int, progress: Progress, context: int = 0) -> Rankings:
    """What `search`, or one that is being asked, gives for each query, its chunks as it names them.

    A function is asked for `depth` results; where a `context` of fewer is given, for that many first, and what only the deeper
    search finds ranks below: an approximate index may find more when it is asked for more.

    One that raises is a failed query, which ranks nothing and is counted in a note. Raises `UsageError` where it fails on all,
    or gives something that is no list of results.
    """
    asking, orders = search if isinstance(search, Asking) else Asking(search), Directions()
    depths = _depths(asking, depth, context)
    rankings, errors = list[Ranking](), list[tuple[str, Raised]]()
    for i, query in enumerate(queries):
        progress("searching", i, len(queries))
        where = f"{asking.name}, query {query.id!r}"
        if not query.text.strip():
            rankings.append(Ranking(query.id, (), (), False, where, 0, listed=True))
            continue
        try:
            first, *deeper = [asking.answer(query.id, query.text, n) for n in depths]
        except Raised as e:
            errors.append((query.id, e))
            rankings.append(Ranking(query.id, (), (), True, where, 0))
            continue
        for more in deeper:
            asking.unsteady += [] if _same(more, first, context) else [query.text]
        rankings.append(_continued(first, [first, *deeper][-1], context))
        orders = orders.and_of([first, *deeper][-1].scores)
    progress("searching", len(queries), len(queries))
    failures = _failure_notes(asking.name, errors, queries)
    return Rankings(rankings, (*failures, *_order_notes(orders)))


def tried_again(asking: Asking, queries: Sequence[Query], depth: int, context: int = 0) -> tuple[str, ...]:
    """Whether a search that was asked as by `searched` `varies`, told by asking some queries once more: then a note says so.

    Those to which it gave others when it was asked for more; where it was not, the first that there are.
    """
    depths = _depths(asking, depth, context)
    texts = asking.unsteady if len(depths) > 1 else [query.text for query in queries if query.text.strip()]
    for text in texts[:AGAIN]:
        try:
            asking.varies = not asking.repeats(text, depths[0])
        except Untestable:
            break
        if asking.varies:
            return (f"asked {text[:40]!r} once more, the search gave something else: no cause is proved by asking it",)
    return ()


def _depths(asking: Asking, depth: int, context: int) -> list[int]:
    """How many results a query is asked for, one after the other."""
    return [context, depth] if 0 < context < depth and asking.takes_k else [depth]


def _same(one: Ranking, other: Ranking, n: int | None = None) -> bool:
    """Whether two rankings have the same results; of the first one the first `n`."""
    return list(map(_identity, one.chunks[:n])) == list(map(_identity, other.chunks))


def _failure_notes(name: str, errors: Sequence[tuple[str, Raised]], queries: Sequence[Query]) -> Iterator[str]:
    """A note on the queries, by id, on which a search raised. Raises `UsageError` where it did on all that have text."""
    if not errors:
        return
    first, error = errors[0]
    if len(errors) == sum(bool(q.text.strip()) for q in queries):
        raise UsageError(f"{name} failed on every query; on {first!r} with {error}") from error.__cause__
    yield f"{name} raised on {len(errors)} of {len(queries)} queries, first on {first!r}: {error}"


def _order_notes(orders: Directions) -> Iterator[str]:
    odd = orders.neither + min(orders.rising, orders.falling)
    if orders.rising and not odd:
        yield f"scores rise down all {orders.total} rankings: taken for distances, and the rankings as listed, best first"
    if odd:
        yield f"scores of {odd} of {orders.total} rankings do not go as those of the others: all are taken as listed, best first"


def _continued(first: Ranking, more: Ranking, context: int) -> Ranking:
    """A ranking and, where it fills a context, what a deeper one has besides, below it."""
    if first.stages:
        return first  # another search has other stages
    known = Counter(map(_identity, first.chunks))
    new, times = [], Counter[tuple[object, ...]]()
    for chunk in more.chunks if len(known) >= context else ():
        times[_identity(chunk)] += 1
        new += [chunk] if times[_identity(chunk)] > known[_identity(chunk)] else []
    if not new:
        return first
    # Scores of two searches are in no one order.
    chunks = (*first.chunks, *new)
    return first._replace(chunks=chunks, scores=tuple(0.0 - n for n in range(len(chunks))))


def _identity(chunk: StoredChunk) -> tuple[object, ...]:
    """What makes two results the same: what they say of themselves; not where they were given."""
    return (chunk.doc_id, chunk.id, chunk.start, chunk.end, chunk.text)
