"""Strategies made of strategies, and the indexes that they make: what is in one, and what could stand there instead."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ragdiag.core.encoders import NamedModel, Noted, Readable, WithEncoder, WithScorer
from ragdiag.core.errors import SpecError
from ragdiag.core.passages import Passing
from ragdiag.core.proofs import EXACT
from ragdiag.core.protocols import (
    Collection,
    Composed,
    Fusion,
    Index,
    Kept,
    Progress,
    Retriever,
    Step,
    Store,
    Timed,
    Weighted,
    Wrapper,
)
from ragdiag.core.records import Chunking
from ragdiag.core.registry import make, spec_of
from ragdiag.search.late import LateEncoder

__all__ = [
    "WORDS", "all_models", "below", "collection_of", "encoder_of", "encodes_anew", "handing_over", "kept_of", "models_of",
    "notes_on_models", "opened", "over", "own_models", "parts_of", "readers_of", "reads_documents", "reanalysed", "retriever_of",
    "searching", "swaps_of", "weighted", "weights_of",
]  # fmt: skip


WORDS = "bm25"
"""The retriever that searches by words alone."""


def models_of(strategy: object) -> list[str]:
    """The models behind a strategy, nested ones too: name, hash of the files, precision."""
    return [model.described for model in all_models(strategy)]


def all_models(strategy: object) -> list[NamedModel]:
    """The models behind a strategy, nested ones too."""
    return own_models(strategy) + [model for inner in _inside(strategy) for model in all_models(inner)]


def own_models(part: object) -> list[NamedModel]:
    """The models that a strategy or an index has itself: what makes vectors, what scores pairs."""
    encoders: list[NamedModel] = [part.encoder] if isinstance(part, WithEncoder) else []
    return encoders + ([part.scorer] if isinstance(part, WithScorer) else [])


def _inside(strategy: object) -> Sequence[Retriever]:
    """The retrievers that one works on, or fuses."""
    if isinstance(strategy, Wrapper):
        return (strategy.retriever,)
    return strategy.retrievers if isinstance(strategy, Fusion) else ()


def retriever_of(spec: str) -> Retriever:
    """The retriever that a spec names. Raises `SpecError` where what is handed over is not decided outermost."""
    retriever: Retriever = make("retrievers", spec)
    if any(isinstance(inner, Passing) for inner in below(retriever)):
        raise SpecError(f"{spec_of(retriever)}: what is handed over is decided last; write expand, parent or merge outermost")
    return retriever


def handing_over(retriever: Retriever, other: Retriever) -> Retriever:
    """`other`, which hands over passages as `retriever` does. Raises `SpecError` for passages where `retriever` gives chunks."""
    if isinstance(other, Passing) and not isinstance(retriever, Passing):
        named = spec_of(other.retriever)
        raise SpecError(
            f"--swap {spec_of(other)} hands over passages, and what is audited hands over chunks; write --swap {named}"
        )
    if not isinstance(retriever, Passing) or isinstance(other, Passing):
        return other
    return over(retriever, other)


def over(step: Wrapper, inner: Retriever) -> Retriever:
    """A step on another retriever."""
    strategy: Any = step  # a dataclass, which no protocol can say
    return typing.cast(Retriever, dataclasses.replace(strategy, retriever=inner))


def searching(retriever: Retriever) -> Retriever:
    """What finds what a retriever hands over: itself, or the one that it works on where it hands over passages."""
    return retriever.retriever if isinstance(retriever, Passing) else retriever


def below(strategy: object) -> Iterator[Retriever]:
    """All retrievers in one."""
    for inner in _inside(strategy):
        yield inner
        yield from below(inner)


def parts_of(index: Index) -> Iterator[Index]:
    """An index and all those it is made of."""
    yield index
    if isinstance(index, Composed):
        for part in index.indexes:
            yield from parts_of(part)


def kept_of(index: Index) -> tuple[Callable[[Sequence[int]], Sequence[bool]] | None, bool]:
    """What tells which stored vectors of an index are not of their texts, None without any; whether texts can be added."""
    kept = next((part for part in parts_of(index) if isinstance(part, Kept)), None)
    return (kept.drifted, kept.adds) if kept else (None, True)


def encoder_of(index: Index) -> NamedModel | None:
    """The encoder of an index, or of the first part of it that has one."""
    return next((part.encoder for part in parts_of(index) if isinstance(part, WithEncoder)), None)


def weighted(index: Index) -> bool:
    """Whether an index, or a part of it, weighs words by how rare they are."""
    return any(isinstance(part, Weighted) for part in parts_of(index))


def weights_of(index: Index, text: str) -> Mapping[str, float]:
    """Each word of `text` that an index weighs, with the least weight that a part of it gives to it."""
    weights: dict[str, float] = {}
    for part in parts_of(index):
        for word, weight in part.weights_of(text).items() if isinstance(part, Weighted) else ():
            weights[word] = min(weight, weights.get(word, weight))
    return weights


def readers_of(retriever: Retriever | None, others: Iterable[str]) -> dict[str, Readable]:
    """Of each retriever, the first encoder whose vocabulary is known: under "" of `retriever`, under their specs of `others`."""
    known = dict[str, Retriever](() if retriever is None else {"": retriever, EXACT: retriever})
    known |= {spec: make("retrievers", spec) for spec in others}
    readers = {spec: next((m for m in all_models(made) if isinstance(m, Readable)), None) for spec, made in known.items()}
    return {spec: reader for spec, reader in readers.items() if reader is not None}


def reads_documents(strategy: object) -> bool:
    """Whether an encoder behind a strategy makes a chunk's vector of its whole document, so that no context has a part in it."""
    return any(isinstance(model, LateEncoder) for model in all_models(strategy))


