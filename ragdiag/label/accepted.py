"""Answers of a system that people accepted, added to the queries that they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ragdiag.core.errors import UsageError
from ragdiag.core.files import stream_jsonl
from ragdiag.core.writing import json_lines, write_atomically
from ragdiag.sources.queries.own import ACCEPTABLE, read

__all__ = ["write_accepted"]


def write_accepted(queries: Path, accepted: Mapping[str, Sequence[str]], out: Path) -> int:
    """Write the queries of a file with what people `accepted`, by id; how many answers that adds. What else lines say stays.

    Raises `UsageError` where `out` is that file, and `InputError` for one that is none of ragdiag's own, whose queries have no
    such field.
    """
    if out.resolve() == queries.resolve():
        raise UsageError(f"--acceptable {out} is the file of the queries; name another")
    known = {query.id: {*query.answers, *query.acceptable} for query in read(queries)}
    added = {q: [text for text in texts if text not in known[q]] for q, texts in accepted.items() if q in known}
    write_atomically(out, json_lines(_lines(queries, added)))
    return sum(map(len, added.values()))


def _lines(queries: Path, added: Mapping[str, Sequence[str]]) -> Iterator[dict[str, object]]:
    for _, _, record in stream_jsonl(queries):
        more, old = added.get(str(record["_id"]), ()), record.get(ACCEPTABLE) or []
        yield {**record, ACCEPTABLE: [*(old if isinstance(old, list) else [old]), *more]} if more else record
