"""Joblib's work as tasks of Dask or of Ray: each result comes as it is made, workers keep the models that they have loaded, and
the tasks of a worker that dies are done by another, until the engine gives up, which is raised.

The backends of that kind which come with joblib and with Ray lack some of it. The one for Ray starts new workers for every call,
gives all results at once, and ends with the first worker that dies.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Protocol

from joblib.parallel import BatchedCalls, ParallelBackendBase

from ragdiag.core.registry import require

__all__ = ["DaskClient", "DaskTasks", "RayTasks", "Tasks"]

RETRIES = 3
"""How often Ray does a task again whose worker died, which may be the task's own doing. Of Dask the scheduler's settings say."""

LARGE = 1000
"""Bytes from which on an argument is sent once for all tasks."""


class Waiting(Protocol):
    """A future of an engine."""

    def add_done_callback(self, callback: Callable[[Waiting], None]) -> None:
        """Call something once it is done."""
        ...

    def result(self) -> object:
        """What came of it; raises as that did."""
        ...


class Tasks(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """A backend of joblib; see `joblib.register_parallel_backend`. A subclass asks an engine."""

    supports_retrieve_callback = True
    default_n_jobs = -1

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """How many tasks the engine works on at once."""

    @abc.abstractmethod
    def asked(self, task: Callable[..., object], arguments: list[object]) -> Waiting:
        """Have `task` done; what was sent stands among its `arguments`."""

    @abc.abstractmethod
    def send(self, argument: object) -> object:
        """Send something, so that tasks can be given what stands for it."""

    @abc.abstractmethod
    def cancel(self, waiting: list[Waiting]) -> None:
        """Nobody wants these any more."""

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """As many as the engine works on at once, or fewer where fewer are asked for; 2 at least: joblib itself does what is
        to be done one by one, and here that is for the engine.
        """
        return max(2, self.width if n_jobs is None or n_jobs < 1 else min(n_jobs, self.width))

    def configure(self, n_jobs: int = 1, parallel: object = None, **_: object) -> int:
        """Before the tasks of one call."""
        self.parallel = parallel
        self._sent: dict[int, tuple[object, object]] = {}
        self._waiting: dict[int, Waiting] = {}
        # What joblib does with a result asks for the next task. Ray's client cannot do that in the thread in which it is told.
        self._teller = ThreadPoolExecutor(1)
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: BatchedCalls, callback: Callable[[Waiting], None] | None = None) -> Waiting:
        """Have one of joblib's calls done."""
        ((task, given, _),) = func.items  # `compute_batch_size` is 1
        waiting = self.asked(task, [self._reference(argument) for argument in given])
        self._waiting[id(waiting)] = waiting
        waiting.add_done_callback(lambda done: self._done(waiting, callback))
        return waiting

    def _done(self, waiting: Waiting, callback: Callable[[Waiting], None] | None) -> None:
        self._waiting.pop(id(waiting), None)
        if callback is not None:
            with contextlib.suppress(RuntimeError):  # nobody listens any more
                self._teller.submit(callback, waiting)

    def _reference(self, argument: object) -> object:
        """An argument; where it is large, what stands for it. What was sent is held, so that nothing else takes its `id`."""
        if argument.__sizeof__() <= LARGE:
            return argument
        if id(argument) not in self._sent:
            self._sent[id(argument)] = argument, self.send(argument)
        return self._sent[id(argument)][1]

    def retrieve_result_callback(self, out: Waiting) -> list[object]:
        """What came of a call. Raises as it did, or as the engine does where it gives up."""
        return [out.result()]

    def terminate(self) -> None:
        """After the tasks of one call."""
        self._sent = {}
        self._teller.shutdown(wait=False)

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Nobody wants what is not done yet."""
        self.cancel(list(self._waiting.values()))
        self.terminate()


class DaskTasks(Tasks):
    """Tasks of the Dask cluster of a `client`."""

    def __init__(self, client: DaskClient, **more: object) -> None:
        super().__init__(**more)
        self._client = client

    @property
    def width(self) -> int:
        """See `Tasks`."""
        return max(sum(self._client.ncores().values()), 1)

    def asked(self, task: Callable[..., object], arguments: list[object]) -> Waiting:
        """See `Tasks`."""
        return self._client.submit(task, *arguments, pure=False)

    def send(self, argument: object) -> object:
        """See `Tasks`."""
        # As the result of a task it is made again where the worker dies that has it; what is scattered would be lost.
        return self._client.submit(_itself, argument, pure=False)

    def cancel(self, waiting: list[Waiting]) -> None:
        """See `Tasks`."""
        self._client.cancel(waiting)


class DaskClient(Protocol):
    """What is asked of ``distributed.Client``."""

    def wait_for_workers(self, n_workers: int, timeout: float) -> None:
        """Raises `TimeoutError` where fewer come."""
        ...

    def ncores(self) -> dict[str, int]:
        """Threads by worker."""
        ...

    def submit(self, func: Callable[..., object], *args: object, pure: bool) -> Waiting:
        """A new task."""
        ...

    def cancel(self, futures: list[Waiting]) -> None:
        """Nobody wants these."""
        ...


class RayReference(Protocol):
    """What stands for a task's result."""

    def future(self) -> Waiting:
        """The same as a future."""
        ...


class RayFunction(Protocol):
    """What ``ray.remote`` makes of a function."""

    def remote(self, *arguments: object) -> RayReference:
        """A new task."""
        ...


class RayTasks(Tasks):
    """Tasks of the Ray cluster that this process is connected to."""

    @property
    def width(self) -> int:
        """See `Tasks`."""
        return max(int(require("ray", "ray").cluster_resources().get("CPU", 1)), 1)

    @cached_property
    def _remote(self) -> RayFunction:
        """A function that Ray's workers know."""
        function: RayFunction = require("ray", "ray").remote(max_retries=RETRIES, num_cpus=1)(_called)
        return function

    def asked(self, task: Callable[..., object], arguments: list[object]) -> Waiting:
        """See `Tasks`."""
        reference = self._remote.remote(task, *arguments)
        waiting = reference.future()
        vars(waiting)["of_ray"] = reference
        return waiting

    def send(self, argument: object) -> object:
        """See `Tasks`."""
        reference: object = require("ray", "ray").put(argument)
        return reference

    def cancel(self, waiting: list[Waiting]) -> None:
        """See `Tasks`."""
        for each in waiting:
            require("ray", "ray").cancel(vars(each)["of_ray"])


def _itself(argument: object) -> object:
    return argument


def _called(task: Callable[..., object], *arguments: object) -> object:
    return task(*arguments)
