"""Dense retrieval without a model: latent semantic analysis of TF-IDF vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ragdiag.core.arrays import Array, FloatArray, IntArray, VectorArray
from ragdiag.core.cache import arrays_of
from ragdiag.core.errors import SpecError
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Progress, Store
from ragdiag.search.encoder import unit
from ragdiag.search.retrievers._texts import numbered, packed, tf_idf
from ragdiag.search.retrievers._vectors import Vectors
from ragdiag.text.words import DEFINITION

NEGLIGIBLE = 1e-5
"""Share of the strongest singular value at which one is rounding."""


@dataclass(frozen=True)
class Lsa:
    """Cosine in the space of the `dimensions` strongest components of the texts' TF-IDF matrix (Deerwester et al. 1990)."""

    dimensions: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.dimensions < 1:
            raise SpecError(f"lsa: dimensions must be 1 or more, not {self.dimensions}")
        if not 0 <= self.seed < 2**32:
            raise SpecError(f"lsa: seed must be from 0 to 2**32 - 1, not {self.seed}")

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> LsaIndex:
        """See `protocols.Retriever`."""
        progress("indexing for lsa", 0, len(texts))
        arrays = arrays_of(store, f"lsa 3 {self} {DEFINITION}", texts, lambda: self._fit(texts))
        progress("indexing for lsa", len(texts), len(texts))
        return LsaIndex(arrays)

    def _fit(self, texts: Sequence[str]) -> dict[str, Array]:
        from sklearn.utils.extmath import randomized_svd

        vectorizer = tf_idf()
        try:
            matrix = vectorizer.fit_transform(texts)
        except ValueError:  # "empty vocabulary": no text has a word
            return _arrays([], np.zeros(0), np.zeros((0, 1)), np.zeros((len(texts), 1)))
        size = min(self.dimensions, *matrix.shape)
        # In an order of their own, and in float64: else the order of the documents, or another number of threads, would turn the
        # weaker components a little.
        rows = matrix[sorted(range(len(texts)), key=texts.__getitem__)].astype(np.float64)
        _, strengths, directions = randomized_svd(rows, size, n_iter=5, random_state=self.seed)
        # Components beyond the rank of the matrix have any direction whatever.
        components = directions[strengths > NEGLIGIBLE * strengths[0]].T.astype(np.float32)
        # As a query is encoded, so that a text's own words find it at a cosine of 1, and copies have one vector.
        return _arrays(vectorizer.get_feature_names_out().tolist(), vectorizer.idf_, components, unit(matrix @ components))


def _arrays(terms: list[str], idf: Array, components: Array, vectors: Array) -> dict[str, Array]:
    return {
        "terms": packed(terms),
        "idf": np.asarray(idf, dtype=np.float32),
        "components": np.asarray(components, dtype=np.float32),
        "vectors": np.asarray(vectors, dtype=np.float32),
    }


class LsaIndex:
    """Vectors of texts and the components that take a query there; see `protocols.Index`."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        terms = numbered(arrays["terms"])
        self._components, self._vectors = arrays["components"], Vectors(arrays["vectors"])
        self.nbytes = sum(a.nbytes for a in arrays.values())
        self._vectorizer = None
        if terms:
            self._vectorizer = tf_idf(vocabulary=terms)
            self._vectorizer.idf_ = arrays["idf"]

    def encode(self, texts: Sequence[str]) -> VectorArray:
        """Unit vectors of any texts in the space of this index, shape ``(n_texts, dimensions)``; zeros for no known word."""
        if self._vectorizer is None or not texts:
            return np.zeros((len(texts), self._components.shape[1]), dtype=np.float32)
        return unit(self._vectorizer.transform(texts) @ self._components)

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._vectors.search(self.encode(queries), depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._vectors.what_if(lambda texts, _: self.encode(texts), queries, edits, depth)
