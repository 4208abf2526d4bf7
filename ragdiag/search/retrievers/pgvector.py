"""The team's own table in PostgreSQL, with the chunks and pgvector's vectors that it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

from ragdiag.core.errors import SpecError
from ragdiag.search.retrievers._postgres import SPACES, PostgresSource, Table
from ragdiag.search.retrievers._stored import Stored

NAME = r"[^\s.:=/@\"]+"
SETTING = re.compile(r"((?:ivfflat|hnsw)\.[a-z_]+)\s*=\s*(\d+|on|off|relaxed_order|strict_order)")


@dataclass(frozen=True)
class Pgvector(Stored):
    """A table that exists, or a view (`table`, or ``schema.table``), in the database that libpq's environment names.

    `id`, `text` and `vector` are its columns; `metadata` is a column of JSON, or several columns parted by commas. `where` is a
    condition in SQL that its rows must meet. `space` is l2, cosine or ip; without it, that of the vector column's index, and
    cosine where there is none. `settings` are pgvector's, such as ``ivfflat.probes=10, hnsw.ef_search=100``.

    What may be secret is no parameter. The connection is that of `service` (a name in ``pg_service.conf``), else of the
    environment: ``RAGDIAG_PG_DSN``, ``PGSERVICE`` or ``PGHOST`` and their like, ``DATABASE_URL``.

    Queries are embedded by `model` as in `Dense`; it must be the model that made the vectors. Nothing is written: the session is
    read-only.
    """

    connects: ClassVar[bool] = True

    table: str
    id: str = "id"
    text: str = "text"
    vector: str = "embedding"
    metadata: str = ""
    where: str = ""
    space: str = ""
    settings: str = ""
    service: str = ""
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        # What may be an address with a password, given for a name by mistake, is not repeated.
        if not re.fullmatch(rf"{NAME}(\.{NAME})?", self.table):
            raise SpecError('pgvector: table must be "table" or "schema.table"; the database is named by PGHOST or service=')
        if self.service and not re.fullmatch(r"[\w.-]+", self.service):
            raise SpecError("pgvector: service must be a name in pg_service.conf, and no more")
        if self.space not in ("", *SPACES):
            raise SpecError(f"pgvector: space must be l2, cosine or ip, not {self.space!r}")
        if not all((self.id, self.text, self.vector)):
            raise SpecError("pgvector: id, text and vector must be names of columns")
        _settings(self.settings)

    @cached_property
    def source(self) -> PostgresSource:
        """One connection."""
        columns = tuple(filter(None, (name.strip() for name in self.metadata.split(","))))
        table = Table(tuple(self.table.split(".")), self.id, self.text, self.vector, columns, self.where)
        return PostgresSource(table, self.space, _settings(self.settings), self.service)


def _settings(text: str) -> dict[str, str]:
    """Names and values. Raises `SpecError` for what is no setting of pgvector's."""
    values = dict[str, str]()
    for part in filter(None, (part.strip() for part in text.split(","))):
        if not (found := SETTING.fullmatch(part)):
            raise SpecError(
                'pgvector: settings must be such as "ivfflat.probes=10, hnsw.ef_search=100", of ivfflat and hnsw only'
            )
        values[found[1]] = found[2]
    return values
