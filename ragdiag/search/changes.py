"""One change of a pipeline that can be deployed: other chunks, a step round the retriever, another retriever, another context.

A failure mode names the changes that mend it (`Fix`); ``ragdiag compare`` tries them on all queries.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ragdiag.core.options import NO_SWAP, Options
from ragdiag.core.passages import Passing
from ragdiag.core.protocols import Fusion, Retriever, Wrapper
from ragdiag.core.registry import make, name_of, spec_of
from ragdiag.search.analyses import analysed
from ragdiag.search.nested import WORDS, below, collection_of, handing_over, over, reads_documents, searching

__all__ = [
    "Audited", "Change", "Fix", "bigger_parents", "by_parts", "by_sentences", "expanded", "lacking_contexts",
    "other_retrievers", "overlapping", "sized", "small_to_big", "stemmed", "swapped", "with_context", "within",
    "without_stop_words",
]  # fmt: skip


class Audited(NamedTuple):
    """What was audited: by which options, and the language of the documents ("" where that cannot be told)."""

    options: Options
    language: str = "english"


Change = Callable[[Audited], Iterator[Options]]
"""From what was audited to options with one thing changed: none where the change does not apply, or several variants."""

MEANING = "dense"
"""The retriever that searches by meaning."""

BY_WORDS = (WORDS, "elastic")
"""Retrievers that search by words."""

PARENT = 640
"""Tokens of a parent where nothing tells how long chunks are."""


class Fix(NamedTuple):
    """One thing to do about a cause: in words, and as changes of the pipeline; without any it is no setting of ours.

    `words` may leave places for figures, and `more` is said after the specs.
    """

    words: str
    changes: tuple[Change, ...] = ()
    more: str = ""

    def specs(self, audited: Audited) -> tuple[str, ...]:
        """What of each changed pipeline would be typed."""
        return tuple(dict.fromkeys(typed(audited.options, changed) for change in self.changes for changed in change(audited)))

    def text(self, specs: Sequence[str], **figures: object) -> str:
        """The words with the specs: ``larger chunks: sentence(size=320)``."""
        words = self.words.format(**figures)
        return (f"{words}: {' or '.join(specs)}" if specs else words) + self.more.format(**figures)


def typed(before: Options, after: Options) -> str:
    """What of `after` differs from `before`, as one would type it."""
    chunker, context, retriever = (
        getattr(after, name) if getattr(after, name) != getattr(before, name) else ""
        for name in ("chunker", "context", "retriever")
    )
    cut = chunker if "(" in chunker else f"--chunker {chunker}" if chunker else ""
    return " with ".join(filter(None, [cut, f"--context {context}" if context else "", retriever]))


@functools.cache
def sized(times: float) -> Change:
    """Chunks `times` as long."""

    def change(audited: Audited) -> Iterator[Options]:
        yield from _other_chunks(audited.options, lambda own: {"size": max(round(own["size"] * times), 1)})

    return change


def overlapping(audited: Audited) -> Iterator[Options]:
    """Chunks that repeat a quarter of the one before."""
    yield from _other_chunks(
        audited.options, lambda own: {"overlap": max(own["size"] // 4, 1)} if own.get("overlap") == 0 else {}
    )


def by_sentences(audited: Audited) -> Iterator[Options]:
    """Chunks as long that end with sentences, in place of those that end anywhere."""
    for options, chunker in _cut_by_us(audited.options):
        if name_of(type(chunker)) == "fixed":
            same = {field.name: getattr(chunker, field.name) for field in dataclasses.fields(chunker)}
            yield dataclasses.replace(options, chunker=spec_of(dataclasses.replace(make("chunkers", "sentence"), **same)))


def small_to_big(audited: Audited) -> Iterator[Options]:
    """Chunks half as long, handed over with their neighbours; nothing where more than what was found is handed over already."""
    retriever = make("retrievers", audited.options.retriever)
    for options in sized(0.5)(audited):
        if not isinstance(retriever, Passing):
            yield dataclasses.replace(options, retriever=f"expand({spec_of(retriever)})")


def _cut_by_us(options: Options) -> Iterator[tuple[Options, Any]]:
    """The options with their chunker; nothing where somebody else cuts: the team itself, a store, a run or a search."""
    given = options.chunks or options.own_chunks or options.run or options.search is not None
    if not given and collection_of(make("retrievers", options.retriever)) is None:
        yield options, make("chunkers", options.chunker)


def _other_chunks(options: Options, change: Callable[[dict[str, Any]], dict[str, int]]) -> Iterator[Options]:
    """The same chunker with what `change` makes of its parameters; nothing for one without a size."""
    for audited, chunker in _cut_by_us(options):
        own = {field.name: getattr(chunker, field.name) for field in dataclasses.fields(chunker)}
        if "size" in own and (changed := change(own)):
            yield dataclasses.replace(audited, chunker=spec_of(dataclasses.replace(chunker, **changed)))


def _ranks(options: Options) -> bool:
    """Whether a retriever of these options ranks: no recorded run, nor the team's own search."""
    return not options.run and options.search is None


def _other_retriever(options: Options, other: str) -> Iterator[Options]:
    if _ranks(options) and other != spec_of(make("retrievers", options.retriever)):
        yield dataclasses.replace(options, retriever=other)


