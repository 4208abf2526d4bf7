"""Every answer judged: by its label, else by a judge; what kind of wrong it is; whether its context holds what it states."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ragdiag.answering.judges import keyed, refuses, unthought
from ragdiag.answering.missing import why_unjudged
from ragdiag.answering.rules import KINDS as RULE_KINDS
from ragdiag.answering.rules import Rule, broken, load_rules, spoken
from ragdiag.answering.verdict import Judgement
from ragdiag.core.opinions import DOUBTFUL, Opinion
from ragdiag.core.options import Judging
from ragdiag.core.protocols import Judge, Progress, Store
from ragdiag.core.records import Answer, FloatArray, Query
from ragdiag.core.registry import make

__all__ = ["judge_answers", "majorities", "nowhere", "shares_by_query"]

Asked = Sequence[tuple[int, Answer]]
"""Answers, each with the position of its query."""


def judge_answers(
    queries: Sequence[Query], asked: Asked, judging: Judging, store: Store | None, progress: Progress
) -> tuple[Judgement, ...]:
    """One judgement for each of `asked`, in order.

    A label is used as is, unless the judge is asked blind. Where a condition has answers with and without a label the judge is
    put to both, so that its errors can be told. A rule of form that is broken makes an answer wrong, whatever it says. An
    answer to a query that the corpus has no answer to is right where it declines, unless a label says otherwise.
    """
    rules = load_rules(judging.format_rules) if judging.format_rules else ()
    pairs = [(queries[q], dataclasses.replace(a, answer=spoken(unthought(a.answer)))) for q, a in asked]
    to_judge = [(query, _by_its_key(query, own, a)) for (query, a), (_, own) in zip(pairs, asked, strict=True)]
    opinions = _opinions(judging.judge, to_judge, _to_judge(asked, judging.blind), store, progress)
    supported = _opinions(judging.support, pairs, _to_support(asked), store, progress)
    nowhere_is = [nowhere(query) for query in queries]
    judgements = (
        _judgement(q, nowhere_is[q], a, opinions.get(i), supported.get(i), judging, rules) for i, (q, a) in enumerate(asked)
    )
    return tuple(j if j.by else j._replace(why="; ".join(_unjudged(queries[j.query], j, judging))) for j in judgements)


def _by_its_key(query: Query, own: Answer, said: Answer) -> Answer:
    """What a judge is to read of an answer: of a JSON object what stands under the answer's key, else what it has `said`."""
    under_key = keyed(query.text, own.answer)
    return said if under_key is None else dataclasses.replace(said, answer=under_key)


def _to_judge(asked: Asked, blind: bool) -> list[int]:
    """Positions of the answers that the judge is put to: under each condition with an answer that has no label, all."""
    mixed = {a.condition for _, a in asked if a.correct is None and not a.failed}
    return [i for i, (_, a) in enumerate(asked) if not a.failed and (blind or a.condition in mixed)]


def _to_support(asked: Asked) -> list[int]:
    """Positions of the answers whose contexts may hold what they state: a refusal states nothing."""
    return [i for i, (_, a) in enumerate(asked) if not a.failed and a.contexts and not refuses(a.answer)]


def _opinions(
    spec: str, pairs: Sequence[tuple[Query, Answer]], positions: Sequence[int], store: Store | None, progress: Progress
) -> dict[int, Opinion | None]:
    """What the judge of a spec says of the pairs at some positions, by position."""
    judge: Judge = make("judges", spec)
    return dict(zip(positions, judge.judge([pairs[i] for i in positions], store, progress), strict=True)) if positions else {}


def _unjudged(query: Query, judgement: Judgement, judging: Judging) -> Iterable[str]:
    """Why nobody could say of an answer to `query` whether it is right, and what was said of it besides."""
    yield why_unjudged(query, judging.judge, judgement.label is not None)
    if judgement.why:
        yield judgement.why


def nowhere(query: Query) -> bool:
    """Whether a query is labelled as one that the corpus has no answer to."""
    return query.unanswerable and not query.evidence


