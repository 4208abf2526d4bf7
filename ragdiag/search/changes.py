"""One change of a pipeline that can be deployed: other chunks, a step round the retriever, another retriever, another context.

A failure mode names the changes that may mend it (`remedies`); ``ragdiag compare`` tries them on all queries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from ragdiag.core.options import Options
from ragdiag.core.registry import make, spec_of
from ragdiag.search.analyses import analysed
from ragdiag.search.nested import reads_documents

__all__ = [
    "Change", "by_parts", "other_retrievers", "overlapping", "sized", "stemmed", "with_context", "within", "without_stop_words",
]  # fmt: skip

Change = Callable[[Options], Iterator[Options]]
"""From the options of an audit to options with one thing changed: none where the change does not apply, or several variants."""


def sized(times: float) -> Change:
    """Chunks `times` as long."""

    def change(options: Options) -> Iterator[Options]:
        yield from _other_chunks(options, lambda size, overlap: {"size": max(round(size * times), 1)})

    return change


def overlapping(options: Options) -> Iterator[Options]:
    """Chunks that repeat a quarter of the one before."""
    yield from _other_chunks(options, lambda size, overlap: {"overlap": max(size // 4, 1)} if overlap == 0 else {})


def _other_chunks(options: Options, change: Callable[[int, int | None], dict[str, int]]) -> Iterator[Options]:
    """The same chunker with what `change` makes of its size and overlap (None where it has none).

    Nothing for a chunker without a size, or where the team cuts its chunks itself.
    """
    chunker = make("chunkers", options.chunker)
    parameters: dict[str, Any] = {field.name: getattr(chunker, field.name) for field in dataclasses.fields(chunker)}
    if options.chunks is None and "size" in parameters:
        changed = change(parameters["size"], parameters.get("overlap"))
        if changed:
            yield dataclasses.replace(options, chunker=spec_of(dataclasses.replace(chunker, **changed)))


def within(step: str) -> Change:
    """The retriever within a step, such as ``latest``."""

    def change(options: Options) -> Iterator[Options]:
        retriever = spec_of(make("retrievers", options.retriever))
        if not retriever.startswith(step):
            yield dataclasses.replace(options, retriever=f"{step}({retriever})")

    return change


def other_retrievers(options: Options) -> Iterator[Options]:
    """The other ways to search: by words, by meaning, by both."""
    retriever = spec_of(make("retrievers", options.retriever))
    yield from (dataclasses.replace(options, retriever=name) for name in ("bm25", "dense", "hybrid") if name != retriever)


def stemmed(options: Options) -> Iterator[Options]:
    """Words searched by their English stems: where a BM25, alone or within another retriever, has no analysis of its own."""
    yield from _analysed(options, stem="english")


def by_parts(options: Options) -> Iterator[Options]:
    """Compound identifiers searched by their parts as well: where a BM25 has no analysis of its own."""
    yield from _analysed(options, parts=True)


def without_stop_words(options: Options) -> Iterator[Options]:
    """Words searched without the commonest English ones: where a BM25 has no analysis of its own."""
    yield from _analysed(options, stop="english")


def _analysed(options: Options, **analysis: Any) -> Iterator[Options]:
    retriever = make("retrievers", options.retriever)
    if (changed := analysed(retriever, **analysis)) != retriever:
        yield dataclasses.replace(options, retriever=spec_of(changed))


def with_context(kind: str) -> Change:
    """Chunks indexed with what is round them."""

    def change(options: Options) -> Iterator[Options]:
        if options.context == "none" and not reads_documents(make("retrievers", options.retriever)):
            yield dataclasses.replace(options, context=kind)

    return change
