"""The litmus test: recorded answers judged, held against what their contexts held, and what most failures are about."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ragdiag.answering.abstention import abstained, audited_apart, measured, of_answerable, without_answer
from ragdiag.answering.answers import load_answers, split_source
from ragdiag.answering.citations import traced
from ragdiag.answering.harm import harms
from ragdiag.answering.held import Answers, precise, precision, sufficient
from ragdiag.answering.judging import judge_answers, majorities, shares_by_query
from ragdiag.answering.people import load_marks, marked, otherwise_judged
from ragdiag.answering.ruling import corrected_pair, corrected_share, rule
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import DELTA, Agreement, Judgement, Litmus, Outcomes, Verdict, agreement
from ragdiag.core.batches import hashed
from ragdiag.core.cache import opened
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.opinions import DOUBTFUL
from ragdiag.core.options import Judging, Options
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Answer, FloatArray, Mean, Query
from ragdiag.pipeline import Audit, labelled_documents, run_audit
from ragdiag.scoring.labels import copies_of
from ragdiag.search.precision import kept_in
from ragdiag.sources.queries import load_queries
from ragdiag.stats.statistics import Resampler, clusters

__all__ = ["answered", "prepared", "run_litmus"]

ByCondition = Mapping[str, Sequence[Judgement]]


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

    Raises as `prepared` and `answered`.
    """
    known, attempts, audit = prepared(queries, answers, asked, corpus, judging, progress)
    return answered(known, attempts, audit, asked, judging, delta, progress)


def prepared(
    queries: str | Path,
    answers: Sequence[str | Answer],
    asked: Options,
    corpus: str | Path | None,
    judging: Judging,
    progress: Progress = no_progress,
) -> tuple[Sequence[Query], Sequence[Answer], Audit | None]:
    """The queries, the answers to them, and the audit of a `corpus`: what `answered` takes.

    Raises as `pipeline.audit`, and `InputError` where no attempt gave an answer.
    """
    attempts = _attempts(answers, judging)
    audit = None if corpus is None else run_audit(corpus, queries, asked, progress)
    return (audit.labels.queries if audit else load_queries(queries, asked.qrels)), attempts, audit


def answered(
    known: Sequence[Query],
    answers: Sequence[str | Answer],
    audit: Audit | None,
    asked: Options,
    judging: Judging,
    delta: float = DELTA,
    progress: Progress = no_progress,
) -> Litmus:
    """The litmus test of the files `answers` to the queries `known`, whose pipeline was audited or not.

    Raises `InputError` for answers to other queries.
    """
    if not answers:
        raise UsageError("no answers to judge; give --answers [CONDITION=]FILE")
    marks = load_marks(judging.answer_labels)
    loaded, people = marked(_named(_attempts(answers, judging), known), marks)
    placed = _placed(loaded, {q.id: i for i, q in enumerate(known)}, bool(asked.only))
    store = opened(asked.cache)
    kept_in(store)
    judgements = judge_answers(_to_judge_by(known, loaded, judging), placed, judging, store, progress)
    nowhere = without_answer(known)
    everywhere = _by_condition(judgements)
    answerable = of_answerable(judgements, nowhere)
    by_condition = _by_condition(answerable)
    retrieved = _retrieved(placed)
    n, cluster = len(known), clusters(labelled_documents(audit.labels) if audit else [[]] * len(known))
    resampler = Resampler(cluster, asked.seed)
    said = {c: _said_under(n, by_condition.get(c, ()), judging.blind) for c in dict.fromkeys((RETRIEVED, ORACLE, *by_condition))}
    both = Said(*map(np.hstack, zip(said[RETRIEVED], said[ORACLE], strict=True)))
    outcomes, copies = _outcomes(n, by_condition, sufficient(known, retrieved, audit)), copies_of(known)
    ruling = functools.partial(rule, cluster=cluster, seed=asked.seed, delta=delta, copies=copies, by_doubt=marks.by_doubt)
    verdict = ruling(outcomes, both)
    right = {c: _right(n, under) for c, under in by_condition.items()}
    return Litmus(
        verdict=verdict,
        queries=tuple(known),
        answers=tuple(answer for _, answer in placed),
        outcomes=outcomes,
        judgements=judgements,
        shares={c: resampler.mean(of_condition) for c, of_condition in right.items()},
        corrected=_corrected(by_condition, said, both, marks.by_doubt, resampler, asked.seed),
        unsupported=_unsupported(n, everywhere, resampler),
        agreements=_agreements(by_condition),
        precision=precision(known, retrieved, audit, resampler),
        precise=precise(known, retrieved, audit),
        seed=asked.seed,
        delta=delta,
        blind=judging.blind,
        report=audit.report if audit else None,
        said=both,
        people=people,
        otherwise=otherwise_judged(marks, [(a, j.judged) for (_, a), j in zip(placed, judgements, strict=True)]),
        undoubted=_undoubted(n, answerable, outcomes.sufficient, judging.blind, ruling) if verdict.errors == "open" else None,
        harms=harms(right, said, cluster, asked.seed, copies),
        abstained=abstained(everywhere.get(RETRIEVED, ()), outcomes.sufficient, nowhere, measured(n, audit), resampler),
        told_apart=audited_apart(audit, asked, progress),
        support_agreements=_agreements(by_condition, lambda j: (j.support_label, j.supported)),
        citations=traced(known, placed, judging.support, audit),
    )


