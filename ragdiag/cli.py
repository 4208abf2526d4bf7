"""The command line: each command is one library call and one way to show its result.

Only click is imported at start; everything else when a command runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ragdiag import __version__
from ragdiag.config import settle
from ragdiag.flags import (
    AUDIT_OPTIONS,
    COMPARE_OPTIONS,
    LABEL_OPTIONS,
    LITMUS_OPTIONS,
    answers_option,
    corpus_argument,
    json_option,
    options,
    queries_argument,
    quiet_option,
)
from ragdiag.shell import DecideCommand, Group, progress_bars, queries_file, unspooled

if TYPE_CHECKING:
    from ragdiag.options import Options

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
    from ragdiag.config import read_configuration

    configuration = ctx.obj = read_configuration()
    if configuration is not None:
        options_of = {name: [p for p in c.params if isinstance(p, click.Option)] for name, c in main.commands.items()}
        ctx.default_map = configuration.defaults(options_of)


def _options(given: dict[str, Any]) -> Options:
    """`pipeline.Options` from what the command line and the configuration gave."""
    from ragdiag.options import Options

    settle(given)
    _check_budget(given)
    if given.pop("no_cache", False):
        given["cache"] = None
    elif given.get("cache") is None:
        given.pop("cache", None)
    if "run_file" in given:
        given["run"] = given.pop("run_file")
    return Options(**{name: value for name, value in given.items() if value is not None or name == "cache"})


def _check_budget(given: dict[str, Any]) -> None:
    """0 tokens would mean no budget at all."""
    if given.get("budget") is not None and given["budget"] < 1:
        from ragdiag.errors import UsageError

        raise UsageError(f"--budget must be 1 token or more, not {given['budget']}")


def _check_json(json_file: str | None, corpus: str, *inputs: str | None) -> None:
    """Before any work is done: can the report be written, and is it no input that it would overwrite?"""
    if json_file in (None, "-"):
        return
    from ragdiag.errors import UsageError
    from ragdiag.files import check_writable

    path = Path(json_file)
    check_writable(path)
    if path.is_file():
        whole = path.resolve()
        same = any(name and name != "-" and Path(name).resolve() == whole for name in inputs)
        if same or Path(corpus).resolve() in (whole, *whole.parents):
            raise UsageError(f"--json {json_file} would overwrite an input; choose another file")


def _show(renderable: Any, quiet: bool, json_file: str | None, as_json: Callable[[], dict[str, Any]]) -> None:
    """Results: JSON to its file, or to standard output in place of the text."""
    if json_file:
        from ragdiag.files import write_atomically
        from ragdiag.reports.json import dumps

        if json_file == "-":
            sys.stdout.buffer.write(dumps(as_json()).encode("utf-8"))
            sys.stdout.buffer.flush()
            return
        write_atomically(Path(json_file), dumps(as_json()))
    if not quiet:
        from ragdiag.reports.terminal import show

        show(renderable)


@main.command()
@corpus_argument
@queries_argument
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
@answers_option
@options(*LITMUS_OPTIONS)
@json_option
@click.option("--fail-under", metavar="'M=x'", multiple=True,
              help="Exit 1 unless measure M's mean (M.low: its interval's lower end) is x or more.")  # fmt: skip
@quiet_option
def audit(corpus: str, queries: str, json_file: str | None, fail_under: tuple[str, ...], quiet: bool, **given: Any) -> None:
    """Measure how well retrieval serves labelled queries, and why it fails the rest; with answers, if that is the problem."""
    from ragdiag.gates import Gate, failures
    from ragdiag.reports.json import audit_dict
    from ragdiag.reports.terminal import audit_text

    answers = {name: given.pop(name) for name in ("answers", "judge", "failed", "delta")}
    _check_json(
        json_file, corpus, queries, *(given[name] for name in ("run_file", "chunks", "qrels")), *_files(answers["answers"])
    )
    gates = [Gate.parse(text) for text in fail_under]
    asked = _options(given | {"measures": tuple(str(g.measure) for g in gates)})
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        report, found = _audited(corpus, path, asked, answers, progress)
    _show(audit_text(report, found), quiet, json_file, lambda: audit_dict(report, found and found.verdict))
    failed = failures(gates, report)
    for message in failed:
        click.echo(f"failed: {message}", err=True)
    sys.exit(1 if failed else 0)


def _audited(corpus: str, path: str, asked: Options, answers: dict[str, Any], progress: Any) -> tuple[Any, Any]:
    """The report, and what the litmus test found where there are answers."""
    if not answers["answers"]:
        from ragdiag.pipeline import run_audit

        return unspooled(run_audit(corpus, path, asked, progress).report), None
    from ragdiag.answering import run_litmus

    found = run_litmus(path, asked=asked, corpus=corpus, progress=progress, **answers)
    return unspooled(found.report) if found.report else None, found


def _files(answers: tuple[str, ...]) -> list[str]:
    """The files of recorded answers, without the conditions before them."""
    return [source.partition("=")[2] or source for source in answers]


@main.command()
@corpus_argument
@queries_argument
@options(*COMPARE_OPTIONS, *AUDIT_OPTIONS[-3:], *LABEL_OPTIONS)
@json_option
@quiet_option
def compare(corpus: str, queries: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """Compare chunkers, contexts and retrievers on your labels: what each serves and breaks, how sure that is, what it costs."""
    from ragdiag.comparison import compare as run
    from ragdiag.reports.compare import compare_text
    from ragdiag.reports.json import compare_dict

    _check_json(json_file, corpus, queries, given["qrels"], *given["chunks"], *given["runs"])
    price, latency = given.pop("price"), given.pop("latency")
    settle(given)
    _check_budget(given)
    if given.pop("no_cache"):
        given["cache"] = None
    elif given["cache"] is None:
        given.pop("cache")
    asked = {name: value for name, value in given.items() if value is not None or name == "cache"}
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        found = run(corpus, path, progress=progress, **asked)
    _show(compare_text(found, price, latency), quiet, json_file, lambda: compare_dict(found, price))


@main.command()
@queries_argument
@answers_option
@options(*LITMUS_OPTIONS)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True, help="Seed of the resamples.")
@click.option("--qrels", metavar="FILE", help="Judgements for BEIR or TREC queries.")
@json_option
@quiet_option
def litmus(queries: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """From recorded answers: a retrieval problem or a behavior problem? Would failures be gone with perfect context?"""
    from ragdiag.answering import litmus as run
    from ragdiag.reports.litmus import litmus_dict, litmus_text

    _check_json(json_file, queries, queries, given["qrels"], *_files(given["answers"]))
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        found = run(path, progress=progress, **given)
    _show(litmus_text(found), quiet, json_file, lambda: litmus_dict(found))


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
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import explain_dict
    from ragdiag.reports.terminal import explain_text

    _check_json(json_file, corpus, queries, *(given[name] for name in ("run_file", "chunks", "qrels")))
    asked = _options(given)
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        explanation = unspooled(explain_query(run_audit(corpus, path, asked, progress, query_id), query_id))
    _show(explain_text(explanation), quiet, json_file, lambda: explain_dict(explanation))


@main.command()
@corpus_argument
@queries_argument
@options(*LABEL_OPTIONS)
@json_option
@quiet_option
def check(corpus: str, queries: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """Find documents that cannot be read and labels that are wrong about the corpus; exit status 1 if there are any."""
    from ragdiag.pipeline import check as check_labels
    from ragdiag.reports.json import check_dict
    from ragdiag.reports.terminal import check_text

    _check_json(json_file, corpus, queries, given["qrels"])
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        found, labels, notes = check_labels(corpus, path, progress, **given)
    labels = unspooled(labels)
    _show(check_text(found, labels, notes), quiet, json_file, lambda: check_dict(found, labels, notes))
    sys.exit(1 if labels.defects or found.problems else 0)


@main.command(cls=DecideCommand)
@json_option
@quiet_option
def decide(report: str | None, json_file: str | None, quiet: bool, **given: Any) -> None:
    """Prompt, RAG, fine-tuning or both? Asks, in order, what is neither measured nor given, up to the answer that settles it."""
    from ragdiag.interview import conducted
    from ragdiag.reports.decide import decide_dict, decide_text

    _check_json(json_file, report or os.devnull)
    found = conducted(report, given)
    _show(decide_text(found), quiet, json_file, lambda: decide_dict(found))
