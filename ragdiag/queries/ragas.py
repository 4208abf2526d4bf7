"""ragas evaluation samples: a question, a reference answer, and the passages it was made from, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragdiag.errors import InputError
from ragdiag.files import field, parse_json, read_jsonl, read_text
from ragdiag.queries._common import Sample, identifier, key_lines, naming, optional, others
from ragdiag.records import Label, Query

__all__ = ["FORM", "fits", "read"]

FORM = 'ragas samples ({"user_input", "reference", "reference_contexts"})'
IDS = ("_id", "id", "query_id")
TEXT = ("user_input", "question")
ANSWER = ("reference", "ground_truth")
HOP = re.compile(r"<\d+-hop>\n\n")
"""ragas writes this mark before each passage of a multi-hop sample; it is not part of the passage."""


def fits(sample: Sample) -> bool:
    """Whether the first sample has ragas's fields, new or old names; ``question`` alone is anyone's."""
    first = _list(sample.first)[:1] if _list(sample.first) is not None else [sample.first]
    if not first or not isinstance(first[0], dict):
        return False
    names = set(first[0])
    return "user_input" in names or ("question" in names and bool({*ANSWER, "reference_contexts"} & names))


def _list(value: Any) -> Any:
    """The samples of a JSON file, None for JSON Lines."""
    samples = value.get("samples") if isinstance(value, dict) else value
    return samples if isinstance(samples, list) else None


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read single-turn samples from JSON Lines, a JSON list, or ``{"samples": [...]}``; without an id they are numbered."""
    queries = []
    for i, (where, line, record) in enumerate(_samples(path)):
        with naming(where):
            queries.append(_query(i, record, path, line))
    return queries


def _samples(path: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    text = read_text(path)
    ...
