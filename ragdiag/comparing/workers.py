"""Results that worker processes make, each once ever: what is finished is kept, so that an interrupted comparison goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ragdiag.comparing.cells import Arrays
from ragdiag.comparing.material import Material
from ragdiag.core.cache import default_folder
from ragdiag.core.engines import results
from ragdiag.core.environment import without_modules_of_here
from ragdiag.core.holding import temporary_folder
from ragdiag.core.lending import Lent, Recorder, Vectors
from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import IntArray
from ragdiag.search.afar import Luggage, unpacked

__all__ = ["Results", "Task", "shared_cache"]

Task = Callable[[Material, Options, IntArray, Store | None], Arrays]
"""Makes arrays of a configuration and of some queries, by position, in whatever process, with the cache that the configuration
names or a store in its place.
"""

Asked = tuple[Material, Options, IntArray]
"""What a task is given."""


class Results:
    """Results of one task, each kept in one of `stores` (None: nowhere) under one of `keys`; `missing` are those to be made."""

    def __init__(self, stores: Sequence[Store | None], keys: Sequence[str]) -> None:
        self._stores, self._keys = stores, keys
        pairs = zip(stores, keys, strict=True)
        self._known = [store.arrays(key) if store is not None else None for store, key in pairs]
        self.missing = [i for i, arrays in enumerate(self._known) if arrays is None]

    def completed(
        self, what: str, task: Task, asked: Sequence[Asked], jobs: int | None, progress: Progress, lender: Recorder | None
    ) -> list[Arrays]:
        """All of them: `task` makes those that are missing, each of its `asked`; each is kept as soon as it is made.

        A `lender` has what workers need that do not reach its cache, and keeps what they give back.
        """
        with without_modules_of_here():
            for done, (n, arrays) in enumerate(_made(task, [asked[i] for i in self.missing], jobs, lender), 1):
                i = self.missing[n]
                self._known[i], store = arrays, self._stores[i]
                progress(what, done, len(self.missing))
                if store is not None:
                    store.add_arrays(self._keys[i], arrays)
        return [arrays for arrays in self._known if arrays is not None]


def _made(task: Task, asked: Sequence[Asked], jobs: int | None, lender: Recorder | None) -> Iterator[tuple[int, Arrays]]:
    """What a task makes, with its place, as it comes."""
    if lender is None:
        yield from results(task, [(*each, None) for each in asked], jobs)
        return
    lent = lender.lent()
    tasks = [(task, lent, Luggage.of(options), material, options, queries) for material, options, queries in asked]
    for n, (arrays, given_back) in results(_made_afar, tasks, jobs):
        lender.take_back(given_back)
        yield n, arrays


def _made_afar(
    task: Task, lent: Lent, luggage: Luggage, material: Material, options: Options, queries: IntArray
) -> tuple[Arrays, Vectors]:
    """What a task makes in a worker that has nothing but what it was lent, and the vectors that it made besides."""
    with unpacked(options, lent, luggage) as (own, store):
        return task(material, own, queries, store), store.given_back()


@contextmanager
def shared_cache(options: Options) -> Iterator[Options]:
    """A folder that workers share: the one named, the default one, or one that is gone afterwards."""
    if options.cache is None:
        with temporary_folder() as folder:
            yield dataclasses.replace(options, cache=folder)
    else:
        yield dataclasses.replace(options, cache=str(options.cache or default_folder()))
