"""The team's own search, and chunks, as Python has them: what they give becomes what a recorded run holds.

A search is a function ``search(query, k)``, a LangChain retriever (asked by ``invoke``) or a LlamaIndex one (``retrieve``). What
it gives, best first, is a list of any of these, alone or as ``(item, score)``:

- a text, which is looked up in the corpus;
- a dict as in a recorded run: ``doc_id``, ``start``, ``end``, ``text``, ``chunk_id``; or ``text`` and ``metadata``;
- an object with ``page_content`` and ``metadata`` (LangChain), or with ``get_content()`` or ``text``, itself or in its ``node``
  (LlamaIndex). Its metadata may name the document and the place; where that contradicts the text, the text holds.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.plain import frame_rows, is_frame, plain
from ragdiag.core.protocols import Progress
from ragdiag.core.records import Corpus, Query, StoredChunk
from ragdiag.scoring.measures import Measure
from ragdiag.search.orders import Directions
from ragdiag.search.runs import Ranking
from ragdiag.sources.places import Placer, hinted_chunk, stored_chunk

__all__ = ["chunks_of", "identity_of", "name_of", "search_depth", "searched"]

DEPTH = 100
"""Results asked for where a context has as many as fit its tokens."""

FORMS = "give texts, dicts with doc_id, start, end or text, or LangChain or LlamaIndex documents"

MOST = 160
"""Characters shown of an error."""


def search_depth(options: Options) -> int:
    """How many results a search is asked for: a context's worth, and no more unless a measure that was asked for looks deeper."""
    asked = [Measure.parse(m) for m in options.measures]
    return max([DEPTH if options.budget else options.k, *(DEPTH if m.tokens else m.cutoff for m in asked)])


def name_of(search: Any) -> str:
    """What a search is called in reports: ``search app.retrieval.search``, or by its class."""
    made = search if inspect.isroutine(search) else type(search)
    return f"search {getattr(made, '__module__', '')}.{getattr(made, '__qualname__', made.__class__.__name__)}"


