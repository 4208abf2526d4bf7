"""Recorded answers in: what a system said to each query, under which condition, and how it was labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragdiag.core.batches import is_batch, read_batch
from ragdiag.core.conditions import CONDITIONS
from ragdiag.core.errors import InputError, did_you_mean
from ragdiag.core.files import field, stream_jsonl
from ragdiag.core.prompt import attempted
from ragdiag.core.records import Answer
from ragdiag.core.replies import LONGEST, TOO_LONG, kept
from ragdiag.sources.fields import Fields

__all__ = ["load_answers", "split_source"]


Record = dict[str, Any]
"""A line of a file."""

FIELDS = ("query_id", "condition", "answer", "correct", "recorded_label", "error", "context", "contexts", "sufficient")
BATCH = ("custom_id", "response", "error", "result")
WRITTEN = ("repeat", "prompt", "model", "prompt_sha256", "max_tokens", "cut", "seconds", "id", "method", "url", "body", "params")
"""What prompts, the record of live answers and a batch have besides."""


def load_answers(sources: Sequence[str | Answer]) -> tuple[Answer, ...]:
    """The answers of all `sources`, each ``[CONDITION=]FILE`` or an answer, in order; a query may have several per condition.

    A line is an answer, or one of the output of a batch. Raises `InputError` with file and line for a record that is neither, an
    unknown condition, or none at all.
    """
    answers: list[Answer] = []
    for source in sources:
        answers += [source] if isinstance(source, Answer) else _read(*split_source(source))
    return tuple(answers)


def _read(condition: str, path: Path) -> list[Answer]:
    """The answers of one file."""
    answers: dict[str | int, Answer] = {}  # by the question of a record of live answers, else by line
    asked: dict[str, str] = {}
    with Fields(path) as fields:
        for line, _, record in stream_jsonl(path):
            batch = is_batch(record)
            key = _question(record, asked, path, line) if "prompt_sha256" in record else line
            fields.look(record, BATCH if batch else FIELDS, line, known=WRITTEN)
            answers[key] = (_batch_answer if batch else _answer)(record, condition, path, line)
    if not answers:
        raise InputError("holds no answers", path, remedy="give at least one")
    return list(answers.values())


def _question(record: Record, asked: dict[str, str], path: Path, line: int) -> str:
    """The question that a line of a record of live answers is about: of several attempts at one, the last counts.

    Raises `InputError` where `asked`, to which it is added, has another prompt or model in its place: what an older pipeline led
    to is no repeat of what this one does.
    """
    question = attempted(record)
    if asked.setdefault(repr([record.get(name) for name in ("query_id", "condition", "repeat")]), question) != question:
        what = f"holds answers of several pipelines: query {record.get('query_id')!r} was put in two prompts, or to two models"
        raise InputError(what, path, line, "give --live with the options of the one you mean, or keep a record for each")
    return question


def split_source(source: str, folder: Path = Path()) -> tuple[str, Path]:
    """The condition that ``[CONDITION=]FILE`` names, "" for none, and its file in `folder`; a file's own name may hold ``=``.

    Raises `InputError` for an unknown condition.
    """
    condition, equals, file = source.partition("=")
    if not equals or (condition not in CONDITIONS and (folder / source).exists()):
        return "", folder / source
    if condition not in CONDITIONS:
        raise InputError(f"unknown condition {condition!r} in {source!r}{did_you_mean(condition, CONDITIONS)}")
    return condition, folder / file


def _answer(record: Record, condition: str, path: Path, line: int) -> Answer:
    correct, failed = _label(record, path, line)
    failed |= correct is None and record.get("answer") is None and _optional(record, "error", str, path, line) is not None
    query_id = str(field(record, ("query_id",), (str, int), path, line))
    return Answer(
        query_id=query_id,
        condition=_condition(record, condition, path, line),
        answer=_text(record, failed, path, line),
        correct=correct,
        failed=failed,
        contexts=_contexts(record, path, line),
        sufficient=_optional(record, "sufficient", bool, path, line),
    )


def _batch_answer(record: Record, default: str, path: Path, line: int) -> Answer:
    """A line of a batch's output; one that came to nothing is a failed attempt."""
    condition, query_id, reply = read_batch(record, path, line)
    text = kept(reply).answer
    return Answer(query_id, condition or _condition({}, default, path, line), text or "", failed=text is None)


def _optional(record: Record, name: str, kind: type, path: Path, line: int) -> Any:
    return None if record.get(name) is None else field(record, (name,), kind, path, line)


def _condition(record: Record, default: str, path: Path, line: int) -> str:
    condition = _optional(record, "condition", str, path, line) or default
    if not condition:
        remedy = f'name it before the file ({"=, ".join(CONDITIONS)}=) or add "condition" to the line'
        raise InputError("no condition says what the model was given", path, line, remedy)
    if condition not in CONDITIONS:
        raise InputError(f"unknown condition {condition!r}{did_you_mean(condition, CONDITIONS)}", path, line)
    return str(condition)


def _text(record: Record, failed: bool, path: Path, line: int) -> str:
    if failed and record.get("answer") is None:
        return ""
    text = str(field(record, ("answer",), (str, int, float), path, line))
    if len(text) > LONGEST:
        raise InputError(
            f"'answer' has {TOO_LONG}, so it is no answer to a question", path, line, 'write an "error" in its place'
        )
    return text


def _label(record: Record, path: Path, line: int) -> tuple[bool | None, bool]:
    """Whether the answer is recorded as correct, None where nothing says, and whether the attempt failed."""
    correct = _optional(record, "correct", bool, path, line)
    recorded = _optional(record, "recorded_label", str, path, line)
    if recorded is None:
        return correct, False
    label = {"correct": True, "incorrect": False}.get(recorded.strip().lower())
    if correct is not None and correct != label:
        raise InputError(f"'correct' and 'recorded_label' ({recorded!r}) contradict each other", path, line, "keep one")
    return label, label is None


def _contexts(record: Record, path: Path, line: int) -> tuple[str, ...]:
    one, several = _optional(record, "context", str, path, line), _optional(record, "contexts", list, path, line)
    if one is not None and several is not None:
        raise InputError("both 'context' and 'contexts' are given", path, line, "keep one")
    if several is not None and not all(isinstance(context, str) for context in several):
        raise InputError("'contexts' must hold texts", path, line, "mend that field")
    return tuple(several or ()) if one is None else (one,)
