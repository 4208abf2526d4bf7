"""Relevance judgements of whole documents, in BEIR's or TREC's columns."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.files import read_text
from ragdiag.core.records import Query
from ragdiag.sources.queries._common import grade

__all__ = ["judged"]

BEIR_HEADER = ["query-id", "corpus-id", "score"]
"""Its names, with whatever between their words."""


class _Row(NamedTuple):
    line: int
    query: str
    document: str
    grade: int


def judged(queries: Sequence[Query], qrels: Path) -> list[Query]:
    """`queries` with the judgements of `qrels` as their `relevant`, in the order of that file, contradictions kept.

    Raises `InputError` for a row that is no judgement, and for one about a query that is not there.
    """
    grades: dict[str, list[tuple[str, int]]] = defaultdict(list)
    known = {query.id for query in queries}
    for row in _rows(qrels):
        if row.query not in known:
            raise InputError(f"query {row.query!r} is judged and not among the queries", qrels, row.line, "mend its id or add it")
        grades[row.query].append((row.document, row.grade))
    if not grades:
        raise InputError("holds no judgements", qrels, remedy="give the qrels of these queries")
    return [dataclasses.replace(query, relevant=tuple(grades.get(query.id, ()))) for query in queries]


def _rows(path: Path) -> Iterator[_Row]:
    """BEIR's tab-separated rows after its header; without that header, TREC's four columns."""
    lines = [(n, line.strip("\r")) for n, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]
    beir = bool(lines) and [name.strip().lower().replace("_", "-") for name in lines[0][1].split("\t")] == BEIR_HEADER
    for number, line in lines[1:] if beir else lines:
        columns = line.split("\t") if beir else line.split()
        if len(columns) != (3 if beir else 4):
            form = "3 columns separated by tabs" if beir else "4 columns"
            remedy = "write query, 0, document, grade; or put BEIR's header 'query-id corpus-id score', with tabs, on line 1"
            raise InputError(f"{form} are expected, not {len(columns)}", path, number, "" if beir else remedy)
        yield _Row(number, columns[0], columns[-2], grade(columns[-1].strip(), path, number))
