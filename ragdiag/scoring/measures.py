"""Measures of a run, per query: pure functions on arrays, spelled as ir_measures spells them.

``P@5 R@100 RR RR@10 AP nDCG@10 Success@5`` rank chunks (or documents, where labels are documents); ``Evidence@k Sufficient@k
Answer@k CharP@k CharR@k IoU@k Duplicate@k OffTopic@k Judged@k`` look at what the context holds. ``@800tok`` in place of a cutoff
means the context that fits 800 tokens. A query without results scores 0; what labels cannot decide is NaN, and shows in the
report's n.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ragdiag.core.errors import UsageError, did_you_mean
from ragdiag.core.records import Evidence, FloatArray, IntArray
from ragdiag.scoring.ties import Ties, untied
from ragdiag.text.spans import covered, expand, ratio, union

__all__ = [
    "Contexts",
    "Judged",
    "Measure",
    "SpanScores",
    "default_measures",
    "ranked",
    "span_scores",
]

RANKED = ("P", "R", "RR", "AP", "nDCG", "Success")
SPAN = ("Evidence", "Sufficient", "Answer", "CharP", "CharR", "IoU", "Duplicate", "OffTopic", "Judged")
NEEDS_CUTOFF = ("P", "R", "Success", *SPAN)
HAS_TAU = ("Evidence", "Sufficient")


@dataclass(frozen=True)
class Measure:
    """A measure and its cutoff; prints and parses back: ``nDCG@10``, ``RR``, ``Sufficient@800tok``, ``Sufficient(tau=0.8)@5``."""

    name: str
    cutoff: int = 0
    tokens: bool = False
    tau: float = 1.0

    def __str__(self) -> str:
        tau = f"(tau={self.tau:g})" if self.tau != 1 else ""
        return self.name + tau + (f"@{self.cutoff}{'tok' if self.tokens else ''}" if self.cutoff else "")

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Raises `UsageError` for an unknown measure, or a cutoff or tau it cannot have."""
        match = SPELLED.fullmatch(text.strip())
        name = NAMES.get(match[1].lower()) if match else None
        if not match or not name:
            raise UsageError(f"unknown measure {text!r}{did_you_mean(text, _spellings())}")
        cutoff = int(match[3] or 0)
        if not cutoff and (match[3] or name in NEEDS_CUTOFF):
            raise UsageError(f"measure {name} needs a cutoff of 1 or more, e.g. {name}@5")
        tau = _tau(match[2]) if match[2] else 1.0
        if not 0 < tau <= 1 or (match[2] and name not in HAS_TAU):
            raise UsageError(f"{text!r}: only Evidence and Sufficient have a tau, above 0 and at most 1")
        return cls(name, cutoff, bool(match[4]), tau)


SPELLED = re.compile(r"(\w+?)(?:\(tau=([0-9.]{1,9})\))?(?:@([0-9]{1,9})(tok)?)?")
"""A measure as it is written: name, tau, cutoff, and ``tok`` where the cutoff is in tokens."""

NAMES = {name.lower(): name for name in RANKED + SPAN} | {"mrr": "RR", "map": "AP", "ndcg": "nDCG"}
"""Each measure by what it may be called, in lower case."""


def _spellings() -> set[str]:
    return {name + ("@k" if name in NEEDS_CUTOFF else "") for name in RANKED + SPAN}


def _tau(digits: str) -> float:
    """0, which no tau is, for what is no number, such as ``0.5.5``."""
    try:
        return float(digits)
    except ValueError:
        return 0.0


class Judged(NamedTuple):
    """A ranking with its judgements.

    `grade`: grade of each ranked item, 0 where not relevant, best first, shape ``(n_queries, depth)``.
    `ideal`: grades of all relevant items of each query, descending, padded with 0.
    `new_groups`: for each rank, how many evidence groups that item is the first to hold some of (in expectation, where there are
    `ties`), and `groups`, how many each query has; only where a run alone names the chunks, so that not all chunks are known.
    `ties`: which items might as well stand in another order; None where each stands where it does.
    """

    grade: FloatArray
    ideal: FloatArray
    new_groups: FloatArray | None = None
    groups: IntArray | None = None
    ties: Ties | None = None


def ranked(measure: Measure, judged: Judged, depth: IntArray) -> FloatArray:
    """A rank measure for each query, shape ``(n_queries,)``: its mean over all orders of items that tie.

    `depth` is how many items the measure looks at in each query (the cutoff, or the length of a token budget's context).
    P divides by `depth`, and is 0 where that is 0. nDCG is the linear-gain form of Järvelin and Kekäläinen (2002) as trec_eval
    computes it: sum of grade / log2(rank + 1), over that of the ideal order. AP divides by the number of relevant items.
    RR and Success ask at which rank the first relevant item stands.
    """
    rank = np.arange(judged.grade.shape[1])
    within = rank < depth[:, None]
    relevant, ties = judged.grade > 0, judged.ties or untied(judged.grade.shape)
    hits = (ties.mean(relevant) * within).sum(axis=1)
    n_relevant = (judged.ideal > 0).sum(axis=1)
    if measure.name == "P":
        return ratio(hits, depth)
    if measure.name in ("Success", "RR"):
        worth = 1.0 / (rank + 1) if measure.name == "RR" else np.ones(len(rank))
        return np.asarray(np.minimum((ties.first_met(relevant) * within * worth).sum(axis=1), 1), dtype=np.float64)
    if judged.new_groups is not None and judged.groups is not None:  # only a run is known: what it missed is not
        if measure.name == "R":
            return ratio((judged.new_groups * within).sum(axis=1), judged.groups)
        return np.full(len(hits), np.nan)
    if measure.name == "R":
        return ratio(hits, n_relevant)
    if measure.name == "AP":
        return ratio((ties.met_with_earlier(relevant) / (rank + 1) * within).sum(axis=1), n_relevant)
    discount = 1.0 / np.log2(np.arange(max(judged.grade.shape[1], judged.ideal.shape[1])) + 2)
    gained = (ties.mean(judged.grade) * within * discount[: judged.grade.shape[1]]).sum(axis=1)
    ideal_within = np.arange(judged.ideal.shape[1]) < depth[:, None]
    best = (judged.ideal * ideal_within * discount[: judged.ideal.shape[1]]).sum(axis=1)
    return ratio(gained, best)


