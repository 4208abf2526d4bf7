"""What a model makes of many things, made by an engine's workers: each takes a part, and its caller alone keeps what comes."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.encoders import NamedModel
from ragdiag.core.engines import results
from ragdiag.core.errors import SpecError

__all__ = ["made_elsewhere", "same_anywhere"]

T = TypeVar("T")

Make = Callable[[list[T]], Iterable[VectorArray]]
"""Makes a vector of each thing of a batch."""


def made_elsewhere(
    model: NamedModel, make: Make[T], wanted: Mapping[bytes, T], parts: Sequence[Sequence[bytes]], size: int
) -> Iterator[dict[bytes, VectorArray]]:
    """What `make`, a method of `model`, makes of each of `parts`, as it comes.

    A part is made in batches of `size`, as it would be here: so its vectors are the same.
    """
    tasks = [(model, make, model.identity, [wanted[key] for key in part], size) for part in parts]
    for i, vectors in results(_part, tasks):
        yield dict(zip(parts[i], vectors, strict=True))


def _part(model: NamedModel, make: Make[T], identity: str, things: list[T], size: int) -> VectorArray:
    """The vectors of one part, as rows. Raises `SpecError` where the model is not the caller's."""
    if model.identity != identity:
        where = f"the worker {platform.node()} has other files than this machine for the model {model.described}"
        raise SpecError(f"{where}: copy the same there")
    return np.stack([vector for i in range(0, len(things), size) for vector in make(things[i : i + size])])


def same_anywhere(name: str) -> str:
    """The name of a model for a worker, which may run in another folder: a path of this one is written in full."""
    folder = Path(name)
    return str(folder.resolve()) if name and folder.is_dir() else name
