"""Vectors of the queries from a file, for a model that is not to be had: stored indexes can be measured all the same."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import InputError, SpecError, Untestable, nearest
from ragdiag.core.files import field, stream_jsonl
from ragdiag.core.protocols import Progress, Store
from ragdiag.search.models import path_of, unit
from ragdiag.text.phrases import counted

__all__ = ["QueryVectors"]

LENGTH = 0.01
"""By so much may a vector's length differ from 1."""

SHOWN = 3
"""Queries that an error names."""


class _File(NamedTuple):
    """The unit vectors by text, the hash of all, and the least and the greatest length in the file."""

    vectors: Mapping[str, VectorArray]
    sha256: str
    lengths: tuple[float, float]


class QueryVectors:
    """JSON Lines with ``text`` and ``vector``, a line for each query. No other text has a vector: `encode` raises `Untestable`.

    Raises `SpecError` where there is no such file.
    """

    loaded = False

    def __init__(self, target: str) -> None:
        self.target, self._path = target, path_of(target)
        if not self._path.exists():
            folder = self._path.parent
            near = nearest(self._path.name, {p.name for p in folder.glob("*.jsonl")}) if folder.is_dir() else ""
            raise SpecError(f"model {target!r}: there is no such file of vectors{near or '; check the path'}")

    @property
    def _file(self) -> _File:
        stat = self._path.stat()
        return _read(self._path, stat.st_mtime_ns, stat.st_size)

    @property
    def identity(self) -> str:
        """See `encoders.NamedModel`."""
        return f"vectors {self._file.sha256}"

    @property
    def described(self) -> str:
        """See `encoders.NamedModel`."""
        return f"{self._path.name}@{self._file.sha256[:12]}"

    @property
    def dimension(self) -> int:
        """Of its vectors."""
        return len(next(iter(self._file.vectors.values())))

    @property
    def notes(self) -> tuple[str, ...]:
        """See `encoders.Noted`."""
        name, (least, most) = self._path.name, self._file.lengths
        limits = (
            f"{name} has vectors of queries alone: whether the stored ones are of their texts, and of one model, is not known, "
            "and neither a text that is not in the index nor other words of a query can be tried"
        )
        if least >= 1 - LENGTH and most <= 1 + LENGTH:
            return (limits,)
        scaled = f"vectors of {name} have lengths from {least:.3g} to {most:.3g} and are searched at length 1"
        return limits, f"{scaled}: where a store compares by L2 and its own lengths differ, it ranks otherwise"

    def encode(self, texts: Sequence[str], kind: Kind, store: Store | None, progress: Progress) -> VectorArray:
        """Unit vectors of `texts`, zeros for a blank one. Raises `Untestable` for a text that has none, so for any document."""
        known, asked = self._file.vectors, [text.strip() for text in texts]
        if kind == "document" and any(asked):
            raise Untestable(f"{self.target} has vectors of queries alone, none of a text to index; name the model itself")
        if missing := [text for text in dict.fromkeys(asked) if text and text not in known]:
            share = f"{len(missing)} of {counted(len(set(asked) - {''}), 'quer', 'y')}"
            named = ", ".join(repr(text[:60]) for text in missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
            raise Untestable(f"{self.target} has no vector for {share}: {named}; add them")
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, asked, strict=True):
            row[:] = known.get(text, 0.0)
        return rows


@functools.lru_cache(maxsize=4)
def _read(path: Path, modified: int, size: int) -> _File:
    """The vectors of a file, which is read again where it has changed. Raises `InputError`, with the line, for what is none."""
    texts, rows = dict[str, int](), list[VectorArray]()
    for line, _, record in stream_jsonl(path):
        text: str = field(record, ("text",), str, path, line).strip()
        row = _vector(field(record, ("vector", "embedding"), list, path, line), path, line)
        if not text:
            raise InputError("'text' is empty", path, line, "leave that line out")
        if rows and len(row) != len(rows[0]):
            raise InputError(f"a vector of {len(row)} numbers, after ones of {len(rows[0])}", path, line, "use one model for all")
        if text in texts and not np.array_equal(rows[texts[text]], row):
            raise InputError("another vector of the same text", path, line, "leave one of them out")
        if text not in texts:
            texts[text] = len(rows)
            rows.append(row)
    if not rows:
        raise InputError("has no vectors", path, remedy='write a line for each query: {"text": "...", "vector": [...]}')
    matrix = np.stack(rows)
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1)
    digest = hashlib.sha256("\0".join(texts).encode() + matrix.tobytes()).hexdigest()
    return _File(dict(zip(texts, unit(matrix), strict=True)), digest, (float(lengths.min()), float(lengths.max())))


def _vector(numbers: Sequence[object], path: Path, line: int) -> VectorArray:
    """A row of finite numbers that are not all 0."""
    if not all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in numbers):
        raise InputError("'vector' must be a list of numbers", path, line, "mend that field")
    row: VectorArray = np.zeros(0, dtype=np.float32)
    with np.errstate(all="ignore"), contextlib.suppress(OverflowError):  # what is too large is infinite, or left out, and said
        row = np.array(numbers, dtype=np.float64).astype(np.float32)
    if not np.isfinite(row).all() or not row.any():
        raise InputError("'vector' must have finite numbers that are not all 0", path, line, "make it anew")
    return row
