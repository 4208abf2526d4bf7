"""What a judge says of one answer."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Opinion"]


class Opinion(NamedTuple):
    """Whether an answer is right, and in one line why.

    `kind` is "refusal" where the answer declines to answer, else ""; `rule` the name of the rule that decided, "" of a judge that
    has none (those of the matcher are in `ragdiag.answering.judges._matching`).
    """

    correct: bool
    why: str
    kind: str = ""
    rule: str = ""
