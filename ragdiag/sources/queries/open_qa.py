"""Questions with their accepted answers and no passages, as open-domain sets have them: Natural Questions, TriviaQA, KILT."""

from __future__ import annotations

from pathlib import Path

from ragdiag.core.errors import InputError
from ragdiag.core.records import Query
from ragdiag.sources.fields import Fields
from ragdiag.sources.queries import own
from ragdiag.sources.queries._common import Sample, samples

__all__ = ["FORM", "fits", "read"]

FORM = 'questions with their accepted answers ({"question", "answer": [...]})'
QUESTION = ("question", "Question", "input")
NAMES = {
    **dict.fromkeys(QUESTION, "text"),
    **dict.fromkeys(("question_id", "QuestionId", "query_id", "id"), "_id"),
    **dict.fromkeys(("output", "short_answers"), "answers"),
}
"""What the sets call the fields of our own records."""

ANSWERS = ("answer", "answers", "Answer", "output", "short_answers")
GIVEN = ("contexts", "retrieved_contexts")
"""Where a record has these its ``answer`` is what a system said."""

UNREAD = (
    *("QuestionSource", "question_source", "EntityPages", "entity_pages", "SearchResults", "search_results"),
    *("ctxs", "positive_ctxs", "negative_ctxs", "hard_negative_ctxs"),
)
"""What TriviaQA and retrieval's training sets have besides: pages that somebody's search found."""


def fits(sample: Sample) -> bool:
    """Whether the first record is a question with accepted answers: a lone text under ``answer`` may be what a system said."""
    first = sample.record
    if first.keys() & {"text", *GIVEN}:
        return False
    accepted = any(isinstance(first.get(name), (list, dict)) for name in ANSWERS)
    return accepted and bool(first.keys() & {*QUESTION})


def read(path: Path, qrels: Path | None = None) -> list[Query]:
    """Read JSON Lines, a JSON list or ``{"Data": [...]}``; without an id, a question is numbered ``q0000``."""
    queries = []
    with Fields(path) as fields:
        for i, (line, record) in enumerate(samples(path, QUESTION)):
            if not isinstance(record, dict):
                raise InputError(f"record {i}: an object is expected, not {type(record).__name__}", path, line, "mend it")
            known = {"_id": f"q{i:04}"} | _named(record, path, line)
            own.look(fields, known, line, known=UNREAD)
            queries.append(own.query(known, path, line))
    return queries


def _named(record: dict[str, object], path: Path, line: int) -> dict[str, object]:
    """`record` with its fields called as our own are. Raises `InputError` where two of them are one."""
    named: dict[str, object] = {}
    for name, value in record.items():
        ours = NAMES.get(name, name)
        if ours in named:
            raise InputError(f"{name!r} and another field both give the query's {ours!r}", path, line, "keep one")
        named[ours] = value
    return named
