"""What surrounds every command: errors on one line, queries from standard input, progress bars."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from ragdiag.protocols import Progress

__all__ = [
    "STDIN",
    "DecideCommand",
    "Group",
    "check_output",
    "check_outputs",
    "present",
    "progress_bars",
    "queries_file",
    "write_out",
]

STDIN = "standard input"
"""How queries from there are called in errors and reports: not by the temporary file they are spooled to."""


class Group(click.Group):
    """Turns every error into one line and exit status 2; a traceback only with --debug."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's."""
        if not args:
            return super().parse_args(ctx, args)  # shows the help
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as e:
            _fail_usage(e)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # what a terminal's encoding lacks is escaped, not an error
                stream.reconfigure(errors="backslashreplace")
        try:
            with warnings.catch_warnings(), _logged():
                warnings.showwarning = _note
                return super().invoke(ctx)
        except click.UsageError as e:
            _fail_usage(e)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt:
            _fail("interrupted; the same command goes on where it stopped", 130)
        except BrokenPipeError:
            # Python would complain once more when it flushes standard output at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as e:
            from ragdiag.errors import RagdiagError

            if ctx.params.get("debug"):
                raise
            if isinstance(e, RagdiagError):
                _fail(str(e), 2)
            _fail(f"unexpected {type(e).__name__}: {e} (this is a bug in ragdiag; --debug shows where)", 2)


class DecideCommand(click.Command):
    """The command, whose options are made when they are first looked at: no other command has to wait for the questions."""

    _made: bool
    _params: list[click.Parameter]

    @property
    def params(self) -> list[click.Parameter]:
        """Every option."""
        if not self._made:
            from ragdiag.interview import decide_options

            self._made, self._params = True, [*decide_options(), *self._params]
        return self._params

    @params.setter
    def params(self, own: list[click.Parameter]) -> None:
        self._made, self._params = False, own


def _note(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """A warning on one line: where in the code it was raised helps no user."""
    click.echo(f"note: {_inert(str(message))}", err=True)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """What the library logs, as notes."""
    import logging

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            click.echo(f"note: {_inert(record.getMessage())}", err=True)

    log, handler = logging.getLogger("ragdiag"), Notes()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def _inert(message: str) -> str:
    """One line that cannot steer a terminal, whatever names are in it."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(message.split()))


def _fail_usage(error: click.UsageError) -> NoReturn:
    """Click's message on one line, with the place in the configuration file where the value comes from there."""
    ctx, message = error.ctx, error.format_message().rstrip(".")
    if ctx is None:
        _fail(message, 2)
    configuration, parameter = ctx.find_root().obj, getattr(error, "param", None)
    if configuration and parameter and ctx.get_parameter_source(parameter.name) is ParameterSource.DEFAULT_MAP:
        message = f"{configuration.file}:{configuration.line(parameter.opts[-1].lstrip('-'))}: {message}"
    _fail(f"{message}{'' if message.endswith('?') else ';'} see {ctx.command_path} --help", 2)


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"error: {_inert(message)}", err=True)
    sys.exit(status)


@contextlib.contextmanager
def queries_file(name: str) -> Iterator[str]:
    """The file of queries; ``-`` is standard input, spooled to one."""
    if name != "-":
        yield name
        return
    import tempfile

    from ragdiag.errors import RagdiagError, UsageError
    from ragdiag.files import GIVEN

    with tempfile.TemporaryDirectory(prefix=GIVEN) as folder:
        path = Path(folder) / STDIN
        path.write_bytes(sys.stdin.buffer.read())
        try:
            yield str(path)
        except RagdiagError as e:
            raise UsageError(str(e).replace(str(path), STDIN)) from e


@contextlib.contextmanager
def progress_bars(quiet: bool) -> Iterator[Progress]:
    """Progress on standard error, where that is a terminal."""
    from ragdiag.protocols import no_progress

    if quiet or not sys.stderr.isatty():
        yield no_progress
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, progress.TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total, visible=done < total)

        yield show


def check_output(file: str | None, corpus: str, *inputs: str | None, option: str = "--json") -> None:
    """Before any work is done: can the file be written, and is it no input that it would overwrite?"""
    if file in (None, "-"):
        return
    from ragdiag.errors import UsageError
    from ragdiag.writing import check_writable

    path = Path(file)
    check_writable(path)
    if path.is_file():
        whole = path.resolve()
        same = any(name and name != "-" and Path(name).resolve() == whole for name in inputs)
        if same or Path(corpus).resolve() in (whole, *whole.parents):
            raise UsageError(f"{option} {file} would overwrite an input; choose another file")


def check_outputs(json_file: str | None, html_file: str | None, corpus: str, *inputs: str | None) -> None:
    """The same of both forms of a report, which must not go to the same place."""
    check_output(json_file, corpus, *inputs)
    check_output(html_file, corpus, *inputs, option="--html")
    if json_file and html_file and (json_file == html_file or Path(json_file).resolve() == Path(html_file).resolve()):
        from ragdiag.errors import UsageError

        raise UsageError(f"--json and --html both name {html_file}; choose two files")


def write_out(file: str, data: bytes) -> None:
    """To a file, whole or not at all; ``-`` is standard output."""
    if file == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from ragdiag.writing import write_atomically

    write_atomically(Path(file), data)


def present(
    renderable: Any,
    quiet: bool,
    json_file: str | None,
    as_json: Callable[[], dict[str, Any]],
    html_file: str | None = None,
    as_html: Callable[[], str] = str,
) -> None:
    """Results: JSON and HTML to their files, or one of them to standard output in place of the text."""
    if html_file:
        write_out(html_file, as_html().encode("utf-8"))
    if json_file:
        from ragdiag.reports.json import dumps

        write_out(json_file, dumps(as_json()).encode("utf-8"))
    if not quiet and "-" not in (json_file, html_file):
        from ragdiag.reports.terminal import show

        show(renderable)
