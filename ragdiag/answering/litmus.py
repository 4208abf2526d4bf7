"""The litmus test: recorded answers judged, held against what their contexts held, and what most failures are about."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ragdiag.answering.answers import load_answers, split_source
from ragdiag.answering.harm import harms
from ragdiag.answering.judging import judge_answers, majorities, shares_by_query
from ragdiag.answering.ruling import Said, corrected_share, rule
from ragdiag.answering.verdict import DELTA, Agreement, Judgement, Litmus, Outcomes, Verdict, agreement
from ragdiag.core.cache import opened
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.opinions import DOUBTFUL
from ragdiag.core.options import Judging, Options
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Answer, FloatArray, Mean, Query
from ragdiag.pipeline import Audit, labelled_documents, run_audit
from ragdiag.scoring.labels import copies_of
from ragdiag.scoring.measures import Measure
from ragdiag.search.precision import kept_in
from ragdiag.sources.queries import load_queries
from ragdiag.stats.statistics import Resampler, clusters
from ragdiag.text.normal import folded

__all__ = ["answered", "run_litmus"]

ByCondition = Mapping[str, Sequence[Judgement]]

Answers = Mapping[int, Sequence[Answer]]
"""Answers by the position of their query."""

PIECE = 20
"""Characters: a context that is a shorter part of a passage holds nothing of it."""


def run_litmus(
    queries: str | Path,
    answers: Sequence[str | Answer],
    asked: Options,
    corpus: str | Path | None,
    judging: Judging,
    delta: float = DELTA,
    progress: Progress = no_progress,
) -> Litmus:
    """Is it a retrieval problem or a behavior problem? With a `corpus` the pipeline is audited too, and says what contexts held.

    Raises as `pipeline.audit`, and `InputError` for answers to other queries, and where no attempt gave one.
    """
    attempts = load_answers(answers)
    if attempts and judging.failed == "failed" and all(attempt.failed for attempt in attempts):
        files = ", ".join(str(split_source(source)[1]) for source in answers if isinstance(source, str))
        what = f"holds {len(attempts)} attempts, every one of which failed, so there is nothing to judge"
        raise InputError(what, files, remedy="ask again, or count them as wrong: --failed wrong")
    audit = None if corpus is None else run_audit(corpus, queries, asked, progress)
    known = list(audit.labels.queries) if audit else load_queries(queries, asked.qrels)
    return answered(known, attempts, audit, asked, judging, delta, progress)


def answered(
    known: Sequence[Query],
    answers: Sequence[str | Answer],
    audit: Audit | None,
    asked: Options,
    judging: Judging,
    delta: float = DELTA,
    progress: Progress = no_progress,
) -> Litmus:
    """The litmus test of the files `answers` to the queries `known`, whose pipeline was audited or not."""
    if not answers:
        raise UsageError("no answers to judge; give --answers [CONDITION=]FILE")
    placed = _placed(load_answers(answers), {q.id: i for i, q in enumerate(known)}, bool(asked.only))
    store = opened(asked.cache)
    kept_in(store)
    judgements = judge_answers(known, placed, judging, store, progress)
    by_condition = _by_condition(judgements)
    retrieved = _retrieved(placed)
    n, cluster = len(known), clusters(labelled_documents(audit.labels) if audit else [[]] * len(known))
    resampler = Resampler(cluster, asked.seed)
    said = {c: _said_under(n, by_condition.get(c, ()), judging.blind) for c in dict.fromkeys((RETRIEVED, ORACLE, *by_condition))}
    both = Said(*map(np.hstack, zip(said[RETRIEVED], said[ORACLE], strict=True)))
    outcomes, copies = _outcomes(n, by_condition, _sufficient(known, retrieved, audit)), copies_of(known)
    ruling = functools.partial(rule, cluster=cluster, seed=asked.seed, delta=delta, copies=copies)
    return Litmus(
        verdict=ruling(outcomes, both),
        queries=tuple(known),
        outcomes=outcomes,
        judgements=judgements,
        shares={c: resampler.mean(_right(n, under)) for c, under in by_condition.items()},
        corrected={c: corrected_share(said[c], resampler, asked.seed) for c in by_condition if said[c].correctable},
        unsupported=_unsupported(n, by_condition, resampler),
        agreements=_agreements(by_condition),
        precision=_precision(known, retrieved, audit, resampler),
        precise=_precise(known, retrieved, audit),
        seed=asked.seed,
        delta=delta,
        blind=judging.blind,
        report=audit.report if audit else None,
        undoubted=_undoubted(n, judgements, outcomes.sufficient, judging.blind, ruling),
        harms=harms({c: _right(n, under) for c, under in by_condition.items()}, said, cluster, asked.seed, copies),
    )


def _placed(answers: Sequence[Answer], position: Mapping[str, int], partial: bool) -> list[tuple[int, Answer]]:
    """Each answer with the position of its query; in a `partial` corpus answers to queries left out are left out too.

    Raises `InputError` for answers to queries that are not there.
    """
    unknown = sorted({a.query_id for a in answers} - set(position))
    if partial:
        answers = [a for a in answers if a.query_id in position]
    elif unknown:
        others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise InputError(f"answers to {unknown[0]!r}{others}, which no query is", remedy="give the queries that were answered")
    return [(position[a.query_id], a) for a in answers]


def _by_condition(judgements: Iterable[Judgement]) -> ByCondition:
    """The judgements under each condition, in the order in which the conditions come."""
    by_condition: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_condition.setdefault(judgement.condition, []).append(judgement)
    return by_condition


def _retrieved(placed: Iterable[tuple[int, Answer]]) -> Answers:
    """The answers with the pipeline's context, by the position of their query."""
    answers: dict[int, list[Answer]] = {}
    for q, answer in placed:
        if answer.condition == RETRIEVED:
            answers.setdefault(q, []).append(answer)
    return answers


