"""One read-only connection to a PostgreSQL table that has pgvector's vectors."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ragdiag.core.arrays import VectorArray
from ragdiag.core.errors import InputError, RagdiagError, SpecError, did_you_mean
from ragdiag.search.retrievers._postgres_connection import Connection, psycopg_library, refusal
from ragdiag.search.retrievers._source import PAGE, Row, Space

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

SPACES: dict[Space, str] = {"l2": "<->", "cosine": "<=>", "ip": "<#>"}
"""The operator of each distance: L2, one less the cosine, the negative inner product."""

REMEDIES = {
    "ivfflat": "raise ivfflat.probes (the lists that a search looks into)",
    "hnsw": "raise hnsw.ef_search (a search gives no more rows than that, before conditions) or set hnsw.iterative_scan",
}
"""By kind of index."""

NUMBERS = {"vector": ">f4", "halfvec": ">f2"}
"""How numbers are sent by the types whose vectors are read."""


class Table(NamedTuple):
    """The name of a table, with its schema's first where that is given, its columns, and a condition in SQL."""

    name: tuple[str, ...]
    id: str
    text: str
    vector: str
    metadata: tuple[str, ...]
    where: str


class Columns(NamedTuple):
    """What a table's columns are: the type of ids as SQL; the vectors' type, its schema, the distance and the kinds of their
    indexes.
    """

    id_type: str
    vector_type: str
    schema: str
    space: Space
    indexes: tuple[str, ...]


