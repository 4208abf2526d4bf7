"""A FAISS index read from its file, and the records of its vectors from theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.files import read_jsonl
from ragdiag.core.plain import is_missing
from ragdiag.core.registry import require
from ragdiag.search.retrievers._payload import flattened, text_in
from ragdiag.search.retrievers._source import PAGE, Opaque, Row, Space, asked
from ragdiag.sources.stored import TEXT

IDS = ("chunk_id", "_id", "id")
NEAR_ONE = 1e-3
"""How far from 1 the lengths of vectors may be for their inner product to be a cosine."""

REMEDIES = {
    "ivf": "raise nprobe (the lists that a search looks into)",
    "hnsw": "raise efSearch (the vectors that a search looks at)",
}
"""By kind of index."""

OF_INDEX = "check that it is a file of faiss.write_index and that this version of faiss reads it"
EXPORT = "export the records as JSON Lines in the order of the vectors, and name that file: texts=..."
PICKLE = "is a pickle, which can run any program when it is opened, so it is not"


class FaissSource:
    """An index as a source, see `_source.Source`: records and vectors are numbered in the order in which they were added."""

    def __init__(self, path: str, texts: str, nprobe: int, ef_search: int) -> None:
        folder = Path(path)
        self._path = folder / "index.faiss" if folder.is_dir() else folder
        self._texts, self._settings = texts, {"nprobe": nprobe, "efSearch": ef_search}

    @property
    def place(self) -> str:
        """See `_source.Source`."""
        return str(self._path)

    @cached_property
    def space(self) -> Space:
        """See `_source.Source`. Inner products are cosines where all vectors have length 1."""
        with self._asked():
            metric, of = self._index.metric_type, self._library
            if metric == of.METRIC_L2 and not isinstance(self._inner, of.IndexLSH):
                return "l2"
            if metric != of.METRIC_INNER_PRODUCT:
                raise SpecError(f"{self.place}: this distance cannot be audited; known: METRIC_L2, METRIC_INNER_PRODUCT")
        blocks = (self._rebuilt(range(i, min(i + PAGE, self.count()))) for i in range(0, self.count(), PAGE))
        return "cosine" if all(np.abs(np.linalg.norm(block, axis=1) - 1).max() <= NEAR_ONE for block in blocks) else "ip"

    @property
    def remedy(self) -> str:
        """See `_source.Source`."""
        with self._asked():
            ivf = bool(self._library.try_extract_index_ivf(self._inner))
        return REMEDIES["ivf" if ivf else "hnsw"] if ivf or hasattr(self._inner, "hnsw") else ""

    def count(self) -> int:
        """See `_source.Source`."""
        with self._asked():
            return int(self._index.ntotal)

    def rows(self) -> Iterator[Row]:
        """See `_source.Source`. Raises `InputError` where there are more or fewer records than vectors."""
        yield from self._rows

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Source`."""
        return [self._rows[self._position[name]] for name in ids]

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`. Where the index compresses vectors, they are what it makes of them again."""
        return self._rebuilt([self._position[name] for name in ids])

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`. FAISS's L2 distance is squared already; an inner product is higher where it is nearer."""
        with self._asked():
            found, labels = self._index.search(np.ascontiguousarray(vectors), n)
            distances = found if self._index.metric_type == self._library.METRIC_L2 else 1 - found
        rows = list[tuple[list[str], list[float]]]()
        for own, row in zip(labels, distances, strict=True):
            there = own >= 0  # -1: the parts that it looked at hold no more
            rows.append(([self._rows[self._added.get(i, i)].id for i in own[there].tolist()], row[there].tolist()))
        return rows

    def _rebuilt(self, positions: Sequence[int]) -> VectorArray:
        # One by one: where an index cannot, FAISS's own loop over many ends the process instead of raising an error.
        with self._asked():
            return np.array([self._inner.reconstruct(i) for i in positions], dtype=np.float32)

    def _asked(self) -> contextlib.AbstractContextManager[None]:
        return asked(self.place, OF_INDEX)

    @cached_property
    def _library(self) -> Opaque:
        return require("faiss", "faiss")

    @cached_property
    def _index(self) -> Opaque:
        """The index, with the settings of the application."""
        of = self._library
        if not self._path.is_file():
            raise InputError("is no file", self._path, remedy="give the file of faiss.write_index")
        index = of.read_index(str(self._path))
        for name, value in self._settings.items():
            try:
                if value:
                    of.ParameterSpace().set_index_parameter(index, name, value)
            except RuntimeError as e:
                parameter = {"efSearch": "ef_search"}.get(name, name)
                raise SpecError(f"{self.place}: an index of this kind ({type(index).__name__}) has no {parameter}") from e
        return index

    @cached_property
    def _inner(self) -> Opaque:
        """The index in which vectors have the number in which they were added, able to give them back.

        Raises `InputError` for a kind that cannot, and for numbers of the application's own that are not in an ``IndexIDMap``.
        """
        of = self._library
        inner = of.downcast_index(self._index.index) if isinstance(self._index, of.IndexIDMap) else self._index
        if lists := of.try_extract_index_ivf(inner):
            try:
                lists.make_direct_map()
            except RuntimeError as e:
                remedy = "audit an index whose vectors are numbered in order, or that keeps the numbers in an IndexIDMap"
                raise InputError("its vectors have numbers that are not 0, 1, 2, ...", self.place, remedy=remedy) from e
        try:
            inner.reconstruct(0)
        except RuntimeError as e:
            kind = type(inner).__name__
            raise InputError(f"an index of this kind ({kind}) cannot give back its vectors", self.place) from e
        return inner

    @cached_property
    def _added(self) -> dict[int, int]:
        """Where the application numbers vectors itself, which of these is which number in the order in which they were added."""
        of = self._library
        if not isinstance(self._index, of.IndexIDMap):
            return {}
        numbers: list[int] = of.vector_to_array(self._index.id_map).tolist()
        return {number: i for i, number in enumerate(numbers)}

    @cached_property
    def _position(self) -> dict[str, int]:
        return {row.id: i for i, row in enumerate(self._rows)}

    @cached_property
    def _rows(self) -> list[Row]:
        self._check_texts()
        rows, file, total = list[Row](), Path(self._texts), self.count()
        for line, record in read_jsonl(file):
            text = text_in(record, TEXT)
            if text is None:
                raise InputError(f"a record has no text, in any of {', '.join(TEXT)}", file, line, "give it the chunk's text")
            name = next((str(record[key]) for key in IDS if not is_missing(record.get(key))), str(len(rows)))
            rows.append(Row(name, text, flattened(record)))
        if len(rows) != total:
            remedy = "give one record for each vector, in the order of the vectors"
            raise InputError(f"{len(rows)} records for the {total} vectors of {self._path}", file, remedy=remedy)
        return rows

    def _check_texts(self) -> None:
        """Raises `InputError` for a pickle, and `SpecError` where no texts are named."""
        beside = self._path.with_suffix(".pkl")
        named = Path(self._texts) if self._texts else beside if beside.is_file() else None
        if named is None:
            raise SpecError(f"faiss: an index holds vectors without texts; {EXPORT}")
        if named.is_dir():
            named = named / "index.pkl"
        if named.suffix in (".pkl", ".pickle"):
            raise InputError(PICKLE, named, remedy=EXPORT)
