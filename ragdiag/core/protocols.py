"""What each family of strategies promises, and what the pipeline passes in.

Stages never import each other; they meet through `ragdiag.core.records` and these contracts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from ragdiag.core.arrays import Array, BoolArray, FloatArray, IntArray, VectorArray
from ragdiag.core.opinions import Opinion
from ragdiag.core.prompt import Prompt, Reply
from ragdiag.core.proofs import Edit
from ragdiag.core.records import Answer, Document, Query, StoredChunk
from ragdiag.core.texts import ChunkTexts

__all__ = [
    "Approximate", "Beside", "ChunkTexts", "Chunker", "Collection", "Composed", "Context", "CorpusChunker", "Examined", "Fusion",
    "Index", "Judge", "Kept", "Model", "Progress", "Relinked", "Retriever", "Step", "Store", "Timed", "Tunable", "Weighted",
    "Wrapper", "no_progress", "text_key",
]  # fmt: skip

Progress = Callable[[str, int, int], None]
"""Called with ``(what, done, total)`` while something long goes on."""


def no_progress(what: str, done: int, total: int) -> None:
    """The `Progress` that shows nothing."""


class Chunker(Protocol):
    """Cuts one document into spans. One that embeds is a `CorpusChunker` too, and its `encoder` is named in the signature."""

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """Half-open ``(starts, ends)`` in `text`, in order; together they cover it, unless the chunker's docs say otherwise."""
        ...


@runtime_checkable
class CorpusChunker(Chunker, Protocol):
    """A chunker that cuts all documents in one call, because it makes something costly of them, such as vectors of sentences."""

    def spans_of_all(self, texts: Sequence[str], store: Store | None, progress: Progress) -> Sequence[tuple[IntArray, IntArray]]:
        """The `spans` of each text, in order; what is costly is looked up in and added to `store`."""
        ...


class Context(Protocol):
    """Decides what is embedded, and indexed, with a chunk."""

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """One text for each span of `document`: the chunk's own with whatever surrounds it."""
        ...


class Store(Protocol):
    """A content-addressed cache (see `ragdiag.core.cache`); `None` stands for no cache."""

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, VectorArray]:
        """The vectors known for `keys` under `model`: float32 arrays, absent where unknown."""
        ...

    def add_vectors(self, model: str, vectors: Mapping[bytes, VectorArray]) -> None:
        """Keep vectors, at once and whole."""
        ...

    def arrays(self, key: str) -> dict[str, Array] | None:
        """The arrays kept under `key`, or None where there are none or they are damaged."""
        ...

    def add_arrays(self, key: str, arrays: Mapping[str, Array]) -> None:
        """Keep named arrays under `key`."""
        ...