class Contexts(NamedTuple):
    """The spans that reach the prompt, one row a chunk, rows sorted by query: corpus-wide coordinates.

    `ns_start` and `ns_end` are the same positions counted in non-space characters (`spans.NonSpace`).
    """

    query: IntArray
    start: IntArray
    end: IntArray
    ns_start: IntArray
    ns_end: IntArray


class SpanScores(NamedTuple):
    """Characters of a context against evidence, shape ``(n_queries,)``; `coverage` is each group's, shape ``(n_groups,)``."""

    evidence: FloatArray
    sufficient: FloatArray
    char_p: FloatArray
    char_r: FloatArray
    iou: FloatArray
    coverage: FloatArray

    def named(self, name: str) -> FloatArray:
        """The scores of a span measure by its name."""
        return self[("Evidence", "Sufficient", "CharP", "CharR", "IoU").index(name)]


def span_scores(
    contexts: Contexts, evidence: Evidence, spans: Contexts, n_queries: int, size: int, tau: float = 1.0
) -> SpanScores:
    """Score contexts against evidence; `spans` holds the evidence rows as `contexts` holds chunks, `size` is the corpus' length.

    A group is covered where one alternative has at least `tau` of its non-space characters in the context. CharP, CharR and IoU
    (Smith and Troynikov 2024, "Evaluating Chunking Strategies for Retrieval") count all characters. Alternatives are no noise:
    any of them is evidence that a context may hold. Nor are they all required: in CharR a group that has several counts as its
    shortest, held in the share of the one that is covered best; so a larger context never has a lower CharR.
    """
    stride = size + 1  # one stretch of coordinates per query: queries never touch
    where, rows = contexts.query * stride, spans.query * stride
    context = union(where + contexts.start, where + contexts.end)
    ns_context = union(where + contexts.ns_start, where + contexts.ns_end)
    share = ratio(covered(rows + spans.ns_start, rows + spans.ns_end, *ns_context), spans.ns_end - spans.ns_start)

    n_groups = int(evidence.group.max()) + 1 if len(evidence.group) else 0
    coverage = _best_of(evidence.group, share, n_groups)
    group_query = np.zeros(n_groups, dtype=np.int64)
    group_query[evidence.group] = evidence.query
    per_query = np.bincount(group_query, minlength=n_queries)
    n_covered = np.bincount(group_query, weights=coverage >= tau - 1e-12, minlength=n_queries)

    start, end = rows + spans.start, rows + spans.end
    alone = (np.bincount(evidence.group, minlength=n_groups) == 1)[evidence.group]
    required = union(start[alone], end[alone])
    hit = _by_query(*_intersection(*context, *union(start, end)), stride, n_queries)
    hit_required = _by_query(*_intersection(*context, *required), stride, n_queries)
    needed = _by_query(*required, stride, n_queries)
    choice = evidence.group[~alone]
    part = _best_of(choice, ratio(covered(start, end, *context), end - start)[~alone], n_groups)
    length = -_best_of(choice, (start - end)[~alone].astype(np.float64), n_groups)
    hit_required += np.bincount(group_query, weights=part * length, minlength=n_queries)
    needed += np.bincount(group_query, weights=length, minlength=n_queries)
    total = _by_query(*context, stride, n_queries)
    return SpanScores(
        evidence=ratio(n_covered, per_query),
        sufficient=((n_covered == per_query) & (per_query > 0)).astype(float),
        char_p=ratio(hit, total),
        char_r=ratio(hit_required, needed),
        iou=ratio(hit, total + needed - hit_required),
        coverage=coverage,
    )


def _best_of(group: IntArray, values: FloatArray, n_groups: int) -> FloatArray:
    """The largest of each group's values, 0 for groups with none."""
    best = np.full(n_groups, -np.inf)
    np.maximum.at(best, group, values)
    return np.where(np.isfinite(best), best, 0.0)


def _intersection(start: IntArray, end: IntArray, by_start: IntArray, by_end: IntArray) -> tuple[IntArray, IntArray]:
    """The points in both of two sets of disjoint, ordered intervals."""
    low = np.searchsorted(by_end, start, side="right")
    high = np.searchsorted(by_start, end, side="left")
    i, j = expand(low, np.maximum(high - low, 0))
    return np.maximum(start[i], by_start[j]), np.minimum(end[i], by_end[j])


def _by_query(start: IntArray, end: IntArray, stride: int, n_queries: int) -> FloatArray:
    """Total length of intervals in each query's stretch of coordinates."""
    return np.bincount(start // stride, weights=end - start, minlength=n_queries).astype(np.float64)


def default_measures(k: int, budget: int) -> Sequence[Measure]:
    """The measures every audit reports, at its own context size."""
    here = (budget, True) if budget else (k, False)
    names = ("Sufficient", "Answer", "Evidence", "CharR", "CharP", "IoU", "Duplicate", "OffTopic", "Judged")
    spans = [Measure(name, *here) for name in names]
    spans.insert(1, Measure("Sufficient", *here, tau=0.8))
    ranks = [Measure(name, *here) for name in ("Success", "P")]
    return [*spans, *ranks, Measure("RR"), Measure("AP"), Measure("nDCG", 10), Measure("R", 100)]
