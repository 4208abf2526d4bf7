"""Spans of OpenTelemetry with OpenInference's attributes: OTLP as JSON, the Python exporter's, and what Phoenix gives.

Attributes come flat (``retrieval.documents.0.document.content``), nested, as columns of a data frame
(``attributes.retrieval.documents``) or as OTLP's list of keys and values.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.files import is_deep
from ragdiag.core.records import StoredChunk
from ragdiag.search.traces.documents import chunks_of, listed, read_in
from ragdiag.search.traces.steps import LLM, OTHER, RERANKER, RETRIEVER, Step
from ragdiag.search.traces.values import first, instant, mapping, number_of, parsed, questions, strings, text_of

__all__ = ["holds", "steps"]

KINDS = {"RETRIEVER": RETRIEVER, "RERANKER": RERANKER, "LLM": LLM}
"""OpenInference's kinds of spans that count."""

COLUMN = "attributes."
"""The beginning of a column's name that is an attribute."""

MOST_PARTS = 30
"""Points in an attribute's name that part it."""

LIMIT = (
    "the tracer's limit on the number of attributes dropped some: raise OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT (128) and record again"
)


def holds(record: Mapping[str, object]) -> bool:
    """Whether a record is a span, or OTLP with some."""
    if {"resourceSpans", "resource_spans"} & record.keys():
        return True
    ids = {"context", "spanId", "span_id", "span_kind"} & record.keys()
    return bool("attributes" in record and ids) or any(name.startswith((COLUMN, "context.span_id")) for name in record)