def text_key(text: str) -> bytes:
    """The key of a text's vector in a `Store`: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Index(Protocol):
    """Texts made searchable. What some indexes can do besides has a protocol of its own below, told by `isinstance`."""

    @property
    def nbytes(self) -> int:
        """Bytes that the index takes: its arrays, those of its parts among them (of a vector store, the float32 vectors)."""
        ...

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """Positions and scores of the best `depth` texts for each query, by score, then position; padded with -1 and -inf."""
        ...

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """`search` of one query as an application does it, for timing: encoded anew (but see `Timed`) once a model is loaded."""
        ...

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """The same search were this index otherwise: row i is the ranking of ``queries[i]`` under ``edits[i]``.

        Statistics of the collection (idf, mean length) stay as they are: only what an edit touches is scored anew. Its added
        texts are numbered from the number of texts on. An edit's own `query` and `retriever` are the caller's business.
        """
        ...


@runtime_checkable
class Composed(Index, Protocol):
    """An index made of others: those of a fusion, or the one below a step."""

    indexes: Sequence[Index]

    def depth_below(self, depth: int) -> int:
        """How many results it asks of each of `indexes` when it is asked for `depth`."""
        ...


@runtime_checkable
class Step(Composed, Protocol):
    """An index that filters or re-orders what another one finds, the only one of `indexes`; made by a `Wrapper`."""

    def over(self, inner: Index) -> Index:
        """The same step over another index of the same texts."""
        ...


@runtime_checkable
class Approximate(Index, Protocol):
    """An index that may miss a text. Asked for more it may look wider, and find what it missed: see `approximate.AsAsked`."""

    def exact(self) -> Index:
        """The same texts and vectors as an index that compares all."""
        ...


@runtime_checkable
class Relinked(Approximate, Protocol):
    """An approximate index whose newest texts are linked in another order at each start of an application."""

    @property
    def unlinked(self) -> int:
        """The number of such texts."""
        ...

    def started_anew(self, start: int) -> Index:
        """The index of another start; each number from 1 on is one."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """An index that says what makes it miss less."""

    @property
    def remedy(self) -> str:
        """What to set, by the names that its store has for it; "" where nothing is known of that."""
        ...


@runtime_checkable
class Kept(Index, Protocol):
    """An index that was made elsewhere, at some time, of texts that it holds."""

    @property
    def adds(self) -> bool:
        """Whether texts can be added as its own were: how these were made and are scored is known."""
        ...

    def drifted(self, chunks: Sequence[int]) -> Sequence[bool]:
        """Of each chunk, whether its vector is not what the encoder makes of its text now."""
        ...


class Beside(NamedTuple):
    """Stored vectors as they are, what an encoder makes of their texts now (of length 1), both ``(n, dimension)``, and which of
    the stored ones are not of their texts, whatever their length.
    """

    stored: VectorArray
    made: VectorArray
    unlike: BoolArray


@runtime_checkable
class Examined(Kept, Approximate, Protocol):
    """An index of a store whose vectors can be looked at, and searched for; see `ragdiag.diagnosis.health`."""

    @property
    def space(self) -> str:
        """The store's distance: "l2", "cosine" or "ip"."""
        ...

    @property
    def is_known(self) -> bool:
        """Whether it is known what was embedded for a record, so that a vector can be told to be of another text."""
        ...

    def beside(self, chunks: Sequence[int], progress: Progress) -> Beside:
        """The vectors of chunks beside new ones."""
        ...

    def lengths(self) -> FloatArray:
        """The length of every vector."""
        ...

    def nearest(self, vectors: VectorArray, depth: int, *, exactly: bool = False) -> tuple[IntArray, FloatArray]:
        """`search` by vectors of length 1; by comparing all where `exactly`."""
        ...


@runtime_checkable
class Weighted(Protocol):
    """An index that weighs words by how rare they are in it."""

    def weights_of(self, query: str) -> Mapping[str, float]:
        """Each word of `query` with its idf in the index, which may be 0 or less; infinite for a word that no text has."""
        ...


@runtime_checkable
class Timed(Protocol):
    """An index that states whether `Index.answer` encodes the query; any other one does."""

    encodes_anew: bool


class Retriever(Protocol):
    """Makes an index of texts."""

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> Index:
        """Index `texts`, `ChunkTexts` in an audit; what is costly is looked up in and added to `store`.

        A retriever that works on others passes `texts` on to them as they are.
        """
        ...


@runtime_checkable
class Wrapper(Retriever, Protocol):
    """A retriever that works on another one, its first field; its index is a `Step`."""

    @property
    def retriever(self) -> Retriever:
        """The other one."""
        ...


@runtime_checkable
class Fusion(Retriever, Protocol):
    """A retriever that fuses the rankings of others; its index has theirs as `indexes`, in this order."""

    @property
    def retrievers(self) -> Sequence[Retriever]:
        """The others."""
        ...


class Judge(Protocol):
    """Says of recorded answers whether they are right by the reference answers of their queries, or held by their contexts.

    A judge may say in `reads` which: "reference" (any of `Query.answers` will do) or "contexts"; the other place then refuses it.
    """

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """One opinion for each pair, in order; None where it cannot tell: a failed answer, a query without a reference."""
        ...


class Model(Protocol):
    """What answers prompts: an endpoint or a callable. `name` tells its answers from another's."""

    name: str

    def seen(self, prompt: Prompt) -> str:
        """What of `prompt` it gets to see: as long as that is the same, an answer needs no asking again."""
        ...

    def answer(self, prompt: Prompt) -> Reply:
        """One call; a failure is a reply as well, never raised. May be called from several threads at once."""
        ...

    def close(self) -> None:
        """Let go of connections: nothing more is asked."""
        ...


@runtime_checkable
class Collection(Protocol):
    """A retriever of an index that exists already, audited with its own chunks."""

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """Every chunk the collection holds, with its id."""
        ...

    def open(self, ids: Sequence[str], store: Store | None) -> Index:
        """The collection as an index whose text i is the chunk named ``ids[i]``."""
        ...
