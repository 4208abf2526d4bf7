"""What a model makes of many things, made by an engine's workers: each takes a part, and its caller alone keeps what comes."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeGuard, TypeVar

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.encoders import NamedModel
from ragdiag.core.engines import distant, results
from ragdiag.core.errors import SpecError
from ragdiag.core.protocols import Progress, Store

__all__ = ["Making", "check_same", "elsewhere", "made_elsewhere", "same_anywhere"]

T = TypeVar("T")

Make = Callable[[list[T]], Iterable[VectorArray]]
"""Makes a vector of each thing of a batch."""


@dataclass(frozen=True)
class Making(Generic[T]):
    """How a model, which `identity` tells from others, makes vectors: by its method `make`, in batches of `size`."""

    model: NamedModel
    make: Make[T]
    identity: str
    size: int


def elsewhere(model: NamedModel | None) -> TypeGuard[NamedModel]:
    """Whether what a model makes is made by an engine's workers: None stands for one that other machines may not have."""
    return model is not None and distant()


def made_elsewhere(
    what: str,
    making: Making[T],
    wanted: Mapping[bytes, T],
    missing: Sequence[bytes],
    batches: int,
    store: Store | None,
    progress: Progress,
) -> dict[bytes, VectorArray]:
    """The vectors of what is `missing` of `wanted`, each part of some `batches` kept in `store` as it comes.

    A part is made in the batches that it would be made in here: so its vectors are the same.
    """
    step, made = making.size * batches, dict[bytes, VectorArray]()
    parts = [missing[i : i + step] for i in range(0, len(missing), step)]
    for i, vectors in results(_part, [(making, [wanted[key] for key in part]) for part in parts]):
        fresh = dict(zip(parts[i], vectors, strict=True))
        if store is not None:
            store.add_vectors(making.identity, fresh)
        made |= fresh
        progress(what, len(made), len(missing))
    return made


def _part(making: Making[T], things: list[T]) -> VectorArray:
    """The vectors of one part, as rows. Raises as `check_same`."""
    make, size = making.make, making.size
    check_same(making.model, making.identity)
    return np.stack([vector for i in range(0, len(things), size) for vector in make(things[i : i + size])])


def check_same(model: NamedModel, identity: str) -> None:
    """Raise `SpecError` where a model is another one here than for the caller, for whom it had this identity."""
    if model.identity != identity:
        where = f"the worker {platform.node()} has other files than this machine for the model {model.described}"
        raise SpecError(f"{where}: copy the same there")


def same_anywhere(name: str) -> str:
    """The name of a model for a worker, which may run in another folder: a path of this one is written in full."""
    folder = Path(name)
    return str(folder.resolve()) if name and folder.is_dir() else name
