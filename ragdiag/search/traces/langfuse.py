"""Observations of Langfuse: of its public API, its exports of tables and to blob storage, and its downloads of single traces.

The API writes ``traceId``, blob storage ``trace_id``; inputs and outputs are values, or JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ragdiag.search.traces.documents import are_documents, chunks_of, listed, read_in
from ragdiag.search.traces.steps import LLM, OTHER, RERANKER, RETRIEVER, Step, kind_of
from ragdiag.search.traces.values import first, instant, mapping, questions, strings, text_of

__all__ = ["holds", "steps"]

TYPES = ("SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL")
"""What Langfuse calls the types of observations."""

KINDS = {"RETRIEVER": RETRIEVER, "GENERATION": LLM}
"""Those that count."""


def holds(record: Mapping[str, object]) -> bool:
    """Whether a record is an observation, or a trace with its observations."""
    if isinstance(record.get("observations"), list):
        return True
    return text_of(record.get("type")).upper() in TYPES and bool({"traceId", "trace_id"} & record.keys())


def steps(record: Mapping[str, object], file: Path, line: int) -> Iterator[Step]:
    """The observations of a record; of a trace with observations the trace first, which they are parts of."""
    observations = record.get("observations")
    if not isinstance(observations, list):
        yield _step(record, "", file, line)
        return
    trace = mapping(record.get("trace")) or record
    whole = _step({"type": "SPAN", "traceId": trace.get("id"), **trace}, "", file, line)
    yield whole
    for observation in observations:
        if isinstance(observation, Mapping):  # the API of a single trace may give no more than ids
            yield _step({"traceId": whole.trace, **observation}, whole.id, file, line)


def _step(record: Mapping[str, object], outer: str, file: Path, line: int) -> Step:
    name, kind = text_of(record.get("name")), KINDS.get(text_of(record.get("type")).upper(), OTHER)
    output, metadata, own = listed(record.get("output")), mapping(record.get("metadata")), text_of(record.get("id"))
    kind = kind_of(kind, name, are_documents(output)) if kind != LLM else kind
    failed, where = text_of(record.get("level")).upper() == "ERROR", f"observation {name or own!r}"
    searches = kind in (RETRIEVER, RERANKER) and not failed
    (given, gave), fault = read_in(
        lambda: chunks_of(listed(record.get("input")), where, file, line) if searches and kind == RERANKER else None,
        lambda: chunks_of(output, where, file, line) if searches else None,
    )
    return Step(
        trace=text_of(first(record, "traceId", "trace_id")),
        id=own,
        parent=text_of(first(record, "parentObservationId", "parent_observation_id")) or outer,
        name=name,
        kind=kind,
        time=instant(first(record, "startTime", "start_time", "timestamp")),
        asked=questions(record.get("input")),
        file=file,
        line=line,
        query_id=text_of(first(metadata, "query_id")),
        session=text_of(first(record, "sessionId", "session_id") or first(metadata, "langfuse_session_id")),
        given=given,
        gave=gave,
        prompt=tuple(strings(record.get("input"))) if kind == LLM else (),
        failed=failed,
        fault=fault,
    )
