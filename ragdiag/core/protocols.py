"""What each family of strategies promises, and what the pipeline passes in.

Stages never import each other; they meet through `ragdiag.core.records` and these contracts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ragdiag.core.opinions import Opinion
from ragdiag.core.prompt import Prompt, Reply
from ragdiag.core.proofs import Edit
from ragdiag.core.records import Answer, Chunking, Corpus, Document, FloatArray, IntArray, Query, StoredChunk

__all__ = [
    "Chunker",
    "Collection",
    "Context",
    "Index",
    "Judge",
    "Model",
    "Progress",
    "Retriever",
    "Step",
    "Store",
    "Told",
    "kept",
    "no_progress",
    "text_key",
]

Progress = Callable[[str, int, int], None]
"""Called with ``(what, done, total)`` while something long goes on."""


def no_progress(what: str, done: int, total: int) -> None:
    """The `Progress` that shows nothing."""


class Chunker(Protocol):
    """Cuts one document into spans.

    One that needs something costly (vectors of sentences) has ``spans_of_all(texts, store, progress)`` as well: the spans of each
    text, in order, with what is costly made for all at once, looked up in and added to `store`. `chunks.cut` then calls that. An
    `encoder` of a chunker, as of a retriever, is named in the signature.
    """

    def spans(self, text: str) -> tuple[IntArray, IntArray]:
        """Half-open ``(starts, ends)`` in `text`, in order; together they cover it, unless the chunker's docs say otherwise."""
        ...


class Context(Protocol):
    """Decides what is embedded, and indexed, with a chunk."""

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """One text for each span of `document`: the chunk's own with whatever surrounds it."""
        ...


class Store(Protocol):
    """A content-addressed cache (see `ragdiag.core.cache`); `None` stands for no cache."""

    def vectors(self, model: str, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """The vectors known for `keys` under `model`: float32 arrays, absent where unknown."""
        ...

    def add_vectors(self, model: str, vectors: Mapping[bytes, Any]) -> None:
        """Keep vectors, at once and whole."""
        ...

    def arrays(self, key: str) -> dict[str, Any] | None:
        """The arrays kept under `key`, or None where there are none or they are damaged."""
        ...

    def add_arrays(self, key: str, arrays: Mapping[str, Any]) -> None:
        """Keep named arrays under `key`."""
        ...


def text_key(text: str) -> bytes:
    """The key of a text's vector in a `Store`: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def kept(store: Store | None, what: str, texts: Sequence[str], build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The arrays in `store` for what is made of `texts`, which `what` describes in full; else those of `build`, added to it."""
    if store is None:
        return build()
    digest = hashlib.sha256(what.encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little") + raw)
    found = store.arrays(digest.hexdigest())
    if found is None:
        found = build()
        store.add_arrays(digest.hexdigest(), found)
    return found


class Index(Protocol):
    """Texts made searchable. One that is made of others has them in `indexes`, and says in ``depth_below(depth)`` how many
    results it asks of each when it is asked for `depth`.

    An approximate one, which may miss a text, has ``exact()`` besides: the same texts and vectors as an index that compares all.
    Asked for more it may look wider, and so find what it missed: see `approximate.AsAsked`. Where some texts are found
    in another way at each start of an application, `unlinked` is their number and ``started_anew(start)`` the index of another.
    """

    @property
    def nbytes(self) -> int:
        """Bytes that the index takes: its arrays, those of its parts among them (of a vector store, the float32 vectors)."""
        ...

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """The best `depth` texts for each query: positions and scores, shape ``(n_queries, depth)``.

        Order is score descending, then position; rows are padded with -1 and -inf.
        """
        ...

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """`search` of one query as an application would do it, for timing: encoded anew, unless a model must be loaded first.

        An index that never encodes anew here says so: its `encodes_anew` is False.
        """
        ...

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """The same search were this index otherwise: row i is the ranking of ``queries[i]`` under ``edits[i]``.

        Statistics of the collection (idf, mean length) stay as they are: only what an edit touches is scored anew. Its added
        texts are numbered from the number of texts on. An edit's own `query` and `retriever` are the caller's business.
        """
        ...


class Retriever(Protocol):
    """Makes an index of texts."""

    def index(self, texts: Sequence[str], store: Store | None, progress: Progress) -> Index:
        """Index `texts`; what is costly is looked up in and added to `store`."""
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


class Step(Index, Protocol):
    """What a retriever makes that filters or re-orders what another one finds: its first field, `retriever`."""

    indexes: Sequence[Index]

    def over(self, inner: Index) -> Index:
        """The same step over another index of the same texts, in place of the only one of `indexes`."""
        ...


class Told(Index, Protocol):
    """An index that has to know which documents its texts are from; it, or the part that it is, is told before any search."""

    def tell(self, corpus: Corpus, chunking: Chunking) -> None:
        """Text i is what is indexed for chunk i of `chunking`, which is of `corpus`; so are the documents of an `Edit`."""
        ...


class Collection(Protocol):
    """A retriever over an index that exists already, audited with its own chunks."""

    def stored_chunks(self, progress: Progress) -> list[StoredChunk]:
        """Every chunk the collection holds, with its id."""
        ...

    def open(self, ids: Sequence[str], store: Store | None) -> Index:
        """The collection as an index whose text i is the chunk named ``ids[i]``."""
        ...
