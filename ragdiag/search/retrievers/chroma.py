"""The team's own Chroma collection, with the chunks and vectors it has."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray, VectorArray
from ragdiag.core.errors import InputError, RagdiagError, SpecError
from ragdiag.core.proofs import Edit
from ragdiag.core.protocols import Progress, Store, no_progress
from ragdiag.core.ranking import best, edited, padded
from ragdiag.core.records import StoredChunk
from ragdiag.search.encoder import Encoder, Kind, unit
from ragdiag.search.retrievers._chroma import Connection, address
from ragdiag.search.retrievers._vectors import DECIMALS, Encode, Vectors, encoded
from ragdiag.sources.stored import hinted_chunk

PAGE = 1000
"""Records read in one request."""

ANSWERS = 10_000
"""Results asked for in one request, of `QUERIES` queries at most: both stay far below what a server takes and sends."""

QUERIES = 100

SAMPLE = 8
SAME_MODEL = 0.3
"""Mean cosine between stored vectors and new ones of the same texts, below which another model made them.

Titles or headings embedded with a chunk leave it above 0.5; between unrelated models it is about 0.
"""

OF_SERVER = "check that a Chroma server runs there and admits you"
OF_FOLDER = "check that this version of chromadb opens it, and that there is room for a copy in the temporary folder"


@dataclass(frozen=True)
class Chroma:
    """A collection that exists, in a folder (`path`) or behind a server (`url`, such as ``http://localhost:8000``).

    Queries are embedded by `model` as in `Dense`; it must be the model that made the collection's vectors. Tenant and database
    are the default ones; Chroma's own environment variables (``CHROMA_CLIENT_AUTH_PROVIDER`` and such) hold.

    Chroma has no read-only mode: opening a folder writes to it, and may migrate it beyond what the team's own version reads. So a
    temporary copy is opened, and the folder stays as it is, byte for byte.
    """

    collection: str
    path: str = ""
    url: str = ""
    model: str = ""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.url):
            raise SpecError('chroma needs either path="folder" or url="http://host:port"')
        if self.url:
            address(self.url)

    @property
    def encoder(self) -> Encoder:
        """The model that makes the vectors of queries."""
        return Encoder(self.model, self.precision)

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """See `protocols.Collection`. Raises `InputError` where the collection is empty or a record has no text."""
        chunks: list[StoredChunk] = []
        with self.opened(progress) as collection:
            total = collection.count()
            # Until a page is empty, not up to the count: a live collection may grow meanwhile.
            while (page := collection.get(limit=PAGE, offset=len(chunks), include=["documents", "metadatas"]))["ids"]:
                rows = zip(page["ids"], page["documents"], page["metadatas"], strict=True)
                chunks += [_chunk(name, text, metadata or {}, self._place) for name, text, metadata in rows]
                progress("reading the collection", len(chunks), max(total, len(chunks)))
        if not chunks:
            raise InputError("the collection is empty", self._place, remedy="add the chunks that the application searches")
        return chunks

    def open(self, ids: Sequence[str], store: Store | None) -> ChromaIndex:
        """See `protocols.Collection`. Raises `SpecError` where `model` is not the one that made the collection's vectors."""
        if not ids:
            raise InputError("none of its chunks is of these documents", self._place, remedy="audit the documents that it holds")
        sample = list(ids[:: -(-len(ids) // SAMPLE)])
        with self.opened() as collection:
            record = collection.get(ids=sample, include=["documents", "embeddings"])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # chromadb's own, about collections that have no embedding function
                space = str(((collection.configuration or {}).get("hnsw") or {}).get("space") or "l2")
        stored, encoder = np.asarray(record["embeddings"], dtype=np.float32), self.encoder
        made = encoder.encode(record["documents"], "document", store, no_progress)
        name, remedy = encoder.described, "name the model that made the vectors: model=..."
        if stored.shape[1] != made.shape[1]:
            sizes = f"{stored.shape[1]} dimensions, those of {name} have {made.shape[1]}"
            raise SpecError(f"{self._place}: the collection's vectors have {sizes}; {remedy}")
        if (cosine := float((unit(stored) * made).sum(axis=1).mean())) < SAME_MODEL:
            raise SpecError(f"{self._place}: the collection's vectors are not of {name} (mean cosine {cosine:.2f}); {remedy}")
        length = float(np.linalg.norm(stored, axis=1).mean())
        return ChromaIndex(self, encoder, ids, store, space, length, len(ids) * stored[0].nbytes)

    @cached_property
    def connection(self) -> Connection:
        """The one client that everything is asked of: one copy of the folder, and one graph, as long as an index is held."""
        return Connection(self.collection, self.path, self.url)

    def started_anew(self, start: int) -> Chroma:
        """The same, as another start of an application might find it; see `Connection`."""
        other = replace(self)
        vars(other)["connection"] = Connection(self.collection, self.path, self.url, start)
        return other

    @contextmanager
    def opened(self, progress: Progress = no_progress) -> Iterator[Any]:
        """The collection as chromadb gives it; what chromadb raises is raised as `RagdiagError`."""
        try:
            yield self.connection.collection(progress)
        except RagdiagError:
            raise
        except Exception as e:
            raise RagdiagError(f"{self._place}: {_one_line(e)}; {OF_SERVER if self.url else OF_FOLDER}") from e

    @property
    def _place(self) -> str:
        return f"{self.path or self.url} [{self.collection}]"


class ChromaIndex:
    """The collection, its chunks numbered as in `ids`; see `protocols.Index`. Chunks not in `ids` are passed over.

    `space` is its distance ("l2", "cosine", "ip"), `length` the mean length of its vectors, `nbytes` what they take.
    """

    encodes_anew: ClassVar[bool] = False

    def __init__(
        self, chroma: Chroma, encoder: Encoder, ids: Sequence[str], store: Store | None, space: str, length: float, nbytes: int
    ) -> None:
        self._chroma, self.encoder, self._space, self._length = chroma, encoder, space, length
        self._encode = _encoding(encoder, store)
        self.nbytes = nbytes
        self._position = {name: i for i, name in enumerate(ids)}
        self._exact: ExactIndex | None = None
        self._known: dict[tuple[str, int], tuple[IntArray, FloatArray]] = {}
        self._vectors: dict[str, VectorArray] = {}

    @property
    def unlinked(self) -> int:
        """Records that Chroma links into its graph anew at each start; see `protocols.Index`."""
        return self._chroma.connection.unlinked

    def started_anew(self, start: int) -> ChromaIndex:
        """See `protocols.Index`."""
        other = copy.copy(self)
        other._chroma, other._known = self._chroma.started_anew(start), {}
        return other

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. A score is the negative of the collection's own distance (squared L2, cosine, inner product).

        The collection is asked for `depth` results and no more, as long as they are all in `ids`. It is asked once: a live one
        may answer differently later.
        """
        new = [query for query in dict.fromkeys(queries) if (query, depth) not in self._known]
        self._known |= {(query, depth): row for query, row in zip(new, self._found(new, depth), strict=True)}
        return padded([self._known[query, depth] for query in queries], depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. What is timed is the collection: a query's vector is made once."""
        return padded(self._found([query], depth), depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. What the collection returns is edited: a chunk that its search misses stays missed."""
        texts, vectors, added = encoded(self._encode, queries, edits)

        def score(query: str, text: str) -> float:
            return round(-self._distance(float(vectors[query] @ added[text])), DECIMALS) + 0.0

        rows: dict[int, tuple[IntArray, FloatArray]] = {}
        sizes = [len(edit.removed) for edit in edits]
        for size in sorted(set(sizes)):  # apart: no edit is to look deeper for what another one drops
            at = [i for i, own in enumerate(sizes) if own == size]
            alike = [queries[i] for i in at], [edits[i] for i in at], [texts[i] for i in at]
            rows |= dict(zip(at, zip(*edited(self.search, score, len(self._position), *alike, depth), strict=True), strict=True))
        return padded([rows[i] for i in range(len(edits))], depth)

    def exact(self) -> ExactIndex:
        """See `protocols.Index`. All vectors are read, once."""
        if self._exact is None:
            vectors = np.empty((len(self._position), self.nbytes // 4 // len(self._position)), dtype=np.float32)
            names = list(self._position)
            with self._chroma.opened() as collection:
                for i in range(0, len(names), PAGE):
                    page = collection.get(ids=names[i : i + PAGE], include=["embeddings"])
                    vectors[[self._position[name] for name in page["ids"]]] = page["embeddings"]
            self._exact = ExactIndex(vectors, self._encode, self._space, self._length)
        return self._exact

    def _distance(self, cosine: float) -> float:
        """Chroma's distance between a query, of length 1, and a vector as long as the collection's."""
        if self._space == "l2":
            return 1 + self._length**2 - 2 * self._length * cosine
        return 1 - cosine * (self._length if self._space == "ip" else 1.0)

    def _found(self, queries: Sequence[str], depth: int) -> list[tuple[IntArray, FloatArray]]:
        """What the collection gives for each query: asked for `depth` results, for more while too few of them are in `ids`."""
        vectors = self._vectors_of(queries)
        rows: list[tuple[IntArray, FloatArray]] = [(np.empty(0, dtype=np.int64), np.empty(0))] * len(queries)
        wanted, at = depth, list(range(len(queries)))
        while at:
            found = self._asked(vectors[at], wanted)
            for i, (ids, distances) in zip(at, found, strict=True):
                rows[i] = self._row(ids, distances, depth)
            at = [i for i, (ids, _) in zip(at, found, strict=True) if len(ids) == wanted and len(rows[i][0]) < depth]
            wanted *= 2
        return rows

    def _vectors_of(self, queries: Sequence[str]) -> VectorArray:
        new = [query for query in dict.fromkeys(queries) if query not in self._vectors]
        self._vectors |= dict(zip(new, self._encode(new, "query"), strict=True)) if new else {}
        return np.array([self._vectors[query] for query in queries], dtype=np.float32)

    def _asked(self, vectors: VectorArray, n_results: int) -> list[tuple[list[str], list[float]]]:
        """The ids and distances that the collection returns for each vector."""
        rows: list[tuple[list[str], list[float]]] = []
        block = min(QUERIES, max(ANSWERS // n_results, 1))
        with self._chroma.opened() as collection:
            for i in range(0, len(vectors), block):
                found = collection.query(query_embeddings=vectors[i : i + block], n_results=n_results, include=["distances"])
                rows += zip(found["ids"], found["distances"], strict=True)
        return rows

    def _row(self, ids: Sequence[str], distances: Sequence[float], depth: int) -> tuple[IntArray, FloatArray]:
        known = sorted((self._position[name], -d) for name, d in zip(ids, distances, strict=True) if name in self._position)
        positions = np.array([position for position, _ in known], dtype=np.int64)
        scores: FloatArray = np.round([score for _, score in known], DECIMALS) + 0.0  # no -0.0
        top = best(scores, depth)
        return positions[top], scores[top]


def _encoding(encoder: Encoder, store: Store | None) -> Encode:
    """`encoder` with `store`: a function of neither index, so that both, and the copy of a folder, go when the audit does."""
    return lambda texts, kind: encoder.encode(texts, kind, store, no_progress)


class ExactIndex:
    """A collection's own `vectors`, all compared by its own distance (`space`); see `protocols.Index`.

    `length` is the mean length of its vectors, which texts that an edit adds are given.
    """

    def __init__(self, vectors: VectorArray, encode: Encode, space: str, length: float) -> None:
        self._made, self._space, self._length = encode, space, length
        self._vectors = Vectors(self._placed(unit(vectors) if space == "cosine" else vectors))

    @property
    def nbytes(self) -> int:
        """See `protocols.Index`."""
        return int(self._vectors.rows.nbytes)

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. Scores are those of `ChromaIndex`."""
        return self._scored(*self._vectors.search(self._encode(queries, "query"), depth))

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self.search([query], depth)

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return self._scored(*self._vectors.what_if(self._encode, queries, edits, depth))

    def _encode(self, texts: Sequence[str], kind: Kind) -> VectorArray:
        vectors = self._made(texts, kind)
        if kind == "document":
            return self._placed(vectors if self._space == "cosine" else vectors * np.float32(self._length))
        return np.pad(vectors, ((0, 0), (0, 1)), constant_values=1) if self._space == "l2" and len(vectors) else vectors

    def _placed(self, vectors: VectorArray) -> VectorArray:
        """Vectors whose inner product with a query orders them as the distance does: for L2, q·v - |v|²/2."""
        if self._space != "l2" or not len(vectors):
            return vectors
        return np.hstack([vectors, -0.5 * (vectors**2).sum(axis=1, keepdims=True)])

    def _scored(self, positions: IntArray, scores: FloatArray) -> tuple[IntArray, FloatArray]:
        """Inner products as negative distances from a query of length 1."""
        return positions, np.round(scores * (2 if self._space == "l2" else 1) - 1, DECIMALS) + 0.0


def _chunk(name: str, text: str | None, metadata: Mapping[str, object], file: str) -> StoredChunk:
    if text is None or not text.strip():
        raise InputError(f"record {name!r} has no document text", file, remedy="store the chunk's text with its vector")
    return hinted_chunk(name, text, metadata, file)


def _one_line(error: Exception, most: int = 160) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= most else words[: most - 1] + "…"
