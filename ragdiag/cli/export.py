"""``ragdiag export``: a configuration as running code of a framework, or as options."""

from __future__ import annotations

import click

from ragdiag.cli.choices import EXPORT_OPTIONS
from ragdiag.cli.flags import (
    CACHE_OPTIONS,
    CORPUS_OPTIONS,
    CUT_OPTIONS,
    SIZE_OPTIONS,
    corpus_argument,
    options,
    quiet_option,
)
from ragdiag.cli.given import options_of
from ragdiag.cli.shell import progress_bars

__all__ = ["export"]


@click.command()
@corpus_argument
@options(*EXPORT_OPTIONS, *CUT_OPTIONS, *SIZE_OPTIONS, *CACHE_OPTIONS, *CORPUS_OPTIONS)
@quiet_option
def export(corpus: str, form: str, out: str, quiet: bool, **given: object) -> None:
    """Write a configuration as running code for LangChain, LlamaIndex or Haystack, or as ragdiag.toml."""
    from ragdiag.exports import export as run

    chosen = options_of(given)
    with progress_bars(quiet) as progress:
        written = run(corpus, form, out, chosen, progress)
    if not quiet:
        for path in written:
            click.echo(path)
