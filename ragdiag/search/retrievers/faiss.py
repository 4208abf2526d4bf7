"""The team's own FAISS index, with the vectors it has, and the chunks beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ragdiag.core.errors import SpecError
from ragdiag.search.retrievers._faiss import FaissSource
from ragdiag.search.retrievers._source import check_path
from ragdiag.search.retrievers._stored import Stored


@dataclass(frozen=True)
class Faiss(Stored):
    """An index that exists, in a file of ``faiss.write_index`` (`path`), or in LangChain's folder, which has ``index.faiss``.

    `texts` is a JSON Lines file with a record for each vector, in the order of the vectors: ``text``, and what ``id``, metadata
    and offsets there are. A pickle is never opened. `nprobe` (IVF) and `ef_search` (HNSW) are how far a search looks, as the
    application sets them; 0 is what the file says. Queries are embedded by `model` as in `Dense`; it must be the model that made
    the index's vectors.

    Raises `SpecError` for a negative `nprobe` or `ef_search`.
    """

    path: str
    texts: str = ""
    nprobe: int = 0
    ef_search: int = 0
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        check_path(self.path, "faiss")
        for name, value in (("nprobe", self.nprobe), ("ef_search", self.ef_search)):
            if value < 0:
                raise SpecError(f"faiss: {name} must be 0 (what the index says) or more, not {value}")

    @cached_property
    def source(self) -> FaissSource:
        """The index and its texts, read once."""
        return FaissSource(self.path, self.texts, self.nprobe, self.ef_search)
