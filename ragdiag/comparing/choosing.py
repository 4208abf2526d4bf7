"""Which of many configurations to take, and what that choice is worth on queries that had no part in it.

Arithmetic alone, on what was measured of each. Choosing on some queries and judging on others is nested cross-validation
(Varma and Simon 2006, "Bias in error estimation when using cross-validation for model selection"): a choice looks better than it
is on the queries that it was made on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse, special

from ragdiag.comparing.cells import Cell
from ragdiag.core.records import BoolArray, FloatArray, IntArray
from ragdiag.scoring.packing import reaches
from ragdiag.stats.paired import Difference, Paired

__all__ = ["Candidates", "Nested", "best", "folds", "is_worse", "nested"]

FOLDS = 5
"""Parts of the queries: each is judged by a choice made on the others."""

REPEATS = 10
"""Ways to part them; what is held out is the mean over all."""

FAR = 8
"""Times the size of context beyond which it does not matter how far down evidence stands."""

LEVEL = 0.05
"""The chance, over all configurations together, that one is dropped early which is as good as the best."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Configurations measured on the same queries, the baseline first, and a size of context in tokens.

    Queries that no label can decide are left out: arrays have a column, or a row, for each of the others.
    """

    cells: Sequence[Cell]
    tokens: int

    @cached_property
    def known(self) -> IntArray:
        """Positions of the queries that labels can decide under every configuration."""
        return np.flatnonzero(~np.isnan([cell.served for cell in self.cells]).any(axis=0))

    def served(self, tokens: int) -> BoolArray:
        """Which configuration serves which query with a context of so many tokens: shape ``(n_configurations, n_queries)``."""
        return np.stack([reaches(c.least_k[self.known], c.need[self.known], 0, tokens) for c in self.cells])

    def needs(self, tokens: int) -> FloatArray:
        """How much context each query needs under each configuration, in doublings: log2 of its tokens, at most `FAR` times
        `tokens`. Shape ``(n_configurations, n_queries)``.
        """
        need = np.stack([cell.need[self.known] for cell in self.cells])
        return np.log2(np.clip(need, 1, FAR * tokens))

    def used(self, i: int, tokens: int) -> FloatArray:
        """The tokens that each query's context really has, of at most so many, under configuration `i`."""
        sums = self.cells[i].sums[self.known]
        last = np.maximum((sums <= tokens).sum(axis=1), 1) - 1  # the first is always taken
        return np.asarray(sums[np.arange(len(sums)), last], dtype=np.float64)

    def as_large(self, mean: float, tokens: int) -> int:
        """The least size of context at which the baseline's has `mean` tokens on average; never less than `tokens`."""
        low, high = tokens, 4 * tokens
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.used(0, middle).mean() >= mean else (middle + 1, high)
        return low


def folds(unit: IntArray, seed: int) -> Iterator[BoolArray]:
    """For each way to part the queries and each part: which queries are in it. `unit` numbers those that are not parted, see
    `paired.units`.
    """
    n, rng = int(unit.max(initial=-1)) + 1, np.random.default_rng(seed)
    parts = min(FOLDS, n)
    for _ in range(REPEATS if parts > 1 else 0):
        part = (rng.permutation(n) % parts)[unit]
        for number in range(parts):
            yield part == number


def _best(needs: FloatArray) -> int:
    """The configuration under which queries need least context on average; of equal ones the first: the baseline gives way to
    better ones only.

    What is served at one size of context says yes or no of a query; what it needs says more. On four public sets a choice by
    needs served more of the queries that had no part in it than a choice by what is served, with few queries most of all.
    """
    return int(np.round(needs.mean(axis=1), 9).argmin())


@dataclass(frozen=True)
class Nested:
    """What choosing comes to, one value a query: `share` is how often the choice made without it serves it, `tokens` are those of
    its context; `raised` is 1 where the baseline serves it with as many tokens on average, contexts of up to `size`. `chosen`
    counts the choices by place; `gains` has by place how many more of the queries that it was held out to it serves than that.
    """

    share: FloatArray
    tokens: FloatArray
    chosen: Counter[int]
    raised: FloatArray
    size: int
    gains: Mapping[int, float]

    @property
    def choices(self) -> int:
        """How many were made; 0 where queries are too few to part."""
        return self.chosen.total()

    def difference(self, paired: Paired) -> Difference | None:
        """What the choice serves less what the baseline with as many tokens does; None where queries are too few to part."""
        return paired.difference(self.raised, self.share) if self.choices else None


def nested(candidates: Candidates, unit: IntArray, seed: int, tokens: int) -> Nested:
    """Choose on all parts of the queries but one, judge on that one, with contexts of up to `tokens`.

    `unit` is as for `folds`.
    """
    served, needs, n = candidates.served(tokens), candidates.needs(tokens), len(unit)
    held: dict[int, FloatArray] = {}  # by what was chosen, how often each query was judged by it
    chosen = Counter[int]()
    for held_out in folds(unit, seed):
        place = _best(needs[:, ~held_out])
        chosen[place] += 1
        held.setdefault(place, np.zeros(n))[held_out] += 1
    if not chosen:
        return Nested(np.zeros(0), np.zeros(0), chosen, np.zeros(0), tokens, {})
    times = np.sum(list(held.values()), axis=0)
    share = np.sum([count * served[place] for place, count in held.items()], axis=0) / times
    used = np.sum([count * candidates.used(place, tokens) for place, count in held.items()], axis=0) / times
    size = candidates.as_large(float(used.mean()), tokens)
    raised = candidates.served(size)[0].astype(np.float64)
    gains = {place: float(count @ (served[place] - raised)) for place, count in held.items()}
    return Nested(share, used, chosen, raised, size, gains)


def best(candidates: Candidates, tokens: int) -> int:
    """The place of the configuration under which all queries together need least context."""
    return _best(candidates.needs(tokens))


def is_worse(served: BoolArray, unit: IntArray, seed: int) -> BoolArray:
    """Which configurations serve fewer queries than the one that serves most, by more than chance, in the queries of every choice
    that will be made. Shape ``(n_configurations,)``; the baseline is never among them.

    In the queries of each choice each is held against the best of these by McNemar's exact test, at `LEVEL` over the number of
    configurations (Bonferroni); a unit of queries, as of `folds`, has one say.
    """
    worse = np.ones(len(served), dtype=bool)
    queries_of = sparse.csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))))
    for held_out in folds(unit, seed):
        own = np.where(held_out, 0.0, served)
        ahead = queries_of @ (own[int(own.sum(axis=1).argmax())] - own).T  # of each unit, by how many queries
        lost, won = (ahead > 0).sum(axis=0), (ahead < 0).sum(axis=0)
        p = 2 * special.bdtr(np.minimum(lost, won), lost + won, 0.5)
        worse &= (lost > won) & (p <= LEVEL / max(len(served), 1))
    worse[0] = False
    return worse
