"""``ragdiag litmus``: a retrieval problem or a behavior problem, from answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from ragdiag.cli.after_litmus import litmus_next
from ragdiag.cli.flags import (
    AUDIT_OPTIONS,
    CORPUS_OPTIONS,
    LABEL_OPTIONS,
    LITMUS_OPTIONS,
    LIVE_OPTIONS,
    REVIEW_OPTIONS,
    answers_option,
    citations_option,
    corpus_option,
    html_option,
    json_option,
    options,
    output_option,
    queries_argument,
    quiet_option,
)
from ragdiag.cli.given import judging_of, options_of
from ragdiag.cli.outputs import check_outputs, forms_of
from ragdiag.cli.shell import present, progress_bars, queries_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragdiag.core.records import Answer, Query
    from ragdiag.pipeline import Audit

    Ready = tuple[Sequence[Query], Sequence[Answer], Audit | None]

__all__ = ["litmus"]


@click.command()
@queries_argument
@answers_option
@options(*LITMUS_OPTIONS, *REVIEW_OPTIONS)
@corpus_option
@options(*LIVE_OPTIONS, *AUDIT_OPTIONS, *CORPUS_OPTIONS, *LABEL_OPTIONS)
@citations_option
@json_option
@html_option
@output_option
@quiet_option
def litmus(
    queries: str,
    corpus: str | None,
    answers: tuple[str, ...],
    delta: float,
    citations: str | None,
    json_file: str | None,
    html_file: str | None,
    outputs: tuple[str, ...],
    quiet: bool,
    **given: object,
) -> None:
    """From recorded or live answers: a retrieval problem or a behavior problem? Would failures be gone with perfect context?"""
    from rich.console import Group

    from ragdiag.answering.answers import load_answers
    from ragdiag.answering.litmus import answered, prepared
    from ragdiag.cli.live import ask_live, live_options
    from ragdiag.cli.review import review, review_options
    from ragdiag.reports.citations import citations_jsonl, citations_said
    from ragdiag.reports.litmus import litmus_text

    live, price, yes = live_options(given, corpus, answers)
    judging = judging_of(given)
    to_review = review_options(given, judging, queries, (json_file, html_file, *outputs))
    check_outputs()
    forms = forms_of("litmus", json_file, html_file, outputs)
    checked = options_of(given)
    with queries_file(queries) as path:
        if live and corpus:
            recorded = load_answers(answers)  # before anything is asked
            audit, live_answers = ask_live(corpus, path, checked, live, price, yes, quiet)
            with progress_bars(quiet) as progress:
                ready: Ready = audit.labels.queries, [*recorded, *live_answers], audit
                verdict = answered(*ready, checked, judging, delta, progress)
        else:
            with progress_bars(quiet) as progress:
                ready = prepared(path, answers, checked, corpus, judging, progress)
                verdict = answered(*ready, checked, judging, delta, progress)
        if to_review:
            review(verdict, judging, path, to_review)
            verdict = answered(*ready, checked, judging, delta)
    files = [(file, partial(form.litmus, verdict)) for file, form in forms]
    written = [(citations, partial(citations_jsonl, verdict))]
    said = [] if citations is None else [citations_said(verdict, citations)]
    present(Group(litmus_text(verdict, litmus_next(verdict, click.get_current_context())), *said), quiet, [*files, *written])
