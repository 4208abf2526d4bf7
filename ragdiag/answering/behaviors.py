"""What kind of behavior it is: how answers with exactly the evidence before them go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from ragdiag.answering.judges import other_figures, stands_in
from ragdiag.answering.verdict import Judgement, Litmus
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.records import Answer

__all__ = ["behaviors"]

PICKED = "another figure of the evidence"
MADE = "a figure that the evidence does not hold"

SAYS: Mapping[str, str] = {
    "refusal": "declines, with the evidence before it",
    "content": "says something else",
    "unsupported": "says what the evidence does not hold",
    "doubtful": "doubtful: to be labelled",
}
"""How a kind of wrong is told; others by their names."""


def behaviors(litmus: Litmus) -> dict[str, int]:
    """Of the failures that perfect context leaves wrong, how many queries' answers go wrong in each way, the most first.

    A failure by form alone is told by its answer with the pipeline's context, any other by its first wrong answer with the
    evidence. A wrong figure where a figure was asked for is told apart: taken from elsewhere in the evidence, or of its own
    making, as where a sum is reckoned wrongly.
    """
    outcomes = litmus.outcomes
    left: list[int] = np.flatnonzero(outcomes.failed & ((outcomes.oracle < 0.5) | outcomes.form)).tolist()
    first: dict[tuple[int, str], tuple[Judgement, Answer]] = {}
    for judgement, answer in zip(litmus.judgements, litmus.answers, strict=True):
        if judgement.right is False:
            first.setdefault((judgement.query, judgement.condition), (judgement, answer))
    ways: Counter[str] = Counter()
    for q in left:
        told = first.get((q, RETRIEVED if outcomes.form[q] else ORACLE))
        if told is not None:
            ways[_way(litmus, *told)] += 1
    return dict(ways.most_common())


def _way(litmus: Litmus, judgement: Judgement, answer: Answer) -> str:
    query = litmus.queries[judgement.query]
    if judgement.kind in ("content", "unsupported"):
        figures = other_figures(query.text, query.answers, answer.answer)
        contexts = answer.contexts or tuple(label.text for label in query.evidence if label.text)
        if figures and contexts:
            return PICKED if stands_in(figures, contexts) else MADE
    return SAYS.get(judgement.kind, judgement.kind)
