"""``ragdiag prompts``: the litmus test's prompts, to run elsewhere."""

from __future__ import annotations

import click

from ragdiag.cli.flags import (
    AUDIT_OPTIONS,
    CORPUS_OPTIONS,
    LABEL_OPTIONS,
    PROMPTS_OPTIONS,
    corpus_argument,
    options,
    queries_argument,
    quiet_option,
)
from ragdiag.cli.given import options_of
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import progress_bars, queries_file, write_out

__all__ = ["prompts"]


@click.command()
@corpus_argument
@queries_argument
@options(*PROMPTS_OPTIONS, *AUDIT_OPTIONS, *CORPUS_OPTIONS, *LABEL_OPTIONS)
@quiet_option
def prompts(
    corpus: str,
    queries: str,
    conditions: tuple[str, ...],
    form: str,
    model: str | None,
    template: str | None,
    repeats: int,
    out: str,
    quiet: bool,
    **given: object,
) -> None:
    """Write the litmus test's prompts, to run them elsewhere: what a model is given with your context, and with the evidence."""
    from ragdiag.answering.live.prompting import run_prompts
    from ragdiag.cli.live import tell_left_out, template_text
    from ragdiag.core.batches import BATCHES, batch_lines
    from ragdiag.core.errors import UsageError
    from ragdiag.core.prompt import prompt_lines
    from ragdiag.core.writing import json_lines

    if (form in BATCHES) != bool(model):
        raise UsageError(f"--format {' and '.join(BATCHES)} need the name of a --model, and only these have one")
    check_outputs()
    text, options = template_text(template), options_of(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        written = run_prompts(corpus, path, conditions, text, options, progress)
    if not quiet:
        tell_left_out(written)
    lines = batch_lines(form, written.prompts, repeats, model) if model else prompt_lines(written.prompts, repeats)
    write_out(out, json_lines(lines))
