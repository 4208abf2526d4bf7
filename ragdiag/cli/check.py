"""``ragdiag check``: what is wrong with corpus, labels, and the index that is searched."""

from __future__ import annotations

import contextlib
import sys

import click
from click.core import ParameterSource

from ragdiag.cli.flags import (
    CACHE_OPTIONS,
    CORPUS_OPTIONS,
    HEALTH_OPTIONS,
    LABEL_OPTIONS,
    corpus_argument,
    json_option,
    options,
    quiet_option,
)
from ragdiag.cli.given import settled
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import present, progress_bars, queries_file, refuse

__all__ = ["check"]


@click.command()
@corpus_argument
@click.argument("queries", metavar="[QUERIES]", required=False)
@options(*HEALTH_OPTIONS, *CORPUS_OPTIONS, *LABEL_OPTIONS, *CACHE_OPTIONS)
@json_option
@quiet_option
def check(corpus: str, queries: str | None, json_file: str | None, quiet: bool, **given: object) -> None:
    """Find documents that cannot be read, labels that are wrong about the corpus, and with --retriever what is wrong with the
    index that is searched; exit status 1 if there is anything."""
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import check as check_all
    from ragdiag.reports.json import check_dict, dumps
    from ragdiag.reports.terminal import check_text

    check_outputs()
    if queries is None:
        refuse({"qrels", "copies", "only"}, "QUERIES")
        given |= {"qrels": None, "copies": None, "only": None}
    elif click.get_current_context().get_parameter_source("retriever") is not ParameterSource.COMMANDLINE:
        given["retriever"] = None  # the configuration says what an audit searches: labels are checked without it
    if given["retriever"] is None:
        refuse({"sample", "cache", "no_cache"}, "--retriever")
    with contextlib.ExitStack() as stack, progress_bars(quiet) as progress:
        path = None if queries is None else stack.enter_context(queries_file(queries))
        checked = unspooled(check_all(corpus, path, progress, **settled(given)))
    present(check_text(checked), quiet, [(json_file, lambda: dumps(check_dict(checked)))])
    sys.exit(0 if checked.is_clean else 1)