def _to_judge_by(known: Sequence[Query], answers: Sequence[Answer], judging: Judging) -> Sequence[Query]:
    """The queries with what people accepted before as further references, where no answer here is labelled.

    Where some are, their labels tell how far the judge errs; one that had learnt from these very labels would seem to err less.
    """
    if judging.answer_labels or any(answer.correct is not None for answer in answers):
        return known
    return [dataclasses.replace(query, also=(*query.also, *query.acceptable)) for query in known]


def _attempts(sources: Sequence[str | Answer], judging: Judging) -> tuple[Answer, ...]:
    """The answers of all `sources`. Raises `InputError` where every attempt failed and none counts as wrong."""
    attempts = load_answers(sources)
    if attempts and judging.failed == "failed" and all(attempt.failed for attempt in attempts):
        files = ", ".join(str(split_source(source)[1]) for source in sources if isinstance(source, str))
        what = f"holds {len(attempts)} attempts, every one of which failed, so there is nothing to judge"
        raise InputError(what, files, remedy="ask again, or count them as wrong: --failed wrong")
    return attempts


def _named(answers: Sequence[Answer], known: Sequence[Query]) -> list[Answer]:
    """The answers by the ids of their queries: a batch has another name for an id that is too long."""
    names = {hashed(q.id): q.id for q in known} | {q.id: q.id for q in known}
    return [dataclasses.replace(a, query_id=names.get(a.query_id, a.query_id)) for a in answers]


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


def _corrected(
    by_condition: ByCondition, said: Mapping[str, Said], both: Said, by_doubt: bool, resampler: Resampler, seed: int
) -> dict[str, Mean]:
    """The shares of right answers corrected for the judge's errors, of the conditions where labels allow."""
    corrected = {c: corrected_share(said[c], resampler, seed) for c in by_condition if said[c].correctable}
    if by_doubt:  # labels are random only among queries with the same opinions of both answers
        corrected = {c: mean for c, mean in corrected.items() if c not in (RETRIEVED, ORACLE)}
        if both.correctable:
            corrected |= dict(zip((RETRIEVED, ORACLE), corrected_pair(both, resampler, seed), strict=True))
    return corrected


def _agreements(
    by_condition: ByCondition, said: Callable[[Judgement], tuple[bool | None, bool | None]] = lambda j: (j.label, j.judged)
) -> dict[str, Agreement]:
    """How far the judge agrees with labels, under each condition that has answers with both, by what is `said` of each."""
    agreements = {}
    for condition, under in by_condition.items():
        pairs = [(label, judged) for label, judged in map(said, under) if label is not None and judged is not None]
        of_pairs = agreement([label for label, _ in pairs], [judged for _, judged in pairs])
        if of_pairs is not None:
            agreements[condition] = of_pairs
    return agreements
