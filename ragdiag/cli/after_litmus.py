"""The command that comes after a litmus test, as the user can copy it: with the paths and options that were given."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from ragdiag.cli.next_command import LEFT, OF_INDEX, kept_options, shell_line

if TYPE_CHECKING:
    from ragdiag.answering.verdict import Litmus
    from ragdiag.reports.after_litmus import Following

__all__ = ["litmus_next"]

REPORT, PROMPTS, LABELS = "litmus.json", "prompts.jsonl", "labels.jsonl"
"""Where what the next command makes, or reads, goes."""

ASKING = {"conditions", "model"}
"""Options that a live run has for another end than `prompts`."""

REVIEW = {"review", "answer_labels", "acceptable", "page", "port"}
"""Options of a review, which has a size of its own, and of its labels, which it adds to."""

REVIEWED = {"review", "draw", "reviewer", "page", "port", "acceptable"}
"""Options of a review that is over."""

ANSWER_LABELS = "answer_labels.jsonl"

PRICE = {"price"}
"""What asking cost was said when it was asked."""

STAND_FOR = {"CORPUS": "your documents", "QUESTIONS": "a file of questions"}
"""What the user did not name stands in capitals."""


def litmus_next(litmus: Litmus, context: click.Context) -> tuple[str, str] | None:
    """Why something comes next, and what, as a line for a shell; None where nothing does.

    `context` is that of the litmus test, whose options are kept where they fit.
    """
    from ragdiag.reports.after_litmus import after_litmus
    from ragdiag.text.phrases import listed

    following = after_litmus(litmus)
    if following is None:
        return None
    line = _line(following, context)
    unnamed = [f"{says} in place of {word}" for word, says in STAND_FOR.items() if word in line.split()]
    return following.why + (f" (name {listed(unnamed)})" if unnamed else ""), line


def _line(following: Following, context: click.Context) -> str:
    from ragdiag.core.options import Judging

    corpus, queries = str(context.params["corpus"] or "CORPUS"), str(context.params["queries"])
    if following.command == "litmus":
        return shell_line(["litmus", queries, *kept_options(context, "litmus", PRICE | REVIEW), *_review(following, context)])
    if following.command == "decide":
        return _decide(context, queries)
    if following.command == "label":
        return shell_line(["label", corpus, "QUESTIONS", "--out", LABELS, *kept_options(context, "label", LEFT | OF_INDEX)])
    if following.command == "prompts":
        options = kept_options(context, "prompts", LEFT | ASKING)
        conditions = [word for condition in following.conditions for word in ("--condition", condition)]
        return shell_line(["prompts", corpus, queries, *conditions, *options, "--out", PROMPTS])
    judging = {"delta", *(field.name for field in dataclasses.fields(Judging))}  # an audit without answers has no judge
    return shell_line(["audit", corpus, queries, *kept_options(context, "audit", LEFT | judging)])


def _review(following: Following, context: click.Context) -> list[str]:
    """The options by which answers are labelled, or those by which labels are read."""
    files = list(context.params["answer_labels"]) or ([ANSWER_LABELS] if following.review else [])
    labels = [word for file in files for word in ("--answer-labels", str(file))]
    return [*(["--review", str(following.review)] if following.review else []), *labels]


def _decide(context: click.Context, queries: str) -> str:
    """A decision, behind the litmus test whose report it reads where none is kept."""
    report = context.params.get("json_file")
    decide = shell_line(["decide", "--report", report if report and report != "-" else REPORT])
    if report and report != "-":
        return decide
    litmus = [
        "litmus",
        queries,
        *kept_options(context, "litmus", LEFT - {"answers"} | PRICE | REVIEWED),
        "--quiet",
        "--json",
        REPORT,
    ]
    return f"{shell_line(litmus)} && {decide}"
