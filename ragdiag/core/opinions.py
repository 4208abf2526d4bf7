"""What a judge says of one answer."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DOUBTFUL", "Opinion"]

DOUBTFUL = "doubtful"


class Opinion(NamedTuple):
    """Whether an answer is right, and in one line why.

    `kind` is "refusal" where the answer declines to answer, "doubtful" where it may be right and only a person can tell, so that
    it asks for a label, and counts as not right until it has one; else "". `rule` is the name of the rule that decided, "" of a
    judge that has none (those of the matcher are in `ragdiag.answering.judges._matching`). `p` is the probability that the
    answer is right, None of a judge that gives none.
    """

    correct: bool
    why: str
    kind: str = ""
    rule: str = ""
    p: float | None = None
