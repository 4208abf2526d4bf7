"""Work that other processes do, where joblib says: on this machine, or by an engine (Dask, Ray) whose workers may be elsewhere.

Nothing is scheduled here: that is the engine's business, and so is what becomes of the work of a worker that dies.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import io
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.core.version import __version__

__all__ = ["distant", "results", "software", "workers"]

T = TypeVar("T")

WATCH_S = 1.0
"""How often a worker of this machine looks whether it still works for somebody."""

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "sentence-transformers", "tokenizers")
"""Libraries on whose versions the last digits of a result may depend."""

ENGINES = ("dask", "distributed", "ray", "tornado", "grpc", "asyncio", "concurrent")
"""Packages in which an error is raised that is an engine's, not one of the work that it was given."""


class _Done(NamedTuple):
    """What came of a task, by its number: its result, or what was wrong with what the user asked for."""

    number: int
    result: object
    wrong: RagdiagError | None


def distant() -> bool:
    """Whether joblib's backend in force is that of an engine, whose workers may be on other machines."""
    if "joblib" not in sys.modules:  # then nobody has chosen one
        return False
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    return not type(backend).__module__.startswith("joblib._parallel_backends")


def workers() -> int:
    """How many tasks are worked on at once where joblib's backend in force is an engine's; else 1."""
    if not distant():
        return 1
    import joblib

    return max(int(joblib.effective_n_jobs(-1)), 1)


def results(task: Callable[..., T], arguments: Sequence[tuple[object, ...]], jobs: int | None = None) -> Iterator[tuple[int, T]]:
    """What `task` makes of each of `arguments`, with its place, as it comes.

    `jobs` are joblib's. Raises what a task raises on purpose, and `UsageError` where an engine gives up.
    """
    away = distant()
    calls = [(i, task, arguments[i]) for i in range(len(arguments))]
    try:
        for done in _as_they_come(calls, jobs, software() if away else ()):
            if done.wrong is not None:
                raise done.wrong
            yield done.number, cast(T, done.result)
    except Exception as e:
        if away and (lost := _of_engine(e)):
            raise lost from e
        raise


def _as_they_come(
    calls: Sequence[tuple[int, Callable[..., object], tuple[object, ...]]], jobs: int | None, wanted: tuple[str, ...]
) -> Iterator[_Done]:
    """Each task's result. A backend that gives all at once is asked in rounds, so that what is done can be kept meanwhile."""
    import joblib

    work = [joblib.delayed(_worked)(i, task, wanted, *given) for i, task, given in calls]
    if not work:
        return
    try:
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", **_ending_with_this())
    except ValueError:
        size = 2 * joblib.effective_n_jobs(jobs)
        with joblib.Parallel(n_jobs=jobs) as parallel:
            for i in range(0, len(work), size):
                yield from parallel(work[i : i + size])
        return
    with _deaf_to_interrupts(joblib.effective_n_jobs(jobs)), _streams():
        coming = parallel(work)
    yield from coming


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    """Within it there are streams: who starts processes empties them first, and finds none where they were closed."""
    with contextlib.redirect_stdout(sys.stdout or io.StringIO()), contextlib.redirect_stderr(sys.stderr or io.StringIO()):
        yield


@contextlib.contextmanager
def _deaf_to_interrupts(processes: int) -> Iterator[None]:
    """Where there are to be several `processes`, those that are started within it do not hear of Ctrl-C, which a terminal tells
    all: this one hears of it, and ends them.
    """
    if processes == 1 or distant() or sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # else it starts among the workers, and has them hear again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # one that came meanwhile is heard now


def _worked(number: int, task: Callable[..., object], wanted: tuple[str, ...], *given: object) -> _Done:
    """What comes of a task in this process. `wanted` is the software that it has to have, empty where it is the caller's."""
    import joblib

    if not wanted:
        return _Done(number, task(*given), None)
    try:
        _check_software(wanted)
        with joblib.parallel_config(backend="sequential"):  # the work within a task is not handed on
            return _Done(number, task(*given), None)
    except RagdiagError as e:
        return _Done(number, None, e)


def _ending_with_this() -> dict[str, object]:
    """What has each worker that joblib starts on this machine end with this process; other backends see to theirs themselves."""
    import joblib

    backend = type(joblib.parallel.get_active_backend()[0]).__name__
    return {"initializer": _end_with, "initargs": (os.getpid(),)} if backend == "LokyBackend" else {}


def _end_with(parent: int) -> None:
    """End this worker when the process that it works for is gone: who kills that one wants its workers to end too.

    From the start: a worker that waits for its first task would wait for minutes.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="watch").start()


@functools.cache
def software() -> tuple[str, ...]:
    """What results depend on beside their inputs: this program, by the hash of its code, Python, and libraries."""
    digest, package = hashlib.sha256(), Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    versions = [f"ragdiag {__version__} ({digest.hexdigest()[:12]})", f"Python {sys.version_info[0]}.{sys.version_info[1]}"]
    return (*versions, *(f"{name} {_version(name)}" for name in LIBRARIES))


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _check_software(wanted: tuple[str, ...]) -> None:
    """Raise `UsageError` where this worker has other software than the process that it works for."""
    for theirs, here in zip(wanted, software(), strict=True):
        if theirs != here:
            where = f"the worker {platform.node()} has {here}, and this machine {theirs}"
            raise UsageError(f"{where}: results would not be the same; install the same on all machines (constraints.txt)")


def _of_engine(error: Exception) -> UsageError | None:
    """What to say of an error that is the engine's; None for one of the work itself."""
    kinds = [type(error), *type(error).__mro__]
    own = any(kind.__module__.partition(".")[0] in ENGINES for kind in kinds)
    if getattr(error, "cause", None) is not None:  # Ray's, around one of the work
        return None
    if not (own or isinstance(error, (ConnectionError, TimeoutError))):
        return None
    said = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {said[:200]}" if said else type(error).__name__
    return UsageError(f"the cluster gave up ({reason}); what was finished is kept: the same command goes on from there")
