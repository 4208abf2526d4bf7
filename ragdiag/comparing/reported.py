"""What a JSON report of an audit says, read again: each query with its label and its fate, and what was audited."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.files import parse_json, read_text

__all__ = ["DEFINES_SERVED", "Reported", "ReportedQuery", "read_report", "reported"]

ANEW = "make it anew: ragdiag audit CORPUS QUERIES --json FILE"
"""What to do about a report that cannot be used."""

DEFINES_SERVED = ("words", "copies", "tau")
"""Parts of a signature that say, with the context's size, when a query counts as served."""


class ReportedQuery(NamedTuple):
    """A query as a report has it; `label` is the hash of what its label asks for, `reasons` are its causes, or its status."""

    id: str
    text: str
    label: str
    served: bool | None
    excluded: bool
    reasons: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Reported:
    """A report: what users call it, what made it, what it audited, and its queries by id, in its order.

    `rules` say when a query counts as served, as far as the signature tells.
    """

    name: str
    version: str
    seed: int
    k: int | None
    budget: int | None
    context_tokens: float  # of a context, in the mean
    chunker: str
    context: str
    retriever: str
    models: tuple[str, ...]
    corpus: str  # the hash of its documents
    labels: str  # the hash of its queries and labels
    rules: Mapping[str, str]
    keep: tuple[str, ...]  # with `exclude`, how its documents were read
    exclude: tuple[str, ...]
    queries: Mapping[str, ReportedQuery]

    @property
    def measure(self) -> str:
        """The measure of served queries: ``Sufficient@5``, ``Sufficient@800tok``."""
        return f"Sufficient@{self.budget}tok" if self.budget else f"Sufficient@{self.k}"


def read_report(path: str | Path) -> Reported:
    """The report in a file. Raises `InputError` for what is none, or lacks what is needed."""
    return reported(parse_json(read_text(Path(path)), Path(path)), str(path))


def reported(record: object, name: str) -> Reported:
    """The report that `record` is, in JSON's types. Raises `InputError` as `read_report`; `name` is what it is called there."""
    whole = _Fields(record, name, "the JSON report of an audit")
    pipeline, inputs = (_Fields(whole.get(key, dict), name, key) for key in ("pipeline", "inputs"))
    signature = str(whole.get("signature", str))
    k, budget = _size(pipeline, name)
    return Reported(
        name=name,
        version=str(whole.get("ragdiag", str)),
        seed=whole.number("seed"),
        k=k,
        budget=budget,
        context_tokens=pipeline.amount("context_tokens"),
        chunker=str(pipeline.get("chunker", str)),
        context=str(pipeline.get("context", str, type(None)) or "none"),
        retriever=str(pipeline.get("retriever", str)),
        models=tuple(map(str, pipeline.items("models", str, optional=True))),
        corpus=str(inputs.get("corpus_sha256", str)),
        labels=str(inputs.get("queries_sha256", str)),
        rules={part: value for part, value in _parts(signature) if part in DEFINES_SERVED},
        keep=tuple(value for part, value in _parts(signature) if part == "keep"),
        exclude=tuple(str(parse_json(value, Path(name))) for part, value in _parts(signature) if part == "exclude"),
        queries=_queries(whole, name),
    )


def _size(pipeline: _Fields, name: str) -> tuple[int | None, int | None]:
    """k or the budget, the other one None."""
    given = [pipeline.get(key, int, type(None)) is not None for key in ("k", "budget")]
    if sum(given) != 1:
        raise InputError("it must have either 'k' or 'budget' in its pipeline", name, remedy=ANEW)
    return (pipeline.number("k"), None) if given[0] else (None, pipeline.number("budget"))


def _queries(whole: _Fields, name: str) -> dict[str, ReportedQuery]:
    queries: dict[str, ReportedQuery] = {}
    for row in whole.items("queries", dict):
        query = _query(_Fields(row, name, "a query"))
        if query.id in queries:
            raise InputError(f"query {query.id!r} stands twice", name, remedy=ANEW)
        queries[query.id] = query
    return queries


def _query(row: _Fields) -> ReportedQuery:
    served, status = row.get("served", bool, type(None)), str(row.get("status", str))
    causes = tuple(map(str, row.items("causes", str)))
    return ReportedQuery(
        id=str(row.get("id", str)),
        text=str(row.get("text", str)),
        label=str(row.get("label_sha256", str)),
        served=None if served is None else bool(served),
        excluded=status == "excluded",
        reasons=causes or (status,),
        documents=tuple(map(str, row.items("documents", str))),
    )


LARGEST = 1e18
"""No amount of a report is larger."""

PART = re.compile(r'(\w+):("(?:[^"\\]|\\.)*"|[^|]*)')
"""A named part of a signature; a pattern of files is JSON, in which anything may stand."""


def _parts(signature: str) -> list[tuple[str, str]]:
    """The named parts of a signature, behind the pipeline's."""
    _, mark, rest = signature.rpartition("|words:")
    return PART.findall(f"{mark[1:]}{rest}")


class _Fields:
    """An object of a report. What it lacks, or has of another type, is an `InputError` that says what to do."""

    def __init__(self, record: object, name: str, what: str) -> None:
        if not isinstance(record, Mapping):
            raise InputError(f"this is not {what}", name, remedy=ANEW)
        self._record, self._name, self._what = record, name, what

    def get(self, key: str, *kinds: type) -> object:
        """The value of a key, of one of `kinds`."""
        if key not in self._record:
            raise InputError(f"{self._what} has no {key!r}: not what this ragdiag compares", self._name, remedy=ANEW)
        value: object = self._record[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise InputError(f"{key!r} of {self._what} is a {type(value).__name__}", self._name, remedy=ANEW)
        return value

    def number(self, key: str) -> int:
        """A whole number that is not negative."""
        value = self.get(key, int)
        if not isinstance(value, int) or value < 0:
            raise InputError(f"{key!r} of {self._what} is {value}", self._name, remedy=ANEW)
        return value

    def amount(self, key: str) -> float:
        """A finite number."""
        value = self.get(key, int, float)
        if not isinstance(value, (int, float)) or not abs(value) < LARGEST:
            raise InputError(f"{key!r} of {self._what} is beyond all numbers", self._name, remedy=ANEW)
        return float(value)

    def items(self, key: str, kind: type, optional: bool = False) -> Sequence[object]:
        """A list whose items are all of one kind; an empty one where an optional key is left out."""
        if optional and key not in self._record:
            return []
        values = self.get(key, list, tuple)
        if not isinstance(values, (list, tuple)) or not all(isinstance(value, kind) for value in values):
            raise InputError(f"{key!r} of {self._what} is no list of {kind.__name__}", self._name, remedy=ANEW)
        return values
