"""What the audit of a pool says of the whole corpus, in lines that come before any score."""

from __future__ import annotations

from collections.abc import Iterator

from ragdiag.core.pools import Pooled, Whole
from ragdiag.core.proofs import Row

__all__ = ["pool_rows"]

SAID = {
    "whole": "this ranking is of the whole corpus, so the measures are those of the whole",
    "independent": "no document that is left out can raise a measure",
    "dependent": "this retriever's scores depend on what else is indexed, so that all of this is an estimate",
    "other queries": "it was made for other queries, so nothing is known of what it leaves out",
}
"""What each kind of ranking lets an audit say of the whole."""

MAIN = ("Sufficient", "Success", "RR", "nDCG")
"""Measures that are named."""


def pool_rows(pooled: Pooled | None) -> Iterator[Row]:
    """How much of the whole was audited, what the measures of the whole are, and what causes are about."""
    if pooled is None:
        return
    pool = pooled.pool
    of = f"{pool.documents:,} of {pool.whole['documents']:,} documents"
    bounded = {name: whole for name, whole in pooled.measures.items() if _is_bounded(name, whole, pooled.ranking)}
    deeper = ", but for those that look further down than the pool has all of" if pooled.ranking == "whole" and bounded else ""
    limits = "OffTopic, causes and proofs are about the pool"
    yield Row.of("", (f"measured on a pool of {of}: {SAID[pooled.ranking]}{deeper}; {limits}", "warn"))
    for name, whole in bounded.items():
        yield Row.of("", f"  {name} of the whole: ", _said(whole))
    if pool.unnamed:
        yield Row.of("", (f"{len(pool.unnamed)} documents that labels or runs name were not in the whole corpus", "warn"))


def _is_bounded(name: str, whole: Whole, ranking: str) -> bool:
    """Whether a measure is named whose value in the whole is not known, but bounded."""
    has_bounds = whole.low is not None and whole.high is not None
    is_known = ranking == "whole" and whole.chosen is None
    return name.partition("@")[0] in MAIN and ranking != "other queries" and has_bounds and not is_known


def _said(whole: Whole) -> str:
    """The bounds of a measure, and what a model makes of it."""
    bounds = f"between {whole.low:.3f} and {whole.high:.3f}"
    if whole.estimate is None:
        return f"{bounds}; the sample is too small to say more"
    mean, low, high = whole.estimate
    return f"{bounds}, by a model {mean:.3f} [{low:.3f}, {high:.3f}]"
