"""What each query scored when it was last agreed on: small files beside the tests, and whether queries got worse since."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.files import field, parse_json, read_text
from ragdiag.core.version import __version__
from ragdiag.core.writing import write_atomically
from ragdiag.stats.paired import Difference, Paired
from ragdiag.stats.statistics import clusters
from ragdiag.testing.audited import Audited

__all__ = ["Change", "baseline_file", "compared", "write_baseline"]

LEVEL = 0.05


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
        said = self.difference
        return f"{said.worse} worse, {said.better} better, p {said.p:.2g}" if said else "no query can be compared"

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
    kept = _read(file) if file.exists() else {}
    asked = {q.id: _asked(q.text) for q in audited.queries}
    own: dict[str, Any] = {}
    for query in audited.queries:
        before = kept.get(query.id, {})
        values = before.get("values", {}) if before.get("asked") == asked[query.id] else {}
        own[query.id] = {"asked": asked[query.id], "values": {**values, measure: query.measures[measure]}}
    record = {"ragdiag": __version__, "signature": audited.signature, "queries": own}
    file.parent.mkdir(parents=True, exist_ok=True)
    # One query a line, so that a change of the baseline reads as one.
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in own.items())
    head = json.dumps({name: value for name, value in record.items() if name != "queries"}, indent=1)[:-2]
    write_atomically(file, f'{head},\n "queries": {{\n{rows}\n }}\n}}\n')


def compared(audited: Audited, measure: str, file: Path) -> Change:
    """How `measure` differs from the baseline in `file`, query by query. Raises `InputError` for a file that is no baseline."""
    kept = _read(file)
    known = [q for q in audited.queries if q.id in kept]
    same = [q for q in known if kept[q.id]["asked"] == _asked(q.text)]
    if same and not any(measure in kept[q.id]["values"] for q in same):
        raise InputError(f"has no {measure}", file, remedy="add it: pytest --ragdiag-update-baseline")
    then = np.array([_number(kept[q.id]["values"].get(measure)) for q in same])
    now = np.array([_number(q.measures[measure]) for q in same])
    numbers: dict[str, int] = {}
    documents = [[numbers.setdefault(d, len(numbers)) for d in q.result.documents] for q in same]
    difference = Paired(clusters(documents), audited.seed).difference(then, now) if same else None
    worse = sorted(
        ((q.id, float(a), float(b)) for q, a, b in zip(same, then, now, strict=True) if b < a), key=lambda w: w[2] - w[1]
    )
    gone = len(kept.keys() - {q.id for q in audited.queries})
    signature = str(parse_json(read_text(file), file).get("signature", ""))
    return Change(difference, tuple(worse), len(audited.queries) - len(known), gone, len(known) - len(same), signature)


def _read(file: Path) -> Mapping[str, Any]:
    """A baseline's queries. Raises `InputError` for anything else."""
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
    return dict(queries)


def _asked(text: str) -> str:
    """A query's words, told from others: the same id may ask something else by now."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
