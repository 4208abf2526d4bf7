"""What surrounds the labelling of answers from the command line: a terminal or a page, and what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from ragdiag.cli.ending import standard_output
from ragdiag.cli.shell import refuse

if TYPE_CHECKING:
    from ragdiag.answering.verdict import Litmus
    from ragdiag.core.options import Judging
    from ragdiag.label.answer_review import AnswerReview

__all__ = ["review", "review_options"]


class Asked(NamedTuple):
    """The options of a review, by their names on the command line."""

    review: int | None
    draw: str
    reviewer: str
    page: bool
    port: int
    acceptable: str | None


def review_options(given: dict[str, object], judging: Judging, queries: str, outputs: Collection[str | None]) -> Asked | None:
    """The options of a review, taken out of `given`; None where none is asked for.

    Raises `UsageError` for options of a review without one, and for one whose decisions have no place.
    """
    from ragdiag.core.errors import UsageError

    asked = Asked._make(given.pop(name) for name in Asked._fields)
    if asked.review is None:
        refuse(Asked._fields[1:], "--review")
        return None
    if not judging.answer_labels:
        raise UsageError("--review keeps every decision as it comes; give --answer-labels FILE")
    if judging.blind:
        raise UsageError("with --blind no label counts, so there is nothing to review")
    if "-" in outputs:
        raise UsageError("--review asks on the screen: give the report a file")
    if queries == "-" and not asked.page:
        raise UsageError("standard input is where you answer: give the queries as a file")
    from ragdiag.label.answer_review import begin

    begin(Path(judging.answer_labels[0]))  # before anything is judged: what is judged then is what is drawn from
    return asked


def review(litmus: Litmus, judging: Judging, queries: str, asked: Asked) -> None:
    """Ask a person about answers of a litmus test; decisions go to the first file of labels."""
    from ragdiag.label.answer_review import AnswerReview
    from ragdiag.text.phrases import counted

    file = Path(judging.answer_labels[0])
    session = AnswerReview(litmus, file, asked.reviewer, asked.draw, asked.review or 0)
    with standard_output():
        click.echo(session.opening())
        _on_page(session, asked.port) if asked.page else _on_terminal(session)
        skipped = f", {len(session.skipped)} skipped" if session.skipped else ""
        click.echo(f"{counted(len(session.decided), 'quer', 'y')} labelled{skipped}; kept in {file}")
    if asked.acceptable:
        from ragdiag.label.accepted import write_accepted

        added = write_accepted(Path(queries), session.accepted(), Path(asked.acceptable))
        click.echo(f"{counted(added, 'accepted answer')} added to the queries: {asked.acceptable}")


def _on_terminal(session: AnswerReview) -> None:
    from ragdiag.label.answer_terminal import review_answers
    from ragdiag.label.terminal import terminal

    with contextlib.suppress(ImportError):  # absent on Windows; where it is, lines can be edited
        import readline  # noqa: F401
    click.echo("r where the answer says what a reference says, w where it does not, rw of two; e shows evidence, ? all commands")
    review_answers(session, input, terminal())


def _on_page(session: AnswerReview, port: int) -> None:
    from ragdiag.label.answer_page import AnswerPage
    from ragdiag.label.serving import serve

    def started(url: str) -> None:
        click.echo(f"label at {url}\nCtrl-C, or Stop on the page, ends it; every decision is in the file already")

    serve(AnswerPage(session), port, started)
