"""From causes to configurations: what can be deployed against each, as one change of the pipeline that was audited."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ragdiag.core.options import Options
from ragdiag.core.registry import make, spec_of

__all__ = ["remedies"]

Change = Callable[[Options], Iterator[Options]]


def remedies(options: Options, causes: Iterable[str]) -> dict[Options, tuple[str, ...]]:
    """Configurations that differ from `options` in one thing, each with the causes that point to it, in their order.

    A cause that no setting can mend (content that is missing, two questions in one) points to none.
    """
    found: dict[Options, list[str]] = {}
    for cause in causes:
        for change in REMEDIES.get(cause, ()):
            for changed in change(options):
                if changed != options and cause not in (reasons := found.setdefault(changed, [])):
                    reasons.append(cause)
    return {changed: tuple(reasons) for changed, reasons in found.items()}


def _sized(times: float) -> Change:
    """Chunks so many times as long."""

    def change(options: Options) -> Iterator[Options]:
        yield from _chunker(options, lambda c: {"size": max(round(c.size * times), 1)})

    return change


def _overlapping(options: Options) -> Iterator[Options]:
    """Chunks that repeat a quarter of the one before."""
    yield from _chunker(options, lambda c: {"overlap": max(c.size // 4, 1)} if hasattr(c, "overlap") and not c.overlap else {})


def _chunker(options: Options, change: Callable[[Any], dict[str, Any]]) -> Iterator[Options]:
    """The chunker with other parameters; the team's own chunks are cut by nobody here."""
    chunker = make("chunkers", options.chunker)
    if options.chunks is None and hasattr(chunker, "size") and (changed := change(chunker)):
        yield dataclasses.replace(options, chunker=spec_of(dataclasses.replace(chunker, **changed)))


def _wrapped(step: str) -> Change:
    """The retriever within a step."""

    def change(options: Options) -> Iterator[Options]:
        own = spec_of(make("retrievers", options.retriever))
        if not own.startswith(step):
            yield dataclasses.replace(options, retriever=f"{step}({own})")

    return change


def _other_retrievers(options: Options) -> Iterator[Options]:
    """The other ways to search: by words, by meaning, by both."""
    own = spec_of(make("retrievers", options.retriever))
    yield from (dataclasses.replace(options, retriever=name) for name in ("bm25", "dense", "hybrid") if name != own)


def _with_context(kind: str) -> Change:
    """Chunks indexed with what is round them."""

    def change(options: Options) -> Iterator[Options]:
        if options.context == "none":
            yield dataclasses.replace(options, context=kind)

    return change


REMEDIES: dict[str, tuple[Change, ...]] = {
    "chunk_split": (_overlapping, _sized(2)),
    "oversized": (_sized(2), _sized(4)),
    "truncated": (_sized(0.5), _other_retrievers),
    "stale": (_wrapped("latest"),),
    "crowded_out": (_wrapped("dedupe"),),
    "pollution": (_other_retrievers,),
    "diluted": (_sized(0.5),),
    "query_mismatch": (_other_retrievers, _with_context("title")),
    "incomplete": (_wrapped("mmr"), _other_retrievers, _with_context("neighbours")),
    "ranking": (_other_retrievers, _with_context("title"), _with_context("neighbours")),
    "adjacent": (_sized(2), _with_context("neighbours")),
}
"""What is tried for each cause. Re-ranking is not among it, as its model has to be named: ``--retriever 'rerank(...)'``."""
