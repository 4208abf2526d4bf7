"""Dense retrieval: vectors of a model, wherever it is, exact search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.search.named import AnyEncoder, encoder_of_model
from ragdiag.search.retrievers._vectors import Vectors


@dataclass(frozen=True)
class Dense:
    """Cosine between an encoder's vectors, all compared.

    `model` is a folder or a hub name of sentence-transformers (empty: all-MiniLM-L6-v2), a model behind an endpoint, as
    ``"http://localhost:8000/v1#name"`` (`EndpointEncoder`), or a function of the team's, as ``"module:function"``: called with a
    list of texts and "query" or "document", it gives a vector for each (`FunctionEncoder`).
    """

    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    @property
    def encoder(self) -> AnyEncoder:
        """The model that makes the vectors."""
        return encoder_of_model(self.model, self.precision)

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> DenseIndex:
        """See `protocols.Retriever`."""
        encoder = self.encoder
        return DenseIndex(encoder, encoder.encode(texts, "document", store, progress), store, progress)


class DenseIndex:
    """Vectors of texts, shape ``(n_texts, dimension)``; see `protocols.Index`."""

    def __init__(self, encoder: AnyEncoder, vectors: VectorArray, store: Store | None, progress: Progress) -> None:
        self.encoder, self._vectors, self._store, self._progress = encoder, Vectors(vectors), store, progress
        self.nbytes = int(vectors.nbytes)

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._vectors.search(self._encode(queries, "query"), depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        store = None if self.encoder.loaded else self._store
        return self._vectors.search(self.encoder.encode([query], "query", store, no_progress), depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._vectors.what_if(self._encode, queries, edits, depth)

    def _encode(self, texts: Sequence[str], kind: Kind) -> VectorArray:
        return self.encoder.encode(texts, kind, self._store, self._progress)