def _judgement(
    query: int,
    unanswerable: bool,
    answer: Answer,
    opinion: Opinion | None,
    support: Opinion | None,
    judging: Judging,
    rules: tuple[Rule, ...],
) -> Judgement:
    if answer.failed:
        wrong = judging.failed == "wrong"
        right = False if wrong else None
        return Judgement(query, answer.condition, right, "failed", kind="no answer" if wrong else "", content=right)
    content, by = _content(answer, unanswerable, opinion, judging)
    broke = broken(rules, answer.answer)
    kind = _kind(answer, content, opinion, support, broke, by == "label")
    return Judgement(
        query=query,
        condition=answer.condition,
        right=None if content is None else not kind,
        by=by,
        why="; ".join(_reasons(opinion, support, broke)),
        kind=kind,
        content=content,
        label=answer.correct,
        judged=None if opinion is None else opinion.correct,
        supported=None if support is None else support.correct,
        broke=tuple(f"{rule.kind}: {rule.name}" for rule in broke),
        declined=refuses(answer.answer) if unanswerable else not content and _declines(answer, opinion),
        support_label=answer.supported,
    )


def _content(answer: Answer, unanswerable: bool, opinion: Opinion | None, judging: Judging) -> tuple[bool | None, str]:
    """Whether what an answer says is right, and who tells: its label, its words where declining is right, or the judge."""
    if answer.correct is not None and not judging.blind:
        return answer.correct, "label"
    if unanswerable and (opinion is None or refuses(answer.answer)):
        return refuses(answer.answer), "unanswerable"
    return (None, "") if opinion is None else (opinion.correct, judging.judge)


def _declines(answer: Answer, opinion: Opinion | None) -> bool:
    """Whether an answer that is not right declines to be one."""
    return opinion.kind == "refusal" if opinion is not None else refuses(answer.answer)


def _kind(
    answer: Answer,
    content: bool | None,
    opinion: Opinion | None,
    support: Opinion | None,
    broke: tuple[Rule, ...],
    labelled: bool,
) -> str:
    """How an answer is wrong, one of `verdict.KINDS`; "" for one that is right, or of which that is not known."""
    if content is None or (content and not broke):
        return ""
    if content:
        return next(kind for kind in RULE_KINDS if any(rule.kind == kind for rule in broke))
    return _how_wrong(answer, opinion, support, labelled)


def _how_wrong(answer: Answer, opinion: Opinion | None, support: Opinion | None, labelled: bool) -> str:
    """The kind of an answer that says something wrong; what a label says is not doubtful."""
    if _declines(answer, opinion):
        return "refusal"
    if opinion is not None and opinion.kind == DOUBTFUL and not labelled:
        return DOUBTFUL
    return "unsupported" if support is not None and not support.correct else "content"


def _reasons(opinion: Opinion | None, support: Opinion | None, broke: tuple[Rule, ...]) -> Iterable[str]:
    if opinion is not None:
        yield opinion.why
    if support is not None and not support.correct:
        yield support.why
    yield from (f"breaks {rule.kind} {rule.name}" for rule in broke)


def shares_by_query(n: int, values: Iterable[tuple[int, bool | None]]) -> FloatArray:
    """The share of a query's answers of which something is true, NaN where it is known of none; shape ``(n_queries,)``.

    `values` are positions of queries, each with what is true of one answer (None: not known).
    """
    total, true = np.zeros(n), np.zeros(n)
    for q, value in values:
        if value is not None:
            total[q] += 1
            true[q] += value
    shares: FloatArray = np.divide(true, total, out=np.full(n, np.nan), where=total > 0)
    return shares


def majorities(n: int, judgements: Iterable[Judgement]) -> tuple[FloatArray, FloatArray]:
    """What labels, and what the judge, say of most answers of each query: 1 right, 0 wrong, NaN where not all were asked about.

    An attempt that counts as wrong, and an answer that breaks a rule, is wrong by what it is: as certain as a label. Both arrays
    have shape ``(n_queries,)``.
    """
    by_query: Mapping[int, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        by_query[judgement.query].append(judgement)
    label, judged = np.full(n, np.nan), np.full(n, np.nan)
    for q, of_query in by_query.items():
        label[q] = _majority([_certain(j, j.label) for j in of_query if j.right is not None or j.label is not None])
        counting = [j for j in of_query if j.right is not None]
        if any(j.judged is not None and not j.broke for j in counting):
            judged[q] = _majority([_certain(j, j.judged) for j in counting])
    return label, judged


def _certain(judgement: Judgement, otherwise: bool | None) -> bool | None:
    """False for an answer that is wrong by what it is, whoever judges; of any other, what is said of it otherwise."""
    return False if judgement.broke or judgement.kind == "no answer" else otherwise


def _majority(values: Sequence[bool | None]) -> float:
    """1 where half of `values` are true or more, else 0; NaN where there are none, or one is not known."""
    if not values or None in values:
        return float("nan")
    return float(2 * sum(map(bool, values)) >= len(values))
