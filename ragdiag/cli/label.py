"""``ragdiag label``: labels made on a terminal or on a page of one's own machine. Only click is imported at start."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ragdiag.cli.config import settle
from ragdiag.cli.ending import note, standard_output
from ragdiag.cli.flags import CACHE_OPTIONS, CORPUS_OPTIONS, chooses, connects, corpus_argument, options, reads, tells, writes
from ragdiag.cli.shell import progress_bars

if TYPE_CHECKING:
    from ragdiag.core.protocols import Progress
    from ragdiag.label.session import Session

__all__ = ["label"]


@click.command()
@corpus_argument
@click.argument("queries", metavar="[QUERIES]", required=False)
@writes("--out", metavar="FILE", required=True, help="Where labels go, one by one; a file begun earlier is gone on with.")
@tells("--drafts", is_flag=True, help="Also ask what the documents ask: headings, FAQs. A draft counts once you label it.")
@chooses("--retriever", "retrievers", family="retrievers", metavar="SPEC", multiple=True,
              help="Finds passages to show; repeat for several.  [default: bm25 and dense, or lsa]")  # fmt: skip
@connects("--page", is_flag=True, help="On a page in your browser, from this machine to this machine only.")
@connects("--port", type=click.IntRange(0, 65535), metavar="N", default=0, help="Of the page.  [default: any that is free]")
@reads("--review", metavar="REPORT", help="Review failing queries of an audit's --json report, drawn at random.")
@connects(
    "--between",
    multiple=True,
    metavar="REPORT|SPEC",
    help="Ask only what tells two configurations apart, drawn at random: those of a tune or compare --json report, or two by "
    "name, 'sentence | bm25'.",
)
@options(*CACHE_OPTIONS, *CORPUS_OPTIONS)
def label(corpus: str, queries: str | None, out: str, page: bool, port: int, **given: Any) -> None:
    """Label queries, one by one: see what several retrievers find, mark the evidence. Stop anywhere; the same command goes on.

    QUERIES are as for audit, with or without labels, or a .txt with one question a line.
    """
    from ragdiag.label.pooling import with_defaults

    _check_usage(queries, given["drafts"], given["review"], page)
    if given["between"]:
        _check_between(queries, given["drafts"], given["review"])
    settle(given)
    if click.get_current_context().get_parameter_source("retrievers") is ParameterSource.DEFAULT_MAP:
        given["retrievers"] = with_defaults(given["retrievers"])  # a pool of the audited retriever alone would flatter it
    cache = None if given["no_cache"] else given["cache"] or ""
    with progress_bars(False) as progress:
        session, notes = _opened(corpus, queries, out, cache, progress, given)
    for each in notes:
        note(each, UserWarning, "", 0)
    with standard_output():
        try:
            _on_page(session, port) if page else _on_terminal(session)
        finally:
            _conclude(session, corpus, out)


def _check_usage(queries: str | None, drafts: bool, review: str | None, page: bool) -> None:
    from ragdiag.core.errors import UsageError

    if queries == "-":
        raise UsageError("standard input is where you answer: give the queries as a file")
    if sys.stdin is None and not page:
        raise UsageError("standard input is closed: that is where you answer, unless you take --page")
    if review and (drafts or not queries):
        raise UsageError(
            "--review is about queries that were audited: " + ("leave out --drafts" if drafts else "name their file")
        )
    if not queries and not drafts:
        raise UsageError("no queries are given: name a file (one question a line will do), or take --drafts from the documents")


def _check_between(queries: str | None, drafts: bool, review: str | None) -> None:
    from ragdiag.core.errors import UsageError

    others = {"leave out --drafts": drafts, "leave out --review": review, "name it": not queries}
    if wrong := next((remedy for remedy, given in others.items() if given), ""):
        raise UsageError(f"--between draws from questions of a file: {wrong}")


def _opened(
    corpus: str, queries: str | None, out: str, cache: str | None, progress: Progress, given: dict[str, Any]
) -> tuple[Session, list[str]]:
    from ragdiag.label.drawing import open_review
    from ragdiag.label.next_labels import open_drawing
    from ragdiag.label.setup import open_session

    rest = given["retrievers"], cache, progress, given["keep"], given["exclude"]
    if queries and given["review"]:
        return open_review(corpus, queries, given["review"], out, *rest)
    if queries and given["between"]:
        return open_drawing(corpus, queries, given["between"], out, *rest)
    return open_session(corpus, queries, out, given["drafts"], *rest)


def _opening(session: Session) -> str:
    """What is said before the first query; "" for nothing."""
    from ragdiag.label import next_labels, review_terminal
    from ragdiag.label.reviewing import Review

    if isinstance(session, Review):
        return review_terminal.opening(session)
    return next_labels.opening(session) if isinstance(session, next_labels.Drawing) else ""


def _on_terminal(session: Session) -> None:
    from ragdiag.label.review_terminal import REVIEW
    from ragdiag.label.reviewing import Review
    from ragdiag.label.terminal import ask_all, terminal

    with contextlib.suppress(ImportError):  # absent on Windows; where it is, lines can be edited
        import readline  # noqa: F401
    if isinstance(sys.stdin, io.TextIOWrapper):  # what is not UTF-8 is refused where it matters, not an error here
        sys.stdin.reconfigure(errors="surrogateescape")
    if opening := _opening(session):
        click.echo(opening)
    if isinstance(session, Review):
        click.echo("3:2 says that sentence 2 of passage 3 answers the query, n that nothing does; ? shows all commands")
        ask_all(session, input, terminal(), REVIEW)
    else:
        click.echo("3:2 marks sentence 2 of passage 3 as the evidence; ? shows all commands")
        if any(not task.query.answers for task in session.tasks):
            click.echo("litmus will need the answer that is expected: a TEXT notes it, before you mark")
        ask_all(session, input, terminal())


def _on_page(session: Session, port: int) -> None:
    from ragdiag.label.page import Page
    from ragdiag.label.review_page import ReviewPage
    from ragdiag.label.reviewing import Review
    from ragdiag.label.serving import serve

    def started(url: str) -> None:
        click.echo(f"label at {url}\nCtrl-C, or Stop on the page, ends it; every decision is in the file already")

    if opening := _opening(session):
        click.echo(opening)
    serve(ReviewPage(session) if isinstance(session, Review) else Page(session), port, started)


def _conclude(session: Session, corpus: str, out: str) -> None:
    from ragdiag.label.next_labels import Drawing, drawn_text
    from ragdiag.label.review_terminal import review_text
    from ragdiag.label.reviewing import Review
    from ragdiag.label.summary import label_text
    from ragdiag.label.terminal import terminal

    names = [shlex.quote(name) for name in (corpus, out)]
    if isinstance(session, Review):
        text = review_text(session, *names)
    elif isinstance(session, Drawing):
        text = drawn_text(session, *names)
    else:
        text = label_text(session.summary(), *names)
    terminal().print(text, crop=False)