def notes_on_models(strategies: Iterable[object]) -> list[str]:
    """What a reader should know of the models behind strategies, each thing once."""
    models = (model for strategy in strategies for model in all_models(strategy) if isinstance(model, Noted))
    return list(dict.fromkeys(note for model in models for note in model.notes))


def swaps_of(
    retriever: Retriever, index: Index, make_index: Callable[[Retriever], Index], by_meaning: Callable[[], Retriever | None]
) -> dict[str, Callable[[], Index]]:
    """Other retrievers for the same texts that cost little: a fusion's parts; bm25 beside an encoder, and beside a search
    by words what `by_meaning` gives; under the same steps.
    """
    if isinstance(index, Step) and isinstance(retriever, Wrapper):
        inner = swaps_of(retriever.retriever, index.indexes[0], make_index, by_meaning)
        return {name: functools.partial(lambda make_other: index.over(make_other()), other) for name, other in inner.items()}
    if isinstance(retriever, Fusion) and isinstance(index, Composed):
        parts = zip(retriever.retrievers, index.indexes, strict=True)
        return {spec_of(fused): functools.partial(lambda part: part, part) for fused, part in parts}
    swap = by_meaning() if isinstance(index, Weighted) else make("retrievers", WORDS)
    return {} if swap is None else {spec_of(swap): lambda: make_index(swap)}


def reanalysed(retriever: Any, index: Index, other: Any, make_index: Callable[[Retriever], Index]) -> Index:
    """The index of `other`, which is `retriever` but for how the BM25s in it read texts; what has none is not made again."""
    if other == retriever:
        return index
    if isinstance(index, Step) and isinstance(retriever, Wrapper):
        return index.over(reanalysed(retriever.retriever, index.indexes[0], other.retriever, make_index))
    if isinstance(retriever, Fusion) and isinstance(index, Composed):
        pairs = zip(retriever.retrievers, index.indexes, other.retrievers, strict=True)
        return make_index(dataclasses.replace(other, retrievers=tuple(_Open(reanalysed(*pair, make_index)) for pair in pairs)))
    return make_index(other)


def collection_of(retriever: Retriever) -> Collection | None:
    """The collection that a retriever is, fuses or works on; None without one. Raises `SpecError` for several."""
    collections: list[Collection] = [retriever] if isinstance(retriever, Collection) else []
    collections += [inner for r in _inside(retriever) if (inner := collection_of(r)) is not None]
    if len(collections) > 1:
        raise SpecError("two collections cannot be fused: their chunks are not the same; audit one at a time")
    return collections[0] if collections else None


@dataclasses.dataclass(frozen=True)
class _Open:
    """A retriever whose index exists already."""

    searchable: Index

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> Index:
        """See `protocols.Retriever`."""
        return self.searchable


def opened(retriever: Retriever, chunking: Chunking, store: Store | None) -> Retriever:
    """A retriever with the collection in it open, as an index of `chunking`."""
    strategy: Any = retriever  # a dataclass, which no protocol can say
    if isinstance(retriever, Collection):
        return _Open(retriever.open(chunking.ids, store))
    changed: dict[str, object] = {}
    if isinstance(retriever, Fusion):
        changed["retrievers"] = tuple(opened(r, chunking, store) for r in retriever.retrievers)
    if isinstance(retriever, Wrapper):
        changed["retriever"] = opened(retriever.retriever, chunking, store)
    other: Retriever = dataclasses.replace(strategy, **changed)
    return other


def encodes_anew(index: Index) -> bool:
    """Whether `Index.answer` encodes the query."""
    return not isinstance(index, Timed) or index.encodes_anew
