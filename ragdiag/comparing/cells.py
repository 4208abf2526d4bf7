"""One configuration measured on all queries, and what a comparison of several comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ragdiag.core.records import Defect, FloatArray, IntArray, Mean, Problem

__all__ = ["NEVER", "Cell", "Comparison", "Contrast", "context_tokens", "whole_tokens"]

NEVER = np.iinfo(np.int64).max
"""Tokens needed where no context of the ranking's depth holds all evidence."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One chunking, context and retriever, measured.

    Arrays have one value a query. `values` are measures, NaN where not decidable; `served` is 1 where the context holds all
    evidence; `least_k` and `need` are the least k, and the tokens of the first so many chunks, that do (0 and `NEVER` where
    none of the ranking does); `tokens` are those of the context. `curve` has, for each k from 1, the mean tokens of the first k
    chunks. `timings`: seconds to index and one query's milliseconds, as they were when this was measured.
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
    curve: FloatArray
    chunks: int
    bytes: int
    whole: FloatArray  # 1 where each document with evidence of the query is one chunk
    unseen: float = 0.0  # share of the text that the encoder does not read
    timings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``sentence(size=160) | hybrid``; the context between them where there is one."""
        return " | ".join([self.chunker, *([self.context] if self.context else []), self.retriever])

    def arrays(self) -> dict[str, Any]:
        """As named arrays, for a `protocols.Store`."""
        plain = ("chunker", "context", "retriever", "signature", "chunks", "bytes", "unseen", "timings")
        text = json.dumps({name: getattr(self, name) for name in plain})
        kept = {name: getattr(self, name) for name in ("served", "least_k", "need", "tokens", "curve", "whole")}
        return kept | {f"value {m}": v for m, v in self.values.items()} | {"plain": np.frombuffer(text.encode(), dtype=np.uint8)}

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Cell:
        """What `arrays` made of a cell, made a cell again."""
        plain = json.loads(arrays["plain"].tobytes().decode())
        kept = {name: arrays[name] for name in ("served", "least_k", "need", "tokens", "curve", "whole")}
        return cls(values={n.removeprefix("value "): v for n, v in arrays.items() if n.startswith("value ")}, **kept, **plain)


@dataclass(frozen=True)
class Contrast:
    """Two cells, by position: `b` less `a` in one measure, and the queries that `b` serves and `a` does not, and the reverse.

    `p_holm` is adjusted for the whole family; `distinguishable` where that is at most .05 and the interval leaves out 0;
    `detectable` is the least difference that would have been seen in four of five such samples.
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


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found; `reports.json` writes it. Cells are named by their position.

    `means` has each cell's measures. `raised` says, for each cell but the baseline, what just giving the baseline more context
    does: at the cell's tokens, and how much it takes to serve as many. `cured` and `broke` count, for each cell, the causes
    (under the baseline) of queries that it recovers, and the causes (under itself) of those that it breaks.
    """

    cells: tuple[Cell, ...]
    means: tuple[Mapping[str, Mean], ...]
    baseline: int
    measure: str
    contrasts: tuple[Contrast, ...]
    raised: Mapping[int, Mapping[str, Any]]
    curve: tuple[Mapping[str, Any], ...]
    best: int
    ties: tuple[int, ...]  # what cannot be told from the best, the nearest first
    pareto: tuple[int, ...]
    confirmed: Mapping[str, Any]
    inputs: Mapping[str, Any]
    pipeline: Mapping[str, Any]
    notes: tuple[str, ...]
    seed: int
    label_defects: tuple[Defect, ...] = ()
    label_warnings: tuple[Defect, ...] = ()
    problems: tuple[Problem, ...] = ()
    causes: Mapping[str, int] = field(default_factory=dict)
    cured: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    broke: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    reasons: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def context_tokens(cell: Cell) -> float | None:
    """Mean tokens of a context over the queries that can be measured; None where none can."""
    known = ~np.isnan(cell.served)
    return round(float(cell.tokens[known].mean()), 1) if known.any() else None


def whole_tokens(cell: Cell) -> int:
    """`context_tokens` as a budget: whole, at least 1."""
    return max(round(context_tokens(cell) or 1.0), 1)