class PostgresSource:
    """A table as a source, see `_source.Source`: of one connection, opened when first asked for.

    `space` is "" for that of the vectors' index. `settings` hold for the connection. Raises `SpecError` where table, columns,
    condition or settings are wrong, and `RagdiagError` for whatever else PostgreSQL refuses.
    """

    def __init__(self, table: Table, space: str, settings: Mapping[str, str], service: str) -> None:
        self._table, self._space = table, space
        self._connection = Connection(settings, service)

    @property
    def place(self) -> str:
        """See `_source.Source`."""
        return f"{self._connection.place} [{'.'.join(self._table.name)}]"

    @property
    def space(self) -> Space:
        """See `_source.Source`."""
        return self._columns.space

    @property
    def remedy(self) -> str:
        """See `_source.Source`. Behind a view the kind of index is not known."""
        return ", or ".join(REMEDIES[kind] for kind in self._columns.indexes or REMEDIES)

    def count(self) -> int:
        """See `_source.Source`."""
        return int(self._got("SELECT count(*) FROM {table} WHERE {where}", [])[0][0])

    def rows(self) -> Iterator[Row]:
        """See `_source.Source`. Raises `InputError` for a row without a vector, or with the id of another one."""
        last: str | None = None
        query = "SELECT {id}::text, {text}::text, {vector} IS NULL{metadata} FROM {table} WHERE {where} ORDER BY {id}"
        with self._opened() as connection, connection.transaction(), connection.cursor(name="ragdiag") as cursor:
            cursor.itersize = PAGE
            cursor.execute(self._sql(query), [])
            for name, text, bare, *metadata in cursor:
                if name is None or name == last:
                    found = "is empty in a row" if name is None else f"has {name!r} in several rows"
                    raise SpecError(f"{self.place}: column {self._table.id!r} {found}; name one that tells rows apart: id=...")
                if bare:
                    remedy = f"embed its text, or leave it out: where='{self._table.vector} IS NOT NULL'"
                    raise InputError(f"record {name!r} has no vector", self.place, remedy=remedy)
                last = name
                yield Row(name, text, self._merged(metadata))

    def records(self, ids: Sequence[str]) -> list[Row]:
        """See `_source.Source`."""
        found = self._got(
            "SELECT {id}::text, {text}::text{metadata} FROM {table} WHERE {where} AND {id} = ANY({ids})", [list(ids)]
        )
        return self._ordered(ids, {name: Row(name, text, self._merged(rest)) for name, text, *rest in found})

    def vectors(self, ids: Sequence[str]) -> VectorArray:
        """See `_source.Source`. Half precision becomes float32."""
        found = self._got("SELECT {id}::text, {vector} FROM {table} WHERE {where} AND {id} = ANY({ids})", [list(ids)])
        sent = self._ordered(ids, dict(found))
        if len(sizes := {len(each) for each in sent if each is not None}) != 1 or None in sent:
            raise SpecError(f"{self.place}: the vectors in {self._table.vector!r} are not of one length; choose rows: where=...")
        number = np.dtype(NUMBERS[self._columns.vector_type])
        # pgvector sends the number of dimensions and two bytes that mean nothing before the numbers.
        layout = np.dtype([("head", ">i2", (2,)), ("numbers", number, ((sizes.pop() - 4) // number.itemsize,))])
        return np.frombuffer(b"".join(sent), dtype=layout)["numbers"].astype(np.float32)

    def nearest(self, vectors: VectorArray, n: int) -> list[tuple[list[str], list[float]]]:
        """See `_source.Source`. One query of each vector, as an application asks it, so that the index is used."""
        # A limit that is a parameter might be planned without its value, and then without the index.
        query = f"SELECT {{id}}::text, {{distance}} FROM {{table}} WHERE {{where}} ORDER BY {{distance}} LIMIT {int(n)}"
        answers = list[tuple[list[str], list[float]]]()
        for vector in vectors.tolist():
            text = "[" + ",".join(map(repr, vector)) + "]"
            found = [(name, d) for name, d in self._got(query, [text, text]) if d is not None and not math.isnan(d)]
            answers.append(([name for name, _ in found], [self._converted(d) for _, d in found]))
        return answers

    def _converted(self, distance: float) -> float:
        if self.space == "l2":
            return distance**2
        return distance + 1 if self.space == "ip" else distance

    def _ordered(self, ids: Sequence[str], found: Mapping[str, Any]) -> list[Any]:
        if gone := [name for name in ids if name not in found]:
            raise RagdiagError(
                f"{self.place}: record {gone[0]!r} is gone since the table was read; audit it while nothing is deleted"
            )
        return [found[name] for name in ids]

    def _merged(self, values: Sequence[object]) -> dict[str, object]:
        """Metadata: what JSON columns hold, and the other columns by name."""
        merged = dict[str, object]()
        for name, value in zip(self._table.metadata, values, strict=True):
            merged |= value if isinstance(value, dict) else {name: value}
        return merged

    @cached_property
    def _columns(self) -> Columns:
        """What the table's columns are. Raises `SpecError` where it, or one of them, is not there or not of such a type."""
        with self._opened() as connection:
            return _columns(connection, self._table, self._space, self._connection.place)

    @cached_property
    def _parts(self) -> dict[str, sql.Composable]:
        """What queries are made of, by the names that they give it."""
        library, table, columns = psycopg_library().sql, self._table, self._columns

        def named(*names: str) -> sql.Identifier:
            made: sql.Identifier = library.Identifier(
                *(name.replace("%", "%%") for name in names)
            )  # one % stands for a parameter
            return made

        operator = library.SQL("OPERATOR({}.{})").format(named(columns.schema), library.SQL(SPACES[columns.space]))
        return {
            "table": named(*table.name),
            "id": named(table.id),
            "text": named(table.text),
            "vector": named(table.vector),
            "metadata": library.SQL("").join(library.SQL(", {}").format(named(name)) for name in table.metadata),
            "where": library.SQL("(" + (table.where.replace("%", "%%") or "true") + "\n)"),  # the line's end ends a comment
            "ids": library.SQL(
                "%s::text[]::" + columns.id_type.replace("%", "%%") + "[]"
            ),  # as ids are: then their index is used
            "distance": library.SQL("{} {} %s::{}").format(
                named(table.vector), operator, named(columns.schema, columns.vector_type)
            ),
        }

    def _sql(self, query: str) -> sql.Composed:
        composed: sql.Composed = psycopg_library().sql.SQL(query).format(**self._parts)
        return composed

    def _got(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows that a query of `_parts` gives; values of vectors as pgvector sends them, in binary."""
        with self._opened() as connection, connection.cursor(binary=True) as cursor:
            return cursor.execute(self._sql(query), values).fetchall()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[psycopg.Connection]:
        """The connection; what psycopg raises is raised as `RagdiagError`."""
        connection = self._connection.opened()
        try:
            yield connection
        except (psycopg_library().Error, UnicodeError) as e:
            raise refusal(e, self.place) from e


def _columns(connection: psycopg.Connection, table: Table, space: str, place: str) -> Columns:
    """See `PostgresSource._columns`."""
    name = _quoted(table)
    of_types = "JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE NOT a.attisdropped"
    found = connection.execute(
        "SELECT a.attname, a.attnum, t.typname, n.nspname, format_type(a.atttypid, -1) FROM pg_attribute a "
        f"{of_types} AND a.attnum > 0 AND a.attrelid = to_regclass(%s)::oid",
        [name],
    ).fetchall()
    if not found:
        known = "SELECT DISTINCT a.attrelid::regclass::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        tables = connection.execute(
            f"{known} {of_types} AND t.typname = ANY(%s) AND relkind = ANY('{{r,p,v,m,f}}')", [[*NUMBERS]]
        )
        own = ".".join(table.name)
        raise SpecError(f"{place} has no table {own!r}{did_you_mean(own, [row[0] for row in tables])}")
    columns = {column: rest for column, *rest in found}
    for parameter, column in (
        *zip(("id", "text", "vector"), table[1:4], strict=True),
        *(("metadata", m) for m in table.metadata),
    ):
        if column not in columns:
            near = did_you_mean(column, list(columns))
            raise SpecError(f"{place} [{'.'.join(table.name)}] has no column {column!r}{near}: {parameter}=...")
    number, vector_type, schema, _ = columns[table.vector]
    if vector_type not in NUMBERS:
        raise SpecError(f"{place}: column {table.vector!r} is of type {vector_type}; name one of vector or halfvec: vector=...")
    return Columns(columns[table.id][3], vector_type, schema, *_searched(connection, table, space, number, place))


def _searched(connection: psycopg.Connection, table: Table, space: str, number: int, place: str) -> tuple[Space, tuple[str, ...]]:
    """The distance that is asked for, or else that of the index of the column with this `number`; the kinds of its indexes."""
    query = (
        "SELECT o.opcname, m.amname FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[0] "
        "JOIN pg_am m ON m.oid = o.opcmethod "
        "WHERE i.indrelid = to_regclass(%s)::oid AND i.indkey[0] = %s AND indisvalid ORDER BY m.amname"
    )
    classes = connection.execute(query, [_quoted(table), number]).fetchall()
    of_index = [(found[1], kind) for name, kind in classes if (found := re.search(r"_(l2|cosine|ip|l1)_ops$", name))]
    searched = _chosen(space, {own for own, _ in of_index}, f"{place}: the indexes of {table.vector!r}")
    return searched, tuple(dict.fromkeys(kind for own, kind in of_index if own == searched and kind in REMEDIES))


def _chosen(space: str, of_indexes: Collection[str], which: str) -> Space:
    """The distance that is asked for, or else that of the indexes. Raises `SpecError` where they have several, or another one."""
    known: list[Space] = [each for each in SPACES if each == space or (not space and each in of_indexes)]
    if len(known) != 1 and of_indexes:
        raise SpecError(f"{which} are for {' and '.join(sorted(of_indexes))}; say space=l2|cosine|ip")
    return known[0] if known else "cosine"


def _quoted(table: Table) -> str:
    return psycopg_library().sql.Identifier(*table.name).as_string(None)  # type: ignore[no-any-return]
