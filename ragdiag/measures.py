"""Measures of a run, per query: pure functions on arrays, spelled as ir_measures spells them.

``P@5 R@100 RR RR@10 AP nDCG@10 Success@5`` rank chunks (or documents, where labels are documents); ``Evidence@k Sufficient@k
CharP@k CharR@k IoU@k Duplicate@k`` look at the characters of the context. ``@800tok`` in place of a cutoff means the context that
fits 800 tokens. A query without results scores 0; what labels cannot decide is NaN here, and shows in the report's n.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ragdiag.errors import UsageError, did_you_mean
from ragdiag.records import BoolArray, Evidence, FloatArray, IntArray
from ragdiag.spans import covered, union

__all__ = [
    "Contexts",
    "Judged",
    "Measure",
    "SpanScores",
    "context_lengths",
    "default_measures",
    "duplicate_share",
    "ranked",
    "span_scores",
]

RANKED = ("P", "R", "RR", "AP", "nDCG", "Success")
SPAN = ("Evidence", "Sufficient", "CharP", "CharR", "IoU", "Duplicate")
_WORD = re.compile(r"\w+")
NEEDS_CUTOFF = ("P", "R", "Success", *SPAN)


@dataclass(frozen=True)
class Measure:
    """A measure and its cutoff; prints and parses back: ``nDCG@10``, ``RR``, ``Sufficient@800tok``."""

    name: str
    cutoff: int = 0
    tokens: bool = False

    def __str__(self) -> str:
        return self.name + (f"@{self.cutoff}{'tok' if self.tokens else ''}" if self.cutoff else "")

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Raises `UsageError` for an unknown measure or a cutoff it cannot have."""
        match = re.fullmatch(r"(\w+?)(?:@(\d+)(tok)?)?", text.strip())
        names = {n.lower(): n for n in RANKED + SPAN} | {"mrr": "RR", "map": "AP", "ndcg": "nDCG"}
        name = names.get(match[1].lower()) if match else None
        if not match or not name:
            known = {n + ("@k" if n in NEEDS_CUTOFF else "") for n in RANKED + SPAN}
            raise UsageError(f"unknown measure {text!r}{did_you_mean(text, known)}")
        cutoff = int(match[2] or 0)
        if (match[2] and cutoff < 1) or (name in NEEDS_CUTOFF and not cutoff):
            raise UsageError(f"measure {name} needs a cutoff of 1 or more, e.g. {name}@5")
        return cls(name, cutoff, bool(match[3]))


class Judged(NamedTuple):
    """A ranking with its judgements.

    `grade`: grade of each ranked item, 0 where not relevant, best first, shape ``(n_queries, depth)``.
    `item`: True where something is ranked. `ideal`: grades of all relevant items of each query, descending, padded with 0.
    `found`: for each rank, how many further evidence groups that item brings; only where no complete chunk set is known.
    """

    grade: FloatArray
    item: BoolArray
    ideal: FloatArray
    found: IntArray | None = None
    groups: IntArray | None = None


def ranked(measure: Measure, judged: Judged, depth: IntArray) -> FloatArray:
    """A rank measure for each query, shape ``(n_queries,)``.

    `depth` is how many items the measure looks at in each query (the cutoff, or the length of a token budget's context).
    P divides by `depth`. nDCG is the linear-gain form of Järvelin and Kekäläinen (2002) as trec_eval computes it:
    sum of grade / log2(rank + 1), over that of the ideal order. AP divides by the number of relevant items.
    """
    rank = np.arange(judged.grade.shape[1])
    seen = rank < depth[:, None]
    relevant = (judged.grade > 0) & seen
    hits = relevant.sum(axis=1)
    n_relevant = (judged.ideal > 0).sum(axis=1)
    if measure.name == "P":
        return _ratio(hits, depth)
    if measure.name == "Success":
        return np.asarray(hits > 0, dtype=np.float64)
    if measure.name == "RR":
        first = np.argmax(relevant, axis=1)
        return np.asarray(np.where(hits > 0, 1.0 / (first + 1), 0.0), dtype=np.float64)
    if judged.found is not None and judged.groups is not None:  # only a run is known: what it missed is not
        if measure.name == "R":
            return _ratio((judged.found * seen).sum(axis=1), judged.groups)
        return np.full(len(hits), np.nan)
    if measure.name == "R":
        return _ratio(hits, n_relevant)
    if measure.name == "AP":
        precision = np.cumsum(relevant, axis=1) / (rank + 1)
        return _ratio((precision * relevant).sum(axis=1), n_relevant)
    discount = 1.0 / np.log2(np.arange(max(judged.grade.shape[1], judged.ideal.shape[1])) + 2)
    gained = (judged.grade * seen * discount[: judged.grade.shape[1]]).sum(axis=1)
    within = np.arange(judged.ideal.shape[1]) < depth[:, None]
    best = (judged.ideal * within * discount[: judged.ideal.shape[1]]).sum(axis=1)
    return _ratio(gained, best)


