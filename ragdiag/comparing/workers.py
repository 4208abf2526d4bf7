"""Results that worker processes make, each once ever: what is finished is kept, so that an interrupted comparison goes on."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ragdiag.comparing.cells import Arrays
from ragdiag.core.cache import default_folder
from ragdiag.core.environment import without_modules_of_here
from ragdiag.core.holding import temporary_folder
from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress, Store

__all__ = ["Results", "shared_cache"]

WATCH_S = 1.0
"""How often a worker looks whether it still works for somebody."""

Task = Callable[..., Arrays]
"""Makes arrays, in whatever process."""


class Results:
    """Results of one task, each kept in one of `stores` (None: nowhere) under one of `keys`; `missing` are those to be made."""

    def __init__(self, stores: Sequence[Store | None], keys: Sequence[str]) -> None:
        self._stores, self._keys = stores, keys
        pairs = zip(stores, keys, strict=True)
        self._known = [store.arrays(key) if store is not None else None for store, key in pairs]
        self.missing = [i for i, arrays in enumerate(self._known) if arrays is None]

    def completed(
        self, what: str, task: Task, arguments: Sequence[tuple[object, ...]], jobs: int | None, progress: Progress
    ) -> list[Arrays]:
        """All of them: `task` makes those that are missing, each of its `arguments`; each is kept as soon as it is made."""
        import joblib

        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", **_ending_with_this())
        calls = [joblib.delayed(_numbered)(i, task, arguments[i]) for i in self.missing]
        with without_modules_of_here():
            for done, (i, arrays) in enumerate(parallel(calls) if calls else (), 1):
                self._known[i], store = arrays, self._stores[i]
                progress(what, done, len(self.missing))
                if store is not None:
                    store.add_arrays(self._keys[i], arrays)
        return [arrays for arrays in self._known if arrays is not None]


def _numbered(i: int, task: Task, arguments: tuple[object, ...]) -> tuple[int, Arrays]:
    """What a task makes, with its number."""
    return i, task(*arguments)


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

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def shared_cache(options: Options) -> Iterator[Options]:
    """A folder that workers share: the one named, the default one, or one that is gone afterwards."""
    if options.cache is None:
        with temporary_folder() as folder:
            yield dataclasses.replace(options, cache=folder)
    else:
        yield dataclasses.replace(options, cache=str(options.cache or default_folder()))
