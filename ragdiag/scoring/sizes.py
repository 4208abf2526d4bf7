"""How large contexts are, and how much of them evidence could be: what a precision by characters is to be held against."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ragdiag.core.records import IntArray, Run
from ragdiag.scoring.scoring import Scorer

__all__ = ["Sizes", "sizes_of"]


class Sizes(NamedTuple):
    """The mean tokens of a context, over the queries that are measured; the mean of the highest CharP that one of its size can
    have, where it holds all that is labelled, None where no label is a passage.
    """

    context_tokens: float
    most_precise: float | None


def sizes_of(scorer: Scorer, run: Run, lengths: IntArray) -> Sizes:
    """Of the contexts that a run gives."""
    spans, chunking, evidence = scorer.labels.at("span"), scorer.chunking, scorer.labels.evidence
    shown = np.where(np.arange(run.chunks.shape[1]) < lengths[:, None], run.chunks, -1)
    tokens = scorer.texts.down_to(run, lengths)[np.concatenate([spans, scorer.labels.at("document")])].mean()
    size = np.append(chunking.end - chunking.start, 0)[shown].sum(axis=1)  # -1, no chunk, is the last: 0
    labelled = np.bincount(evidence.query, evidence.end - evidence.start, minlength=len(size))
    most = np.minimum(labelled, size)[spans] / np.maximum(size, 1)[spans]
    return Sizes(round(float(tokens), 1), round(float(most.mean()), 4) if len(spans) else None)
