"""The litmus test as statistics: would the failures still be there with perfect access to the right information?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from ragdiag.answering.effects import Effect, Harm
from ragdiag.answering.people import People
from ragdiag.answering.said import Said
from ragdiag.core.opinions import DOUBTFUL
from ragdiag.core.records import Answer, BoolArray, FloatArray, Mean, Query, Report
from ragdiag.scoring.abstaining import Telling

__all__ = [
    "DELTA",
    "KINDS",
    "Agreement",
    "Judgement",
    "Litmus",
    "Outcomes",
    "Verdict",
    "agreement",
    "bounds",
    "needed",
    "reach",
    "required",
    "tabulate",
]

DELTA = 0.05
"""An effect up to this size is taken for none, unless the user gives another limit."""

LEVEL, POWER = 0.95, 0.80

KINDS = ("content", "unsupported", "refusal", DOUBTFUL, "format", "style", "tone", "vocabulary", "no answer")
"""How an answer can be wrong: it says something else than the reference; so it does, and its context does not hold it; it
declines to answer; it says the reference's yes or no and explains something else, or is told so that only a person can tell,
and asks for a label; right content breaks a rule of format, style, tone or vocabulary; the attempt failed, and failed attempts
count as wrong."""


class Judgement(NamedTuple):
    """The judgement on one answer to the query at position `query`.

    `right` is None where nothing can tell. `by` is who judged: "label", the spec of a judge, "unanswerable" where the query is
    and the answer's words tell whether it declines, "failed", or "" for nobody. `kind` is one of `KINDS` for a wrong answer,
    else "". `content` is whether what the answer says is right, whatever its form. `label` and `judged` are what the label and
    the judge say, None where one says nothing; `supported` is whether the context holds what the answer states, and `broke` the
    rules that the answer breaks. `declined` is whether it declines to answer, None of an attempt that failed.
    """

    query: int
    condition: str
    right: bool | None
    by: str
    why: str = ""
    kind: str = ""
    content: bool | None = None
    label: bool | None = None
    judged: bool | None = None
    supported: bool | None = None
    broke: tuple[str, ...] = ()
    declined: bool | None = None


class Agreement(NamedTuple):
    """How far a judge agrees with the labels of `n` answers: the share, Cohen's kappa (None where both never vary), of how many
    right answers it says "wrong", and of how many wrong ones "right"."""

    n: int
    share: float
    kappa: float | None
    failed_right: tuple[int, int]
    passed_wrong: tuple[int, int]


def agreement(labels: Sequence[bool], judged: Sequence[bool]) -> Agreement | None:
    """Of `judged` with `labels`, pair by pair; None where there are none."""
    a, b = np.array(labels, dtype=bool), np.array(judged, dtype=bool)
    if not len(a):
        return None
    share, chance = float((a == b).mean()), float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    kappa = None if chance == 1 else (share - chance) / (1 - chance)  # Cohen 1960
    return Agreement(len(a), share, kappa, (int((a & ~b).sum()), int(a.sum())), (int((~a & b).sum()), int((~a).sum())))


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The outcomes of the queries: arrays of shape ``(n_queries,)``, NaN where an outcome is not known.

    `right`: the share of its answers with the pipeline's context that are right; `oracle`: the same with exactly the evidence;
    `sufficient`: whether the pipeline's context held all evidence; `form`: whether it failed by its form alone, which no context
    would have mended.
    """

    right: FloatArray
    oracle: FloatArray
    sufficient: FloatArray
    form: BoolArray

    @property
    def failed(self) -> BoolArray:
        """Queries whose answer with the pipeline's context is wrong; with several answers, most of them."""
        failed: BoolArray = self.right < 0.5
        return failed

    @property
    def fixed(self) -> BoolArray:
        """Queries whose answer is right when given exactly the evidence, and did not fail by its form alone without it."""
        fixed: BoolArray = (self.oracle >= 0.5) & ~self.form
        return fixed


@dataclass(frozen=True, eq=False)
class Verdict:
    """What most failures are about.

    `share` is that of the failures which perfect context fixes; `needed` the further failures that would tell, where it does not
    (None: no number would, at this share). `bounds` are of the share of failures that are about retrieval, where no answers with
    perfect context are known. `table` counts queries: a row for what the context came to, a column for the answer with perfect
    context. `broken` are the positions of queries that perfect context breaks.

    `errors` says what became of the judge's: "none" where labels say all; "corrected" by the labels of `labelled` queries, in
    share and effects; "open" where they are as judged, and its errors not in their intervals. `labels_needed` are the further
    queries to label that would have them corrected, or, once they are, that would tell what the verdict leaves open (None: no
    number would). Tables and counts are always as labelled or judged.
    """

    kind: str
    secondary: str | None
    share: Mean
    needed: int | None
    effects: Mapping[str, Effect]
    table: Mapping[str, Mapping[str, int]]
    bounds: tuple[float, float] | None = None
    broken: tuple[int, ...] = ()
    errors: Literal["none", "corrected", "open"] = "none"
    labelled: int = 0
    labels_needed: int | None = None


