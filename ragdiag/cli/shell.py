"""What surrounds every command: errors on one line, queries from standard input, progress bars."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click
from click.core import ParameterSource

from ragdiag.cli.ending import fail, logged, note, orderly, say, standard_output

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress as BarsOnScreen
    from rich.progress import TaskID

    from ragdiag.core.protocols import Progress

__all__ = [
    "STDIN",
    "Group",
    "on_terminal",
    "present",
    "progress_bars",
    "queries_file",
    "refuse",
    "standard_input",
    "write_out",
]

STDIN = "standard input"
"""How queries from there are called in errors and reports: not by the temporary file they are spooled to."""


PANIC = "PanicException"
"""What a library written in Rust raises where it finds no way on; it is no `Exception`, and has no module to import it from."""


class Group(click.Group):
    """Turns every error into one line and exit status 2; a traceback only with --debug."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's."""
        with orderly():
            return super().main(*args, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's."""
        if not args:
            return super().parse_args(ctx, args)  # shows the help
        if any("\0" in arg for arg in args):
            fail("an argument holds a null character, which no name of a file can", 2)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as e:
            _fail_usage(e)

    def invoke(self, ctx: click.Context) -> object:
        """As click's."""
        if not ctx.params.get("debug"):
            os.environ["RUST_BACKTRACE"] = "0"  # else a library that gives up prints hundreds of lines of its own
        try:
            with warnings.catch_warnings(), logged():
                warnings.showwarning = note
                return super().invoke(ctx)
        except click.UsageError as e:
            _fail_usage(e)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            fail("interrupted; the same command goes on where it stopped", 130)
        except BaseException as e:
            if ctx.params.get("debug") and isinstance(e, Exception):
                _fail_traced(e)
            if type(e).__name__ == PANIC:
                fail(f"a library gave up on what it was given: {e}; check the model, tokenizer or store that you name", 2)
            if not isinstance(e, Exception):
                raise
            _fail_of(e)


def _fail_traced(error: Exception) -> NoReturn:
    """Where in the code it went wrong, without keys."""
    from ragdiag.core.secrets import without_secrets

    say(without_secrets("".join(traceback.format_exception(error)).rstrip()))
    sys.exit(2)


def _fail_of(error: Exception) -> NoReturn:
    """What went wrong, on one line; what ragdiag did not foresee is called a bug."""
    from ragdiag.core.errors import RagdiagError

    if isinstance(error, RagdiagError):
        fail(str(error), 2)
    if isinstance(error, OSError):  # the system refuses something: whoever calls can mend that, we cannot
        where = error.filename or "a stream or a file"
        fail(f"{where}: {error.strerror or error}; check the path, its permissions and the room there", 2)
    fail(f"unexpected {type(error).__name__}: {error} (this is a bug in ragdiag; --debug shows where)", 2)


def _fail_usage(error: click.UsageError) -> NoReturn:
    """Click's message on one line, with the place in the configuration file where the value comes from there."""
    ctx, message = error.ctx, error.format_message().rstrip(".")
    if ctx is None:
        fail(message, 2)
    configuration, parameter = ctx.find_root().obj, getattr(error, "param", None)
    if configuration and parameter and ctx.get_parameter_source(parameter.name) is ParameterSource.DEFAULT_MAP:
        message = f"{configuration.file}:{configuration.line(parameter.opts[-1].lstrip('-'))}: {message}"
    fail(f"{message}{'' if message.endswith('?') else ';'} see {ctx.command_path} --help", 2)


def standard_input() -> bytes:
    """All of standard input. Raises `UsageError` where it is closed, cannot be read, or does not end."""
    from ragdiag.core.errors import UsageError
    from ragdiag.core.files import MAX_BYTES

    if sys.stdin is None:
        raise UsageError(f"{STDIN} is closed; name a file")
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as e:
        raise UsageError(f"{STDIN} cannot be read ({e.strerror or e}); name a file") from e
    if len(data) > MAX_BYTES:
        raise UsageError(f"{STDIN} has more than the {MAX_BYTES // 2**20} MB that are read; split it")
    return data


def refuse(names: Collection[str], without: str) -> None:
    """No option of `names` may stand on the command line; what the configuration gives is for other commands."""
    from ragdiag.core.errors import UsageError

    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"{parameter.opts[0]} says nothing without {without}")


def on_terminal(*streams: TextIO | None) -> bool:
    """Is there somebody at the other end of each, so that questions can be asked, and progress be seen?"""
    return all(stream is not None and stream.isatty() for stream in streams)


@contextlib.contextmanager
def queries_file(name: str) -> Iterator[str]:
    """The file of queries; ``-`` is standard input, spooled to one."""
    if name != "-":
        yield name
        return
    from ragdiag.core.errors import RagdiagError, UsageError
    from ragdiag.core.files import GIVEN
    from ragdiag.core.holding import temporary_folder

    with temporary_folder(GIVEN) as folder:
        path = Path(folder) / STDIN
        path.write_bytes(standard_input())
        try:
            yield str(path)
        except RagdiagError as e:
            raise UsageError(str(e).replace(str(path), STDIN)) from e


class Sentences:
    """Progress for who sees no bars: what is worth a line on standard error."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `protocols.Progress`."""

    def say(self, sentence: str) -> None:
        """See `progress.Telling`."""
        note(sentence, UserWarning, "", 0)


class Bars(Sentences):
    """A bar for each thing that goes on, and lines above them."""

    def __init__(self, bars: BarsOnScreen) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `protocols.Progress`."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total, visible=done < total)


@contextlib.contextmanager
def progress_bars(quiet: bool) -> Iterator[Progress]:
    """Progress on standard error, where that is a terminal; elsewhere only how long something will take."""
    from ragdiag.core.protocols import no_progress

    if quiet or not on_terminal(sys.stderr):
        yield no_progress if quiet else Sentences()
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
        yield Bars(bars)


def write_out(file: str, data: bytes) -> None:
    """To a file, whole or not at all; ``-`` is standard output."""
    if file == "-":
        from ragdiag.text.phrases import on_github

        if on_github() and data[:1] in (b"{", b"["):  # in JSON that is the same text
            data = data.replace(b"##[", b"#\\u0023[")
        with standard_output():
            sys.stdout.buffer.write(data)
        return
    from ragdiag.core.writing import write_atomically

    write_atomically(Path(file), data)


def present(renderable: RenderableType, quiet: bool, files: Iterable[tuple[str | None, Callable[[], str]]]) -> None:
    """Results: to the `files` that were named, or one of them to standard output in place of the text."""
    named = [(file, text) for file, text in files if file is not None]
    for file, text in named:
        write_out(file, text().encode("utf-8", "backslashreplace"))
    if not quiet and "-" not in [file for file, _ in named]:
        from ragdiag.reports.terminal import show

        with standard_output():
            show(renderable)
