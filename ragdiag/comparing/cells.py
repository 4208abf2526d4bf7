"""One configuration measured on all queries (a *cell* of the grid), and what a comparison of several comes to.

A configuration is an `Options`: one chunking, one context, one retriever, or one recorded run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.records import Corpus, Defect, FloatArray, IntArray, Labels, Mean, Problem

__all__ = ["NEVER", "Arrays", "Cell", "Comparison", "Contrast", "Figures", "Seen", "context_tokens", "whole_tokens"]

Arrays = dict[str, Any]
"""Arrays by name, as a `protocols.Store` keeps them."""

Figures = Mapping[str, Any]
"""Numbers by the names that the JSON report gives them."""

NEVER = np.iinfo(np.int64).max
"""Tokens needed where no context of the ranking's depth holds all evidence."""


class Seen(NamedTuple):
    """A chunk of a query's ranking by its span: the first one, or one that holds some of the evidence.

    `rank` is counted as `Cell.least_k` is; `inside`: it is in the context.
    """

    rank: int
    inside: bool
    document: int
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Cell:
    """What was measured of one configuration.

    `chunker`, `context` and `retriever` are its parts as they are shown. Arrays but `sums` are of shape ``(n_queries,)``:

    * `values` has one for each measure, NaN where it is not decidable;
    * `served` is 1 where the context holds all evidence, 0 where it does not, NaN where no label tells;
    * `least_k` is the least k whose first k chunks hold all evidence, and `need` how many tokens those chunks have: 0 and
      `NEVER` where the whole ranking does not hold it;
    * `tokens` are those of the context;
    * `whole` is 1 where each document with evidence of the query is one chunk.

    `seen` are the chunks that `seen_of` gives, a row each: the query, then the fields of `Seen`; sorted by query, then rank.

    `sums` has, for each k from 1, the tokens of the first k chunks: shape ``(n_queries, depth)``. Of rankings of passages, with a
    k, `sums` and `least_k` count passages; under a budget, chunks. `bytes` is the size of the index,
    `unseen` the share of the text that the encoder does not read, `unread` the share of the queries that it cannot. `timings`:
    seconds to index and one query's milliseconds, as they were when this was measured; ``embedding``, by model, see
    `models.spent`. `models` are the retriever's encoders, see `models.facts`.
    """

    chunker: str
    context: str
    retriever: str
    signature: str
    values: Mapping[str, FloatArray]
    served: FloatArray
    least_k: IntArray
    need: IntArray
    tokens: IntArray
    sums: IntArray
    chunks: int
    bytes: int
    whole: FloatArray
    seen: IntArray
    unseen: float = 0.0
    unread: float = 0.0
    timings: Figures = field(default_factory=dict)
    models: Sequence[Figures] = ()

    @cached_property
    def curve(self) -> FloatArray:
        """For each k from 1 the mean tokens of the first k, over the queries whose labels can decide: shape ``(depth,)``."""
        known = ~np.isnan(self.served)
        return self.sums[known].mean(axis=0) if known.any() else np.zeros(self.sums.shape[1])

    @property
    def name(self) -> str:
        """``sentence(size=160) | hybrid``; the context between them where there is one."""
        return " | ".join([self.chunker, *([self.context] if self.context else []), self.retriever])

    def seen_of(self, query: int) -> list[Seen]:
        """A query's first chunk, and the first few that hold some of its evidence (see `passages.seen`)."""
        rows = self.seen[slice(*np.searchsorted(self.seen[:, 0], [query, query + 1]))].tolist()
        return [Seen(rank, bool(inside), *span) for _, rank, inside, *span in rows]

    def arrays(self) -> Arrays:
        """The cell as named arrays, which `of` reads again: one for each field that is an array, the other fields as JSON."""
        text = json.dumps({name: getattr(self, name) for name in JSON_FIELDS})
        values = {f"value {measure}": array for measure, array in self.values.items()}
        return {name: getattr(self, name) for name in ARRAY_FIELDS} | values | {"plain": np.frombuffer(text.encode(), np.uint8)}

    @classmethod
    def of(cls, arrays: Arrays) -> Cell:
        """The cell that `arrays` was made of."""
        fields = json.loads(arrays["plain"].tobytes().decode()) | {name: arrays[name] for name in ARRAY_FIELDS}
        return cls(values={n.removeprefix("value "): a for n, a in arrays.items() if n.startswith("value ")}, **fields)


JSON_FIELDS = ("chunker", "context", "retriever", "signature", "chunks", "bytes", "unseen", "unread", "timings", "models")

ARRAY_FIELDS = ("served", "least_k", "need", "tokens", "sums", "whole", "seen")


@dataclass(frozen=True)
class Contrast:
    """Two cells, each by its position, held against each other in one measure.

    `difference` is the mean of `b` less `a` over `n` queries, `low` and `high` its 95 % interval, `p` that of no difference.
    `recovered` counts the queries that `b` serves and `a` does not, `broken` the reverse. `p_holm` is `p` adjusted for all
    contrasts of the comparison; `distinguishable` is True where that is at most .05 and the interval leaves out 0; `detectable`
    is the least difference that would have been seen in four of five such samples. `needed`: how many more labelled queries would
    tell the two apart in four of five such samples, if they differ as much as here; None where they are told apart already.
    `share`: where queries were drawn among those on which the two differ, the share of all questions that these are, by which
    the difference is multiplied already.
    """

    a: int
    b: int
    measure: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    recovered: int
    broken: int
    n: int
    detectable: float
    distinguishable: bool
    needed: int | None = None
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found; `reports.json` writes it.

    `cells` has what was measured of each configuration; everywhere else a cell is named by its position there. `means` has each
    cell's measures. `best` is the cell with the highest mean of `measure`, `ties` are those that cannot be told from it, the
    nearest first. `pareto` are the cells that no other beats in both the measure and the tokens of context.

    `raised` says, for each cell but the baseline, what just giving the baseline more context does: at the cell's tokens, and how
    much it takes to serve as many; `curve` gives the baseline with less and more context; `confirmed` the best of one half of
    the queries, tried on the other half. `cured` and `broke` count, for each cell, the causes (under the baseline) of queries
    that it recovers, and the causes (under itself) of those that it breaks. `reasons`: the causes of the baseline that a cell
    is tried against. `labels` and `corpus` are what was asked, and of which documents: arrays of cells go by their positions.
    """

    cells: tuple[Cell, ...]
    means: tuple[Mapping[str, Mean], ...]
    baseline: int
    measure: str
    contrasts: tuple[Contrast, ...]
    raised: Mapping[int, Figures]
    curve: tuple[Figures, ...]
    best: int
    ties: tuple[int, ...]
    pareto: tuple[int, ...]
    confirmed: Figures
    inputs: Figures
    pipeline: Figures
    notes: tuple[str, ...]
    seed: int
    labels: Labels = field(repr=False)
    corpus: Corpus = field(repr=False)
    label_defects: tuple[Defect, ...] = ()
    label_warnings: tuple[Defect, ...] = ()
    problems: tuple[Problem, ...] = ()
    causes: Mapping[str, int] = field(default_factory=dict)
    cured: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    broke: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    reasons: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def context_tokens(cell: Cell) -> float | None:
    """Mean tokens of a context, to one decimal, over the queries whose labels can decide; None where none can."""
    known = ~np.isnan(cell.served)
    return round(float(cell.tokens[known].mean()), 1) if known.any() else None


def whole_tokens(cell: Cell) -> int:
    """`context_tokens` as a budget: a whole number, at least 1."""
    return max(round(context_tokens(cell) or 1.0), 1)
