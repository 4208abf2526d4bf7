"""What an audit of a pool says of the whole corpus, by how its ranking was made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.pools import SAMPLE, Pool, Pooled, Whole
from ragdiag.core.records import Mean, Run
from ragdiag.core.registry import spec_of, strategy_class
from ragdiag.scoring.measures import RANKED, Measure
from ragdiag.scoring.pooled import FALLING, counted
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.nested import models_of
from ragdiag.search.retrieval import Plan
from ragdiag.sources.pools import file_digest, queries_digest
from ragdiag.stats.pooled import Counted, bounded, estimated, losses, valued
from ragdiag.stats.statistics import Resampler

__all__ = ["of_whole"]

RARITY = "OffTopic"
"""The measure that looks at which words are rare among all documents, so that it is about the pool however this was ranked."""


def of_whole(
    pool: Pool | None,
    plan: Plan,
    scorer: Scorer,
    run: Run,
    values: Mapping[Measure, FloatArray],
    means: Mapping[Measure, Mean],
    resampler: Resampler,
) -> Pooled | None:
    """What each measure says of the whole of which the scorer's corpus is a pool, if it is one; `values` are theirs by query."""
    if pool is None:
        return None
    ranking = _ranking(pool, plan, scorer, run)
    drawn = set(pool.came_in[SAMPLE])
    by_chance = np.array([document.id in drawn for document in scorer.corpus.documents], dtype=bool)
    measures = {}
    for measure, mean in means.items():
        if ranking == "whole" and _is_of_whole(measure, pool, plan, scorer, run):
            measures[str(measure)] = Whole(mean.mean, mean.low, mean.high)
            continue
        items = counted(scorer, run, measure, by_chance) if ranking != "other queries" and mean.n else None
        if items is None:
            falls = measure.name in FALLING and ranking != "other queries"
            measures[str(measure)] = Whole(mean.mean, None, mean.high if falls else None)
        else:
            known = np.flatnonzero(~np.isnan(values[measure]))
            measures[str(measure)] = _whole(items, known, mean, pool.rate, resampler)
    return Pooled(pool, ranking, measures)


def _ranking(pool: Pool, plan: Plan, scorer: Scorer, run: Run) -> str:
    """As `core.pools.Pooled` has it: a run or a search of the whole, or a search of what the pool holds."""
    options, others = plan.options, queries_digest(scorer.labels.queries) != pool.queries_sha256
    if pool.complete or options.search is not None:
        return "whole"
    if others:
        return "other queries"
    if _has_all_tops(pool, plan) and _no_longer(pool, plan, scorer, run):
        return "whole"
    is_dense = not options.run and type(plan.retriever) is strategy_class("retrievers", "dense")
    return "independent" if is_dense else "dependent"


def _no_longer(pool: Pool, plan: Plan, scorer: Scorer, run: Run) -> bool:
    """Whether no context is longer than what of each ranking is in the pool."""
    return int(scorer.lengths(run, plan.options.k, plan.options.budget).max(initial=0)) <= pool.depth


def _is_of_whole(measure: Measure, pool: Pool, plan: Plan, scorer: Scorer, run: Run) -> bool:
    """Whether a measure of a ranking of the whole is that of the whole."""
    if pool.complete or measure.name == RARITY:
        return pool.complete
    recorded = bool(plan.options.run) or plan.options.search is not None  # further down too it is the ranking of the whole
    return recorded or _looks_no_deeper(measure, pool.depth, scorer, run)


def _looks_no_deeper(measure: Measure, depth: int, scorer: Scorer, run: Run) -> bool:
    """Whether a measure depends on the first `depth` results of each query alone: below them the pool lacks some."""
    lengths = scorer.lengths(run, measure.cutoff, measure.cutoff if measure.tokens else 0)
    if not measure.cutoff or int(lengths.max(initial=0)) > depth:
        return False
    if measure.name not in RANKED or measure.tokens:
        return True
    documents = scorer.chunking.document[run.chunks[:, :depth]]
    return all(len(np.unique(documents[q][run.chunks[q, :depth] >= 0])) >= measure.cutoff for q in scorer.labels.at("document"))


def _has_all_tops(pool: Pool, plan: Plan) -> bool:
    """Whether the pool has what this ranks first in the whole: one of its runs, or the same search of texts whose scores do not
    depend on other texts, which then ranks the same first in the pool.
    """
    options = plan.options
    if options.run:
        known = {str(name) for of in pool.runs for name in (of.get("sha256"), of.get("of_sha256"))}
        return file_digest(Path(options.run)) in known
    if type(plan.retriever) is not strategy_class("retrievers", "dense") or options.chunks or options.own_chunks:
        return False
    models = ", ".join(models_of(plan.retriever))
    same = {"retriever": spec_of(plan.retriever, full=True), "cut": spec_of(plan.chunker, full=True), "model": models}
    return spec_of(plan.context) == "none" and any(same.items() <= dict(run).items() for run in pool.runs)


def _whole(items: Counted, known: IntArray, mean: Mean, rate: float, resampler: Resampler) -> Whole:
    """What a measure says of the whole, of the `known` queries."""
    n = len(resampler.cluster)
    items = items.of(known)
    chosen, lost = (np.full(n, np.nan) for _ in range(2))
    chosen[known], lost[known] = valued(items, n, chosen=True)[known], losses(items, n)[known]
    low = min(bounded(chosen, lost, rate, resampler), mean.low or 0.0)
    estimate = estimated(items, known, resampler.cluster, rate, mean)
    return Whole(mean.mean, low, mean.high, float(chosen[known].mean()), float(lost[known].mean()), estimate)