@functools.cache
def within(step: str) -> Change:
    """The retriever within a step, such as ``latest``; nothing where it has that step."""

    def change(audited: Audited) -> Iterator[Options]:
        retriever = make("retrievers", audited.options.retriever)
        if all(name_of(type(part)) != step for part in (retriever, *below(retriever))):
            stepped = make("retrievers", f"{step}({spec_of(searching(retriever))})")
            yield from _other_retriever(audited.options, spec_of(handing_over(retriever, stepped)))

    return change


def expanded(audited: Audited) -> Iterator[Options]:
    """Each chunk handed over with its neighbours: one more on each side where that is so already; nothing round parents."""
    retriever = make("retrievers", audited.options.retriever)
    name = name_of(type(retriever))
    if name == "expand":
        wider = dataclasses.replace(retriever, before=retriever.before + 1, after=retriever.after + 1)
        yield from _other_retriever(audited.options, spec_of(wider))
    elif name == "merge" or not isinstance(retriever, Passing):
        yield from _other_retriever(audited.options, f"expand({spec_of(searching(retriever))})")


def bigger_parents(audited: Audited) -> Iterator[Options]:
    """Each chunk handed over with the stretch of its document that holds it, four times as long; twice a parent's length where
    parents are handed over.
    """
    retriever = make("retrievers", audited.options.retriever)
    if name_of(type(retriever)) == "parent":
        yield from _other_retriever(audited.options, spec_of(dataclasses.replace(retriever, size=2 * retriever.size)))
    else:
        sizes = [c.size for _, c in _cut_by_us(audited.options) if getattr(c, "unit", "") == "tokens" and hasattr(c, "size")]
        parent = f"parent({spec_of(searching(retriever))}, size={4 * sizes[0] if sizes else PARENT})"
        yield from _other_retriever(audited.options, spec_of(make("retrievers", parent)))


def other_retrievers(audited: Audited) -> Iterator[Options]:
    """Other ways to search, as a diagnosis tries them (`nested.swaps_of`): see `swapped`."""
    if audited.options.swap == NO_SWAP:
        return
    base = _inmost(make("retrievers", audited.options.retriever))
    if audited.options.swap:
        others = [audited.options.swap]
    elif isinstance(base, Fusion):
        others = [spec_of(fused) for fused in base.retrievers]
    else:
        others = [MEANING if name_of(type(base)) in BY_WORDS else WORDS]
    for other in others:
        yield from swapped(other)(audited)


@functools.cache
def swapped(other: str) -> Change:
    """The retriever of that spec under the same steps, and both together where no fusion was audited. A store's chunks are its
    own, so that only both together can search them.
    """

    def change(audited: Audited) -> Iterator[Options]:
        options = audited.options
        retriever, added = make("retrievers", options.retriever), searching(make("retrievers", other))
        base, stored = _inmost(retriever), collection_of(retriever) is not None
        ways = [] if stored else [spec_of(added)]
        if not isinstance(base, Fusion) and not isinstance(added, Fusion):
            pair = sorted([base, added], key=lambda one: name_of(type(one)) not in BY_WORDS)
            ways.append(_hybrid(*map(spec_of, pair)))
        for way in ways:
            yield from _other_retriever(options, _replaced(retriever, way))

    return change


def _hybrid(*parts: str) -> str:
    return spec_of(make("retrievers", f"hybrid({', '.join(parts)})"))


def _inmost(retriever: Retriever) -> Retriever:
    """What searches, under all steps."""
    return _inmost(retriever.retriever) if isinstance(retriever, Wrapper) else retriever


def _replaced(retriever: Retriever, other: str) -> str:
    """The spec of the steps of a retriever over another one."""
    if not isinstance(retriever, Wrapper):
        return other
    return spec_of(over(retriever, make("retrievers", _replaced(retriever.retriever, other))))


def stemmed(audited: Audited) -> Iterator[Options]:
    """Words searched by stems of the documents' language: where a BM25, alone or within another retriever, has no analysis of
    its own.
    """
    yield from _analysed(audited.options, stem=audited.language)


def by_parts(audited: Audited) -> Iterator[Options]:
    """Compound identifiers searched by their parts as well: where a BM25 has no analysis of its own."""
    yield from _analysed(audited.options, parts=True)


def without_stop_words(audited: Audited) -> Iterator[Options]:
    """Words searched without the commonest English ones: where a BM25 has no analysis of its own."""
    yield from _analysed(audited.options, stop="english")


def _analysed(options: Options, **analysis: object) -> Iterator[Options]:
    yield from _other_retriever(options, spec_of(analysed(make("retrievers", options.retriever), **analysis)))


LACKING = {"none": ("title", "heading", "neighbours"), "title": ("heading",), "heading": (), "neighbours": ("title", "heading")}
"""By what is indexed with each chunk already (``--context``): what could be besides, the cheapest first."""


def lacking_contexts(context: str) -> tuple[str, ...]:
    """What could be indexed with each chunk, where `context` is."""
    return LACKING.get(context.partition("(")[0], ())


@functools.cache
def with_context(kind: str) -> Change:
    """Chunks indexed with what is round them; a store has embedded its own, and who reads documents whole needs none."""

    def change(audited: Audited) -> Iterator[Options]:
        options, retriever = audited.options, make("retrievers", audited.options.retriever)
        ours = _ranks(options) and collection_of(retriever) is None and not reads_documents(retriever)
        if ours and kind in lacking_contexts(options.context):
            yield dataclasses.replace(options, context=kind)

    return change
