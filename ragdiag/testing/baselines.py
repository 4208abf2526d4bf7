"""What each query scored when it was last agreed on: small files beside the tests, and whether queries got worse since."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import field, parse_json, read_text
from ragdiag.core.records import FloatArray
from ragdiag.core.version import __version__
from ragdiag.core.writing import write_atomically
from ragdiag.scoring.labels import asked_alike
from ragdiag.stats.paired import Difference, Paired
from ragdiag.stats.statistics import clusters_by_name
from ragdiag.testing.audited import Audited, QueryStory

__all__ = ["Change", "baseline_file", "compared", "write_baseline"]

LEVEL = 0.05


class _Scored(TypedDict):
    """A query of a baseline: its words, as `_digest` tells them from others, and its value of each measure."""

    asked: str
    values: dict[str, float | None]


class Change(NamedTuple):
    """What became of a measure since the baseline: over the queries of both, which got worse (and by how much), which are new,
    gone, or ask something else under the same id."""

    difference: Difference | None
    worse: tuple[tuple[str, float, float], ...]  # id, then, now: those that lost most first
    new: int
    gone: int
    reworded: int
    signature: str  # of the audit that the baseline was made from

    def __str__(self) -> str:
        if self.difference is None:
            return "no query can be compared"
        return f"{self.difference.worse} worse, {self.difference.better} better, p {self.difference.p:.2g}"

    @property
    def significant(self) -> bool:
        """Whether the loss is more than chance would make it."""
        return self.difference is not None and self.difference.mean < 0 and self.difference.p <= LEVEL


def baseline_file(folder: Path, name: str) -> Path:
    """Where the baseline of that name is kept. Raises `UsageError` for a name that is not fit for a file."""
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise UsageError(f"a baseline's name has letters, digits, '.', '_' and '-' alone, not {name!r}")
    return folder / f"{name}.json"


def write_baseline(audited: Audited, measure: str, file: Path) -> None:
    """Keep each query's value of `measure` in `file`; what it holds of other measures of the same queries stays."""
    baseline = _read(file)[1] if file.exists() else {}
    queries: dict[str, _Scored] = {}
    for query in audited.queries:
        before = baseline.get(query.id)
        values = before["values"] if before and before["asked"] == _digest(query.text) else {}
        queries[query.id] = {"asked": _digest(query.text), "values": {**values, measure: query.measures[measure]}}
    file.parent.mkdir(parents=True, exist_ok=True)
    # One query a line, so that a change of the baseline reads as one.
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(scored)}" for name, scored in queries.items())
    head = json.dumps({"ragdiag": __version__, "signature": audited.signature}, indent=1)[:-2]
    write_atomically(file, f'{head},\n "queries": {{\n{rows}\n }}\n}}\n')


def compared(audited: Audited, measure: str, file: Path) -> Change:
    """How `measure` differs from the baseline in `file`, query by query. Raises `InputError` for a file that is no baseline."""
    signature, baseline = _read(file)
    known = [q for q in audited.queries if q.id in baseline]
    same = [q for q in known if baseline[q.id]["asked"] == _digest(q.text)]
    if same and not any(measure in baseline[q.id]["values"] for q in same):
        raise InputError(f"has no {measure}", file, remedy="add it: pytest --ragdiag-update-baseline")
    then = np.array([_number(baseline[q.id]["values"].get(measure)) for q in same])
    now = np.array([_number(q.measures[measure]) for q in same])
    gone = len(baseline.keys() - {q.id for q in audited.queries})
    return Change(
        _difference(same, then, now, audited.seed) if same else None,
        _worse(same, then, now),
        new=len(audited.queries) - len(known),
        gone=gone,
        reworded=len(known) - len(same),
        signature=signature,
    )


def _difference(queries: Sequence[QueryStory], then: FloatArray, now: FloatArray, seed: int) -> Difference | None:
    """The difference of paired values, both of shape ``(n_queries,)``; queries about one document are no independent ones."""
    cluster = clusters_by_name(query.result.documents for query in queries)
    return Paired(cluster, seed, asked_alike(query.result.text for query in queries)).difference(then, now)


def _worse(queries: Sequence[QueryStory], then: FloatArray, now: FloatArray) -> tuple[tuple[str, float, float], ...]:
    """The queries with a lower value now, each with the two values: those that lost most first."""
    rows = zip(queries, then.tolist(), now.tolist(), strict=True)
    return tuple(sorted(((q.id, before, after) for q, before, after in rows if after < before), key=lambda row: row[2] - row[1]))


def _read(file: Path) -> tuple[str, dict[str, _Scored]]:
    """A baseline's signature, and its queries by id. Raises `InputError` for anything else."""
    record = parse_json(read_text(file), file)
    if not isinstance(record, dict):
        raise InputError("is no baseline", file, remedy="remove it, and make it again: pytest --ragdiag-update-baseline")
    queries = field(record, ("queries",), dict, file, 0)
    for row in queries.values():
        if not isinstance(row, dict) or not isinstance(row.get("asked"), str) or not isinstance(row.get("values"), dict):
            raise InputError("is no baseline", file, remedy="remove it, and make it again: pytest --ragdiag-update-baseline")
        for value in row["values"].values():
            if isinstance(value, bool) or not isinstance(value, (int, float, type(None))) or not 0 <= (value or 0) <= 1:
                raise InputError(f"holds {value!r} where a number from 0 to 1 is expected", file, remedy="make it again")
    return str(record.get("signature", "")), dict(queries)


def _digest(text: str) -> str:
    """A query's words, told from others: the same id may ask something else by now."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
