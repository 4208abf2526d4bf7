"""The command line: each command is one library call and one way to show its result.

Only click is imported at start; everything else when a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ragdiag import __version__
from ragdiag.config import settle
from ragdiag.shell import Group, progress_bars, queries_file, unspooled

if TYPE_CHECKING:
    from ragdiag.options import Options

__all__ = ["main"]

F = TypeVar("F", bound=Callable[..., Any])

corpus_argument = click.argument("corpus", metavar="CORPUS")
queries_argument = click.argument("queries", metavar="QUERIES")
quiet_option = click.option("--quiet", is_flag=True, help="Show nothing but errors; --json and exit status still speak.")
json_option = click.option("--json", "json_file", metavar="FILE", help="Write the report as JSON; - for standard output.")

LABEL_OPTIONS = (
    click.option("--qrels", metavar="FILE", help="Judgements for BEIR or TREC queries."),
    click.option("--copies", type=click.Choice(["count", "ignore"]), default="count", show_default=True,
                 help="Do exact copies of a labelled passage elsewhere count as evidence?"),
    click.option("--only", metavar="DOC_ID", multiple=True, help="Keep only this document (repeat for several)."),
)  # fmt: skip

AUDIT_OPTIONS = (
    click.option(
        "--chunker", metavar="SPEC", default="sentence", show_default=True, help="e.g. 'recursive(size=200, overlap=40)'."
    ),
    click.option("--chunks", metavar="FILE", help="Your own chunks, JSONL, in place of a chunker."),
    click.option(
        "--context", metavar="KIND", default="none", show_default=True, help="Embedded with a chunk: title, heading, ..."
    ),
    click.option(
        "--retriever", metavar="SPEC", default="hybrid", show_default=True, help="e.g. 'bm25(k1=1.2)', dense, lsa, hybrid."
    ),
    click.option(
        "--swap", metavar="SPEC", help="Put queries in other words than the documents to this retriever as well, e.g. dense."
    ),
    click.option("--run", "run_file", metavar="FILE", help="Your own ranking, TREC or JSONL, in place of a retriever."),
    click.option("-k", "k", type=int, metavar="N", help="Chunks in a context.  [default: 5]"),
    click.option("--budget", type=int, metavar="TOKENS", help="Context size in tokens, in place of -k."),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        default=0,
        show_default=True,
        help="Seed of the intervals' resamples.",
    ),
    click.option("--cache", metavar="DIR", help="Where vectors and indexes are kept.  [default: the user's cache folder]"),
    click.option("--no-cache", is_flag=True, help="Keep nothing."),
)


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several click options as one decorator, shown in this order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


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
    from ragdiag.errors import UsageError
    from ragdiag.options import Options

    settle(given)
    if given.get("budget") is not None and given["budget"] < 1:
        raise UsageError(f"--budget must be 1 token or more, not {given['budget']}")
    if given.pop("no_cache", False):
        given["cache"] = None
    elif given.get("cache") is None:
        given.pop("cache", None)
    if "run_file" in given:
        given["run"] = given.pop("run_file")
    return Options(**{name: value for name, value in given.items() if value is not None or name == "cache"})


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
@json_option
@click.option("--fail-under", metavar="'M=x'", multiple=True,
              help="Exit 1 unless measure M's mean (M.low: its interval's lower end) is x or more.")  # fmt: skip
@quiet_option
def audit(corpus: str, queries: str, json_file: str | None, fail_under: tuple[str, ...], quiet: bool, **given: Any) -> None:
    """Measure how well retrieval serves labelled queries, and why it fails the rest."""
    from ragdiag.gates import Gate, failures
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import audit_dict
    from ragdiag.reports.terminal import audit_text

    _check_json(json_file, corpus, queries, *(given[name] for name in ("run_file", "chunks", "qrels")))
    gates = [Gate.parse(text) for text in fail_under]
    asked = _options(given | {"measures": tuple(str(g.measure) for g in gates)})
    with queries_file(queries) as path, progress_bars(quiet) as progress:
        report = unspooled(run_audit(corpus, path, asked, progress).report)
    _show(audit_text(report), quiet, json_file, lambda: audit_dict(report))
    failed = failures(gates, report)
    for message in failed:
        click.echo(f"failed: {message}", err=True)
    sys.exit(1 if failed else 0)


COMPARE_OPTIONS = (
    click.option("--chunker", "chunkers", metavar="SPEC", multiple=True, help="Chunkers to compare; repeat the option for each."),
    click.option("--chunks", metavar="FILE", multiple=True, help="Your own chunks, JSONL, one file for each way to cut."),
    click.option("--context", "contexts", metavar="KIND", multiple=True, help="What is embedded with a chunk; repeat for each."),
    click.option("--retriever", "retrievers", metavar="SPEC", multiple=True, help="Retrievers to compare; repeat for each."),
    click.option("--run", "runs", metavar="FILE", multiple=True, help="Your own rankings, TREC or JSONL; repeat for each."),
    click.option("--tune", is_flag=True, help="Also other weights of each hybrid of two."),
    click.option("--baseline", metavar="NAME", default="", help="What the others are held against, such as 'sentence | bm25'."
                 "  [default: the first]"),
    click.option("--measure", metavar="M", default="", help="What is contrasted.  [default: Sufficient at the context's size]"),
    click.option("--causes/--no-causes", default=True, show_default=True, help="Name the causes of what is cured and broken."),
    click.option("--pairs", is_flag=True, help="Contrast all with one another, not only with the baseline."),
    click.option("-k", "k", type=int, metavar="N", help="Chunks in every context."),
    click.option("--budget", type=int, metavar="TOKENS",
                 help="Tokens in every context.  [default: what the baseline's first 5 chunks take]"),
    click.option("--price", type=click.FloatRange(min=0), metavar="DOLLARS", help="Of a million tokens of context."),
    click.option("--latency", type=click.FloatRange(min=0), metavar="MS", default=500.0, show_default=True,
                 help="What one query may take: slower ones are marked."),
    click.option("--jobs", type=int, metavar="N", default=1, show_default=True, help="Configurations measured at once."),
)  # fmt: skip


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
@click.option("--answers", metavar="[CONDITION=]FILE", multiple=True, required=True,
              help="Recorded answers, JSONL; CONDITION is retrieved, oracle or closed_book. Repeat for each file.")  # fmt: skip
@click.option("--judge", metavar="SPEC", default="matcher", show_default=True, help="Judges answers that have no label.")
@click.option("--failed", type=click.Choice(["failed", "wrong"]), default="failed", show_default=True,
              help="What an attempt without an answer counts as.")  # fmt: skip
@click.option("--delta", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="An effect that matters.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True, help="Seed of the resamples.")
@click.option("--qrels", metavar="FILE", help="Judgements for BEIR or TREC queries.")
@json_option
@quiet_option
def litmus(queries: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """From recorded answers: a retrieval problem or a behavior problem? Would failures be gone with perfect context?"""
    from ragdiag.answering import litmus as run
    from ragdiag.reports.litmus import litmus_dict, litmus_text

    files = [source.partition("=")[2] or source for source in given["answers"]]
    _check_json(json_file, queries, queries, given["qrels"], *files)
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
