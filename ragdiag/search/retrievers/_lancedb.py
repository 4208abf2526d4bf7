"""One open table of a LanceDB database in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.errors import InputError, SpecError, did_you_mean
from ragdiag.core.registry import require
from ragdiag.search.retrievers._payload import flattened
from ragdiag.search.retrievers._source import PAGE, Opaque, Row, Space, asked

OF_TABLE = "check that this version of lancedb reads the table, and that where=... is SQL on its columns"
SPACES: dict[str, Space] = {"l2": "l2", "cosine": "cosine", "dot": "ip"}
LONG = ("fixed_size_list", "list", "large_list", "binary", "large_binary")
ROW = "_rowid"
"""LanceDB's own number of a row. It stays as long as a version does, and rows are taken by it without a scan."""


class Columns(NamedTuple):
    """The names of three of a table's columns."""

    id: str
    text: str
    vector: str


class LancedbSource:
    """A table as a source, see `_source.Source`; opened when first asked for.

    LanceDB's ``_distance`` is the squared L2 distance, one less the cosine, or one less the inner product, as in `Space`.
    """

    def __init__(self, path: str, table: str, columns: Columns, where: str, space: str, nprobes: int) -> None:
        self._path, self._name, self._columns, self._where = path, table, columns, where
        self._told, self._nprobes = space, nprobes

    @property
    def place(self) -> str:
        """See `_source.Source`."""
        return f"{self._path} [{self._name}]"

    @property
    def space(self) -> Space:
        """See `_source.Source`."""
        return SPACES[self._metric]

    @property
    def remedy(self) -> str:
        """See `_source.Source`. Where the index compresses vectors, only those that it ranks first are compared as they are."""
        if not self._kinds:
            return ""
        compressed = any(kind.upper().endswith(("PQ", "SQ", "RQ")) for kind in self._kinds)
        return "raise nprobes" + (", and refine_factor" if compressed else "") + " of the search"

    def count(self) -> int:
        """See `_source.Source`."""
        with self._asked():
            return int(self._table.count_rows(self._where or None))

    def rows(self) -> Iterator[Row]:
        """See `_source.Source`."""
        for record in self._scanned(self._read):
            yield self._row(record)

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Source`."""
        return [self._row(record) for record in self._taken(ids, self._read)]

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`. Raises `InputError` for a row without one."""
        found = [record[self._columns.vector] for record in self._taken(ids, [self._columns.vector])]
        if missing := [name for name, vector in zip(ids, found, strict=True) if vector is None]:
            remedy = f"leave such rows out: where='{self._columns.vector} IS NOT NULL'"
            raise InputError(f"row {missing[0]!r} has no vector", self.place, remedy=remedy)
        return np.array(found, dtype=np.float32)

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`."""
        with self._asked():
            return [self._found(vector, n) for vector in vectors]

    def _found(self, vector: VectorArray, n: int) -> tuple[list[str], list[float]]:
        search = self._table.search(vector, vector_column_name=self._columns.vector, query_type="vector")
        search = search.distance_type(self._metric).limit(n).select([self._columns.id, "_distance"])
        if self._where:
            search = search.where(self._where, prefilter=True)
        if self._nprobes:
            search = search.nprobes(self._nprobes)
        found = search.to_arrow()
        return [str(name) for name in found[self._columns.id].to_pylist()], found["_distance"].to_pylist()

    def _row(self, record: Mapping[str, object]) -> Row:
        text = record[self._columns.text]
        return Row(str(record[self._columns.id]), None if text is None else str(text), flattened(record))

    def _scanned(self, columns: list[str]) -> Iterator[dict[str, Any]]:
        """Every row that `where` leaves, with LanceDB's own number of it."""
        with self._asked():
            scan = self._table.search().select(columns).with_row_id(True)
            for batch in (scan.where(self._where) if self._where else scan).to_batches(PAGE):
                yield from batch.to_pylist()

    def _taken(self, ids: Sequence[str], columns: list[str]) -> list[dict[str, Any]]:
        """Rows in the order of `ids`: LanceDB gives them in its own."""
        with self._asked():
            numbers = [self._numbers[name] for name in ids]
            wanted = list(dict.fromkeys([self._columns.id, *columns]))
            taken = self._table.take_row_ids(numbers).select(wanted).to_arrow().to_pylist()
        of = {str(record[self._columns.id]): record for record in taken}
        return [of[name] for name in ids]

    def _asked(self) -> contextlib.AbstractContextManager[None]:
        return asked(self.place, OF_TABLE)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """LanceDB's own number of each row. Raises `InputError` where an id stands twice: nothing would tell such rows apart."""
        numbers = dict[str, int]()
        for record in self._scanned([self._columns.id]):
            name = str(record[self._columns.id])
            if numbers.setdefault(name, record[ROW]) != record[ROW]:
                raise InputError(f"id {name!r} stands twice", self.place, remedy="name a column of unique ids: id=...")
        return numbers

    @cached_property
    def _table(self) -> Opaque:
        """The table. Raises `InputError`, `SpecError`, and whatever lancedb does."""
        lancedb, folder = require("lancedb", "lancedb"), Path(self._path)
        if not folder.is_dir():  # lancedb would make it
            raise InputError("is no folder", folder, remedy="give the folder of the database: the one of lancedb.connect(...)")
        tables = [each.stem for each in folder.glob("*.lance")]
        if self._name not in tables:
            raise SpecError(f"{folder} has no table {self._name!r}{did_you_mean(self._name, tables)}")
        table = lancedb.connect(str(folder.resolve())).open_table(self._name)
        for parameter, column in self._columns._asdict().items():
            if column not in table.schema.names:
                near = did_you_mean(column, table.schema.names)
                raise SpecError(f"{self.place}: no column {column!r}{near}; name it: {parameter}=...")
        return table

    @cached_property
    def _read(self) -> list[str]:
        """The columns of a record: without lists, as vectors are, and without binary ones, which may be long."""
        with self._asked():
            return [each.name for each in self._table.schema if not str(each.type).startswith(LONG)]

    @cached_property
    def _kinds(self) -> dict[str, str]:
        """The kinds of the indexes of its vectors, each with the name of one."""
        with self._asked():
            of = (index for index in self._table.list_indices() if index.columns == [self._columns.vector])
            return {str(index.index_type): str(index.name) for index in of}

    @cached_property
    def _metric(self) -> str:
        """The distance as LanceDB calls it. Raises `SpecError` for one that compares no numbers."""
        if self._told != "auto":
            return self._told
        with self._asked():
            of = list(self._kinds.values())
            metric = str(self._table.index_stats(of[0]).distance_type) if of else "l2"
        if metric not in SPACES:
            raise SpecError(f"{self.place}: the distance {metric} cannot be audited; known: {', '.join(SPACES)}")
        return metric