def _ratio(above: IntArray | FloatArray, below: IntArray | FloatArray) -> FloatArray:
    """above / below, 0 where below is 0."""
    return np.divide(above, below, out=np.zeros(len(above)), where=np.asarray(below) > 0)


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

    A group is covered where one alternative has at least `tau` of its non-space characters in the context. CharR, CharP and IoU
    (Smith and Troynikov 2024, "Evaluating Chunking Strategies for Retrieval") count all characters: of each group the alternative
    that is covered best, plus any further alternatives the context holds; so a copy is neither required nor noise.
    """
    stride = size + 1  # one stretch of coordinates per query: queries never touch
    where = contexts.query * stride
    context = union(where + contexts.start, where + contexts.end)
    ns_context = union(where + contexts.ns_start, where + contexts.ns_end)
    rows = spans.query * stride
    share = _ratio(covered(rows + spans.ns_start, rows + spans.ns_end, *ns_context), spans.ns_end - spans.ns_start)

    n_groups = int(evidence.group.max()) + 1 if len(evidence.group) else 0
    best = _best_rows(evidence.group, share)
    coverage = np.zeros(n_groups)
    coverage[evidence.group[best]] = share[best]
    group_query = np.zeros(n_groups, dtype=np.int64)
    group_query[evidence.group] = evidence.query
    per_query = np.bincount(group_query, minlength=n_queries)
    is_covered = coverage >= tau - 1e-12
    n_covered = np.bincount(group_query, weights=is_covered, minlength=n_queries)

    wanted = union((rows + spans.start)[best], (rows + spans.end)[best])
    hit = _by_query(*_intersection(*context, *union(rows + spans.start, rows + spans.end)), stride, n_queries)
    hit_wanted = _by_query(*_intersection(*context, *wanted), stride, n_queries)
    total = _by_query(*context, stride, n_queries)
    needed = _by_query(*wanted, stride, n_queries)
    return SpanScores(
        evidence=_ratio(n_covered, per_query),
        sufficient=((n_covered == per_query) & (per_query > 0)).astype(float),
        char_p=_ratio(hit, total),
        char_r=_ratio(hit_wanted, needed),
        iou=_ratio(hit, total + needed - hit_wanted),
        coverage=coverage,
    )


def duplicate_share(query: IntArray, texts: Sequence[str], n_queries: int, words: int = 8) -> FloatArray:
    """Of each query's context, the share of characters (of words) that repeats text already in it: runs of `words` words or more.

    `texts` are the chunks of all contexts in rank order, `query` whose they are; shape of the result ``(n_queries,)``.
    """
    vocabulary: dict[str, int] = {}
    seen: set[tuple[int, tuple[int, ...]]] = set()
    repeated, shown = np.zeros(n_queries), np.zeros(n_queries)
    for q, text in zip(query.tolist(), texts, strict=True):
        found = _WORD.findall(text.lower())
        ids = [vocabulary.setdefault(w, len(vocabulary)) for w in found]
        size = min(words, len(ids))
        again = np.zeros(len(ids) + 1, dtype=np.int64)
        grams = [(q, tuple(ids[i : i + size])) for i in range(len(ids) - size + 1)] if ids else []
        for i, gram in enumerate(grams):
            if gram in seen:
                again[i] += 1
                again[i + size] -= 1
        seen.update(grams)
        lengths = np.array([len(w) for w in found], dtype=np.int64)
        repeated[q] += lengths[np.cumsum(again)[:-1] > 0].sum() if ids else 0
        shown[q] += lengths.sum()
    return _ratio(repeated, shown)


def _best_rows(group: IntArray, share: FloatArray) -> IntArray:
    """Of each group the row with the largest share, the first such."""
    order = np.lexsort((np.arange(len(group)), -share, group))
    first = np.concatenate([[True], np.diff(group[order]) > 0]) if len(group) else np.zeros(0, dtype=bool)
    best: IntArray = order[first]
    return best


def _intersection(start: IntArray, end: IntArray, by_start: IntArray, by_end: IntArray) -> tuple[IntArray, IntArray]:
    """The points in both of two sets of disjoint, ordered intervals."""
    low = np.searchsorted(by_end, start, side="right")
    high = np.searchsorted(by_start, end, side="left")
    counts = np.maximum(high - low, 0)
    i = np.repeat(np.arange(len(start)), counts)
    j = np.repeat(low, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.maximum(start[i], by_start[j]), np.minimum(end[i], by_end[j])


def _by_query(start: IntArray, end: IntArray, stride: int, n_queries: int) -> FloatArray:
    """Total length of intervals in each query's stretch of coordinates."""
    return np.bincount(start // stride, weights=end - start, minlength=n_queries).astype(np.float64)


def context_lengths(run_chunks: IntArray, tokens: IntArray, k: int, budget: int) -> IntArray:
    """How many ranked chunks of each query reach the prompt: the first `k`, or those that fit `budget` tokens.

    Under a budget, chunks are taken in rank order, stopping before the first that would exceed it; the first is always taken.
    """
    ranked_any = run_chunks >= 0
    if not budget:
        return np.asarray(np.minimum(ranked_any.sum(axis=1), k), dtype=np.int64)
    used = np.cumsum(np.where(ranked_any, tokens[run_chunks], 0), axis=1)
    fits = (used <= budget) & ranked_any
    fits[:, 0] = ranked_any[:, 0]
    stops = np.concatenate([fits, np.zeros((len(fits), 1), dtype=bool)], axis=1)
    return np.asarray(np.argmin(stops, axis=1), dtype=np.int64)


def default_measures(k: int, budget: int) -> Sequence[Measure]:
    """The measures every audit reports, at its own context size."""
    here = (budget, True) if budget else (k, False)
    spans = [Measure(name, *here) for name in ("Sufficient", "Evidence", "CharR", "CharP", "IoU", "Duplicate")]
    ranks = [Measure(name, *here) for name in ("Success", "P")]
    return [*spans, *ranks, Measure("RR"), Measure("AP"), Measure("nDCG", 10), Measure("R", 100)]
