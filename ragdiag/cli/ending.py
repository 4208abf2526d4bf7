"""How a command ends, whatever happens: its errors on one line, its exit status, its output written or said not to be."""

from __future__ import annotations

import _thread
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

import click

__all__ = ["fail", "logged", "note", "orderly", "say", "standard_output"]

LONGEST = 2000
"""Characters of a line that is shown: of a longer one the start, which says what is wrong, and the end, which says what to do."""

STOPS = ("SIGTERM", "SIGHUP")
"""Signals that end a command as Ctrl-C does: with what it made for the time being removed."""


AGAIN_S = 0.05
"""After so long a signal is delivered again that came where nothing can be raised."""


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Around a whole command: signals stop it in order, and what it printed has been taken when it ends well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal's encoding lacks is escaped, not an error
            stream.reconfigure(errors="backslashreplace")
    try:
        with _stopped_in_order():
            try:
                yield
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
    except BrokenPipeError:
        _silence()
        sys.exit(1)
    except OSError as e:
        _silence()
        fail(f"cannot write to standard output: {e.strerror or e}", 2)


@contextlib.contextmanager
def _stopped_in_order() -> Iterator[None]:
    """What stops a process raises `KeyboardInterrupt` in it, unless somebody has other plans for it (nohup)."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in STOPS if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    ignored, sys.unraisablehook = sys.unraisablehook, _not_lost(sys.unraisablehook)
    try:
        yield
    finally:
        sys.unraisablehook = ignored
        for number, handler in before.items():
            signal.signal(number, handler)


def _not_lost(hook: Callable[[sys.UnraisableHookArgs], object]) -> Callable[[sys.UnraisableHookArgs], None]:
    """What Python does with an error that it cannot raise, as in a destructor; one that stops the command comes once more."""

    def unraisable(error: sys.UnraisableHookArgs) -> None:
        if isinstance(error.exc_value, KeyboardInterrupt):
            again = threading.Timer(AGAIN_S, _interrupt)  # not now: it would be raised in here, and be lost too
            again.daemon = True
            again.start()
        else:
            hook(error)

    return unraisable


def _interrupt() -> None:
    if hasattr(signal, "pthread_kill"):  # which ends a wait as well
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Around what is printed. Raises `UsageError` where it cannot be, but for a pipe that nobody reads any more."""
    from ragdiag.core.errors import UsageError

    if sys.stdout is None:
        raise UsageError("standard output is closed; give --json FILE and --quiet")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as e:
        _silence()
        raise UsageError(f"cannot write to standard output: {e.strerror or e}") from e


def _silence() -> None:
    """Python flushes standard output once more at exit, and would complain once more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: object = None, line: object = None
) -> None:
    """A warning on one line: where in the code it was raised helps no user."""
    say(f"note: {_inert(str(message))}")


def say(line: str) -> None:
    """A line to standard error. Where there is no room for it the work goes on: it is not what was asked for."""
    with contextlib.suppress(OSError):
        click.echo(line, err=True)


@contextlib.contextmanager
def logged() -> Iterator[None]:
    """What the library logs, as notes."""
    import logging

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(record.getMessage(), UserWarning, "", 0)

    log, handler = logging.getLogger("ragdiag"), Notes()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def fail(message: str, status: int) -> NoReturn:
    """End with an error on one line."""
    from ragdiag.core.secrets import without_secrets

    say(f"error: {_inert(without_secrets(message))}")
    sys.exit(status)


def _inert(message: str) -> str:
    """One line that cannot steer a terminal or a log of GitHub's, nor fill it, whatever names are in it."""
    from ragdiag.text.phrases import no_commands, on_github

    line = " ".join(message.split())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"
    line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)
    return no_commands(line) if on_github() else line
