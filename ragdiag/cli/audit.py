"""``ragdiag audit``: how well retrieval serves labelled queries, and why it fails the rest."""

from __future__ import annotations

import dataclasses
import sys
from functools import partial

import click

from ragdiag.cli.ending import say
from ragdiag.cli.flags import (
    AUDIT_OPTIONS,
    CORPUS_OPTIONS,
    LABEL_OPTIONS,
    LITMUS_OPTIONS,
    SEARCH_OPTIONS,
    answers_option,
    cluster_option,
    corpus_argument,
    html_option,
    json_option,
    options,
    output_option,
    queries_argument,
    quiet_option,
    rewrite_option,
    tells,
)
from ragdiag.cli.given import judging_of, options_of
from ragdiag.cli.next_command import command_line, reviewable
from ragdiag.cli.outputs import check_outputs, forms_of
from ragdiag.cli.shell import present, progress_bars, queries_file, refuse

__all__ = ["audit"]


@click.command()
@corpus_argument
@queries_argument
@options(*AUDIT_OPTIONS, *CORPUS_OPTIONS, *LABEL_OPTIONS)
@rewrite_option
@options(*SEARCH_OPTIONS)
@cluster_option
@answers_option
@options(*LITMUS_OPTIONS)
@json_option
@html_option
@output_option
@tells("--fail-under", metavar="'M=x'", multiple=True,
              help="Exit 1 unless measure M's mean (M.low: its interval's lower end) is x or more.")  # fmt: skip
@quiet_option
def audit(
    corpus: str,
    queries: str,
    cluster: str | None,
    answers: tuple[str, ...],
    delta: float,
    json_file: str | None,
    html_file: str | None,
    outputs: tuple[str, ...],
    fail_under: tuple[str, ...],
    quiet: bool,
    **given: object,
) -> None:
    """Measure how well retrieval serves labelled queries, and why it fails the rest; with answers, if that is the problem."""
    from ragdiag.answering.litmus import answered
    from ragdiag.core.cluster import cluster as connected
    from ragdiag.core.options import Judging
    from ragdiag.explain import explanations
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.next_step import Found, next_step
    from ragdiag.reports.terminal import audit_text
    from ragdiag.scoring.gates import Gate, failures

    if not answers:
        refuse({"delta", *(field.name for field in dataclasses.fields(Judging))}, "--answers")
    judging = judging_of(given)
    check_outputs()
    forms = forms_of("audit", json_file, html_file, outputs)
    gates = [Gate.parse(text) for text in fail_under]
    checked = options_of(given | {"measures": tuple(str(g.measure) for g in gates)})
    with connected(cluster), queries_file(queries) as path, progress_bars(quiet) as progress:
        finished = run_audit(corpus, path, checked, progress)
        finished = finished._replace(report=unspooled(finished.report))
        verdict = answered(finished.labels.queries, answers, finished, checked, judging, delta, progress) if answers else None
    report = finished.report
    step = next_step(Found.of(report, checked, reviewable(queries), verdict is not None))
    following = None if step is None else (step.why, command_line(step, click.get_current_context()))
    files = [(file, partial(form.audit, report, explanations(finished), verdict)) for file, form in forms]
    present(audit_text(report, verdict, following), quiet, files)
    failed = failures(gates, report)
    for message in failed:
        say(f"failed: {message}")
    sys.exit(1 if failed else 0)
