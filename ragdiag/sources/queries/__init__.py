"""Labelled queries in: one file per format, each with ``fits(sample)`` and ``read(path, qrels) -> list[Query]``.

Labels are only read here, as the file states them; `ragdiag.sources.evidence` checks them against the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.records import Query
from ragdiag.sources.queries import beir, chroma_csv, open_qa, own, ragas, squad, trec
from ragdiag.sources.queries._common import Sample, sample

__all__ = ["load_queries"]

READERS = (chroma_csv, trec, squad, ragas, open_qa, beir, own)
"""In the order they are asked: `own` takes what `beir` leaves, queries with labels of their own."""


def load_queries(path: str | Path, qrels: str | Path | None = None) -> tuple[Query, ...]:
    """The queries of `path`, in the order of the file; `qrels` holds the judgements of BEIR or TREC queries.

    The format is told from the content. Raises `InputError` for a file that fits none, holds no query, or gives one id to two
    different queries, and `UsageError` where `qrels` is given for queries with labels of their own.
    """
    file = sample(_file(Path(path)), None if qrels is None else Path(qrels))
    reader = _reader(file)
    if file.qrels is not None and reader not in (beir, trec):
        raise UsageError(f"{file.path} holds {reader.FORM}, with labels of its own; leave out the qrels {file.qrels}")
    queries = _unique(reader.read(file.path, file.qrels))
    if not queries:
        raise InputError("holds no queries", file.path, remedy="give at least one")
    return queries


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    if (path / "queries.jsonl").is_file():
        return path / "queries.jsonl"
    raise InputError("the folder holds no queries.jsonl", path, remedy="name the file of queries")


def _reader(file: Sample) -> ModuleType:
    if not file.text.strip():
        raise InputError("holds no queries", file.path, remedy="give at least one")
    for reader in READERS:
        if reader.fits(file):
            return reader
    known = ", ".join(reader.FORM for reader in reversed(READERS))
    contexts = f"{ragas.RENAME}; " if "contexts" in file.record else ""
    raise InputError("is in no known format of queries", file.path, remedy=f"{contexts}known: {known}")


def _unique(queries: Iterable[Query]) -> tuple[Query, ...]:
    """`queries` with repetitions left out. Raises `InputError` where one id stands for two different queries."""
    first: dict[str, Query] = {}
    for query in queries:
        other = first.setdefault(query.id, query)
        if _content(other) != _content(query):
            message = f"query id {query.id!r}{_at(query)} stands with other content at line {other.line}{_at(other)}"
            raise InputError(message, query.file, query.line, "give each query an id of its own")
    return tuple(first.values())


def _content(query: Query) -> tuple[object, ...]:
    metadata = {name: value for name, value in query.metadata.items() if name != squad.LOCATOR}
    return query.text, query.answers, query.evidence, query.relevant, query.unanswerable, metadata


def _at(query: Query) -> str:
    return f" ({query.metadata[squad.LOCATOR]})" if squad.LOCATOR in query.metadata else ""
