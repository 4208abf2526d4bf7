"""The litmus test: recorded answers judged, held against what their contexts held, and what most failures are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.answers import load_answers
from ragdiag.cache import opened
from ragdiag.errors import InputError, UsageError
from ragdiag.options import Options
from ragdiag.paired import Paired
from ragdiag.pipeline import Audit, labelled_documents, run_audit
from ragdiag.protocols import Progress, Store, no_progress
from ragdiag.queries import load_queries
from ragdiag.records import Answer, FloatArray, Query
from ragdiag.registry import make
from ragdiag.statistics import Resampler, clusters
from ragdiag.verdict import DELTA, Effect, Litmus, Outcomes, Verdict, bounds, reach, tabulate

__all__ = ["litmus", "run_litmus"]

FAILED = ("failed", "wrong")
"""What an attempt that gave no answer counts as: neither right nor wrong, or wrong."""

MAIN, ORACLE = "retrieved", "oracle"


def litmus(
    queries: str | Path,
    answers: Sequence[str],
    *,
    corpus: str | Path | None = None,
    judge: str = "matcher",
    failed: str = "failed",
    delta: float = DELTA,
    progress: Progress = no_progress,
    **options: Any,
) -> Litmus:
    """Is it a retrieval problem or a behavior problem?

    `answers` are files of recorded answers, each ``[CONDITION=]FILE``. An answer without a label is judged by `judge`. With a
    `corpus` the pipeline that `options` describe is audited, and says what a context held where no recorded one does. `failed`
    says what an attempt without an answer counts as. Raises as `pipeline.audit`, and `InputError` for answers to other queries.
    """
    return run_litmus(queries, answers, Options(**options), corpus, judge, failed, delta, progress)


def run_litmus(
    queries: str | Path,
    answers: Sequence[str],
    asked: Options,
    corpus: str | Path | None,
    judge: str,
    failed: str,
    delta: float,
    progress: Progress,
) -> Litmus:
    """`litmus`, with its options as `Options`."""
    if not answers:
        raise UsageError("no answers to judge; give --answers [CONDITION=]FILE")
    if failed not in FAILED:
        raise UsageError(f"failed attempts count as {' or '.join(FAILED)}, not {failed!r}")
    audit = None if corpus is None else run_audit(corpus, queries, asked, progress)
    known = list(audit.labels.queries) if audit else load_queries(queries, asked.qrels)
    given = _by_query(load_answers(answers), {q.id: i for i, q in enumerate(known)})
    opinions = _opinions(known, given, judge, failed, opened(asked.cache), progress)
    right = {condition: _means(len(known), rows) for condition, rows in opinions.items()}
    outcomes = Outcomes(
        right.get(MAIN, np.full(len(known), np.nan)),
        right.get(ORACLE, np.full(len(known), np.nan)),
        _sufficient(known, given.get(MAIN, {}), audit),
    )
    cluster = clusters(labelled_documents(audit.labels) if audit else [[]] * len(known))
    shares = {condition: Resampler(cluster, asked.seed).mean(values) for condition, values in right.items()}
    return Litmus(
        verdict=_verdict(outcomes, cluster, asked.seed, delta),
        queries=tuple(known),
        outcomes=outcomes,
        judged={c: dict(Counter(by for _, _, by in rows if by)) for c, rows in opinions.items()},
        shares=shares,
        failed={c: sum(a.failed for own in rows.values() for a in own) for c, rows in given.items()},
        unjudged={c: sum(value is None and by != "failed" for _, value, by in rows) for c, rows in opinions.items()},
        seed=asked.seed,
        delta=delta,
        report=audit.report if audit else None,
    )


Given = Mapping[int, Sequence[Answer]]
"""Answers by the position of their query."""

Judged = list[tuple[int, bool | None, str]]
"""Each answer's query, whether it is right (None: nothing can tell), and what said so ("" nothing, "failed": no answer)."""


