"""Retrievers within retrievers, and the indexes that they make: what is in one, and what could stand there instead."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Index, Progress, Retriever, Store
from ragdiag.core.records import Chunking
from ragdiag.core.registry import make, spec_of

__all__ = ["all_models", "collection_of", "encoder_of", "models_of", "opened", "own_models", "parts_of", "swaps_of"]


def models_of(retriever: Any) -> list[str]:
    """The models behind a retriever, nested ones too: name, hash of the files, precision."""
    return [model.described for model in all_models(retriever)]


def all_models(retriever: Any) -> list[Any]:
    """The models behind a retriever, nested ones too."""
    return own_models(retriever) + [model for r in _within(retriever) for model in all_models(r)]


def own_models(part: Any) -> list[Any]:
    """The models that a retriever or an index has itself: what makes vectors, what scores pairs."""
    return [getattr(part, kind) for kind in ("encoder", "scorer") if hasattr(part, kind)]


def _within(retriever: Any) -> tuple[Any, ...]:
    """The retrievers that one fuses, or works on."""
    inner = getattr(retriever, "retriever", None)
    return tuple(getattr(retriever, "retrievers", ())) if inner is None else (inner,)


def parts_of(index: Any) -> Iterator[Any]:
    """An index and all those it is made of."""
    yield index
    for part in getattr(index, "indexes", ()):
        yield from parts_of(part)


def encoder_of(index: Any) -> Any:
    """The encoder of an index, or of the first part of it that has one."""
    return next((part.encoder for part in parts_of(index) if hasattr(part, "encoder")), None)


def swaps_of(retriever: Any, index: Any, make_index: Callable[[Retriever], Index]) -> dict[str, Callable[[], Index]]:
    """Other retrievers for the same texts that cost little: a fusion's parts; bm25 beside an encoder; under the same steps."""
    if hasattr(index, "over"):
        inner = swaps_of(retriever.retriever, index.indexes[0], make_index)
        return {name: functools.partial(lambda other: index.over(other()), other) for name, other in inner.items()}
    if hasattr(retriever, "retrievers"):
        parts = zip(retriever.retrievers, index.indexes, strict=True)
        return {spec_of(r): functools.partial(lambda own: own, own) for r, own in parts}
    swap = make("retrievers", "bm25")
    return {} if spec_of(retriever).startswith("bm25") else {spec_of(swap): lambda: make_index(swap)}


def collection_of(retriever: Any) -> Any:
    """The collection that a retriever is, fuses or works on; None without one. Raises `SpecError` for several."""
    found = [retriever] if hasattr(retriever, "stored_chunks") else []
    found += [c for r in _within(retriever) if (c := collection_of(r)) is not None]
    if len(found) > 1:
        raise SpecError("two collections cannot be fused: their chunks are not the same; audit one at a time")
    return found[0] if found else None


@dataclasses.dataclass(frozen=True)
class _Open:
    """A retriever whose index exists already."""

    made: Index

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> Index:
        """See `protocols.Retriever`."""
        return self.made


def opened(retriever: Any, chunking: Chunking, store: Store | None) -> Any:
    """A retriever with the collection in it open, as an index of `chunking`."""
    if hasattr(retriever, "stored_chunks"):
        return _Open(retriever.open(chunking.ids, store))
    if hasattr(retriever, "retrievers"):
        return dataclasses.replace(retriever, retrievers=tuple(opened(r, chunking, store) for r in retriever.retrievers))
    if hasattr(retriever, "retriever"):
        return dataclasses.replace(retriever, retriever=opened(retriever.retriever, chunking, store))
    return retriever
