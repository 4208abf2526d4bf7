"""The team's own LanceDB table, with the chunks and vectors it has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ragdiag.core.errors import SpecError
from ragdiag.search.retrievers._lancedb import Columns, LancedbSource
from ragdiag.search.retrievers._source import check_path
from ragdiag.search.retrievers._stored import Stored


@dataclass(frozen=True)
class Lancedb(Stored):
    """A table that exists, in the folder of a database (`path`); the folder is only read.

    `id`, `text` and `vector` are names of its columns. `where` is a filter in LanceDB's SQL, which both the chunks and every
    search are limited to. `space` is the distance that the application searches by: by default that of the vector index, or l2,
    LanceDB's own default, where there is no index. `nprobes` is how many parts of the index a search looks at, 0 for LanceDB's
    default. Queries are embedded by `model` as in `Dense`; it must be the model that made the table's vectors.

    Raises `SpecError` for a negative `nprobes`.
    """

    path: str
    table: str
    id: str = "id"
    text: str = "text"
    vector: str = "vector"
    where: str = ""
    space: Literal["auto", "l2", "cosine", "dot"] = "auto"
    nprobes: int = 0
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        check_path(self.path, "lancedb")
        if self.nprobes < 0:
            raise SpecError(f"lancedb: nprobes must be 0 (LanceDB's default) or more, not {self.nprobes}")

    @cached_property
    def source(self) -> LancedbSource:
        """The table, opened once, at the version that it then has."""
        columns = Columns(self.id, self.text, self.vector)
        return LancedbSource(self.path, self.table, columns, self.where, self.space, self.nprobes)