def steps(record: Mapping[str, object], file: Path, line: int) -> Iterator[Step]:
    """The spans of a record. Raises `InputError` for one that cannot be read."""
    resources = first(record, "resourceSpans", "resource_spans")
    if resources is None:
        yield _step(record, file, line)
        return
    for resource in _records(resources):
        for scope in _records(first(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")):
            for span in _records(scope.get("spans")):
                yield _step(span, file, line)


def _records(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


class _Ids(NamedTuple):
    """The names of a span, of its trace and of the span that it is a part of."""

    trace: str
    span: str
    parent: str


def _step(span: Mapping[str, object], file: Path, line: int) -> Step:
    tree, ids, name = _shallow(_tree(_attributes(span))), _ids(span), text_of(span.get("name"))
    kind = text_of(first(span, "span_kind") or _at(tree, "openinference", "span", "kind")).upper()
    metadata, input_value, output = mapping(tree.get("metadata")), _at(tree, "input", "value"), _at(tree, "output", "value")
    failed = _failed(span)
    reader = _Documents(tree, f"span {name or ids.span!r}", file, line)
    query = _at(tree, "reranker", "query") if kind == "RERANKER" else None
    (given, gave), fault = read_in(
        lambda: reader.of("reranker", "input_documents", None) if kind == "RERANKER" and not failed else None,
        lambda: reader.gave(kind, output) if not failed else None,
    )
    return Step(
        trace=ids.trace,
        id=ids.span,
        parent=ids.parent,
        name=name,
        kind=KINDS.get(kind, OTHER),
        time=instant(first(span, "start_time", "startTimeUnixNano", "start_time_unix_nano", "startTime")),
        asked=(*questions(input_value), *questions(query)),
        file=file,
        line=line,
        query_id=text_of(first(metadata, "query_id") or _at(tree, "query_id")),
        session=text_of(_at(tree, "session", "id")),
        given=given,
        gave=gave,
        prompt=_prompt(tree, input_value) if kind == "LLM" else (),
        failed=failed,
        longest=max(map(len, _texts(tree)), default=0),
        fault=fault,
        lost=number_of(first(span, "droppedAttributesCount", "dropped_attributes_count")) > 0,
    )


def _ids(span: Mapping[str, object]) -> _Ids:
    context = mapping(span.get("context"))
    trace = first(span, "context.trace_id", "traceId", "trace_id") or first(context, "trace_id", "traceId")
    own = first(span, "context.span_id", "spanId", "span_id") or first(context, "span_id", "spanId")
    return _Ids(text_of(trace), text_of(own), text_of(first(span, "parent_id", "parentSpanId", "parent_span_id", "parentId")))


def _failed(span: Mapping[str, object]) -> bool:
    status = mapping(span.get("status"))
    code = first(span, "status_code", "statusCode") or first(status, "status_code", "statusCode", "code")
    return text_of(code).upper().rpartition("_")[2] in ("ERROR", "2")


def _attributes(span: Mapping[str, object]) -> Mapping[str, object]:
    """The attributes of a span by name."""
    given = parsed(span.get("attributes"))
    if isinstance(given, list):
        return {text_of(each.get("key")): _value(each.get("value")) for each in _records(given)}
    columns = {name.removeprefix(COLUMN): value for name, value in span.items() if name.startswith(COLUMN) and value is not None}
    return {**mapping(given), **columns}


def _value(given: object) -> object:
    """A value of OTLP, which says its type; Phoenix writes all types, null but for one."""
    for kind, value in mapping(given).items():
        if value is None:
            continue
        name = kind.replace("_", "").lower()
        if name == "arrayvalue":
            return [_value(each) for each in _records(mapping(value).get("values"))]
        if name == "kvlistvalue":
            return {text_of(each.get("key")): _value(each.get("value")) for each in _records(mapping(value).get("values"))}
        return _decoded(value) if name == "bytesvalue" else value
    return None


def _decoded(value: object) -> object:
    """Bytes, which JSON has in base 64, as the text that they are."""
    try:
        return base64.b64decode(text_of(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value


def _tree(attributes: Mapping[str, object]) -> dict[str, object]:
    """Attributes by the parts of their names."""
    tree = dict[str, object]()
    for name, value in attributes.items():
        at = tree
        *outer, last = name.split(".", MOST_PARTS)
        for part in outer:
            inner = at.get(part)
            if not isinstance(inner, dict):
                inner = at[part] = dict[str, object]()
            at = inner
        known, nested = at.get(last), _nested(value)
        at[last] = known | nested if isinstance(known, dict) and isinstance(nested, dict) else nested
    return tree


def _shallow(tree: dict[str, object]) -> dict[str, object]:
    """`tree`; an empty one for names of so many parts that what they hold nests deeper than any attribute."""
    return {} if is_deep(tree) else tree


def _nested(value: object) -> object:
    if isinstance(value, Mapping):
        return _tree(value)
    return [_nested(each) for each in value] if isinstance(value, list) else value


def _at(tree: object, *names: str) -> object:
    """The value under `names`, one inside of the other; None where there is none."""
    for name in names:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree


class _Documents(NamedTuple):
    """The documents of one span."""

    tree: Mapping[str, object]
    where: str
    file: Path
    line: int

    def gave(self, kind: str, output: object) -> tuple[StoredChunk, ...] | None:
        """What came out of it: by its documents, else by its output."""
        if kind == "RETRIEVER":
            return self.of("retrieval", "documents", output)
        return self.of("reranker", "output_documents", output) if kind == "RERANKER" else None

    def of(self, group: str, name: str, output: object) -> tuple[StoredChunk, ...] | None:
        """The documents under an attribute, else those of an `output`. Raises `InputError` where some were dropped."""
        found = parsed(_at(self.tree, group, name))
        if isinstance(found, Mapping):
            numbered = {int(name): each for name, each in found.items() if re.fullmatch(r"[0-9]{1,9}", name)}
            numbers = sorted(numbered)
            lost = _lacking(numbers)
            if lost and (whole := listed(output)) is not None:
                found = whole
            elif lost:
                message = f"{self.where} lacks documents {lost[0]} to {lost[1]} of {numbers[-1] + 1}"
                raise InputError(message, self.file, self.line, LIMIT)
            else:
                found = [numbered[number] for number in numbers]
        items = listed(found) if isinstance(found, list) else listed(output)
        return chunks_of(items, self.where, self.file, self.line)


def _lacking(numbers: Sequence[int]) -> tuple[int, int] | None:
    """The first and the last number that sorted `numbers` lack from 0 on; None where they lack none."""
    gaps = [(before + 1, number - 1) for before, number in pairwise([-1, *numbers]) if number > before + 1]
    return (gaps[0][0], gaps[-1][1]) if gaps else None


def _prompt(tree: Mapping[str, object], input_value: object) -> tuple[str, ...]:
    """What a model was given: its messages, its prompts, or its input."""
    messages = _at(tree, "llm", "input_messages") or _at(tree, "llm", "prompts")
    return tuple(strings(messages if messages else input_value))


def _texts(tree: object) -> Iterator[str]:
    """The texts of attributes as they are, but for those of documents."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for name, inner in tree.items():
            if name != "document":
                yield from _texts(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _texts(inner)
