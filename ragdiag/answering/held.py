"""What the contexts behind answers held: the share that is evidence, and whether it was all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ragdiag.core.records import Answer, FloatArray, Mean, Query
from ragdiag.pipeline import Audit
from ragdiag.scoring.measures import Measure
from ragdiag.stats.statistics import Resampler
from ragdiag.text.normal import folded

__all__ = ["Answers", "precise", "precision", "sufficient"]

Answers = Mapping[int, Sequence[Answer]]
"""Answers by the position of their query."""

PIECE = 20
"""Characters: a context that is a shorter part of a passage holds nothing of it."""


def precision(queries: Sequence[Query], answers: Answers, audit: Audit | None, resampler: Resampler) -> Mean:
    """The share of what was retrieved that holds evidence: of the recorded contexts, else as the audit measured it."""
    shares = np.array([_holding_evidence(query, answers.get(q, ())) for q, query in enumerate(queries)], dtype=np.float64)
    if audit is not None and np.isnan(shares).all():
        pipeline = audit.report.pipeline
        measure = Measure("P", pipeline.budget, True) if pipeline.budget else Measure("P", pipeline.k or 0, False)
        return audit.report.measures[str(measure)]
    return resampler.mean(shares)


def precise(queries: Sequence[Query], answers: Answers, audit: Audit | None) -> float | None:
    """`precision` where one retrieved context holds each labelled passage; None where the number of contexts is not known."""
    shares = []
    for q, numbers in _numbers(len(queries), answers, audit).items():
        passages = len({label.group or i for i, label in enumerate(queries[q].evidence) if label.text.strip()})
        if passages:
            shares.append(float(np.mean([min(passages, n) / n for n in numbers])))
    return round(float(np.mean(shares)), 4) if shares else None


def _numbers(n_queries: int, answers: Answers, audit: Audit | None) -> dict[int, list[int]]:
    """By query the numbers of contexts that were recorded with its answers, or else that of the audit."""
    recorded = {q: [len(answer.contexts) for answer in own if answer.contexts] for q, own in answers.items()}
    known = {q: numbers for q, numbers in recorded.items() if numbers}
    pipeline = audit.report.pipeline if audit and not known else None
    return {q: [pipeline.k] for q in range(n_queries)} if pipeline and pipeline.k and not pipeline.budget else known


def _holding_evidence(query: Query, answers: Sequence[Answer]) -> float:
    """The share of the contexts recorded with `answers` that hold evidence of `query`, or are part of it; NaN where none can."""
    passages = [folded(label.text) for label in query.evidence]
    contexts = [folded(context) for answer in answers for context in answer.contexts]
    if not contexts or not passages or not all(passages):
        return float("nan")
    return float(np.mean([any(p in c or (c in p and len(c) >= PIECE) for p in passages) for c in contexts]))


def sufficient(queries: Sequence[Query], answers: Answers, audit: Audit | None) -> FloatArray:
    """1 where the context held all evidence, 0 where it did not, NaN where nothing says; shape ``(n_queries,)``.

    In this order: as recorded with the answer; recorded contexts, in which the labelled passages are looked for; the audit.
    """
    enough = np.full(len(queries), np.nan)
    for q, query in enumerate(queries):
        recorded = [held for answer in answers.get(q, ()) if (held := _held(query, answer)) is not None]
        if recorded:
            enough[q] = float(sum(recorded) * 2 > len(recorded))
        elif audit is not None and audit.report.queries[q].served is not None:
            enough[q] = float(bool(audit.report.queries[q].served))
    return enough


def _held(query: Query, answer: Answer) -> bool | None:
    """Whether one answer's context was sufficient, by what is recorded with it."""
    if answer.sufficient is not None:
        return answer.sufficient
    if not answer.contexts or not query.evidence or not all(label.text.strip() for label in query.evidence):
        return None
    text = folded(" ".join(answer.contexts))
    groups: dict[str, list[bool]] = {}
    for i, label in enumerate(query.evidence):
        groups.setdefault(label.group or f"#{i}", []).append(folded(label.text) in text)
    return all(any(there) for there in groups.values())
