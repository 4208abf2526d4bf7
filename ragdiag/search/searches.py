"""The application's own search, and its chunks, as Python objects: what they give becomes what a recorded run holds.

A search is a function ``search(query, k)``, asynchronous or not, or an object of a framework: `frameworks` says how each is
asked. What it gives, best first, is a list of any of these, alone or as ``(item, score)``:

- a text, which is looked up in the corpus;
- a dict as in a recorded run: ``doc_id``, ``start``, ``end``, ``text``, ``chunk_id``; or ``text`` and ``metadata``;
- an object with ``page_content`` and ``metadata`` (LangChain), ``content`` and ``meta`` (Haystack), or with ``get_content()`` or
  ``text``, itself or in its ``node`` (LlamaIndex, unstructured). Its metadata may name the document and the place; where that
  contradicts the text, the text holds.

Or it is a dict ``{"stages": {"found": [...], ...}}`` with such a list for each stage of the pipeline.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from types import CodeType
from typing import Any

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.plain import frame_rows, is_frame, plain
from ragdiag.core.records import StoredChunk
from ragdiag.scoring.measures import Measure
from ragdiag.search.frameworks import asker
from ragdiag.search.runs import Ranking
from ragdiag.search.signatures import name_of
from ragdiag.search.stages import no_list, stage_lists
from ragdiag.sources.stored import METADATA, TEXT, hinted_chunk, stored_chunk

__all__ = ["BUDGET_DEPTH", "chunks_of", "identity_of", "listed", "ranking_of", "search_depth"]

BUDGET_DEPTH = 100
"""Results asked for where a context has as many as fit its tokens."""

FORMS = "give texts, dicts with doc_id, start, end or text, or documents of LangChain, LlamaIndex or Haystack"


def search_depth(options: Options) -> int:
    """How many results a search is asked for: as many as causes are looked for among.

    Where it may not be asked why (`calls` 0), a context's worth, and no more unless a measure that was asked for looks deeper.
    """
    measures = [Measure.parse(m) for m in options.measures]
    by_measure = (BUDGET_DEPTH if m.tokens else m.cutoff for m in measures)
    asked = options.search is not None and options.calls and asker(options.search).takes_k
    causes = max(BUDGET_DEPTH, 10 * options.k) if asked else 0
    return max([BUDGET_DEPTH if options.budget else options.k, causes, *by_measure])


def identity_of(search: object) -> str:
    """A name by which another process knows the same search: a function's that its module has; "" where there is none."""
    code: CodeType | None = getattr(search, "__code__", None)
    named: object = sys.modules.get(getattr(search, "__module__", None) or "")
    for part in getattr(search, "__qualname__", "").split("."):
        named = getattr(named, part, None)
    return f"{name_of(search)} {code.co_filename}:{code.co_firstlineno}" if code and named is search else ""


def chunks_of(items: Sequence[object]) -> list[StoredChunk]:
    """The application's own chunks, in the forms in which a search may give them. Raises as `searched`."""
    return [_chunk(item, f"own chunks, number {n}", named=False) for n, item in enumerate(items, 1)]


def listed(answer: object) -> object:
    """The results that there are to be taken one by one: a data frame's are its rows."""
    if is_frame(answer):
        return frame_rows(answer)
    return list(answer) if isinstance(answer, Iterable) and not isinstance(answer, (str, Mapping)) else answer


def ranking_of(query_id: str, answer: object, where: str) -> Ranking:
    """What a search gave for a query. Raises `UsageError` where that is no list of results."""
    if isinstance(answer, Mapping) and answer.get("stages") is not None:
        return _staged(query_id, answer["stages"], where)
    if not isinstance(answer, (list, tuple)):
        raise UsageError(f"{where}: gave a {type(answer).__name__}, not a list; {FORMS}")
    chunks, scores = [], list[float]()
    for n, result in enumerate(answer, 1):
        item, score = _apart(result, f"{where}, result {n}")
        chunks.append(_chunk(item, f"{where}, result {n}"))
        scores += [] if score is None else [score]
    # As listed: a score may be a distance.
    ranks = scores if len(scores) == len(chunks) else [0.0 - n for n in range(len(chunks))]
    return Ranking(query_id, tuple(chunks), tuple(ranks), False, where, 0, listed=True)


