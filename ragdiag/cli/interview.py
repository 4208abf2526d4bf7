"""The interview of ``ragdiag decide`` on the command line: its options, its report file, its questions on a terminal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ragdiag.cli.config import Does, Option
from ragdiag.cli.shell import STDIN, on_terminal, standard_input
from ragdiag.deciding.costs import Rates, option
from ragdiag.deciding.framework import LARGEST_COUNT, QUESTIONS, Question

if TYPE_CHECKING:
    from ragdiag.deciding.decision import Decision

__all__ = ["conducted", "decide_options"]


def decide_options() -> list[Option]:
    """One option for the report, for each question and for each rate."""
    says = "JSON of ragdiag litmus or audit, whose verdict answers --problem; - for standard input."
    return [Option(["--report"], does=Does.READS, metavar="FILE", help=says), *map(_question, QUESTIONS.values()), *_rates()]


def _question(question: Question) -> Option:
    kind, metavar = (_kind(question), None) if question.choices else (int, "N")
    return Option([question.option, question.id], does=Does.TELLS, type=kind, metavar=metavar, help=question.text)


def _kind(question: Question) -> Any:
    return click.Choice(question.choices) if question.choices else click.IntRange(0, LARGEST_COUNT)


def _rates() -> Iterator[Option]:
    derived = {"run_price": "GPU hours x price", "shifts": "as --changes says"}
    for f in dataclasses.fields(Rates):
        default: Any = f.default
        shown = derived[f.name] if default is None else f"{round(default, 2):,.10g}"
        source = f.metadata["source"] or ("" if default is None else "assumed")
        says = f"{f.metadata['says'][0].upper()}{f.metadata['says'][1:]}"
        text = f"{says}, {f.metadata['unit']}.  [default: {'; '.join(filter(None, (shown, source)))}]"
        yield Option([option(f.name), f.name], does=Does.TELLS, type=float, metavar="X", help=text)


def conducted(report: str | None, given: Mapping[str, object]) -> Decision:
    """The decision from a report file and the options given; what is missing is asked where standard input is a terminal.

    Raises `UsageError` where it is none and an answer is missing, and `InputError` for a report without a verdict.
    """
    from ragdiag.core.errors import UsageError
    from ragdiag.deciding.decision import Answer, decide

    verdict = None if report is None else _verdict(report)
    answers = {name: Answer(given[name]) for name in QUESTIONS if given.get(name) is not None}
    amounts: dict[str, Any] = {f.name: given[f.name] for f in dataclasses.fields(Rates) if given.get(f.name) is not None}
    can_ask = on_terminal(sys.stdin)
    while True:
        decision = decide(answers, verdict, Rates(**amounts))
        question = decision.unanswered
        if question is None or (decision.measure and not can_ask):  # what hangs on a measurement is shown as far as it goes
            return decision
        if not can_ask:
            raise UsageError(_missing(question))
        answers[question.id] = Answer(click.prompt(question.text, type=_kind(question), err=True), "asked")


def _missing(question: Question) -> str:
    choices = "|".join(question.choices) or "N"
    report = " (or --report FILE)" if question.id == "problem" else ""
    return f"an answer is missing: {question.text} Give {question.option} {choices}{report}"


def _verdict(report: str) -> Any:
    """The verdict in a report of ``litmus`` or ``audit``. Raises `InputError`."""
    from pathlib import Path

    from ragdiag.core.errors import InputError, UsageError
    from ragdiag.core.files import decode, parse_json, read_text
    from ragdiag.deciding.measured import Measured

    path = Path(STDIN if report == "-" else report)
    content = parse_json(decode(standard_input(), path) if report == "-" else read_text(path), path)
    verdict = content["verdict"] if isinstance(content, dict) and "kind" not in content and "verdict" in content else content
    try:
        Measured.of(verdict)
    except UsageError as e:
        raise InputError(str(e), path, remedy="give the --json of ragdiag litmus or audit") from e
    return verdict
