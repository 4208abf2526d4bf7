"""Runs of LangSmith, as its client and its exports write them: alone, or with those that they called inside of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ragdiag.search.traces.documents import are_documents, chunks_of, listed, read_in
from ragdiag.search.traces.steps import LLM, OTHER, RERANKER, RETRIEVER, Step, kind_of
from ragdiag.search.traces.values import first, instant, mapping, questions, strings, text_of

__all__ = ["holds", "steps"]

KINDS = {"retriever": RETRIEVER, "llm": LLM}
"""LangSmith's types of runs that count."""


def holds(record: Mapping[str, object]) -> bool:
    """Whether a record is a run."""
    return "run_type" in record


def steps(record: Mapping[str, object], file: Path, line: int) -> Iterator[Step]:
    """A run and, where they stand inside of it, those that it called."""
    step = _step(record, file, line)
    yield step
    children = record.get("child_runs")
    for child in children if isinstance(children, list) else ():
        if isinstance(child, Mapping):
            yield from steps(
                {"trace_id": step.trace, "parent_run_id": step.id}
                | {name: value for name, value in child.items() if value is not None},
                file,
                line,
            )


def _step(record: Mapping[str, object], file: Path, line: int) -> Step:
    name, own = text_of(record.get("name")), text_of(record.get("id"))
    inputs, output = mapping(record.get("inputs")), listed(record.get("outputs"))
    kind = KINDS.get(text_of(record.get("run_type")).lower(), OTHER)
    kind = kind_of(kind, name, are_documents(output)) if kind != LLM else kind
    metadata = mapping(mapping(record.get("extra")).get("metadata"))
    failed = bool(record.get("error")) or text_of(record.get("status")) == "error"
    searches, where = kind in (RETRIEVER, RERANKER) and not failed, f"run {name or own!r}"
    (given, gave), fault = read_in(
        lambda: chunks_of(listed(inputs), where, file, line) if searches and kind == RERANKER else None,
        lambda: chunks_of(output, where, file, line) if searches else None,
    )
    return Step(
        trace=text_of(first(record, "trace_id")) or own,
        id=own,
        parent=text_of(record.get("parent_run_id")),
        name=name,
        kind=kind,
        time=instant(record.get("start_time")),
        asked=questions(inputs),
        file=file,
        line=line,
        query_id=text_of(first(metadata, "query_id")),
        session=text_of(first(metadata, "session_id", "thread_id")),
        given=given,
        gave=gave,
        prompt=tuple(strings(inputs)) if kind == LLM else (),
        failed=failed,
        fault=fault,
    )
