"""The litmus test: recorded answers judged, held against what their contexts held, and what most failures are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ragdiag.answering.answers import load_answers, split_source
from ragdiag.answering.judging import judge_answers, majorities, shares_by_query
from ragdiag.answering.ruling import Said, corrected_share, rule
from ragdiag.answering.verdict import DELTA, Agreement, Judgement, Litmus, Outcomes, agreement
from ragdiag.core.cache import opened
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Judging, Options
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Answer, FloatArray, Mean, Query
from ragdiag.pipeline import Audit, labelled_documents, run_audit
from ragdiag.scoring.measures import Measure
from ragdiag.sources.queries import load_queries
from ragdiag.stats.statistics import Resampler, clusters
from ragdiag.text.tokens import folded

__all__ = ["answered", "run_litmus"]

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
    given = load_answers(answers)
    if given and judging.failed == "failed" and all(answer.failed for answer in given):
        files = ", ".join(str(split_source(source)[1]) for source in answers if isinstance(source, str))
        what = f"holds {len(given)} attempts, every one of which failed, so there is nothing to judge"
        raise InputError(what, files, remedy="ask again, or count them as wrong: --failed wrong")
    audit = None if corpus is None else run_audit(corpus, queries, asked, progress)
    known = list(audit.labels.queries) if audit else load_queries(queries, asked.qrels)
    return answered(known, given, audit, asked, judging, delta, progress)


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
    given = _placed(load_answers(answers), {q.id: i for i, q in enumerate(known)}, bool(asked.only))
    judgements = judge_answers(known, given, judging, opened(asked.cache), progress)
    by = {c: [j for j in judgements if j.condition == c] for c in dict.fromkeys(j.condition for j in judgements)}
    main: dict[int, list[Answer]] = {}
    for q, answer in given:
        if answer.condition == RETRIEVED:
            main.setdefault(q, []).append(answer)
    n, cluster = len(known), clusters(labelled_documents(audit.labels) if audit else [[]] * len(known))
    resampler = Resampler(cluster, asked.seed)
    said = {c: _said_under(n, by.get(c, ()), judging.blind) for c in dict.fromkeys((RETRIEVED, ORACLE, *by))}
    both = Said(*map(np.hstack, zip(said[RETRIEVED], said[ORACLE], strict=True)))
    outcomes = _outcomes(n, by, _sufficient(known, main, audit))

    def mean(values: Iterable[tuple[int, bool | None]]) -> Mean:
        return resampler.mean(shares_by_query(n, values))

    unsupported = {c: mean((j.query, None if j.supported is None else not j.supported) for j in own) for c, own in by.items()}
    return Litmus(
        verdict=rule(outcomes, both, cluster, asked.seed, delta),
        queries=tuple(known),
        outcomes=outcomes,
        judgements=judgements,
        shares={c: mean((j.query, j.right) for j in own) for c, own in by.items()},
        corrected={c: corrected_share(said[c], resampler, asked.seed) for c in by if said[c].correctable},
        unsupported={c: share for c, share in unsupported.items() if share.n},
        agreements={c: found for c, own in by.items() if (found := _agreement(own)) is not None},
        precision=_precision(known, main, audit, resampler),
        seed=asked.seed,
        delta=delta,
        blind=judging.blind,
        report=audit.report if audit else None,
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


def _outcomes(n: int, by: Mapping[str, Sequence[Judgement]], sufficient: FloatArray) -> Outcomes:
    main, oracle = by.get(RETRIEVED, ()), by.get(ORACLE, ())
    right = shares_by_query(n, ((j.query, j.right) for j in main))
    content = shares_by_query(n, ((j.query, j.content) for j in main))
    return Outcomes(
        right=right,
        oracle=shares_by_query(n, ((j.query, j.right) for j in oracle)),
        sufficient=sufficient,
        form=(right < 0.5) & (content >= 0.5),
    )


def _said_under(n: int, judgements: Sequence[Judgement], blind: bool) -> Said:
    """What labels and the judge say under one condition; where the judge is asked blind, no label has a say."""
    label, judged = majorities(n, judgements)
    return Said(np.where(np.isnan(judged) | (not blind), label, np.nan)[:, None], judged[:, None])


def _agreement(judgements: Sequence[Judgement]) -> Agreement | None:
    pairs = [(j.label, j.judged) for j in judgements if j.label is not None and j.judged is not None]
    return agreement([label for label, _ in pairs], [said for _, said in pairs])


def _precision(queries: Sequence[Query], given: Given, audit: Audit | None, resampler: Resampler) -> Mean:
    """The share of what was retrieved that holds evidence: of the recorded contexts, else as the audit measured it."""
    found = np.full(len(queries), np.nan)
    for q, query in enumerate(queries):
        passages = [folded(label.text) for label in query.evidence]
        contexts = [folded(c) for a in given.get(q, ()) for c in a.contexts]
        if contexts and passages and all(passages):
            found[q] = np.mean([any(p in c or (c in p and len(c) >= PIECE) for p in passages) for c in contexts])
    if audit is not None and np.isnan(found).all():
        pipeline = audit.report.pipeline
        size = (pipeline.budget, True) if pipeline.budget else (pipeline.k or 0, False)
        return audit.report.measures[str(Measure("P", *size))]
    return resampler.mean(found)


Given = Mapping[int, Sequence[Answer]]
"""Answers by the position of their query."""


def _sufficient(queries: Sequence[Query], given: Given, audit: Audit | None) -> FloatArray:
    """1 where the context held all evidence, 0 where it did not, NaN where nothing says.

    In this order: as recorded with the answer; recorded contexts, in which the labelled passages are looked for; the audit.
    """
    found = np.full(len(queries), np.nan)
    for q, query in enumerate(queries):
        said = [s for a in given.get(q, ()) if (s := _said(query, a)) is not None]
        if said:
            found[q] = float(sum(said) * 2 > len(said))
        elif audit is not None and audit.report.queries[q].served is not None:
            found[q] = float(bool(audit.report.queries[q].served))
    return found


def _said(query: Query, answer: Answer) -> bool | None:
    """Whether one answer's context was sufficient, by what is recorded with it."""
    if answer.sufficient is not None:
        return answer.sufficient
    if not answer.contexts or not query.evidence or not all(label.text.strip() for label in query.evidence):
        return None
    text = folded(" ".join(answer.contexts))
    groups: dict[str, list[bool]] = {}
    for i, label in enumerate(query.evidence):
        groups.setdefault(label.group or f"#{i}", []).append(folded(label.text) in text)
    return all(any(held) for held in groups.values())
