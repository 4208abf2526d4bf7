"""Running a command, with somebody who answers it; stopping it at a moment; what of it is left afterwards."""

import contextlib
import fcntl
import functools
import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from faulted import BEST, Command, Place, asked_of_page
from forked import Forked, loaded

LONGEST_S = 300.0
"""A command that has not ended by then waits for ever."""

GONE_S = 20.0
"""Processes that a killed command started have ended by then."""

PROMPT = "> "

REFUSED = "cannot write"
"""What is shown where a decision cannot be kept: whoever labels then stops."""


class Ended(NamedTuple):
    """How a run ended: its status (negative: the signal), what it said, how many decisions it confirmed, and its seconds."""

    status: int
    said: str
    confirmed: int
    seconds: float
    stopped: bool

    @property
    def last(self) -> str:
        """The last line that it said."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        return lines[-1] if lines else ""


Process = subprocess.Popen[bytes] | Forked

Stop = Callable[[Process], None]


def run(
    command: Command,
    place: Place,
    after_s: float | None = None,
    stop: Stop | None = None,
    prefix: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    shell: str = "",
    fresh: bool = False,
) -> Ended:
    """Run a command to its end, or `stop` it after so many seconds. `prefix` is put before it, `shell` behind it.

    It is a process of Python started afresh, or where nothing needs that and all is loaded here, one split off from this.
    """
    start = Start(command, place, {**place.environment(), **(environment or {})}, prefix, shell, fresh)
    driver = {"": _alone, "terminal": _on_terminal, "page": _on_page}[command.person]
    started = time.monotonic()
    until = None if after_s is None else started + after_s
    status, said, confirmed, stopped = driver(start, until, stop)
    return Ended(status, said, confirmed, time.monotonic() - started, stopped)


class Start(NamedTuple):
    """How a process is started."""

    command: Command
    place: Place
    environment: dict[str, str]
    prefix: Sequence[str]
    shell: str
    fresh: bool

    def process(self, stdin: int, output: int, terminal: bool = False) -> Process:
        """Start it, with these streams."""
        if loaded and not (self.fresh or self.prefix or self.shell):
            return Forked(list(self.command.argv), self.place.work, self.environment, (stdin, output, output), terminal)
        argv = [*self.prefix, sys.executable, "-m", "ragdiag", *self.command.argv]
        if self.shell:
            argv = ["bash", "-c", f'"$@" {self.shell}', "bash", *argv]
        begin = functools.partial(_begin, output if terminal else None)
        return subprocess.Popen(
            argv, cwd=self.place.work, env=self.environment, stdin=stdin, stdout=output, stderr=output, preexec_fn=begin
        )

    def said(self) -> IO[bytes]:
        """A file for what it says: a pipe would be held open by whatever is left behind."""
        return (self.place.folder / "said").open("w+b")


class _Clock:
    """Stops a process when its time has come, from a thread of its own."""

    def __init__(self, process: Process, until: float | None, stop: Stop | None) -> None:
        self.stopped = False
        self._process, self._stop = process, stop
        self._timers = [threading.Timer(LONGEST_S, process.kill)]
        if until is not None:
            self._timers.append(threading.Timer(max(until - time.monotonic(), 0), self._now))
        for timer in self._timers:
            timer.daemon = True
            timer.start()

    def _now(self) -> None:
        if self._process.poll() is None and self._stop is not None:
            self.stopped = True
            self._stop(self._process)

    def off(self) -> None:
        for timer in self._timers:
            timer.cancel()


Driven = tuple[int, str, int, bool]


def _alone(start: Start, until: float | None, stop: Stop | None) -> Driven:
    with start.said() as said, Path(os.devnull).open("rb") as nothing:
        process = start.process(nothing.fileno(), said.fileno())
        clock = _Clock(process, until, stop)
        status = process.wait()
        clock.off()
    return status, (start.place.folder / "said").read_text(errors="replace"), 0, clock.stopped


def _on_terminal(start: Start, until: float | None, stop: Stop | None) -> Driven:
    command = start.command
    most = BEST - decided(start.place.work / command.keeps[0]) if command.name == "litmus --review" else None
    master, slave = pty.openpty()
    process = start.process(slave, slave, True)
    os.close(slave)
    clock = _Clock(process, until, stop)
    said, seen, typed, refused = "", 0, 0, 0
    with contextlib.suppress(OSError):  # the terminal has gone with its last process
        while not (clock.stopped and stop is gone):
            if select.select([master], [], [], 0.2)[0]:
                said += os.read(master, 65536).decode("utf-8", "replace")
            elif process.poll() is not None:
                break
            if said[seen:].endswith(PROMPT):
                shown, seen, typed = said[seen:], len(said), typed + 1
                refused += REFUSED in shown
                enough = refused or (most is not None and typed > most)
                os.write(master, (("q" if enough else command.typed(shown)) + "\n").encode())
    os.close(master)
    status = process.wait()
    clock.off()
    return status, said, max(typed - 1 - refused, 0), clock.stopped


def decided(file: Path) -> int:
    """The queries that a file of decisions is about."""
    rows = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    needed = "reviewed" if file.stem == "reviewed" else ""  # which starts as a copy of the queries
    return len({row.get("_id", row.get("query_id")) for row in map(json.loads, rows) if needed in ("", *row)})


def _begin(terminal: int | None) -> None:
    """In a session of its own, controlled by a terminal where there is one: it is hung up on when that closes."""
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):  # which whoever started the campaign may ignore
        signal.signal(number, signal.SIG_DFL)
    if terminal is not None:
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def _on_page(start: Start, until: float | None, stop: Stop | None) -> Driven:
    file = start.place.folder / "said"
    with start.said() as said, Path(os.devnull).open("rb") as nothing:
        process = start.process(nothing.fileno(), said.fileno())
        clock = _Clock(process, until, stop)
        confirmed = _label_on_page(process, file, lambda: clock.stopped)
        if not clock.stopped and process.poll() is None:
            process.send_signal(signal.SIGINT)
        status = process.wait()
        clock.off()
    return status, file.read_text(errors="replace"), confirmed, clock.stopped


_PAGE = re.compile(r"http://127\.0\.0\.1:\d+/\S+/")


def _label_on_page(process: Process, said: Path, stopped: Callable[[], bool]) -> int:
    """Label every query with the first passage that is shown; how many labels the page confirmed."""
    while (match := _PAGE.search(said.read_text(errors="replace"))) is None:
        if process.poll() is not None or stopped():
            return 0
        time.sleep(0.02)
    confirmed = 0
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):  # stopped while it is asked
        state = asked_of_page(match[0], {"do": "show"})
        while state["query"] is not None:
            mark = {name: state["passages"][0][name] for name in ("document", "start", "end", "text")}
            request = {"do": "label", "query": state["query"]["id"], "groups": [[mark]], "answer": ""}
            state = asked_of_page(match[0], request)
            if state["error"]:
                break
            confirmed += 1
    return confirmed


# How a run is stopped


def killed(process: Process) -> None:
    """As by ``kill -9``, or by the kernel that is out of memory."""
    process.kill()


def terminated(process: Process) -> None:
    """As a runner of jobs does."""
    process.terminate()


def interrupted(process: Process) -> None:
    """As a terminal does on Ctrl-C: all processes that it runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)


def hung_up(process: Process) -> None:
    """As a terminal that is closed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGHUP)


def gone(process: Process) -> None:
    """As a terminal that is closed, where nobody else takes the signal: who drives it closes it."""


# What is left


def left(place: Place) -> list[str]:
    """The processes that work for a place, a while after its command has ended."""
    end = time.monotonic() + GONE_S
    while (found := _processes(place)) and time.monotonic() < end:
        time.sleep(0.1)
    for process in found:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    return [f"process {process} is still there" for process in found]


def _processes(place: Place) -> list[int]:
    """Those whose working folder is the place's, which every process inherits."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == place.work and b"\nState:\tZ" not in (entry / "status").read_bytes():
                    found.append(int(entry.name))
    return found
