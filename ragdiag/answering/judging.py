"""Every answer judged: by its label, else by a judge; what kind of wrong it is; whether its context holds what it states."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ragdiag.answering.judges import refuses, unthought
from ragdiag.answering.rules import Rule, broken, load_rules, spoken
from ragdiag.answering.verdict import NOTHING_TO_JUDGE_BY, Judgement
from ragdiag.core.opinions import Opinion
from ragdiag.core.options import Judging
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, FloatArray, Query
from ragdiag.core.registry import make

__all__ = ["judge_answers", "majorities", "shares_by_query"]

Asked = Sequence[tuple[int, Answer]]
"""Answers, each with the position of its query."""


def judge_answers(
    queries: Sequence[Query], asked: Asked, judging: Judging, store: Store | None, progress: Progress
) -> tuple[Judgement, ...]:
    """One judgement for each of `asked`, in order.

    A label is used as is, unless the judge is asked blind. Where a condition has answers with and without a label the judge is
    put to both, so that its errors can be told. A rule of form that is broken makes an answer wrong, whatever it says.
    """
    rules = load_rules(judging.format_rules) if judging.format_rules else ()
    mixed = {a.condition for _, a in asked if a.correct is None and not a.failed}
    to_judge = [i for i, (_, a) in enumerate(asked) if not a.failed and (judging.blind or a.condition in mixed)]
    to_support = [i for i, (_, a) in enumerate(asked) if not a.failed and a.contexts and not refuses(a.answer)]
    pairs = [(queries[q], dataclasses.replace(a, answer=spoken(unthought(a.answer)))) for q, a in asked]
    judge, support = make("judges", judging.judge), make("judges", judging.support)
    opinions = dict(zip(to_judge, judge.judge([pairs[i] for i in to_judge], store, progress), strict=True)) if to_judge else {}
    supported = dict(zip(to_support, support.judge([pairs[i] for i in to_support], store, progress), strict=True))
    found = (_judgement(q, a, opinions.get(i), supported.get(i), judging, rules) for i, (q, a) in enumerate(asked))
    return tuple(j if j.by else j._replace(why="; ".join(_unjudged(queries[j.query], j.why, judging))) for j in found)


def _unjudged(query: Query, why: str, judging: Judging) -> Iterable[str]:
    """Why nobody could say of an answer to `query` whether it is right, and what was said of it besides."""
    yield f"{judging.judge} gave no opinion" if query.answers else NOTHING_TO_JUDGE_BY
    if why:
        yield why


def _judgement(
    query: int, answer: Answer, opinion: Opinion | None, support: Opinion | None, judging: Judging, rules: tuple[Rule, ...]
) -> Judgement:
    if answer.failed:
        wrong = judging.failed == "wrong"
        right = False if wrong else None
        return Judgement(query, answer.condition, right, "failed", kind="no answer" if wrong else "", content=right)
    told = answer.correct is not None and not judging.blind
    content = answer.correct if told else None if opinion is None else opinion.correct
    broke = broken(rules, answer.answer)
    kind = ""
    if content is False:
        refusal = opinion.kind == "refusal" if opinion is not None else refuses(answer.answer)
        kind = "refusal" if refusal else "unsupported" if support is not None and not support.correct else "content"
    elif content and broke:
        kind = "format" if any(rule.kind == "format" for rule in broke) else "style"
    return Judgement(
        query=query,
        condition=answer.condition,
        right=None if content is None else not kind,
        by="label" if told else judging.judge if opinion is not None else "",
        why="; ".join(_reasons(opinion, support, broke)),
        kind=kind,
        content=content,
        label=answer.correct,
        judged=None if opinion is None else opinion.correct,
        supported=None if support is None else support.correct,
        broke=tuple(f"{rule.kind}: {rule.name}" for rule in broke),
    )


def _reasons(opinion: Opinion | None, support: Opinion | None, broke: tuple[Rule, ...]) -> Iterable[str]:
    if opinion is not None:
        yield opinion.why
    if support is not None and not support.correct:
        yield support.why
    yield from (f"breaks {rule.kind} {rule.name}" for rule in broke)


def shares_by_query(n: int, said: Iterable[tuple[int, bool | None]]) -> FloatArray:
    """The share of a query's answers of which something is true, NaN where it is known of none; shape ``(n_queries,)``."""
    total, true = np.zeros(n), np.zeros(n)
    for q, value in said:
        if value is not None:
            total[q] += 1
            true[q] += value
    shares: FloatArray = np.divide(true, total, out=np.full(n, np.nan), where=total > 0)
    return shares


def majorities(n: int, judgements: Iterable[Judgement]) -> tuple[FloatArray, FloatArray]:
    """What labels, and what the judge, say of most answers of each query: 1 right, 0 wrong, NaN where not all were asked about.

    An attempt that counts as wrong, and an answer that breaks a rule, is wrong by what it is: as certain as a label.
    """
    rows: Mapping[int, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        rows[judgement.query].append(judgement)
    label, judged = np.full(n, np.nan), np.full(n, np.nan)
    for q, own in rows.items():
        known = [
            False if j.broke or j.kind == "no answer" else j.label for j in own if j.right is not None or j.label is not None
        ]
        if known and None not in known:
            label[q] = float(2 * sum(map(bool, known)) >= len(known))
        counting = [j for j in own if j.right is not None]
        said = [False if j.broke or j.kind == "no answer" else j.judged for j in counting]
        if None not in said and any(j.judged is not None and not j.broke for j in counting):
            judged[q] = float(2 * sum(map(bool, said)) >= len(said))
    return label, judged
