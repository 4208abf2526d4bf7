"""How probable it is that an answer is right, by the rule that decided and by what a rule leaves out of account.

A logistic regression: `_weights.py` holds what `tests/bench/matcher_fit.py` learnt from answers that people labelled. It decides
nothing: on sets that it was not trained on it agreed with people no better than the rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from ragdiag.answering.judges._plain import plain
from ragdiag.answering.judges._polarity import NEGATIVE
from ragdiag.answering.judges._text import content, flat, refuses, words
from ragdiag.answering.judges._weights import BIAS, WEIGHTS
from ragdiag.core.opinions import Opinion

HEDGES = re.compile(
    r"\b(?:may|might|could|possibly|perhaps|unclear|unknown|various|several|depends?|typically|often|however|sorry|not sure)\b",
    re.IGNORECASE,
)
MOST = 12
"""References of a query that are looked at."""

LONGEST = 600
"""Characters of an answer that a reference is laid beside."""


def with_probability(question: str, references: Sequence[str], answer: str, opinion: Opinion) -> Opinion:
    """`opinion` with the probability that the answer is right."""
    odds = BIAS + sum(WEIGHTS.get(name, 0.0) * value for name, value in features(question, references, answer, opinion).items())
    return opinion._replace(p=round(1 / (1 + math.exp(-max(min(odds, 30.0), -30.0))), 4))


def features(question: str, references: Sequence[str], answer: str, opinion: Opinion) -> Mapping[str, float]:
    """What the regression reads, by name: of several references beside the one that is most alike."""
    said = flat(plain(answer))
    alike, gold = max((fuzz.partial_ratio(flat(gold), said[:LONGEST]) / 100, gold) for gold in references[:MOST])
    wanted, given = set(words(gold)), set(words(said))
    new = set(content(gold)) - set(content(question))
    figures = {word for word in wanted if word[0].isdigit()}
    found = {
        "alike": alike,
        "words shared": len(wanted & given) / max(len(wanted), 1),
        "facts shared": len(new & set(content(said))) / len(new) if new else 0.5,
        "figures shared": len(figures & given) / len(figures) if figures else 0.5,
        "length of the answer": math.log1p(len(said.split())),
        "length of the reference": math.log1p(len(gold.split())),
        "hedges": float(bool(HEDGES.search(said))),
        "denies": float(bool(NEGATIVE.search(said))),
        "declines": float(refuses(said)),
        "references": math.log(len(references)),
    }
    right = {f"{name}, right": value for name, value in found.items()} if opinion.correct else {}
    return {f"by {opinion.rule}": 1.0, opinion.kind or "no kind": 1.0, "right": float(opinion.correct), **found, **right}
