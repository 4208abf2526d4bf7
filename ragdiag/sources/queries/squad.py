"""SQuAD 1.1 and 2.0, and data sets in its form: questions with answers marked in a paragraph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.files import field, parse_json, read_text
from ragdiag.core.records import Label, Query
from ragdiag.sources.fields import Fields
from ragdiag.sources.queries._common import Sample, identifier, key_lines, naming, optional, others, references
from ragdiag.sources.queries._layouts import QUERY

__all__ = ["FORM", "LOCATOR", "fits", "read"]

FORM = 'SQuAD JSON ({"data": [{"paragraphs": ...}]})'
LOCATOR = "squad_path"
"""The metadata key that says where in the JSON a question stands: ``data[0].paragraphs[2].qas[5]``."""

FIELDS = ("id", "question", "answers", "is_impossible")
UNREAD = ("plausible_answers", "document_id", "answer_start", "answer_id", "answer_category", "text_id")
"""What the questions and answers of some sets have besides."""


class _Item(NamedTuple):
    where: str
    doc_id: str
    context: str
    record: dict[str, object]


def fits(sample: Sample) -> bool:
    """Whether it is one JSON object with a list ``data`` of articles, or of none."""
    root = sample.first
    return isinstance(root, dict) and isinstance(root.get("data"), list) and not root.get("columns") and _articles(root["data"])


def _articles(data: list[object]) -> bool:
    return not data or not isinstance(data[0], dict) or "paragraphs" in data[0] or not {*data[0]} & {*QUERY}


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read the questions; several answers to one are alternatives. Where ids collide, all get ``doc_<document>_`` in front."""
    text = read_text(path)
    items = list(_items(parse_json(text, path), path))
    lines = key_lines(text, ("question",), len(items))
    with Fields(path) as fields:
        queries = [_query(item, path, line, fields) for item, line in zip(items, lines, strict=True)]
    if len({query.id for query in queries}) == len(queries):
        return queries
    return [
        dataclasses.replace(query, id=f"doc_{item.doc_id}_{query.id}") if item.doc_id else query
        for item, query in zip(items, queries, strict=True)
    ]


def _items(root: dict[str, object], path: Path) -> Iterator[_Item]:
    for article_at, article in _objects(root, "data", "", path):
        for paragraph_at, paragraph in _objects(article, "paragraphs", article_at, path):
            with naming(paragraph_at):
                named = {k: v for part in (article, paragraph) for k, v in part.items() if v is not None}
                known = "document_id" in named or "title" in named
                doc_id = str(field(named, ("document_id", "title"), (str, int), path, 0)) if known else ""
                context = field(paragraph, ("context",), str, path, 0)
            for where, record in _objects(paragraph, "qas", paragraph_at, path):
                yield _Item(where, doc_id, context, record)


def _objects(parent: dict[str, object], name: str, at: str, path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Each object of a list, with its place in the JSON."""
    with naming(at or "the file"):
        values = field(parent, (name,), list, path, 0)
    for i, value in enumerate(values):
        where = f"{at}.{name}[{i}]".lstrip(".")
        if not isinstance(value, dict):
            raise InputError(f"{where}: an object is expected, not {type(value).__name__}", path, remedy="mend it")
        yield where, value


def _query(item: _Item, path: Path, line: int, fields: Fields) -> Query:
    record = item.record
    with naming(item.where):
        fields.look(record, FIELDS, line, known=UNREAD)
        impossible = optional(record, "is_impossible", bool, path, line, False)
        no_answers = impossible and record.get("answers") is None  # without the field; any other question needs it
        marked = [] if no_answers else field(record, ("answers",), list, path, line)
        answers = [_answer(answer, path, line) for answer in marked]
        spans = dict.fromkeys(answers)  # annotators often mark the same span
        group = "answers" if len(spans) > 1 else ""
        return Query(
            id=identifier(record, ("id",), path, line),
            text=field(record, ("question",), str, path, line),
            **references({"answers": [text for text, _ in answers if text.strip()]}, ("answers",), path, line),
            evidence=tuple(Label(item.doc_id, text, at, at + len(text), group, item.context) for text, at in spans),
            unanswerable=impossible,
            metadata={**others(record, FIELDS), LOCATOR: item.where},
            file=str(path),
            line=line,
        )


def _answer(record: object, path: Path, line: int) -> tuple[str, int]:
    if not isinstance(record, dict):
        raise InputError(f"an answer must be an object, not {type(record).__name__}", path, line, "mend it")
    return field(record, ("text",), str, path, line), field(record, ("answer_start",), int, path, line)
