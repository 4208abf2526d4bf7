"""``ragdiag check``: what is wrong with corpus and labels."""

from __future__ import annotations

import sys
from typing import Literal

import click

from ragdiag.cli.flags import CORPUS_OPTIONS, LABEL_OPTIONS, corpus_argument, json_option, options, queries_argument, quiet_option
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import present, progress_bars, queries_file

__all__ = ["check"]


@click.command()
@corpus_argument
@queries_argument
@options(*CORPUS_OPTIONS, *LABEL_OPTIONS)
@json_option
@quiet_option
def check(
    corpus: str,
    queries: str,
    qrels: str | None,
    copies: Literal["count", "ignore"],
    only: tuple[str, ...],
    keep: tuple[str, ...],
    exclude: tuple[str, ...],
    json_file: str | None,
    quiet: bool,
) -> None:
    """Find documents that cannot be read and labels that are wrong about the corpus; exit status 1 if there are any."""
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import check as check_labels
    from ragdiag.reports.json import check_dict, dumps
    from ragdiag.reports.terminal import check_text

    check_outputs()
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        options = {"qrels": qrels, "copies": copies, "only": only, "keep": keep, "exclude": exclude}
        checked = unspooled(check_labels(corpus, path, progress, **options))
    present(check_text(checked), quiet, [(json_file, lambda: dumps(check_dict(checked)))])
    sys.exit(1 if checked.defects or checked.corpus.problems else 0)
