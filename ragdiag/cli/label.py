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
from ragdiag.cli.ending import standard_output
from ragdiag.cli.flags import CACHE_OPTIONS, CORPUS_OPTIONS, chooses, connects, corpus_argument, options, tells, writes
from ragdiag.cli.shell import progress_bars

if TYPE_CHECKING:
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
@options(*CACHE_OPTIONS, *CORPUS_OPTIONS)
def label(corpus: str, queries: str | None, out: str, page: bool, port: int, **given: Any) -> None:
    """Label queries, one by one: see what several retrievers find, mark the evidence. Stop anywhere; the same command goes on.

    QUERIES are as for audit, with or without labels, or a .txt with one question a line.
    """
    from ragdiag.core.errors import UsageError
    from ragdiag.label.pooling import with_defaults
    from ragdiag.label.setup import open_session

    if queries == "-":
        raise UsageError("standard input is where you answer: give the queries as a file")
    if sys.stdin is None and not page:
        raise UsageError("standard input is closed: that is where you answer, unless you take --page")
    if not queries and not given["drafts"]:
        raise UsageError("no queries are given: name a file (one question a line will do), or take --drafts from the documents")
    settle(given)
    if click.get_current_context().get_parameter_source("retrievers") is ParameterSource.DEFAULT_MAP:
        given["retrievers"] = with_defaults(given["retrievers"])  # a pool of the audited retriever alone would flatter it
    cache = None if given["no_cache"] else given["cache"] or ""
    reading = given["keep"], given["exclude"]
    with progress_bars(False) as progress:
        session, notes = open_session(corpus, queries, out, given["drafts"], given["retrievers"], cache, progress, *reading)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    with standard_output():
        try:
            _on_page(session, port) if page else _on_terminal(session)
        finally:
            _conclude(session, corpus, out)


def _on_terminal(session: Session) -> None:
    from ragdiag.label.terminal import ask_all, terminal

    with contextlib.suppress(ImportError):  # absent on Windows; where it is, lines can be edited
        import readline  # noqa: F401
    if isinstance(sys.stdin, io.TextIOWrapper):  # what is not UTF-8 is refused where it matters, not an error here
        sys.stdin.reconfigure(errors="surrogateescape")
    click.echo("3:2 marks sentence 2 of passage 3 as the evidence; ? shows all commands")
    ask_all(session, input, terminal())


def _on_page(session: Session, port: int) -> None:
    from ragdiag.label.page import serve

    def started(url: str) -> None:
        click.echo(f"label at {url}\nCtrl-C, or Stop on the page, ends it; every decision is in the file already")

    serve(session, port, started)


def _conclude(session: Session, corpus: str, out: str) -> None:
    from ragdiag.label.summary import label_text
    from ragdiag.label.terminal import terminal

    terminal().print(label_text(session.summary(), *(shlex.quote(name) for name in (corpus, out))), crop=False)
