"""``ragdiag tune``: what to deploy, by what it serves on queries that did not choose it."""

from __future__ import annotations

from functools import partial

import click

from ragdiag.cli.choices import BASELINE_OPTIONS, TUNE_OPTIONS
from ragdiag.cli.ending import note
from ragdiag.cli.flags import (
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
from ragdiag.cli.shell import present, progress_bars, queries_file, refuse

__all__ = ["tune"]

NOT_BETTER = "nothing is found that beats the baseline by more than chance"


@click.command()
@corpus_argument
@queries_argument
@options(*TUNE_OPTIONS, *BASELINE_OPTIONS, *CORPUS_OPTIONS, *LABEL_OPTIONS)
@cluster_option
@json_option
@html_option
@output_option
@quiet_option
def tune(
    corpus: str,
    queries: str,
    json_file: str | None,
    html_file: str | None,
    outputs: tuple[str, ...],
    quiet: bool,
    no_embedding: bool,
    export: str | None,
    out: str | None,
    **given: object,
) -> None:
    """Search for what to deploy: chosen on some of your queries and judged on others, at equal tokens; or say that nothing is
    better, or how many more labels would tell."""
    from ragdiag.comparing.tuning import tune as run
    from ragdiag.core.cluster import cluster
    from ragdiag.reports.tune import tune_text

    check_outputs()
    forms = forms_of("tune", json_file, html_file, outputs)
    if out and not export:
        refuse({"out"}, "--export")
    place = out or f"ragdiag-{export}"
    if export:
        from ragdiag.exports import exporter_for

        exporter_for(export, place)  # what cannot be written is said before the search, not after
    options = settled(given)

    def say(text: str) -> None:
        if not quiet:
            note(text, UserWarning, "", 0)

    with cluster(given_cluster(options)), queries_file(queries) as path, progress_bars(quiet) as progress:
        tuned = run(corpus, path, progress=progress, note=say, embedding=not no_embedding, **options)
    present(tune_text(tuned), quiet, [(file, partial(form.tune, tuned)) for file, form in forms])
    if export and tuned.decision.kind != "deploy":
        say(f"nothing is exported: {NOT_BETTER}; ragdiag export writes any configuration all the same")
    elif export:
        from ragdiag.exports import export as write

        with progress_bars(quiet) as progress:
            for file in write(corpus, export, place, tuned.options, progress):
                say(f"wrote {file}")
