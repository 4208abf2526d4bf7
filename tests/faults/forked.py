"""A command in a process that was split off from this one, with all its modules loaded: seconds of imports are saved each time.

What happens while Python starts is left to the trials that start a process afresh.
"""

import atexit
import contextlib
import io
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

LOADED = """ragdiag.api ragdiag.cli ragdiag.reports.html ragdiag.label.page ragdiag.answering.litmus ragdiag.comparing.tuning
joblib sklearn.decomposition scipy.sparse rich.progress rank_bm25 sqlite3 http.server""".split()


loaded: list[str] = []
"""What `load` has loaded: without it no process is split off."""


def load() -> None:
    """Import what commands need, so that processes are split off from this one."""
    import importlib

    for name in LOADED:
        importlib.import_module(name)
        loaded.append(name)


class Forked:
    """A process like one of `subprocess`."""

    def __init__(
        self, arguments: list[str], cwd: Path, env: dict[str, str], streams: tuple[int, int, int], own_terminal: bool
    ) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _become(arguments, cwd, env, streams, own_terminal)
            finally:
                os._exit(111)

    def poll(self) -> int | None:
        if self.returncode is None:
            process, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if process else None
        return self.returncode

    def wait(self) -> int:
        while (status := self.poll()) is None:
            time.sleep(0.005)
        return status

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _become(arguments: list[str], cwd: Path, env: dict[str, str], streams: tuple[int, int, int], own_terminal: bool) -> None:
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGTERM):  # which whoever started the campaign may ignore
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)
    if own_terminal:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    sys.argv = ["ragdiag", *arguments]
    terminal = os.isatty(1)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), line_buffering=terminal)
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), line_buffering=True)
    status = 0
    from ragdiag.cli import main

    try:
        main(prog_name="ragdiag")
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:  # as the interpreter does
        import traceback

        traceback.print_exc()
        status = 1
    with contextlib.suppress(BaseException):
        threading._shutdown()
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(status)
