"""``ragdiag compare``: chunkers, contexts and retrievers on the same labels."""

from __future__ import annotations

from functools import partial

import click

from ragdiag.cli.flags import (
    AUDIT_OPTIONS,
    COMPARE_OPTIONS,
    CORPUS_OPTIONS,
    LABEL_OPTIONS,
    cluster_option,
    corpus_argument,
    html_option,
    json_option,
    options,
    output_option,
    queries_argument,
    quiet_option,
)
from ragdiag.cli.given import given_cluster, settled
from ragdiag.cli.outputs import check_outputs, forms_of
from ragdiag.cli.shell import present, progress_bars, queries_file

__all__ = ["compare"]


@click.command()
@corpus_argument
@queries_argument
@options(*COMPARE_OPTIONS, *AUDIT_OPTIONS[-4:], *CORPUS_OPTIONS, *LABEL_OPTIONS)
@cluster_option
@json_option
@html_option
@output_option
@quiet_option
def compare(
    corpus: str,
    queries: str,
    price: float | None,
    latency: float,
    json_file: str | None,
    html_file: str | None,
    outputs: tuple[str, ...],
    quiet: bool,
    **given: object,
) -> None:
    """Compare chunkers, contexts and retrievers on your labels: what each serves and breaks, how sure that is, what it costs."""
    from ragdiag.comparing.comparison import compare as run
    from ragdiag.core.cluster import cluster
    from ragdiag.reports.compare import compare_text

    check_outputs()
    forms = forms_of("compare", json_file, html_file, outputs)
    options = settled(given)
    with cluster(given_cluster(options)), queries_file(queries) as path, progress_bars(quiet) as progress:
        comparison = run(corpus, path, progress=progress, **options)
    files = [(file, partial(form.compare, comparison, price)) for file, form in forms]
    present(compare_text(comparison, price, latency), quiet, files)
