"""The command line: each command is one library call and one way to show its result.

Only click is imported at start; everything else when a command runs.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

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
    queries_argument,
    quiet_option,
    tells,
)
from ragdiag.cli.label import label
from ragdiag.cli.outputs import check_outputs
from ragdiag.cli.shell import Group, present, progress_bars, queries_file, refuse, write_out
from ragdiag.core.version import __version__

if TYPE_CHECKING:
    from ragdiag.answering.verdict import Litmus
    from ragdiag.core.options import Judging, Options
    from ragdiag.core.protocols import Progress
    from ragdiag.pipeline import Audit

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


def _options(given: dict[str, Any]) -> Options:
    """`pipeline.Options` from what the command line and the configuration gave."""
    from ragdiag.core.options import Options

    asked = _settled(given)
    if "run_file" in asked:
        asked["run"] = asked.pop("run_file")
    return Options(**asked)


def _judging(given: dict[str, Any]) -> Judging:
    """`options.Judging`, taken out of what was given."""
    from ragdiag.core.options import Judging

    return Judging(**{field.name: given.pop(field.name) for field in dataclasses.fields(Judging)})


def _settled(given: dict[str, Any]) -> dict[str, Any]:
    """What was given, less what was not; without a cache where none is wanted. 0 tokens would mean no budget at all."""
    settle(given)
    if given.get("budget") is not None and given["budget"] < 1:
        from ragdiag.core.errors import UsageError

        raise UsageError(f"--budget must be 1 token or more, not {given['budget']}")
    nothing = given.pop("no_cache", False)
    return {name: value for name, value in given.items() if value is not None} | ({"cache": None} if nothing else {})


@main.command()
@corpus_argument
@queries_argument
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
@answers_option
@options(*LITMUS_OPTIONS)
@json_option
@html_option
@tells("--fail-under", metavar="'M=x'", multiple=True,
              help="Exit 1 unless measure M's mean (M.low: its interval's lower end) is x or more.")  # fmt: skip
@quiet_option
def audit(
    corpus: str,
    queries: str,
    json_file: str | None,
    html_file: str | None,
    fail_under: tuple[str, ...],
    quiet: bool,
    **given: Any,
) -> None:
    """Measure how well retrieval serves labelled queries, and why it fails the rest; with answers, if that is the problem."""
    from ragdiag.core.options import Judging
    from ragdiag.explain import explanations
    from ragdiag.reports.html.audit import audit_html
    from ragdiag.reports.json import audit_dict
    from ragdiag.reports.terminal import audit_text
    from ragdiag.scoring.gates import Gate, failures

    if not given["answers"]:
        refuse({"delta", *(field.name for field in dataclasses.fields(Judging))}, "--answers")
    answers = {"answers": given.pop("answers"), "delta": given.pop("delta"), "judging": _judging(given)}
    check_outputs()
    gates = [Gate.parse(text) for text in fail_under]
    asked = _options(given | {"measures": tuple(str(g.measure) for g in gates)})
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        done, found = _audited(corpus, path, asked, answers, progress)
    report = done.report
    as_json = partial(audit_dict, report, found.verdict if found else None)
    as_html = partial(audit_html, report, explanations(done), found)
    present(audit_text(report, found), quiet, json_file, as_json, html_file, as_html)
    failed = failures(gates, report)
    for message in failed:
        click.echo(f"failed: {message}", err=True)
    sys.exit(1 if failed else 0)


def _audited(corpus: str, path: str, asked: Options, answers: dict[str, Any], progress: Progress) -> tuple[Audit, Litmus | None]:
    """The audit, and what the litmus test found where there are answers."""
    from ragdiag.answering.litmus import answered
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import run_audit

    audit = run_audit(corpus, path, asked, progress)
    audit = audit._replace(report=unspooled(audit.report))
    if not answers["answers"]:
        return audit, None
    return audit, answered(audit.labels.queries, audit=audit, asked=asked, progress=progress, **answers)


@main.command()
@corpus_argument
@queries_argument
@options(*COMPARE_OPTIONS, *AUDIT_OPTIONS[-3:], *LABEL_OPTIONS)
@json_option
@html_option
@quiet_option
def compare(corpus: str, queries: str, json_file: str | None, html_file: str | None, quiet: bool, **given: Any) -> None:
    """Compare chunkers, contexts and retrievers on your labels: what each serves and breaks, how sure that is, what it costs."""
    from ragdiag.comparing.comparison import compare as run
    from ragdiag.reports.compare import compare_text
    from ragdiag.reports.html.compare import compare_html
    from ragdiag.reports.json import compare_dict

    check_outputs()
    price, latency = given.pop("price"), given.pop("latency")
    asked = _settled(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        found = run(corpus, path, progress=progress, **asked)
    as_json, as_html = partial(compare_dict, found, price), partial(compare_html, found, price)
    present(compare_text(found, price, latency), quiet, json_file, as_json, html_file, as_html)


@main.command()
@queries_argument
@answers_option
@options(*LITMUS_OPTIONS)
@corpus_option
@options(*LIVE_OPTIONS, *AUDIT_OPTIONS, *LABEL_OPTIONS)
@json_option
@html_option
@quiet_option
def litmus(queries: str, corpus: str | None, json_file: str | None, html_file: str | None, quiet: bool, **given: Any) -> None:
    """From recorded or live answers: a retrieval problem or a behavior problem? Would failures be gone with perfect context?"""
    from ragdiag.answering.answers import load_answers
    from ragdiag.answering.litmus import answered, run_litmus
    from ragdiag.cli.live import ask_live, live_options
    from ragdiag.reports.html.audit import litmus_html
    from ragdiag.reports.litmus import litmus_dict, litmus_text

    live, price, yes = live_options(given, corpus)
    answers, delta, judging = list(given.pop("answers")), given.pop("delta"), _judging(given)
    check_outputs()
    asked = _options(given)
    with queries_file(queries) as path:
        if live and corpus:
            recorded = load_answers(answers)  # before anything is asked
            audit, came = ask_live(corpus, path, asked, live, price, yes, quiet)
            with progress_bars(quiet) as progress:
                found = answered(audit.labels.queries, [*recorded, *came], audit, asked, judging, delta, progress)
        else:
            with progress_bars(quiet) as progress:
                found = run_litmus(path, answers, asked, corpus, judging, delta, progress)
    present(litmus_text(found), quiet, json_file, partial(litmus_dict, found), html_file, partial(litmus_html, found))


@main.command()
@corpus_argument
@queries_argument
@options(*PROMPTS_OPTIONS, *AUDIT_OPTIONS, *LABEL_OPTIONS)
@quiet_option
def prompts(corpus: str, queries: str, form: str, model: str | None, repeats: int, out: str, quiet: bool, **given: Any) -> None:
    """Write the litmus test's prompts, to run them elsewhere: what a model is given with your context, and with the evidence."""
    from ragdiag.answering.live.prompting import run_prompts
    from ragdiag.cli.live import given_template, tell_left_out
    from ragdiag.core.errors import UsageError
    from ragdiag.core.prompt import json_lines, prompt_lines

    if (form == "openai") != bool(model):
        raise UsageError("--format openai needs the name of a --model, and only that has one")
    check_outputs()
    conditions, template = given.pop("conditions"), given_template(given.pop("template"))
    asked = _options(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        made = run_prompts(corpus, path, conditions, template, asked, progress)
    if not quiet:
        tell_left_out(made)
    write_out(out, json_lines(prompt_lines(made.prompts, repeats, model or "")))


@main.command()
@corpus_argument
@queries_argument
@click.argument("query_id")
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
@json_option
@quiet_option
def explain(corpus: str, queries: str, query_id: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """Show one query: why it fails, with the proof; its evidence and where chunks cut it; its context."""
    from ragdiag.explain import explain as explain_query
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import explain_dict
    from ragdiag.reports.terminal import explain_text

    check_outputs()
    asked = _options(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        explanation = unspooled(explain_query(run_audit(corpus, path, asked, progress, query_id), query_id))
    present(explain_text(explanation), quiet, json_file, lambda: explain_dict(explanation))


@main.command()
@corpus_argument
@queries_argument
@options(*LABEL_OPTIONS)
@json_option
@quiet_option
def check(corpus: str, queries: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """Find documents that cannot be read and labels that are wrong about the corpus; exit status 1 if there are any."""
    from ragdiag.inputs import unspooled
    from ragdiag.pipeline import check as check_labels
    from ragdiag.reports.json import check_dict
    from ragdiag.reports.terminal import check_text

    check_outputs()
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        found = unspooled(check_labels(corpus, path, progress, **given))
    present(check_text(found), quiet, json_file, lambda: check_dict(found))
    sys.exit(1 if found.defects or found.corpus.problems else 0)


main.add_command(decide)
main.add_command(label)
