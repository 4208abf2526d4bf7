"""What surrounds asking a model from the command line: what it will take, whether that is wanted, what came of it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from ragdiag.cli.ending import note, say
from ragdiag.cli.shell import on_terminal, progress_bars, refuse
from ragdiag.core.errors import UsageError
from ragdiag.core.options import Options

if TYPE_CHECKING:
    from ragdiag.answering.live.prompting import Live, Prompts, Session
    from ragdiag.core.records import Answer
    from ragdiag.pipeline import Audit

__all__ = ["ask_live", "live_options", "tell_left_out", "template_text"]

LIVE = ("record", "conditions", "template", "model", "repeats", "concurrency", "timeout", "retries", "max_tokens", "price", "yes")
"""Options that say how a model is asked, so make no sense where none is."""


WITHOUT_CORPUS = {"seed", "cache", "qrels"}
"""Options of an audit that say something where only recorded answers are judged."""


def live_options(
    given: dict[str, object], corpus: str | None, answers: Collection[str]
) -> tuple[Live | None, tuple[float, float] | None, bool]:
    """How to ask a model (None: not at all), the price of a million tokens in and out, and whether it is agreed to.

    Their options are taken out of `given`.

    Raises `UsageError` for options that say nothing here: of asking where nothing is asked, of a pipeline without a corpus.
    """
    asking: dict[str, Any] = {name: given.pop(name) for name in ("live", *LIVE)}
    target = asking.pop("live")
    if target is None:
        refuse(LIVE, "--live")
    if corpus is None:
        refuse({"run_file"} | {field.name for field in dataclasses.fields(Options)} - WITHOUT_CORPUS, "--corpus")
    if target is None:
        return None, None, False
    if corpus is None:
        raise UsageError("--live makes its prompts from the corpus; give --corpus")
    if not asking["record"] or asking["record"] == "-":
        raise UsageError("--live keeps every answer as it comes; give --record FILE")
    _check_record(asking["record"], answers)
    from ragdiag.answering.live.prompting import Live

    price, yes, asking["template"] = asking.pop("price"), asking.pop("yes"), template_text(asking["template"])
    return Live(target, **{name: value for name, value in asking.items() if value not in (None, ())}), price, yes


def _check_record(record: str, answers: Collection[str]) -> None:
    """The answers of the record that count come from asking; read whole, it would give them twice, and those of older prompts."""
    from ragdiag.answering.answers import split_source
    from ragdiag.core.writing import real

    for source in answers:
        if real(split_source(source)[1]) == real(record):
            raise UsageError(f"--answers {source} is the --record; leave it out: what it holds counts without being asked again")


def template_text(file: str | None) -> str:
    """The text of a template; "" where none is given."""
    if file is None:
        return ""
    from ragdiag.core.files import read_text

    text = read_text(Path(file))
    if not text.strip():
        raise UsageError(f"{file}: the template is empty")
    return text


def ask_live(
    corpus: str, queries: str, options: Options, live: Live, price: tuple[float, float] | None, yes: bool, quiet: bool
) -> tuple[Audit, list[Answer]]:
    """An audit and the model's answers with its contexts. Asks whether to make calls that may cost something.

    What came of the calls goes to standard error.
    """
    from ragdiag.answering.live.prompting import session

    with progress_bars(quiet) as progress:
        open_ = session(corpus, queries, options, live, progress)
    if not quiet:
        tell_left_out(open_.prompts)
    if live.is_endpoint and open_.estimate.calls:
        _consent(open_, price, yes, quiet)
    with progress_bars(quiet) as progress:
        asked = open_.ask(progress)
    if not quiet:
        kinds = sorted(asked.failures.items(), key=lambda kind: (-kind[1], kind[0]))  # not in the order in which they came
        failed = ", ".join(f"{kind} {n}" for kind, n in kinds)
        parts = [f"{asked.answered} answered", f"{asked.resumed} known before", f"{sum(asked.failures.values())} failed"]
        say(f"{', '.join(parts)}{f' ({failed})' if failed else ''}; kept in {live.record}")
        if asked.failures:
            say("the same command asks those that failed again")
        if asked.cut:
            say(f"{asked.cut} answers ran into the limit of tokens; a larger --max-tokens asks those again")
    return open_.audit, list(asked.answers)


def _consent(open_: Session, price: tuple[float, float] | None, yes: bool, quiet: bool) -> None:
    """Show what asking will take, and ask whether to; without a terminal that has to be said beforehand."""
    calls, tokens_in, tokens_out = open_.estimate
    host, model = urlsplit(open_.live.target).netloc, open_.live.model
    estimate = f"{calls:,} calls to {model} at {host}: about {tokens_in:,} tokens in, at most {tokens_out:,} out"
    if price:
        estimate += f", at most about ${open_.estimate.dollars(*price):,.2f}"
    if not (yes and quiet):
        click.echo(estimate, err=True)
    if yes:
        return
    if not on_terminal(sys.stdin, sys.stderr):
        raise UsageError("nobody can be asked whether to make these calls; give --yes")
    click.confirm("Make them?", err=True, abort=True)


def tell_left_out(prompts: Prompts) -> None:
    """How many queries have no prompt, and why, and what else a reader should know, to standard error."""
    for condition, reasons in prompts.left_out.items():
        if n := sum(reasons.values()):
            why = ", ".join(f"{reason} {k}" for reason, k in reasons.items())
            say(f"no {condition} prompt for {n} {'query' if n == 1 else 'queries'}: {why}")
    for each in prompts.notes:
        note(each, UserWarning, "", 0)
