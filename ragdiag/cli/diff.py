"""``ragdiag diff``: what changed between two reports of audits."""

from __future__ import annotations

import sys
from functools import partial

import click
from click.core import ParameterSource

from ragdiag.cli.choices import DIFF_OPTIONS
from ragdiag.cli.flags import json_option, options, output_option, quiet_option
from ragdiag.cli.given import settled
from ragdiag.cli.outputs import check_outputs, forms_of
from ragdiag.cli.shell import present, progress_bars, queries_file, refuse

__all__ = ["diff"]

RUN = {"old_corpus", "qrels", "only", "cache", "no_cache"}
"""Options for running NEW's pipeline again."""


@click.command()
@click.argument("old", metavar="OLD.json")
@click.argument("new", metavar="NEW.json")
@options(*DIFF_OPTIONS)
@json_option
@output_option
@quiet_option
def diff(
    old: str,
    new: str,
    min_effect: float,
    corpus: str | None,
    queries: str | None,
    old_corpus: str | None,
    json_file: str | None,
    outputs: tuple[str, ...],
    quiet: bool,
    **given: object,
) -> None:
    """Compare two reports of `ragdiag audit --json`: which queries were won and lost, and why; exit status 1 if NEW is worse, 2
    if they cannot be compared."""
    from ragdiag.comparing.changes import compared
    from ragdiag.comparing.reported import read_report
    from ragdiag.comparing.restoring import with_trials
    from ragdiag.core.errors import UsageError
    from ragdiag.reports.diff import diff_text

    check_outputs()
    forms = forms_of("diff", json_file, None, outputs)
    if corpus is None or queries is None:
        named = [name for name in ("corpus", "queries") if _given(name)]
        if named:  # the configuration names a corpus for other commands
            raise UsageError(f"--{named[0]} says nothing alone: give --corpus and --queries")
        refuse(RUN, "--corpus and --queries")
    found = compared(read_report(old), read_report(new), min_effect)
    if corpus is not None and queries is not None:
        with queries_file(queries) as path, progress_bars(quiet) as progress:
            found = with_trials(found, corpus, path, old_corpus, progress, **settled(given))
    present(diff_text(found), quiet, [(file, partial(form.diff, found)) for file, form in forms])
    sys.exit(1 if found.worse else 0)


def _given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
