"""What reviews of failing queries say of all failing queries, and so of the share that is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.core.records import BoolArray, FloatArray, IntArray, Query, QueryResult, Run
from ragdiag.core.reviews import STRATA, Corrected, Drawn, Review, Stratum, place_in_draw
from ragdiag.scoring.judgements import before_reviews
from ragdiag.scoring.scoring import Scorer
from ragdiag.stats.corrected import corrected
from ragdiag.stats.statistics import Resampler

__all__ = ["Sampled", "sampled"]


class Sampled(NamedTuple):
    """Queries measured, those served by the labels that they came with, the failing ones by stratum; see `stats.corrected`."""

    n: int
    served: int
    strata: tuple[Drawn, ...]
    certain: tuple[int, int]  # the least and the most that are served, given all that was looked at
    worth: float
    seed: int

    def corrected(self) -> Corrected:
        """The share served as the review corrects it."""
        return corrected(*self)


def sampled(
    scorer: Scorer, run: Run, lengths: IntArray, results: Sequence[QueryResult], pipeline: str, resampler: Resampler
) -> Sampled | None:
    """What the reviews among the labels are a sample of; None where no query has a label that says where its evidence is.

    `results` say which labels the audit doubts, and which are wide: queries whose answering part is served are no failures to
    review. `pipeline` is its `stamp`.
    """
    labels, queries = scorer.labels, scorer.labels.queries
    measured = labels.at("span")
    if not len(measured):
        return None
    served = scorer.sufficient(run, lengths) > 0
    open_ = np.isin(np.arange(len(queries)), list(scorer.judgements.unjudged(run, lengths))) & ~served
    as_labelled, unjudged = served, open_
    if any(q.review for q in queries):
        before = Scorer(scorer.corpus, before_reviews(labels, scorer.corpus), scorer.chunking)
        as_labelled = before.sufficient(run, lengths) > 0
        unjudged = np.isin(np.arange(len(queries)), list(before.judgements.unjudged(run, lengths))) & ~as_labelled
    wide, doubtful = ([i for i, q in enumerate(results) if q.label == name] for name in ("wide", "doubtful"))
    failing = np.setdiff1d(measured[unjudged[measured]], wide)
    values = np.full(len(queries), np.nan)
    values[measured] = served[measured]
    seed, strata = _strata([queries[i] for i in failing.tolist()], np.isin(failing, doubtful), queries, pipeline,
                           served[failing], open_[failing])  # fmt: skip
    least = int(served[measured].sum())
    certain = least, least + int(open_[failing].sum())
    return Sampled(len(measured), int(as_labelled[measured].sum()), strata, certain, resampler.worth(values), seed)


def _strata(
    failing: list[Query], doubtful: BoolArray, queries: tuple[Query, ...], pipeline: str, served: BoolArray, open_: BoolArray
) -> tuple[int, tuple[Drawn, ...]]:
    """The failing queries by stratum, those at or before the last place that was reviewed in it being its sample.

    Reviews of another pipeline's failing queries say nothing of which of these are doubtful. All are then one stratum, whose
    sample ends where both strata's did. Reviews with different seeds are no one sample, and none is taken from them.
    """
    reviews = [(q.review, q.id) for q in queries if q.review and q.review.stratum]
    seed, ends = _ends(reviews)
    places = np.array([place_in_draw(seed, q.id) for q in failing])
    if any(review.pipeline != pipeline for review, _ in reviews):
        return seed, (_drawn("other", places, _end_of_both(ends), served, open_),) if len(places) else ()
    rows = np.array([_stratum(q, bool(d)) for q, d in zip(failing, doubtful, strict=True)], dtype=object)
    of = {name: rows == name for name in STRATA}
    return seed, tuple(_drawn(s, places[of[s]], ends[s], served[of[s]], open_[of[s]]) for s in STRATA if of[s].any())


def _ends(reviews: Sequence[tuple[Review, str]]) -> tuple[int, dict[Stratum, float]]:
    """The seed of the draw, and of each stratum the last place that was reviewed; -1 where there is none, or several seeds."""
    seeds = {review.seed for review, _ in reviews}
    seed = min(seeds, default=0)
    places = [(review.stratum, place_in_draw(seed, name)) for review, name in reviews] if len(seeds) == 1 else []
    return seed, {name: max((place for stratum, place in places if stratum == name), default=-1.0) for name in STRATA}


def _end_of_both(ends: Mapping[Stratum, float]) -> float:
    """The last place up to which both strata were reviewed; where none was doubtful, the other alone."""
    return ends["other"] if ends["doubtful"] < 0 else min(ends.values())


def _stratum(query: Query, doubtful: bool) -> Stratum:
    """That which a reviewed query was drawn from; else that which it would be."""
    if query.review and query.review.stratum:
        return query.review.stratum
    return STRATA[not doubtful]


def _drawn(stratum: Stratum, places: FloatArray, end: float, served: BoolArray, open_: BoolArray) -> Drawn:
    inside = places <= end
    return Drawn(stratum, len(places), int(inside.sum()), int((inside & served).sum()), int((inside & open_).sum()))
