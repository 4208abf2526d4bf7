"""The command line: each command is one library call and one way to show its result.

Only click is imported at start; everything else when a command runs.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ragdiag import __version__

if TYPE_CHECKING:
    from ragdiag.pipeline import Options
    from ragdiag.protocols import Progress
    from ragdiag.records import Report

__all__ = ["main"]

F = TypeVar("F", bound=Callable[..., Any])

CONFIG = "ragdiag.toml"

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
    click.option("--run", "run_file", metavar="FILE", help="Your own ranking, TREC or JSONL, in place of a retriever."),
    click.option("-k", "k", type=int, metavar="N", help="Chunks in a context.  [default: 5]"),
    click.option("--budget", type=int, metavar="TOKENS", help="Context size in tokens, in place of -k."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of the intervals' resamples."),
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


class _Group(click.Group):
    """Turns ragdiag's errors into one line and exit status 2; a traceback only with --debug."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt:
            _fail("interrupted; the same command goes on where it stopped", 130)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)
        except Exception as e:
            from ragdiag.errors import RagdiagError

            if ctx.params.get("debug"):
                raise
            if isinstance(e, RagdiagError):
                _fail(str(e), 2)
            _fail(f"unexpected {type(e).__name__}: {e} (this is a bug in ragdiag; --debug shows where)", 2)


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(status)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Find out why a RAG application answers badly, with proof.

    CORPUS is a folder, a glob, a file, a corpus.jsonl or a BEIR folder. QUERIES are labelled queries: JSONL, BEIR or TREC with
    qrels, SQuAD JSON, ragas samples, Chroma's CSV; - for standard input. Defaults may stand in ragdiag.toml, or in pyproject.toml
    under [tool.ragdiag].
    """
    ctx.default_map = _defaults(ctx)


def _defaults(ctx: click.Context) -> dict[str, Any]:
    """Defaults from the configuration file here, for every command that has the option."""
    path, table = _configuration()
    if not table:
        return {}
    from ragdiag.errors import InputError, did_you_mean

    commands = {n: {p.name: p for p in c.params if isinstance(p, click.Option)} for n, c in main.commands.items()}
    names = {(p.opts[-1].lstrip("-").replace("_", "-")): p.name for params in commands.values() for p in params.values()}
    unknown = next((key for key in table if key.replace("_", "-") not in names), None)
    if unknown is not None:
        raise InputError(f"unknown option {unknown!r}{did_you_mean(unknown, names)}", path, remedy="mend it")
    given = {names[key.replace("_", "-")]: value for key, value in table.items()}
    return {n: {k: v for k, v in given.items() if k in params} for n, params in commands.items()}


def _configuration() -> tuple[Path, dict[str, Any]]:
    for path in (Path(CONFIG), Path("pyproject.toml")):
        if path.is_file() and (path.name == CONFIG or "[tool.ragdiag]" in path.read_text(encoding="utf-8", errors="replace")):
            from ragdiag.errors import InputError
            from ragdiag.files import read_text

            if sys.version_info >= (3, 11):
                import tomllib
            else:
                import tomli as tomllib
            try:
                table = tomllib.loads(read_text(path).replace("\r\n", "\n"))
            except tomllib.TOMLDecodeError as e:
                raise InputError(f"broken TOML: {e}", path, remedy="mend it") from e
            return path, table if path.name == CONFIG else table["tool"]["ragdiag"]
    return Path(), {}


@contextlib.contextmanager
def _queries(name: str) -> Iterator[str]:
    """The file of queries; standard input is spooled to one."""
    if name != "-":
        yield name
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stdin.jsonl"
        path.write_bytes(sys.stdin.buffer.read())
        yield str(path)


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """A progress bar on standard error, where that is a terminal."""
    from ragdiag.protocols import no_progress

    if quiet or not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            task = tasks.setdefault(what, bar.add_task(what, total=total) if what not in tasks else None)
            bar.update(task, completed=done, total=total, visible=done < total)

        yield show


def _options(given: dict[str, Any]) -> Options:
    """`pipeline.Options` from what the command line gave."""
    from ragdiag.errors import UsageError
    from ragdiag.pipeline import Options

    if given.get("k") is not None and given.get("budget") is not None:
        raise UsageError("-k and --budget both set the context's size: give one")
    if given.get("budget") is not None and given["budget"] < 1:
        raise UsageError(f"--budget must be 1 token or more, not {given['budget']}")
    if given.get("run_file") and _was_given("retriever"):
        raise UsageError("--run takes the place of --retriever: give one")
    if given.get("chunks") and _was_given("chunker"):
        raise UsageError("--chunks takes the place of --chunker: give one")
    if given.pop("no_cache", False):
        given["cache"] = None
    elif given.get("cache") is None:
        given.pop("cache", None)
    given["run"] = given.pop("run_file", None)
    given["k"] = 5 if given.get("k") is None else given["k"]
    given["budget"] = given.get("budget") or 0
    return Options(**given)


def _was_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE


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
        from ragdiag.reports.terminal import console

        console().print(renderable)


@main.command()
@corpus_argument
@queries_argument
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
@json_option
@click.option("--fail-under", metavar="'M=x'", multiple=True,
              help="Exit 1 unless measure M's mean (M.low: its interval's lower end) is x or more.")  # fmt: skip
@quiet_option
def audit(corpus: str, queries: str, json_file: str | None, fail_under: tuple[str, ...], quiet: bool, **given: Any) -> None:
    """Measure how well retrieval serves labelled queries."""
    from ragdiag.gates import Gate, failures
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import audit_dict
    from ragdiag.reports.terminal import audit_text

    gates = [Gate.parse(text) for text in fail_under]
    asked = _options(given | {"measures": tuple(str(g.measure) for g in gates)})
    with _queries(queries) as path, _progress(quiet) as progress:
        report: Report = run_audit(corpus, path, asked, progress).report
    _show(audit_text(report), quiet, json_file, lambda: audit_dict(report))
    failed = failures(gates, report)
    for message in failed:
        click.echo(f"failed: {message}", err=True)
    sys.exit(1 if failed else 0)


@main.command()
@corpus_argument
@queries_argument
@click.argument("query_id")
@options(*AUDIT_OPTIONS, *LABEL_OPTIONS)
@json_option
@quiet_option
def explain(corpus: str, queries: str, query_id: str, json_file: str | None, quiet: bool, **given: Any) -> None:
    """Show one query: its evidence, its context with chunk boundaries, what was ranked above it."""
    from ragdiag.explain import explain as explain_query
    from ragdiag.pipeline import run_audit
    from ragdiag.reports.json import explain_dict
    from ragdiag.reports.terminal import explain_text

    asked = _options(given)
    with _queries(queries) as path, _progress(quiet) as progress:
        explanation = explain_query(run_audit(corpus, path, asked, progress), query_id)
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

    with _queries(queries) as path, _progress(quiet) as progress:
        found, labels, notes = check_labels(corpus, path, progress, **given)
    _show(check_text(found, labels, notes), quiet, json_file, lambda: check_dict(found, labels, notes))
    sys.exit(1 if labels.defects or found.problems else 0)
