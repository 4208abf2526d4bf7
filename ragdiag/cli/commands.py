"""The command line: each command is one library call and one way to show its result.

Only click is imported at start; everything else when a command runs.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import click

from ragdiag.cli.config import Option, settle
from ragdiag.cli.decide import decide
from ragdiag.cli.flags import (
    AUDIT_OPTIONS,
    COMPARE_OPTIONS,
    LABEL_OPTIONS,
    LITMUS_OPTIONS,
    LIVE_OPTIONS,
    PROMPTS_OPTIONS,
    answers_option,
    corpus_argument,
    corpus_option,
    html_option,
    json_option,
    options,
    output_option,
    queries_argument,
    quiet_option,
    tells,
)
from ragdiag.cli.label import label
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import Group, present, progress_bars, queries_file, refuse, write_out
from ragdiag.core.version import __version__

if TYPE_CHECKING:
    from ragdiag.core.options import Judging, Options

__all__ = ["main"]


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Find out why a RAG application answers badly: does the model ever see the right text?

    CORPUS is a folder, a glob, a file, a corpus.jsonl or a BEIR folder. QUERIES are labelled queries: JSONL, BEIR or TREC with
    qrels, SQuAD JSON, ragas samples, Chroma's CSV; - for standard input. Defaults may stand in ragdiag.toml, or in pyproject.toml
    under [tool.ragdiag].
    """
    from ragdiag.cli.config import read_configuration

    configuration = ctx.obj = read_configuration()
    if configuration is not None:
        options_of = {name: [p for p in c.params if isinstance(p, Option)] for name, c in main.commands.items()}
        ctx.default_map = configuration.defaults(options_of)


def _options(given: dict[str, object]) -> Options:
    """`core.options.Options` from what the command line and the configuration gave."""
    from ragdiag.core.options import Options

    options = _settled(given)
    if "run_file" in options:
        options["run"] = options.pop("run_file")
    return Options(**options)


def _judging(given: dict[str, object]) -> Judging:
    """`core.options.Judging`, taken out of what was given."""
    from ragdiag.core.options import Judging

    judging: dict[str, Any] = {field.name: given.pop(field.name) for field in dataclasses.fields(Judging)}
    return Judging(**judging)


def _settled(given: dict[str, object]) -> dict[str, Any]:
    """The options that were given; with `cache` None where nothing is to be kept."""
    settle(given)
    budget = given.get("budget")
    if isinstance(budget, int) and budget < 1:  # in `Options` 0 means no budget at all
        from ragdiag.core.errors import UsageError

        raise UsageError(f"--budget must be 1 token or more, not {budget}")
    no_cache = given.pop("no_cache", False)
    return {name: value for name, value in given.items() if value is not None} | ({"cache": None} if no_cache else {})


@main.command()
@corpus_argument
@queries_argument
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
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
    from ragdiag.answering.answering import answered
    from ragdiag.core.options import Judging
    from ragdiag.explain import explanations
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.html.audit import audit_html
    from ragdiag.reports.json import audit_dict
    from ragdiag.reports.output import output_for
    from ragdiag.reports.terminal import audit_text
    from ragdiag.scoring.gates import Gate, failures

    if not answers:
        refuse({"delta", *(field.name for field in dataclasses.fields(Judging))}, "--answers")
    judging = _judging(given)
    check_outputs()
    forms = [(file, output_for(file, "audit")) for file in outputs]
    gates = [Gate.parse(text) for text in fail_under]
    checked = _options(given | {"measures": tuple(str(g.measure) for g in gates)})
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        finished = run_audit(corpus, path, checked, progress)
        finished = finished._replace(report=unspooled(finished.report))
        verdict = answered(finished.labels.queries, answers, finished, checked, judging, delta, progress) if answers else None
    report = finished.report
    as_json = partial(audit_dict, report, verdict.verdict if verdict else None)
    as_html = partial(audit_html, report, explanations(finished), verdict)
    others = [(file, partial(form.audit, report, explanations(finished), verdict)) for file, form in forms]
    present(audit_text(report, verdict), quiet, json_file, as_json, html_file, as_html, others)
    failed = failures(gates, report)
    for message in failed:
        click.echo(f"failed: {message}", err=True)
    sys.exit(1 if failed else 0)


