"""Dense retrieval: vectors of a model, wherever it is, exact search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.encoders import Kind
from ragdiag.core.errors import SpecError, Untestable
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import ChunkTexts, Progress, Store, no_progress
from ragdiag.core.registry import NEWER
from ragdiag.search.encoder import Encoder
from ragdiag.search.late import NO_CONTEXT, LateEncoder, Stretch
from ragdiag.search.named import AnyEncoder, encoder_of_model
from ragdiag.search.retrievers._vectors import Encoded, Vectors


@dataclass(frozen=True)
class Dense:
    """Cosine between an encoder's vectors, all compared.

    `model` is a folder or a hub name of sentence-transformers (empty: all-MiniLM-L6-v2), a model behind an endpoint, as
    ``"http://localhost:8000/v1#name"`` (`EndpointEncoder`), or a function of the team's, as ``"module:function"``: called with a
    list of texts and "query" or "document", it gives a vector for each (`FunctionEncoder`). With ``pool=late`` a chunk's vector
    is the mean of its tokens' in their document, which is read once for all chunkings (`LateEncoder`).
    """

    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    pool: Literal["model", "late"] = field(default="model", metadata=NEWER)

    @property
    def encoder(self) -> AnyEncoder:
        """The model that makes the vectors. Raises `SpecError` for late pooling by what gives no tokens' vectors."""
        encoder = encoder_of_model(self.model, self.precision)
        if self.pool == "model":
            return encoder
        if not isinstance(encoder, Encoder):
            what = "gives vectors of texts, and pool=late needs those of tokens: name a folder or a hub name, or leave pool out"
            raise SpecError(f"model {self.model!r} {what}")
        return LateEncoder(self.model, self.precision)

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> DenseIndex:
        """See `protocols.Retriever`."""
        encoder = self.encoder
        if isinstance(encoder, LateEncoder):
            return _late_index(encoder, texts, store, progress)
        return DenseIndex(encoder, encoder.encode(texts, "document", store, progress), store, progress)


class DenseIndex:
    """Vectors of texts, shape ``(n_texts, dimension)``; see `protocols.Index`."""

    def __init__(self, encoder: AnyEncoder, vectors: VectorArray, store: Store | None, progress: Progress) -> None:
        self.encoder, self._vectors, self._store, self._progress = encoder, Vectors(vectors), store, progress
        self.nbytes = int(vectors.nbytes)

    @property
    def rows(self) -> VectorArray:
        """The vectors."""
        return self._vectors.rows

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


class LateIndex(DenseIndex):
    """Vectors of spans of `documents`, whatever else is indexed with them."""

    def __init__(
        self, encoder: LateEncoder, documents: Sequence[str], vectors: VectorArray, store: Store | None, progress: Progress
    ) -> None:
        super().__init__(encoder, vectors, store, progress)
        self._late, self._documents = encoder, documents

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. Raises `Untestable` for an added text that is not its document's: it has no tokens there."""
        new = list(dict.fromkeys(self._stretch(addition) for edit in edits for addition in edit.added))
        vectors = self._late.pooled(self._documents, new, self._store, no_progress)
        asked = list(dict.fromkeys(queries))
        made = Encoded(
            [[repr(self._stretch(addition)) for addition in edit.added] for edit in edits],
            dict(zip(asked, self._encode(asked, "query"), strict=True)),
            dict(zip(map(repr, new), vectors, strict=True)),
        )
        return self._vectors.edited(made, queries, edits, depth)

    def _stretch(self, addition: Addition) -> Stretch:
        text = self._documents[addition.document][addition.start : addition.end]
        if addition.text != text or addition.seen not in ("", text):
            raise Untestable("with pool=late vectors are made of documents' own tokens, and this text is no part of one")
        return Stretch(addition.document, addition.start, addition.end)


def _late_index(encoder: LateEncoder, texts: Sequence[str], store: Store | None, progress: Progress) -> LateIndex:
    """An index of chunks of documents. Raises `SpecError` for texts that are none, or have a context."""
    if not isinstance(texts, ChunkTexts):
        raise SpecError("dense(pool=late) needs chunks of documents, and these are texts alone; leave pool out")
    documents, cuts = [document.text for document in texts.corpus.documents], texts.chunking
    columns = (cuts.document.tolist(), cuts.start.tolist(), cuts.end.tolist())
    stretches = [Stretch(d, a, b) for d, a, b in zip(*columns, strict=True)]
    if any(documents[d][a:b] != text for (d, a, b), text in zip(stretches, texts, strict=True)):
        raise SpecError(NO_CONTEXT)
    return LateIndex(encoder, documents, encoder.pooled(documents, stretches, store, progress), store, progress)