def identity_of(search: Any) -> str:
    """A name by which another process knows the same search: a function's that its module has; "" where there is none."""
    code, found = getattr(search, "__code__", None), sys.modules.get(getattr(search, "__module__", None) or "")
    for part in getattr(search, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return f"{name_of(search)} {code.co_filename}:{code.co_firstlineno}" if code and found is search else ""


def searched(
    search: Any, queries: Sequence[Query], corpus: Corpus, depth: int, notes: list[str], progress: Progress, context: int = 0
) -> list[Ranking]:
    """What `search` gives for each query, its chunks placed in `corpus`.

    A function is asked for `depth` results; where a `context` of fewer is given, for that many first, and what only the deeper
    search finds ranks below: an approximate index may find more when it is asked for more.

    One that raises is a failed query, which ranks nothing and is counted in `notes`. Raises `UsageError` where it fails on all,
    or gives something that is no list of results, `InputError` for a result whose place in the corpus cannot be told.
    """
    ask, name, placer, orders = _asked(search), name_of(search), Placer(corpus), Directions()
    depths = [context, depth] if 0 < context < depth and _takes_k(search) else [depth]
    rankings, errors = [], list[tuple[str, Exception]]()
    for i, query in enumerate(queries):
        progress("searching", i, len(queries))
        where = f"{name}, query {query.id!r}"
        found: list[Any] = [()]
        if query.text.strip():
            try:
                found = [_listed(ask(query.text, n)) for n in depths]
            except Exception as e:
                errors.append((query.id, e))
                rankings.append(Ranking(query.id, (), (), True, where, 0))
                continue
        given = [_ranking(query.id, each, where, placer) for each in found]
        rankings.append(_continued(given[0], given[-1], context))
        orders = orders.and_of(given[-1].scores)
    progress("searching", len(queries), len(queries))
    if errors:
        first, error = errors[0]
        said = " ".join(f"{type(error).__name__}: {error}".split())[:MOST]
        if len(errors) == sum(bool(q.text.strip()) for q in queries):
            raise UsageError(f"{name} failed on every query; on {first!r} with {said}") from error
        notes.append(f"{name} raised on {len(errors)} of {len(queries)} queries, first on {first!r}: {said}")
    odd = orders.neither + min(orders.rising, orders.falling)
    if odd:
        notes.append(
            f"scores of {odd} of {orders.total} rankings do not go as those of the others: all are taken as listed, best first"
        )
    notes += placer.notes()
    return rankings


def chunks_of(items: Sequence[Any]) -> list[StoredChunk]:
    """The team's own chunks, in the forms in which a search may give them. Raises as `searched`."""
    return [_chunk(item, f"own chunks, number {n}", named=False) for n, item in enumerate(items, 1)]


def _continued(first: Ranking, more: Ranking, context: int) -> Ranking:
    """A ranking and, where it fills a context, what a deeper one has besides, below it."""
    known = {_identity(chunk) for chunk in first.chunks}
    new = [chunk for chunk in more.chunks if _identity(chunk) not in known] if len(known) >= context else []
    if not new:
        return first
    # Scores of two searches are in no one order.
    chunks = (*first.chunks, *new)
    return first._replace(chunks=chunks, scores=tuple(-float(n) for n in range(len(chunks))))


def _identity(chunk: StoredChunk) -> tuple[object, ...]:
    """What makes two results the same: the place, or the name where there is none; not where they were given."""
    return (chunk.doc_id, chunk.start, chunk.end) if chunk.start is not None else (chunk.doc_id, chunk.id)


def _takes_k(search: Any) -> bool:
    """Whether it is told how many results to give: retrievers of LangChain and LlamaIndex know that themselves."""
    return inspect.isroutine(search) or not any(callable(getattr(search, name, None)) for name in ("invoke", "retrieve"))


def _asked(search: Any) -> Callable[[str, int], Any]:
    if not _takes_k(search):
        for method in (getattr(search, name, None) for name in ("invoke", "retrieve")):
            if callable(method):
                return lambda query, _: method(query)
    if not callable(search):
        wanted = "give search(query, k), or a retriever with invoke or retrieve"
        raise UsageError(f"cannot search with a {type(search).__name__}; {wanted}")
    return search  # type: ignore[no-any-return]


def _listed(found: Any) -> Any:
    """The results that there are to be taken one by one: a data frame's are its rows."""
    if is_frame(found):
        return frame_rows(found)
    return list(found) if isinstance(found, Iterable) and not isinstance(found, (str, Mapping)) else found


def _ranking(query_id: str, found: Any, where: str, placer: Placer) -> Ranking:
    if inspect.iscoroutine(found):
        found.close()
        raise UsageError(f"{where}: is asynchronous; give one that waits: lambda query, k: asyncio.run(search(query, k))")
    if not isinstance(found, (list, tuple)):
        raise UsageError(f"{where}: gave a {type(found).__name__}, not a list; {FORMS}")
    placer.start_over()
    chunks, scores = [], list[float]()
    for n, item in enumerate(found, 1):
        item, score = _apart(item, f"{where}, result {n}")
        chunk = _chunk(item, f"{where}, result {n}")
        if chunk.text or chunk.start is not None:
            document, start, end = placer.span(chunk)
            chunk = StoredChunk(chunk.id, placer.corpus.documents[document].id, "", start, end, chunk.file)
        chunks.append(chunk)
        scores += [] if score is None else [score]
    # As listed: a score may be a distance.
    ranks = scores if len(scores) == len(chunks) else [-float(n) for n in range(len(chunks))]
    return Ranking(query_id, tuple(chunks), tuple(ranks), False, where, 0)


def _apart(item: Any, where: str) -> tuple[Any, float | None]:
    """A result and its score. Raises `UsageError` for a score that is no finite number."""
    score = item.get("score") if isinstance(item, Mapping) else getattr(item, "score", None)
    if isinstance(item, tuple) and len(item) == 2:
        item, score = item
    score = plain(score)
    if score is None or callable(score):
        return item, None
    if isinstance(score, bool) or not isinstance(score, Real) or not math.isfinite(score):
        raise UsageError(f"{where}: its score, {score!r}, is no finite number; give one, or none")
    return item, float(score)


def _chunk(item: Any, where: str, named: bool = True) -> StoredChunk:
    """One result, or one of the team's chunks, which a document must hold, or `named` by no more than an id."""
    if isinstance(item, str):
        return _hinted(item, {}, where)
    if isinstance(item, Mapping):
        given = {name: plain(value) for name, value in item.items() if value is not None}
        if {"doc_id", "start", "end", "chunk_id"} & given.keys() or not isinstance(given.get("text"), str):
            if not {"doc_id", "chunk_id"} & given.keys():
                raise UsageError(f"{where}: is a dict with {', '.join(map(repr, item)) or 'nothing'}; {FORMS}")
            return stored_chunk(given, Path(where), 0, named)
        metadata = given.get("metadata")
        return _hinted(given["text"], metadata if isinstance(metadata, Mapping) else {}, where)
    node = getattr(item, "node", item)
    text = getattr(item, "page_content", None)
    if text is None:
        content = getattr(node, "get_content", None)
        text = content() if callable(content) else getattr(node, "text", None)
    if not isinstance(text, str):
        raise UsageError(f"{where}: is a {type(item).__name__}; {FORMS}")
    metadata = dict(getattr(node, "metadata", None) or {})
    offsets = {name: getattr(node, f"{name}_char_idx", None) for name in ("start", "end")}  # LlamaIndex
    return _hinted(text, metadata | {name: at for name, at in offsets.items() if at is not None}, where)


def _hinted(text: str, metadata: Mapping[str, Any], where: str) -> StoredChunk:
    if not text.strip():
        raise InputError("the text is empty", where, remedy="leave such results out")
    return hinted_chunk("", text, {name: plain(value) for name, value in metadata.items()}, where)
