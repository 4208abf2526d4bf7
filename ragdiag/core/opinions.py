"""What a judge says of one answer."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Opinion"]


class Opinion(NamedTuple):
    """Whether an answer is right, and in one line why; `kind` is "refusal" where it declines to answer, else ""."""

    correct: bool
    why: str
    kind: str = ""
