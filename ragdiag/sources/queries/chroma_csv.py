"""Chroma's questions CSV (chunking_evaluation): a question, its exact excerpts, the corpus they stand in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.files import MAX_BYTES, field, parse_json, read_text
from ragdiag.core.records import Label, Query
from ragdiag.sources.fields import Fields
from ragdiag.sources.queries._common import Sample, naming, others

__all__ = ["FORM", "fits", "read"]

FORM = "Chroma's CSV (question, references, corpus_id)"
COLUMNS = ("question", "references", "corpus_id")


def fits(sample: Sample) -> bool:
    """Whether it is a CSV file with the three columns."""
    return sample.path.suffix.lower() in (".csv", ".tsv") and _separator(sample.text) is not None


def _separator(text: str) -> str | None:
    """What parts the columns, by the header; None where they are others. Excel writes ``;`` where commas are decimal points."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    with _long_fields():
        return next((mark for mark in ",;\t" if {*COLUMNS} <= {*next(csv.reader([header], delimiter=mark), [])}), None)


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read the questions; rows have no ids, so they are numbered: ``q0000``, ``q0001`` ..."""
    rows = _rows(path)
    first, header = next(rows, (0, []))
    with Fields(path) as fields:
        fields.look(dict.fromkeys(header, ""), COLUMNS, first)
    return [_query(i, dict(zip(header, row, strict=True)), path, line) for i, (line, row) in enumerate(rows)]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts on (a field may hold newlines), all as wide as the header; blank lines left out."""
    text = read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_separator(text) or ",")
    rows, line = [], 1
    try:
        with _long_fields():
            for row in reader:
                rows.append((line, row))
                line = reader.line_num + 1
    except csv.Error as e:
        raise InputError(f"broken CSV: {e}", path, line, "mend that row; a quotation mark may be open") from e
    rows = [(number, row) for number, row in rows if row]
    for number, row in rows:
        if len(row) != len(rows[0][1]):
            raise InputError(f"{len(row)} columns, not {len(rows[0][1])} as in the header", path, number, "mend that row")
    return iter(rows)


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit of 131,072 characters a field is global: lift it only while reading."""
    before = csv.field_size_limit(MAX_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _query(number: int, row: dict[str, str], path: Path, line: int) -> Query:
    with naming("references"):
        references = parse_json(row["references"], path, line)
        if not isinstance(references, list) or not all(isinstance(r, dict) for r in references):
            raise InputError("a JSON list of objects is expected", path, line, 'write [{"content": ..., "start_index": ...}]')
        evidence = tuple(_label(reference, row["corpus_id"], path, line) for reference in references)
    rest = others(row, COLUMNS)
    return Query(f"q{number:04}", row["question"], evidence=evidence, metadata=rest, file=str(path), line=line)


def _label(reference: dict[str, object], doc_id: str, path: Path, line: int) -> Label:
    start, end = (field(reference, (name,), int, path, line) for name in ("start_index", "end_index"))
    return Label(doc_id, field(reference, ("content",), str, path, line), start, end)
