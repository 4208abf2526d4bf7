"""ragas evaluation samples: a question, a reference answer, and the passages it was made from, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.files import field
from ragdiag.core.records import Label, Query
from ragdiag.sources.fields import Fields
from ragdiag.sources.queries._common import Sample, identifier, naming, optional, others, references, samples

__all__ = ["FORM", "fits", "read"]

FORM = 'ragas samples ({"user_input", "reference", "reference_contexts"})'
IDS = ("_id", "id", "query_id")
TEXT = ("user_input", "question")
ANSWER = ("reference", "references", "ground_truth", "ground_truths", "answers")
"""What is expected; ``answer`` is what a system said."""

PASSAGES = ("reference_contexts", "ground_truth_context")
OWN = {*ANSWER, *PASSAGES} - {"answers"}
"""What other questions with answers have not."""

OF_A_TEST_SET = {"evolution_type", "question_type", "episode_done"}
"""Where old samples have these, ragas wrote the questions itself, from what it called ``contexts``; else a system found those."""

RENAME = "rename contexts to reference_contexts if these are the passages the question was made from"
"""What to do about ``contexts`` of which nothing tells where they are from."""

FIELDS = (*IDS, *TEXT, *ANSWER, *PASSAGES)
UNREAD = (
    *("answer", "response", "contexts", "retrieved_contexts", "synthesizer_name", "persona_name", "query_style", "query_length"),
    *("evolution_type", "question_type", "metadata", "episode_done", "rubrics", "multi_responses", "reference_tool_calls"),
    *("retrieved_context_ids", "reference_context_ids"),
)
"""What a sample has besides, which says nothing of the query's labels."""

HOP = re.compile(r"<\d+-hop>\n\n")
"""ragas writes this mark before each passage of a multi-hop sample; it is not part of the passage."""


def fits(sample: Sample) -> bool:
    """Whether the first sample has ragas's fields, new or old names; ``question`` alone is anyone's."""
    names = {*sample.record}
    return "user_input" in names or ("question" in names and bool(OWN & names))


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read single-turn samples: JSON Lines, a JSON list or ``{"samples": [...]}``; without an id, one is numbered ``r0000``."""
    queries = []
    with Fields(path) as fields:
        for i, (line, record) in enumerate(samples(path, TEXT)):
            with naming(f"samples[{i}]"):
                if not isinstance(record, dict):
                    raise InputError(f"an object is expected, not {type(record).__name__}", path, line, "mend it")
                queries.append(_query(f"r{i:04}", record, path, line))
                fields.look(record, FIELDS, line, known=UNREAD)
    return queries


def _query(number: str, record: dict[str, object], path: Path, line: int) -> Query:
    fields = {name: value for name, value in record.items() if value is not None}
    if isinstance(asked := next((fields[name] for name in TEXT if name in fields), None), list):
        if asked and all(isinstance(text, str) for text in asked):
            raise InputError(
                "columns of different lengths, or not all of them lists", path, line, "write one object for each sample"
            )
        remedy = "give single-turn samples, whose user_input is text"
        raise InputError("multi-turn samples are not supported", path, line, remedy)
    return Query(
        id=identifier(fields, IDS, path, line) if fields.keys() & set(IDS) else number,
        text=field(fields, TEXT, str, path, line),
        **references(fields, ANSWER, path, line),
        evidence=tuple(_passages(fields, path, line)),
        metadata=others(fields, FIELDS),
        file=str(path),
        line=line,
    )


def _passages(record: dict[str, object], path: Path, line: int) -> Iterator[Label]:
    name = next((name for name in PASSAGES if name in record), "contexts" if record.keys() & OF_A_TEST_SET else PASSAGES[0])
    for passage in optional(record, name, list, path, line, []):
        if not isinstance(passage, str):
            raise InputError(f"{name!r} must hold texts, not {type(passage).__name__}", path, line, "mend it")
        yield Label(text=HOP.sub("", passage, count=1) if HOP.match(passage) else passage)
