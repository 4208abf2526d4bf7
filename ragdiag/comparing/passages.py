"""The chunks of a ranking that a report shows of each query."""

from __future__ import annotations

import numpy as np

from ragdiag.core.passages import numbered
from ragdiag.core.records import BoolArray, IntArray, Run
from ragdiag.scoring.scoring import Scorer

__all__ = ["KEPT", "seen"]

KEPT = 12
"""Chunks with evidence that are kept of each query: a document that is labelled as a whole may have a hundred in a ranking."""


def seen(scorer: Scorer, run: Run, lengths: IntArray, by_passage: bool) -> IntArray:
    """The first chunk of each query's ranking, and the first `KEPT` that hold some of its evidence, as `Cell.seen` holds them.

    `lengths` says how many chunks are in each context. Ranks are those of chunks, or `by_passage` those of passages. Records of
    a store that are in no document are left out.
    """
    chunking, holds = scorer.chunking, _holds(scorer, run)
    first = np.zeros_like(holds)
    first[:, :1] = True
    query, place = np.nonzero((run.chunks >= 0) & (first | (holds & (np.cumsum(holds, axis=1) <= KEPT))))
    chunk = run.chunks[query, place]
    rank = numbered(run.scores)[query, place] if by_passage else place + 1
    columns = (query, rank, place < lengths[query], chunking.document[chunk], chunking.start[chunk], chunking.end[chunk])
    rows = np.stack([np.asarray(column, dtype=np.int64) for column in columns], axis=1)
    known = sum(not document.foreign for document in scorer.corpus.documents)  # the others stand behind them
    return rows[rows[:, 3] < known]


def _holds(scorer: Scorer, run: Run) -> BoolArray:
    """Whether each ranked chunk holds some evidence, or is of a document that is labelled as a whole: in the run's shape."""
    chunking, n, of = scorer.chunking, len(scorer.chunking), len(scorer.corpus.documents)
    query = np.arange(len(run.chunks))[:, None]
    holds = np.isin(query * n + run.chunks, scorer.grades.query * n + scorer.grades.chunk)
    grades = ((q, d, grade) for q in scorer.labels.at("document").tolist() for d, grade in scorer.labels.relevant[q].items())
    relevant = [q * of + d for q, d, grade in grades if grade > 0]
    if relevant:
        holds |= np.isin(query * of + chunking.document[run.chunks], relevant)
    return holds & (run.chunks >= 0)
