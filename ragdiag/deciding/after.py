"""What to do once it is decided: the one command that comes next."""

from __future__ import annotations

from typing import NamedTuple

from ragdiag.deciding.decision import Decision

__all__ = ["Following", "following"]


class Following(NamedTuple):
    """Why a command comes next, and the command; what the user has to name stands in it in capitals."""

    why: str
    command: str


TRIED = {
    "prompt": "once the prompt is changed, its answers say whether that worked",
    "fine-tune": "once a model is tuned, its answers say whether that worked",
}
"""What is measured again, once it is there."""

PROMPTS = "ragdiag prompts CORPUS QUERIES --out prompts.jsonl"
AUDIT = "ragdiag audit CORPUS QUERIES"
AGAIN = "ragdiag litmus QUERIES --answers ANSWERS --json litmus.json"


def following(decision: Decision) -> Following | None:
    """What comes next; None where an answer is missing."""
    if decision.missing:
        return None
    if decision.measured and decision.measured.kind == "INCONCLUSIVE":
        return Following("the measurement again, with the answers of more queries", AGAIN)
    if not decision.steps or decision.steps[0].source != "measured" or not decision.recommendation:
        return Following("what a model is asked, to measure whether it is knowledge or behavior", PROMPTS)
    if decision.remedies.get("knowledge") == "rag":
        return Following("what is to be changed in the retrieval that there is: the causes, with proof", AUDIT)
    return Following(TRIED[decision.recommendation], AGAIN)
