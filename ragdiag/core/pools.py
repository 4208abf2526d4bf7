"""A pool: the part of a corpus that an audit is made on where the whole is too large, and what is known of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["COPY", "EVIDENCE", "RUN", "SAMPLE", "Estimate", "Pool", "Pooled", "Whole"]

EVIDENCE, COPY, RUN, SAMPLE = "evidence", "copy", "run", "sample"
"""How a document came into a pool: a label names it; it holds an exact copy of a labelled passage; a run (a file, or a search
of the whole) ranks it; by chance."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What the file beside a pool says of it; `sources.pools` writes and reads it.

    `came_in` has the ids of documents by how they came in, each under the first way that holds; `runs` the rankings behind those
    of `RUN`, by the sha256 of the file; `whole` what was counted of the whole corpus. `chance` is how many documents were in the
    pool for no reason but chance, `rest` how many documents they were drawn from.
    """

    whole: Mapping[str, int | str]
    came_in: Mapping[str, tuple[str, ...]]
    runs: tuple[Mapping[str, str], ...]
    depth: int
    seed: int
    rest: int
    queries_sha256: str
    corpus_sha256: str
    unnamed: tuple[str, ...] = ()  # documents that labels or runs name, and the whole does not hold

    @property
    def documents(self) -> int:
        """How many documents are in the pool."""
        return sum(map(len, self.came_in.values()))

    @property
    def chance(self) -> int:
        """How many of them are there by chance alone."""
        return len(self.came_in[SAMPLE])

    @property
    def complete(self) -> bool:
        """Whether nothing of the whole is left out."""
        return self.chance == self.rest

    @property
    def rate(self) -> float:
        """The share of the rest that was drawn; 1 where there is no rest."""
        return self.chance / self.rest if self.rest else 1.0


class Estimate(NamedTuple):
    """A mean in the whole corpus by a model, with its 95 % interval: see `ragdiag.stats.pooled`."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Whole:
    """What a measure on a pool says of the whole corpus.

    `high` is the upper end of the interval on the pool, `low` a lower end for the whole, None where nothing bounds it. `chosen`
    is the mean without the documents that are there by chance; what those cost it, `lost`, is carried over to the rest.
    """

    pool: float | None
    low: float | None
    high: float | None
    chosen: float | None = None
    lost: float | None = None
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Pooled:
    """What the audit of a pool says of the whole.

    `ranking` is "whole" where the ranking, or its first `Pool.depth` results, is of the whole corpus, "independent" where a
    text's score depends on no other text, "dependent" where it does, so that nothing is sure, and "other queries" where the pool
    was made for others: nothing is known.
    """

    pool: Pool
    ranking: str
    measures: Mapping[str, Whole] = field(default_factory=dict)
