"""The one command that fits what the litmus test found, without the paths and options, which only the command line knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from ragdiag.answering.verdict import Litmus
from ragdiag.core.conditions import FIRST, LAST, LONGER, MIDDLE, ORACLE, RETRIEVED, TRIMMED
from ragdiag.text.phrases import counted

__all__ = ["RULES", "Following", "after_litmus"]

HARMS = (TRIMMED, FIRST, MIDDLE, LAST, LONGER)
"""Conditions whose answers say what it is about a context that harms."""


ROUND = 20
"""Queries whose answers are labelled at a time."""


class Following(NamedTuple):
    """A command, why it comes next, of `prompts` the conditions that it is about, and of how many queries to `review`."""

    command: Literal["audit", "decide", "label", "litmus", "prompts"]
    why: str
    conditions: tuple[str, ...] = ()
    review: int = 0


def after_litmus(litmus: Litmus) -> Following | None:
    """What the first of `RULES` that applies says; None where none does."""
    return next((following for rule in RULES if (following := rule(litmus))), None)


def _judge(litmus: Litmus) -> Following | None:
    """What nothing could judge says nothing of the pipeline."""
    by_condition = {c: [j for j in litmus.of(c) if j.by != "unanswerable"] for c in (RETRIEVED, ORACLE)}
    unjudged = [c for c, judgements in by_condition.items() if judgements and not any(j.by for j in judgements)]
    return Following("litmus", f"the same, once {' and '.join(unjudged)} answers can be judged: see above") if unjudged else None


def _ask(litmus: Litmus) -> Following | None:
    """Both conditions are needed."""
    if litmus.verdict.kind != "NOT_MEASURED":
        return None
    says = {ORACLE: "answers with exactly the evidence would tell", RETRIEVED: "answers with your pipeline's context would tell"}
    lacking = [c for c in says if c not in litmus.shares]
    return Following("prompts", says[lacking[0]], (lacking[0],)) if lacking else None


def _label(litmus: Litmus) -> Following | None:
    """Neither training nor more questions before the judge's errors are known: retrieval is diagnosed without a judge."""
    verdict = litmus.verdict
    if verdict.kind not in ("BEHAVIOR", "BOTH", "INCONCLUSIVE") or litmus.blind:
        return None
    if verdict.errors == "open" and verdict.share.n and verdict.labels_needed:
        return _review(verdict.labels_needed, "what a judge alone says may be its error")
    if verdict.kind == "INCONCLUSIVE" and verdict.errors == "corrected" and verdict.labels_needed:
        return _review(verdict.labels_needed, f"about {verdict.labels_needed:,} in all would tell")
    return None


def _review(needed: int, why: str) -> Following:
    """A session of labelling, of some ten minutes for twenty queries."""
    n = min(needed, ROUND)
    return Following(
        "litmus", f"label the answers of {counted(n, 'quer', 'y')}, about {counted(max(n // 2, 1), 'minute')}: {why}", review=n
    )


def _more_queries(litmus: Litmus) -> Following | None:
    if litmus.verdict.kind != "INCONCLUSIVE" or litmus.verdict.needed is None:
        return None
    return Following(
        "label", f"about {counted(litmus.verdict.needed, 'more failure')} would tell: label more questions, then ask them"
    )


def _retrieval(litmus: Litmus) -> Following | None:
    return (
        Following("audit", "what keeps the evidence out of the context, with proof")
        if litmus.verdict.kind == "RETRIEVAL"
        else None
    )


def _context(litmus: Litmus) -> Following | None:
    if litmus.verdict.kind != "CONTEXT":
        return None
    if litmus.harms:
        return Following("audit", "what stands beside the evidence in the contexts, and why")
    return Following("prompts", "what it is about the context that harms: add the answers to these as --answers", HARMS)


def _decide(litmus: Litmus) -> Following | None:
    if litmus.verdict.kind not in ("BEHAVIOR", "BOTH", "INCONCLUSIVE"):
        return None
    return Following("decide", "prompt, fine-tune, RAG or both: the rest of the decision, with what each costs")


RULES: tuple[Callable[[Litmus], Following | None], ...] = (_judge, _ask, _label, _more_queries, _retrieval, _context, _decide)
"""What may come next, the most urgent first."""