@dataclass(frozen=True, eq=False)
class Litmus:
    """The result of the litmus test: the verdict, and the judgement on every answer, in the order of `answers`.

    By condition: `shares` of right answers (`corrected` ones for the judge's errors, where labels allow), `unsupported` those of
    answers that state what their context does not hold, `agreements` of the judge with labels. `precision` is the share of what
    was retrieved that holds evidence, `precise` what it is where one retrieved context holds each passage. `blind`: labels had no
    say. `report` is that of the audit, where there was one; `undoubted` the verdict if all doubtful answers were right, None
    where none is doubtful. `harms` are the contrasts of further conditions, `people` says how far people agree, where several
    labelled an answer. `said` is what labels and the judge say of the answers that the verdict is about; of `otherwise` answers
    the judge says something else than when they were drawn to be labelled.

    But for `judgements` and `unsupported`, all of these are of queries that the corpus has an answer to. `abstained` has the
    shares of declining and of answering by group of queries, `told_apart` whether retrieval tells when to decline: see
    `answering.abstention`.
    """

    verdict: Verdict
    queries: tuple[Query, ...]
    answers: tuple[Answer, ...]
    outcomes: Outcomes
    judgements: tuple[Judgement, ...]
    shares: Mapping[str, Mean]
    corrected: Mapping[str, Mean]
    unsupported: Mapping[str, Mean]
    agreements: Mapping[str, Agreement]
    precision: Mean
    seed: int
    delta: float
    said: Said
    people: People
    otherwise: int = 0
    blind: bool = False
    report: Report | None = None
    undoubted: Verdict | None = None
    precise: float | None = None
    harms: tuple[Harm, ...] = ()
    abstained: Mapping[str, Mapping[str, Mean]] = field(default_factory=dict)
    told_apart: Telling | None = None

    def of(self, condition: str) -> tuple[Judgement, ...]:
        """The judgements on the answers under one condition."""
        return tuple(j for j in self.judgements if j.condition == condition)

    def basis(self, condition: str) -> str:
        """What the share of right answers under a condition rests on: "corrected", "as judged" or "as labelled"."""
        if condition in self.corrected:
            return "corrected"
        judged = (j.by for j in self.of(condition) if j.by not in ("", "label", "unanswerable", "failed"))
        return "as judged" if any(judged) else "as labelled"


FORM = "right content, wrong form"

ROWS = (
    FORM,
    "wrong, context insufficient",
    "wrong, context sufficient",
    "wrong",
    "right, context insufficient",
    "right, context sufficient",
    "right",
)
"""Rows of the table; without a statement about the context, the plain ones."""

COLUMNS = ("oracle right", "oracle wrong", "oracle unknown")


def tabulate(outcomes: Outcomes) -> dict[str, dict[str, int]]:
    """The 2x2 of docs/method.md, with a row more where the context is not known, a column where the oracle's answer is not."""
    table: dict[str, dict[str, int]] = {}
    known = ~np.isnan(outcomes.right)
    for row in ROWS:
        answer, _, context = row.partition(", context ")
        rows = known & (~outcomes.failed if answer == "right" else outcomes.failed) & (outcomes.form == (row == FORM))
        if row != FORM:
            rows &= outcomes.sufficient == (context == "sufficient") if context else np.isnan(outcomes.sufficient)
        if rows.any():
            right, unknown = outcomes.oracle >= 0.5, np.isnan(outcomes.oracle)
            cells = rows & right, rows & ~right & ~unknown, rows & unknown
            table[row] = {column: int(cell.sum()) for column, cell in zip(COLUMNS, cells, strict=True)}
    return table


def reach(
    share: Mean, context_effect: Effect | None, behavior_effect: Effect | None, sufficient_share: float | None, delta: float
) -> tuple[str, str | None]:
    """Kind and secondary, from the share of failures that perfect context fixes and both effects.

    `sufficient_share`: of the failures that perfect context fixes, the share whose context was sufficient; None where not known.
    """
    if share.low is None or share.high is None:
        return "NOT_MEASURED", None
    noise = sufficient_share is not None and sufficient_share > 0.5
    first = "CONTEXT" if noise else "RETRIEVAL"
    if share.low > 0.5:
        return first, "BEHAVIOR" if _matters(behavior_effect, delta) else None
    if share.high < 0.5:
        return "BEHAVIOR", first if _matters(context_effect, delta) else None
    both = all(effect is not None and effect.low > delta for effect in (context_effect, behavior_effect))
    return ("BOTH" if both else "INCONCLUSIVE"), None


def _matters(effect: Effect | None, delta: float) -> bool:
    """Whether an effect is known, and larger than `delta`."""
    return effect is not None and effect.mean > delta


def needed(share: float, seen: int, worth: float = 1.0) -> int | None:
    """Further failures for `POWER` to tell a true share like the one seen from one half, two-sided at 5 %; None at one half.

    Those `required`, less the failures seen; 1 at least, since these did not tell. `worth` is that of a failure whose judge errs,
    in failures that are known.
    """
    total = required(share)
    return None if total is None else max(math.ceil(total / worth - 1e-9) - seen, 1)


def required(share: float) -> float | None:
    """Failures in all that tell a true share from one half, with `POWER`, two-sided at 5 %; None at one half.

    The usual sample size for one proportion: ``((z_a / 2 + z_b sqrt(p (1 - p))) / (p - 1/2))^2``.
    """
    if abs(share - 0.5) < 1e-9:
        return None
    z_a, z_b = special.ndtri(0.5 + LEVEL / 2), special.ndtri(POWER)
    return float(((z_a / 2 + z_b * math.sqrt(share * (1 - share))) / (share - 0.5)) ** 2)


def bounds(outcomes: Outcomes) -> tuple[float, float] | None:
    """Of the failures, the least and the largest share that can be about retrieval, where no oracle says.

    A failure with a sufficient context is none, nor is one by form alone; one with an insufficient context may be, or both; where
    the context is not known anything is possible.
    """
    failures = outcomes.failed & ~np.isnan(outcomes.right)
    if not failures.any():
        return None
    possible = failures & ~(outcomes.sufficient == 1) & ~outcomes.form
    return 0.0, float(possible.sum() / failures.sum())