def _by_query(answers: Sequence[Answer], position: Mapping[str, int]) -> dict[str, dict[int, list[Answer]]]:
    """Answers by condition and query. Raises `InputError` for answers to queries that are not there."""
    unknown = sorted({a.query_id for a in answers} - set(position))
    if unknown:
        others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise InputError(f"answers to {unknown[0]!r}{others}, which no query is", remedy="give the queries that were answered")
    found: dict[str, dict[int, list[Answer]]] = {}
    for answer in answers:
        found.setdefault(answer.condition, {}).setdefault(position[answer.query_id], []).append(answer)
    return found


def _opinions(
    queries: Sequence[Query], given: Mapping[str, Given], judge: str, failed: str, store: Store | None, progress: Progress
) -> dict[str, Judged]:
    """Every answer judged: by its label where it has one, else by `judge`."""
    asked = [(c, q, a) for c, rows in given.items() for q, own in rows.items() for a in own]
    unlabelled = [i for i, (_, _, a) in enumerate(asked) if a.correct is None and not a.failed]
    opinions: dict[int, Any] = {}
    if unlabelled:
        pairs = [(queries[asked[i][1]], asked[i][2]) for i in unlabelled]
        opinions = dict(zip(unlabelled, make("judges", judge).judge(pairs, store, progress), strict=True))
    found: dict[str, Judged] = {}
    for i, (condition, q, answer) in enumerate(asked):
        opinion = opinions.get(i)
        if answer.failed:
            row = (q, False if failed == "wrong" else None, "failed")
        elif answer.correct is not None:
            row = (q, answer.correct, "label")
        else:
            row = (q, None, "") if opinion is None else (q, bool(opinion.correct), judge)
        found.setdefault(condition, []).append(row)
    return found


def _means(n: int, judged: Judged) -> FloatArray:
    """Each query's share of right answers, NaN where none could be judged."""
    total, right = np.zeros(n), np.zeros(n)
    for q, value, _ in judged:
        if value is not None:
            total[q] += 1
            right[q] += value
    shares: FloatArray = np.divide(right, total, out=np.full(n, np.nan), where=total > 0)
    return shares


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
    text = _flat(" ".join(answer.contexts))
    groups: dict[str, list[bool]] = {}
    for i, label in enumerate(query.evidence):
        groups.setdefault(label.group or f"#{i}", []).append(_flat(label.text) in text)
    return all(any(held) for held in groups.values())


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _verdict(outcomes: Outcomes, cluster: Any, seed: int, delta: float) -> Verdict:
    """The table, the effects and what follows from them."""
    resampler, paired = Resampler(cluster, seed), Paired(cluster, seed)
    both = ~np.isnan(outcomes.right) & ~np.isnan(outcomes.oracle)
    failures = both & outcomes.failed
    share = resampler.mean(np.where(failures, outcomes.fixed, np.nan).astype(np.float64))
    effects: dict[str, Effect] = {}
    difference = paired.difference(np.where(both, outcomes.right, np.nan), np.where(both, outcomes.oracle, np.nan))
    if difference is not None:
        effects["context"] = Effect(difference.mean, difference.low, difference.high, difference.n, difference.p)
        wrong = resampler.mean(np.where(both, 1 - outcomes.oracle, np.nan))
        effects["behavior"] = Effect(wrong.mean or 0.0, wrong.low or 0.0, wrong.high or 0.0, wrong.n)
    repaired = failures & outcomes.fixed
    known = repaired & ~np.isnan(outcomes.sufficient)
    noise = float((outcomes.sufficient[known] == 1).mean()) if 2 * known.sum() > repaired.sum() else None
    kind, secondary, more = reach(share, effects.get("context"), effects.get("behavior"), noise, delta)
    return Verdict(
        kind=kind,
        secondary=secondary,
        share=share,
        needed=more,
        effects=effects,
        table=tabulate(outcomes),
        bounds=bounds(outcomes) if kind == "NOT_MEASURED" else None,
        broken=tuple(np.flatnonzero(both & ~outcomes.failed & ~outcomes.fixed).tolist()),
    )
