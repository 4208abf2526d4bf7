"""``ragdiag explain``: one query."""

from __future__ import annotations

import click

from ragdiag.cli.flags import (
    AUDIT_OPTIONS,
    CORPUS_OPTIONS,
    LABEL_OPTIONS,
    SEARCH_OPTIONS,
    corpus_argument,
    json_option,
    options,
    queries_argument,
    quiet_option,
    rewrite_option,
)
from ragdiag.cli.given import options_of
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import present, progress_bars, queries_file

__all__ = ["explain"]


@click.command()
@corpus_argument
@queries_argument
@click.argument("query_id")
@options(*AUDIT_OPTIONS, *CORPUS_OPTIONS, *LABEL_OPTIONS)
@rewrite_option
@options(*SEARCH_OPTIONS)
@json_option
@quiet_option
def explain(corpus: str, queries: str, query_id: str, json_file: str | None, quiet: bool, **given: object) -> None:
    """Show one query: why it fails, with the proof; its evidence and where chunks cut it; its context.

    QUERY_ID is its id, or as much of the beginning as no other id has.
    """
    from ragdiag.explain import explain as explain_query
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import dumps, explain_dict
    from ragdiag.reports.terminal import explain_text

    check_outputs()
    options = options_of(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        explanation = unspooled(explain_query(run_audit(corpus, path, options, progress, query_id), query_id))
    present(explain_text(explanation), quiet, [(json_file, lambda: dumps(explain_dict(explanation)))])
