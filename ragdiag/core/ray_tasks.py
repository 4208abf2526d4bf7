"""Joblib's work as tasks of Ray: results come as they are made, workers stay with the models they have loaded, and the tasks of a
worker that dies are done by another.

The backend that comes with Ray does none of these: it starts new workers for every call, and ends with the first that dies.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from joblib.parallel import BatchedCalls, ParallelBackendBase

from ragdiag.core.registry import require

__all__ = ["RayTasks"]

RETRIES = 3
"""How often a task is done again whose worker died, which may be its own doing."""

LARGE = 1000
"""Bytes of an argument that is sent to each machine once, as Dask does."""


class RayTasks(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """See `joblib.register_parallel_backend`."""

    supports_retrieve_callback = True
    default_n_jobs = -1

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """The processors of the cluster, or fewer where fewer are asked for."""
        most = max(int(require("ray", "ray").cluster_resources().get("CPU", 1)), 1)
        return most if n_jobs is None or n_jobs < 1 else min(n_jobs, most)

    def configure(self, n_jobs: int = 1, parallel: object = None, **_: object) -> int:
        """Before the tasks of one call."""
        self._ray = require("ray", "ray")
        self._task = self._ray.remote(max_retries=RETRIES, num_cpus=1)(_called)
        self._sent: dict[int, tuple[object, object]] = {}
        self._asked: dict[Future[object], object] = {}
        self.parallel = parallel
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: BatchedCalls, callback: Callable[[Future[object]], None] | None = None) -> Future[object]:
        """Have one of joblib's calls done."""
        ((task, args, kwargs),) = func.items  # `compute_batch_size` is 1
        reference = self._task.remote(task, *map(self._reference, args), **kwargs)
        future: Future[object] = reference.future()
        self._asked[future] = reference
        future.add_done_callback(self._forget)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def _forget(self, future: Future[object]) -> None:
        self._asked.pop(future, None)

    def _reference(self, argument: object) -> object:
        """An argument; where it is large, a reference to it. What was sent is held, so that nothing else takes its `id`."""
        if argument.__sizeof__() <= LARGE:
            return argument
        if id(argument) not in self._sent:
            self._sent[id(argument)] = argument, self._ray.put(argument)
        return self._sent[id(argument)][1]

    def retrieve_result_callback(self, future: Future[object]) -> list[object]:
        """What came of a call. Raises as it did, or as Ray does where it gives up."""
        return [future.result()]

    def terminate(self) -> None:
        """After the tasks of one call."""
        self._sent = {}

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Nobody wants what is not done yet."""
        for reference in list(self._asked.values()):
            self._ray.cancel(reference)
        self.terminate()


def _called(task: Callable[..., object], *args: object, **kwargs: object) -> object:
    return task(*args, **kwargs)
