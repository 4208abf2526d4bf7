"""Prompts: what a model is given for one query, under one condition, and the names under which they go out and come back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.conditions import CLOSED_BOOK, CONDITIONS
from ragdiag.core.errors import UsageError, did_you_mean

__all__ = [
    "ATTEMPT",
    "MOST_TOKENS",
    "Prompt",
    "Reply",
    "attempted",
    "check_conditions",
    "check_template",
    "content",
    "custom_id",
    "fill",
    "prompt_lines",
    "read_custom_id",
    "settings",
    "template_for",
]

WITH_CONTEXTS = """\
Answer the question from the passages below, in as few words as it takes. They are all there is to go by: if they do not hold the
answer, say that they do not.

{contexts}

Question: {question}
Answer:"""
"""The same for the pipeline's context and for the evidence: only what is between may differ."""

WITHOUT = """\
Answer the question from what you know, in as few words as it takes. If you do not know the answer, say so.

Question: {question}
Answer:"""

ATTEMPT = ("query_id", "condition", "repeat", "model", "prompt_sha256")
"""The fields by which lines of a record of live answers are about one question; of several such lines the last counts."""

NOTHING = "(no passages were found)"

MOST_TOKENS = 512
"""The most tokens of one answer, unless the user says otherwise."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: `text`, made of `question` and `contexts`. `sufficient`: these hold all evidence; None: no label tells."""

    query_id: str
    condition: str
    question: str
    contexts: tuple[str, ...]
    text: str
    sufficient: bool | None = None


class Reply(NamedTuple):
    """What came of one call: an answer, or where there is none the kind of failure. `cut`: the answer reached the token limit."""

    answer: str | None
    error: str = ""
    cut: bool = False


def attempted(line: Mapping[str, object]) -> str:
    """The question that a line of a record is about, as one text: see `ATTEMPT`."""
    return repr([line.get(name) for name in ATTEMPT])


def template_for(condition: str) -> str:
    """The template where the user gives none."""
    return WITHOUT if condition == CLOSED_BOOK else WITH_CONTEXTS


def check_conditions(conditions: Iterable[str]) -> None:
    """Raise `UsageError` for one that is unknown."""
    for condition in conditions:
        if condition not in CONDITIONS:
            raise UsageError(f"unknown condition {condition!r}{did_you_mean(str(condition), CONDITIONS)}")


def check_template(template: str, conditions: tuple[str, ...]) -> None:
    """Raise `UsageError` unless `template` has the placeholders that `conditions` need, and no other."""
    placeholders, known = set(PLACEHOLDER.findall(template)), ("contexts", "question")
    if unknown := sorted(placeholders - {*known}):
        raise UsageError(f"the template has an unknown placeholder {{{unknown[0]}}}{did_you_mean(unknown[0], known)}")
    if "question" not in placeholders:
        raise UsageError("the template has no place for the question; write {question} there")
    closed = CLOSED_BOOK in conditions
    if closed and len(set(conditions)) > 1:
        raise UsageError("one template does not fit closed_book and other conditions; give closed_book a command of its own")
    if closed and "contexts" in placeholders:
        raise UsageError("the template: closed_book has no contexts; leave {contexts} out")
    if not closed and "contexts" not in placeholders:
        raise UsageError("the template has no place for the contexts; write {contexts} there")


def fill(template: str, question: str, contexts: tuple[str, ...]) -> str:
    """`template` with its placeholders replaced, all at once: what is filled in is never taken for a placeholder."""
    numbered = "\n\n".join(f"[{i}] {context}" for i, context in enumerate(contexts, 1)) or NOTHING
    return PLACEHOLDER.sub(lambda m: {"contexts": numbered, "question": question}[m[1]], template)


def custom_id(prompt: Prompt, repeat: int) -> str:
    """``oracle:q1``, ``oracle:q1#2`` for the second of several repeats (the first too, of an id that itself ends so): unique."""
    plain = f"{prompt.condition}:{prompt.query_id}"
    return f"{plain}#{repeat}" if repeat > 1 or re.search(r"#\d+\Z", plain, re.ASCII) else plain


def read_custom_id(name: str) -> tuple[str, str]:
    """Condition, "" where it names none, and query id of what `custom_id` wrote."""
    condition, colon, query_id = name.partition(":")
    if not colon or condition not in CONDITIONS:
        condition, query_id = "", name
    return condition, re.sub(r"#\d+\Z", "", query_id, flags=re.ASCII)


def _prompt_line(prompt: Prompt, repeat: int, repeats: int) -> dict[str, object]:
    """A prompt as a line of JSON; with an ``answer`` added to it, it is a line of recorded answers."""
    line: dict[str, object] = {"query_id": prompt.query_id, "condition": prompt.condition}
    line |= {"repeat": repeat} if repeats > 1 else {}
    line |= {"prompt": prompt.text, "contexts": list(prompt.contexts)}
    return line | ({} if prompt.sufficient is None else {"sufficient": prompt.sufficient})


def prompt_lines(prompts: Iterable[Prompt], repeats: int) -> Iterator[dict[str, object]]:
    """Every prompt's line, `repeats` times."""
    for prompt in prompts:
        for repeat in range(1, repeats + 1):
            yield _prompt_line(prompt, repeat, repeats)


def settings(max_tokens: int) -> dict[str, int]:
    """The parameters of every request, live or in a batch."""
    return {"temperature": 0, "max_tokens": max_tokens}


def content(body: Any) -> Reply:
    """The answer in the body of a chat completion, as JSON; a body that holds none is a failure, never an answer."""
    try:
        choice = body["choices"][0]
        text, cut = choice["message"]["content"], choice.get("finish_reason") == "length"
    except (KeyError, IndexError, TypeError, AttributeError):
        return Reply(None, "no answer")
    return Reply(text, "", cut) if isinstance(text, str) and text.strip() else Reply(None, "no answer")