@main.command()
@corpus_argument
@queries_argument
@options(*COMPARE_OPTIONS, *AUDIT_OPTIONS[-3:], *LABEL_OPTIONS)
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
    from ragdiag.reports.compare import compare_text
    from ragdiag.reports.html.compare import compare_html
    from ragdiag.reports.json import compare_dict
    from ragdiag.reports.output import output_for

    check_outputs()
    forms = [(file, output_for(file, "compare")) for file in outputs]
    options = _settled(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        comparison = run(corpus, path, progress=progress, **options)
    as_json, as_html = partial(compare_dict, comparison, price), partial(compare_html, comparison, price)
    others = [(file, partial(form.compare, comparison, price)) for file, form in forms]
    present(compare_text(comparison, price, latency), quiet, json_file, as_json, html_file, as_html, others)


@main.command()
@queries_argument
@answers_option
@options(*LITMUS_OPTIONS)
@corpus_option
@options(*LIVE_OPTIONS, *AUDIT_OPTIONS, *LABEL_OPTIONS)
@json_option
@html_option
@output_option
@quiet_option
def litmus(
    queries: str,
    corpus: str | None,
    answers: tuple[str, ...],
    delta: float,
    json_file: str | None,
    html_file: str | None,
    outputs: tuple[str, ...],
    quiet: bool,
    **given: object,
) -> None:
    """From recorded or live answers: a retrieval problem or a behavior problem? Would failures be gone with perfect context?"""
    from ragdiag.answering.answering import answered, run_litmus
    from ragdiag.answering.answers import load_answers
    from ragdiag.cli.live import ask_live, live_options
    from ragdiag.reports.html.audit import litmus_html
    from ragdiag.reports.litmus import litmus_dict, litmus_text
    from ragdiag.reports.output import output_for

    live, price, yes = live_options(given, corpus, answers)
    judging = _judging(given)
    check_outputs()
    forms = [(file, output_for(file, "litmus")) for file in outputs]
    checked = _options(given)
    with queries_file(queries) as path:
        if live and corpus:
            recorded = load_answers(answers)  # before anything is asked
            audit, live_answers = ask_live(corpus, path, checked, live, price, yes, quiet)
            with progress_bars(quiet) as progress:
                known = audit.labels.queries
                verdict = answered(known, [*recorded, *live_answers], audit, checked, judging, delta, progress)
        else:
            with progress_bars(quiet) as progress:
                verdict = run_litmus(path, answers, checked, corpus, judging, delta, progress)
    others = [(file, partial(form.litmus, verdict)) for file, form in forms]
    as_json, as_html = partial(litmus_dict, verdict), partial(litmus_html, verdict)
    present(litmus_text(verdict), quiet, json_file, as_json, html_file, as_html, others)


@main.command()
@corpus_argument
@queries_argument
@options(*PROMPTS_OPTIONS, *AUDIT_OPTIONS, *LABEL_OPTIONS)
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
    from ragdiag.core.errors import UsageError
    from ragdiag.core.prompt import prompt_lines
    from ragdiag.core.writing import json_lines

    if (form == "openai") != bool(model):
        raise UsageError("--format openai needs the name of a --model, and only that has one")
    check_outputs()
    text, options = template_text(template), _options(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        written = run_prompts(corpus, path, conditions, text, options, progress)
    if not quiet:
        tell_left_out(written)
    write_out(out, json_lines(prompt_lines(written.prompts, repeats, model or "")))


@main.command()
@corpus_argument
@queries_argument
@click.argument("query_id")
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
@json_option
@quiet_option
def explain(corpus: str, queries: str, query_id: str, json_file: str | None, quiet: bool, **given: object) -> None:
    """Show one query: why it fails, with the proof; its evidence and where chunks cut it; its context."""
    from ragdiag.explain import explain as explain_query
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import explain_dict
    from ragdiag.reports.terminal import explain_text

    check_outputs()
    options = _options(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        explanation = unspooled(explain_query(run_audit(corpus, path, options, progress, query_id), query_id))
    present(explain_text(explanation), quiet, json_file, lambda: explain_dict(explanation))


@main.command()
@corpus_argument
@queries_argument
@options(*LABEL_OPTIONS)
@json_option
@quiet_option
def check(
    corpus: str,
    queries: str,
    qrels: str | None,
    copies: Literal["count", "ignore"],
    only: tuple[str, ...],
    json_file: str | None,
    quiet: bool,
) -> None:
    """Find documents that cannot be read and labels that are wrong about the corpus; exit status 1 if there are any."""
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import check as check_labels
    from ragdiag.reports.json import check_dict
    from ragdiag.reports.terminal import check_text

    check_outputs()
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        checked = unspooled(check_labels(corpus, path, progress, qrels=qrels, copies=copies, only=only))
    present(check_text(checked), quiet, json_file, lambda: check_dict(checked))
    sys.exit(1 if checked.defects or checked.corpus.problems else 0)


main.add_command(decide)
main.add_command(label)
