"""What a parser may do with bytes: give something, or raise a `RagdiagError` of one line; soon, in little memory, and no more.

It may write nothing outside of its folder, connect to nothing, start and run nothing.
"""

import contextlib
import logging
import os
import re
import resource
import signal
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

SECONDS, SECONDS_PER_BYTE = 2.0, 60e-6
"""CPU time that any input may take, and more for each of its bytes."""

MEMORY, MEMORY_PER_BYTE = 300 * 2**20, 1500
"""Bytes by which the most memory that was ever used may grow, and more for each byte of the input."""

CANARY = "../canary.txt"
"""A file beside the folder that nothing names: reading it is reading what nobody gave."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

STARTED = (
    *"subprocess.Popen os.system os.exec os.posix_spawn os.fork".split(),
    *"os.forkpty os.startfile pty.spawn webbrowser.open pickle.find_class code.interact".split(),
)
CONNECTED = "socket.connect socket.getaddrinfo socket.gethostbyname socket.sendto socket.bind urllib.Request".split()
CHANGED = (
    *"os.remove os.rename os.mkdir os.rmdir os.link os.symlink".split(),
    *"os.chmod os.chown os.truncate os.utime shutil.rmtree shutil.move".split(),
)


class Outcome(NamedTuple):
    """What came of one input. `kind` is what it has in common with others; `failure` says what is wrong, "" where nothing is."""

    kind: str
    failure: str = ""
    trace: str = ""
    seconds: float = 0.0


class Hung(BaseException):
    """An input took longer than any of its size may."""


class Guard:
    """Watches what happens, while it is on, outside of `folder`. There is one a process: Python has no way to take it away."""

    def __init__(self) -> None:
        self.folder, self.on = "", False
        self.seen: list[str] = []
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def watching(self, folder: Path) -> Iterator[list[str]]:
        """What was done that may not be, added to a list."""
        self.folder, self.seen, self.on = str(folder.resolve()), [], True
        try:
            yield self.seen
        finally:
            self.on = False

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            self._opened(*arguments)
        elif event == "exec":
            code = arguments[0]
            if isinstance(code, types.CodeType) and "PWNED" in repr((code.co_names, code.co_consts)):
                self.seen.append("runs code of the input")
        elif event in STARTED or event in CONNECTED:
            self.seen.append(f"{event} {arguments!r:.100}")
        elif event in CHANGED and isinstance(arguments[0], (str, bytes, os.PathLike)):
            in_a_folder = any(isinstance(fd, int) and fd >= 0 for fd in arguments[1:]) and event in ("os.remove", "os.rmdir")
            if not in_a_folder and not self._inside(arguments[0]):
                self.seen.append(f"{event} {arguments!r:.100}")

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        writes = isinstance(flags, int) and flags & WRITES
        if writes and not self._inside(path):
            self.seen.append(f"writes {os.fsdecode(path)}")
        elif not writes and os.fsdecode(path).endswith("canary.txt") and not self._inside(path):
            self.seen.append("reads a file that nobody named")

    def _inside(self, path: Any) -> bool:
        self.on = False  # what looks is not looked at
        try:
            name = os.fsdecode(path)
            real = os.path.realpath(Path.cwd() / name)
            return real.startswith(self.folder) or real in ("/dev/null", "/dev/tty") or "__pycache__" in real
        except (OSError, ValueError):
            return True  # such a file there cannot be
        finally:
            self.on = True


GUARD = Guard()

logging.getLogger("pypdf").addHandler(logging.NullHandler())


def _hung(signum: int, frame: types.FrameType | None) -> None:
    raise Hung


def tried(run: Callable[[bytes, Path], object], data: bytes, folder: Path) -> Outcome:
    """What comes of `data`, which is read in `folder`. What is slow is tried again: the first time imports what it needs."""
    outcome = _tried(run, data, folder)
    return _tried(run, data, folder) if outcome.kind == "slow" else outcome


def _tried(run: Callable[[bytes, Path], object], data: bytes, folder: Path) -> Outcome:
    most = SECONDS + SECONDS_PER_BYTE * len(data)
    before = resource.getrusage(resource.RUSAGE_SELF)
    old_handler, old_tempdir = signal.signal(signal.SIGVTALRM, _hung), tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        with GUARD.watching(folder) as seen, warnings.catch_warnings():
            warnings.simplefilter("error")
            signal.setitimer(signal.ITIMER_VIRTUAL, 4 * most)
            try:
                outcome = _ran(run, data, folder)
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except Hung:  # between the end of the parser and that of its clock
        outcome = Outcome("hung", "takes too long")
    finally:
        tempfile.tempdir = old_tempdir
        signal.signal(signal.SIGVTALRM, old_handler)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime - before.ru_utime
    outcome = outcome._replace(seconds=seconds)
    grown = 1024 * (after.ru_maxrss - before.ru_maxrss)
    if outcome.failure:
        return outcome
    if seen:
        return outcome._replace(kind=f"forbidden {seen[0].split()[0]}", failure=seen[0])
    if seconds > most:
        return outcome._replace(kind="slow", failure=f"{seconds:.1f} s of CPU for {len(data)} bytes")
    if grown > MEMORY + MEMORY_PER_BYTE * len(data):
        return outcome._replace(kind="memory", failure=f"{grown / 2**20:.0f} MB for {len(data)} bytes")
    return outcome


def _ran(run: Callable[[bytes, Path], object], data: bytes, folder: Path) -> Outcome:
    from ragdiag.core.errors import RagdiagError

    try:
        given = run(data, folder)
    except RagdiagError as e:
        return _refused(e)
    except Hung as e:
        return Outcome(f"hung {place(e)}", "takes too long", traceback.format_exc(limit=-6))
    except (Exception, SystemExit) as e:
        return Outcome(f"{type(e).__name__} {place(e)}", f"{type(e).__name__}: {e}"[:300], traceback.format_exc(limit=-8))
    return Outcome(f"gives {given}" if isinstance(given, str) else f"gives {type(given).__name__}")


def _refused(error: Exception) -> Outcome:
    """An error that users meet: one line, which says something."""
    text = str(error)
    kind = (
        f"{type(error).__name__} {re.sub(r'[0-9]+|[^ -~]|[^ ]*[/][^ ]*', '#', re.sub(chr(39) + '.*?' + chr(39), '#', text))[:60]}"
    )
    if not text.strip() or len(text.splitlines()) > 1:
        return Outcome(kind, f"an error of {len(text.splitlines())} lines: {text!r:.200}", traceback.format_exc(limit=-4))
    return Outcome(kind)


def place(error: BaseException) -> str:
    """The last line of our own that an error passed through, and that it was raised in."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/ragdiag/" in f.filename and "/tests/" not in f.filename]
    own = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
    if isinstance(error, RecursionError) or not frames:
        return own
    return f"{own} {Path(frames[-1].filename).name}:{frames[-1].name}"