def _right(n: int, judgements: Iterable[Judgement]) -> FloatArray:
    """The share of right answers to each of `n` queries; shape ``(n_queries,)``."""
    return shares_by_query(n, ((j.query, j.right) for j in judgements))


def _outcomes(n: int, by_condition: ByCondition, sufficient: FloatArray) -> Outcomes:
    retrieved = by_condition.get(RETRIEVED, ())
    right = _right(n, retrieved)
    content = shares_by_query(n, ((j.query, j.content) for j in retrieved))
    return Outcomes(
        right=right,
        oracle=_right(n, by_condition.get(ORACLE, ())),
        sufficient=sufficient,
        form=(right < 0.5) & (content >= 0.5),
    )


def _undoubted(
    n: int, judgements: Iterable[Judgement], sufficient: FloatArray, blind: bool, ruling: Callable[[Outcomes, Said], Verdict]
) -> Verdict | None:
    """The verdict if all doubtful answers were right; None where none is doubtful."""
    if not any(j.kind == DOUBTFUL for j in judgements):
        return None
    right = (j._replace(right=True, content=True, judged=True, kind="") if j.kind == DOUBTFUL else j for j in judgements)
    by_condition = _by_condition(right)
    said = [_said_under(n, by_condition.get(c, ()), blind) for c in (RETRIEVED, ORACLE)]
    return ruling(_outcomes(n, by_condition, sufficient), Said(*map(np.hstack, zip(*said, strict=True))))


def _unsupported(n: int, by_condition: ByCondition, resampler: Resampler) -> dict[str, Mean]:
    """By condition, the share of answers that state what their context does not hold, where that is known of any."""
    means = {}
    for condition, under in by_condition.items():
        known = ((j.query, None if j.supported is None else not j.supported) for j in under)
        means[condition] = resampler.mean(shares_by_query(n, known))
    return {condition: mean for condition, mean in means.items() if mean.n}


def _said_under(n: int, judgements: Sequence[Judgement], blind: bool) -> Said:
    """What labels and the judge say under one condition; where the judge is asked blind, no label has a say."""
    label, judged = majorities(n, judgements)
    return Said(np.where(np.isnan(judged) | (not blind), label, np.nan)[:, None], judged[:, None])


def _agreements(by_condition: ByCondition) -> dict[str, Agreement]:
    """How far the judge agrees with labels, under each condition that has answers with both."""
    agreements = {}
    for condition, under in by_condition.items():
        pairs = [(j.label, j.judged) for j in under if j.label is not None and j.judged is not None]
        of_pairs = agreement([label for label, _ in pairs], [judged for _, judged in pairs])
        if of_pairs is not None:
            agreements[condition] = of_pairs
    return agreements


def _precision(queries: Sequence[Query], answers: Answers, audit: Audit | None, resampler: Resampler) -> Mean:
    """The share of what was retrieved that holds evidence: of the recorded contexts, else as the audit measured it."""
    shares = np.array([_holding_evidence(query, answers.get(q, ())) for q, query in enumerate(queries)], dtype=np.float64)
    if audit is not None and np.isnan(shares).all():
        pipeline = audit.report.pipeline
        measure = Measure("P", pipeline.budget, True) if pipeline.budget else Measure("P", pipeline.k or 0, False)
        return audit.report.measures[str(measure)]
    return resampler.mean(shares)


def _precise(queries: Sequence[Query], answers: Answers, audit: Audit | None) -> float | None:
    """`_precision` where one retrieved context holds each labelled passage; None where the number of contexts is not known."""
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


def _sufficient(queries: Sequence[Query], answers: Answers, audit: Audit | None) -> FloatArray:
    """1 where the context held all evidence, 0 where it did not, NaN where nothing says; shape ``(n_queries,)``.

    In this order: as recorded with the answer; recorded contexts, in which the labelled passages are looked for; the audit.
    """
    sufficient = np.full(len(queries), np.nan)
    for q, query in enumerate(queries):
        recorded = [held for answer in answers.get(q, ()) if (held := _held(query, answer)) is not None]
        if recorded:
            sufficient[q] = float(sum(recorded) * 2 > len(recorded))
        elif audit is not None and audit.report.queries[q].served is not None:
            sufficient[q] = float(bool(audit.report.queries[q].served))
    return sufficient


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
