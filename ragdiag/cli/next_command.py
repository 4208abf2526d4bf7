"""The next command as the user can copy it: with the paths and options that were given, quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from ragdiag.reports.next_step import Step

__all__ = ["LEFT", "OF_INDEX", "command_line", "kept_options", "reviewable", "shell_line"]

LEFT = {"json_file", "html_file", "outputs", "fail_under", "quiet", "answers"}
"""Options of an audit that say what becomes of its report: the next command has a report of its own."""

OF_INDEX = {"retriever", "cache", "no_cache"}
"""Options that `check` and `label` have as well, for another end than an audit."""

REPORT, REVIEWED = "report.json", "reviewed.jsonl"
"""Where the report goes that a review is made from, and what is reviewed."""


def reviewable(queries: str) -> bool:
    """Whether ``label --review`` can add to the file of queries."""
    return Path(queries).suffix.lower() in (".jsonl", ".ndjson")


def command_line(step: Step, context: click.Context) -> str:
    """A step as a line for a shell. `context` is that of the audit, whose options are kept as far as the command has them."""
    corpus, queries = str(context.params["corpus"]), str(context.params["queries"])
    if step.command == "label":
        return _review(context, corpus, queries)
    paths = [corpus, queries]
    if step.command == "litmus":
        paths = [queries, "--answers", "retrieved=ANSWERS", "--corpus", corpus]
    ids = ["--", *step.arguments] if any(each.startswith("-") for each in step.arguments) else step.arguments
    return shell_line([step.command, *paths, *_options(context, step.command), *ids])


def _review(context: click.Context, corpus: str, queries: str) -> str:
    """A review, behind the audit whose report it is made from where no report is kept."""
    report = context.params.get("json_file")
    review = _options(context, "label")
    kept = report if report and report != "-" else REPORT
    label = shell_line(["label", corpus, queries, "--review", kept, "--out", REVIEWED, *review])
    if kept == report:
        return label
    audit = ["audit", corpus, queries, *_options(context, "audit"), "--quiet", "--json", kept]
    return f"{shell_line(audit)} && {label}"


def shell_line(words: list[str]) -> str:
    """A command of ragdiag's for a shell."""
    from ragdiag.text.phrases import clean

    return " ".join(["ragdiag", *(shlex.quote(clean(word)) for word in words)])


def _options(context: click.Context, command: str) -> Iterator[str]:
    """The options that stand on the command line of an audit, as `command` takes them."""
    return kept_options(context, command, LEFT | OF_INDEX if command in ("check", "label") else LEFT)


def kept_options(context: click.Context, command: str, left: Collection[str]) -> Iterator[str]:
    """The options that stand on the command line, as `command` takes them, but for those named in `left`."""
    group = context.find_root().command
    taker = group.commands[command] if isinstance(group, click.Group) else context.command
    known = {flag for parameter in taker.params for flag in parameter.opts}
    for parameter in context.command.params:
        name, flag = str(parameter.name), parameter.opts[0]
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if isinstance(parameter, click.Option) and given and name not in left and flag in known:
            yield from _given(parameter, context.params[name])


def _given(option: click.Option, value: object) -> Iterator[str]:
    if option.is_flag:
        yield option.opts[0]
        return
    for item in value if isinstance(value, tuple) else (value,):
        yield from (option.opts[0], str(item))