def _staged(query_id: str, given: object, where: str) -> Ranking:
    """What a search gave for a query, stage by stage; a text that is the id of an earlier stage's chunk is that chunk."""
    stages = {}
    for name, results in stage_lists(given, where).items():
        items = listed(results)
        if not isinstance(items, (list, tuple)):
            raise no_list(name, results, where)
        places = [f"{where}, stage {name!r}, result {n}" for n in range(1, len(items) + 1)]
        stages[name] = tuple(_chunk(_apart(item, place)[0], place) for item, place in zip(items, places, strict=True))
    return Ranking.of_stages(query_id, stages, where, 0)


def _apart(result: Any, where: str) -> tuple[Any, float | None]:
    """A result and its score. Raises `UsageError` for a score that is no finite number."""
    item, score = result, result.get("score") if isinstance(result, Mapping) else getattr(result, "score", None)
    if isinstance(result, tuple) and len(result) == 2:
        item, score = result
    score = plain(score)
    if score is None or callable(score):
        return item, None
    value = math.nan
    if not isinstance(score, bool) and isinstance(score, Real):
        with contextlib.suppress(OverflowError):  # a whole number may be beyond all floats
            value = float(score)
    if not math.isfinite(value):
        raise UsageError(f"{where}: its score, {score!r}, is no finite number; give one, or none")
    return item, value


def _chunk(item: object, where: str, named: bool = True) -> StoredChunk:
    """One result, or one of the application's chunks, which a document must hold, or `named` by no more than an id."""
    if isinstance(item, str):
        return _hinted(item, {}, where)
    if isinstance(item, Mapping):
        return _chunk_of_dict(item, where, named)
    return _hinted(*_read(item, where), where)


def _chunk_of_dict(item: Mapping[str, Any], where: str, named: bool) -> StoredChunk:
    """A chunk from a dict: as in a recorded run, else a text with metadata."""
    fields = {name: plain(value) for name, value in item.items()}
    fields |= {key: _plain_values(fields[key]) for key in METADATA if isinstance(fields.get(key), Mapping)}
    if not any(isinstance(fields.get(key), str) for key in TEXT) and not {"doc_id", "chunk_id"} & fields.keys():
        raise UsageError(f"{where}: is a dict with {', '.join(map(repr, item)) or 'nothing'}; {FORMS}")
    return stored_chunk(fields, Path(where), 0, named)


def _plain_values(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in metadata.items()}


def _read(item: object, where: str) -> tuple[str, dict[str, Any]]:
    """The text and the metadata of a framework's object. Raises `UsageError` for one that has no text."""
    node = getattr(item, "node", item)
    content = getattr(node, "get_content", None)
    texts = [content() if callable(content) else None, *(getattr(node, key, None) for key in TEXT)]
    text = next((text for text in texts if isinstance(text, str)), None)
    if text is None:
        raise UsageError(f"{where}: is a {type(item).__name__}; {FORMS}")
    return text, _metadata(node)


def _metadata(node: object) -> dict[str, Any]:
    """What a framework's object says beside its text."""
    metadata: Any = next((m for m in (getattr(node, key, None) for key in METADATA) if m), {})
    if callable(getattr(metadata, "to_dict", None)):  # of unstructured
        metadata = metadata.to_dict()
    beside = {name: getattr(node, name, None) for name in ("start_char_idx", "end_char_idx", "ref_doc_id")}  # of LlamaIndex
    return {name: value for name, value in {**beside, **metadata}.items() if value is not None}


def _hinted(text: str, metadata: Mapping[str, Any], where: str) -> StoredChunk:
    """A chunk by its text. Raises `InputError` where that is blank."""
    if not text.strip():
        raise InputError("the text is empty", where, remedy="leave such results out")
    return hinted_chunk("", text, _plain_values(metadata), where)
