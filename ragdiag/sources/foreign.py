"""Records of a store that are of no document as it is now: kept where they are, since they take places in contexts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.records import Chunking, Corpus, Document, StoredChunk
from ragdiag.sources.paths import Paths
from ragdiag.sources.places import Place, Placer
from ragdiag.sources.stored import names_of
from ragdiag.text.phrases import counted

__all__ = ["Sorted", "beside", "sorted_out", "with_foreign"]

CHANGED, ORPHAN = "changed", "orphan"
"""Kinds of foreign records: their document is there and has no such text; no document is theirs."""

GLUED = 300
"""Characters that may be glued before or after a chunk's own text, of which it has at least half."""

_BOUNDARY = re.compile(r"\n+|: |\| |\] |> ")
"""Where glued text may end."""

SHOWN = 3
"""Ids of records shown of each kind."""


class Sorted(NamedTuple):
    """Chunks with a place in the corpus; the others, each with its kind; notes on both. `altered` and `several` are the ids of
    those placed with a remark: where the rest of a text stands; in the first of several documents.
    """

    placed: list[StoredChunk]
    foreign: list[tuple[StoredChunk, str]]
    notes: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    several: tuple[str, ...] = ()


def sorted_out(chunks: Sequence[StoredChunk], corpus: Corpus) -> Sorted:
    """The records of a store by whether the documents hold them.

    One whose text was only lower-cased, or has something glued to it, is placed where the rest of it stands. One that stands in
    several documents and names none is placed in the first. Raises the `InputError` of the first record where none has a place:
    then it is another corpus.
    """
    sorting, found, first = _Sorting(corpus), Sorted([], []), None
    for chunk in chunks:
        try:
            found.placed.append(sorting.placed(chunk))
        except InputError as e:
            first = first or e
            found.foreign.append((chunk, sorting.kind(chunk)))
    if not found.placed and first is not None:
        raise first
    notes = tuple(_notes(sorting, found.foreign))
    return found._replace(notes=notes, altered=tuple(sorting.altered), several=tuple(sorting.several))


def with_foreign(chunking: Chunking, corpus: Corpus, foreign: Sequence[tuple[StoredChunk, str]]) -> tuple[Chunking, Corpus]:
    """`chunking` and `corpus` with each foreign record as a chunk, and a document of its own, behind all others."""
    if not foreign:
        return chunking, corpus
    paths = Paths(corpus)
    documents = [Document(f"record {c.id}", c.text, foreign=kind, was=_was(c, paths, corpus)) for c, kind in foreign]
    more = beside(chunking, len(corpus.documents), documents, [chunk.id for chunk, _ in foreign])
    return more, replace(corpus, documents=(*corpus.documents, *documents))


def beside(chunking: Chunking, first: int, documents: Sequence[Document], ids: Sequence[str]) -> Chunking:
    """`chunking` with a chunk for the whole of each of `documents`, which are numbered from `first`; `ids` name the chunks."""
    ends = np.array([len(document.text) for document in documents], dtype=np.int64)
    return replace(
        chunking,
        document=np.concatenate([chunking.document, first + np.arange(len(documents), dtype=np.int64)]),
        start=np.concatenate([chunking.start, 0 * ends]),
        end=np.concatenate([chunking.end, ends]),
        ids=(*chunking.ids, *ids),
    )


def _was(chunk: StoredChunk, paths: Paths, corpus: Corpus) -> str:
    """The document that a record names; "" where that is none of the corpus."""
    named = (at for name in names_of(chunk) for at in paths.documents(name))
    return next((corpus.documents[at].id for at in named), "")


def _notes(sorting: _Sorting, foreign: Sequence[tuple[StoredChunk, str]]) -> Iterator[str]:
    """What was found of each kind, the first ids of it, and what mends it."""
    of_kind = {kind: [chunk.id for chunk, own in foreign if own == kind] for kind in Counter(kind for _, kind in foreign)}
    says = {
        CHANGED: "of documents that say something else now; index these anew",
        ORPHAN: "of no document of the corpus; delete them, or audit the corpus that they are of",
    }
    kept = "they take places in contexts and count for nothing"
    for kind, ids in of_kind.items():
        yield f"{kind}: {_shown(ids)} {says[kind]}; {kept}"
    if sorting.altered:
        yield f"altered: {_shown(sorting.altered)} with text lower-cased or glued to, placed where the rest of it stands"
    if sorting.several:
        yield f"{_shown(sorting.several)} that name no document have a text of several: taken for the first; add doc_id"


def _shown(ids: Sequence[str]) -> str:
    """How many records, and the ids of the first."""
    return f"{counted(len(ids), 'record')} ({', '.join(ids[:SHOWN])}{', …' if len(ids) > SHOWN else ''})"


@dataclass
class _Sorting:
    """Looks for the places of records one by one; `altered` and `several` are the ids of those placed with a remark."""

    corpus: Corpus
    altered: list[str] = field(default_factory=list)
    several: list[str] = field(default_factory=list)

    @cached_property
    def _placer(self) -> Placer:
        return Placer(self.corpus)

    @cached_property
    def _lower(self) -> Placer:
        """Of the documents in small letters; one whose length that changes is left as it is."""
        low = (replace(d, text=d.text.lower() if len(d.text.lower()) == len(d.text) else d.text) for d in self.corpus.documents)
        return Placer(replace(self.corpus, documents=tuple(low)))

    def placed(self, chunk: StoredChunk) -> StoredChunk:
        """A record as a chunk that has a place. Raises the `InputError` of one that has none."""
        try:
            places = self._placer.places(chunk)
        except InputError:
            places = self._altered(chunk)
            if not places:
                raise
            self.altered.append(chunk.id)
            return self._at(chunk, places[0])
        if len({document for document, _, _ in places}) == 1:
            return chunk
        self.several.append(chunk.id)
        return self._at(chunk, places[0])

    def kind(self, chunk: StoredChunk) -> str:
        """The kind of a record without a place."""
        return CHANGED if any(self._placer.named(name) for name in names_of(chunk)) else ORPHAN

    def _altered(self, chunk: StoredChunk) -> list[Place]:
        """Where the rest of a text stands that has something glued to it, or is lower-cased; nothing where it does not."""
        for text in _parts(chunk.text):
            for placer, change in ((self._placer, str), (self._lower, str.lower)):
                if places := _tried(placer, replace(chunk, text=change(text), start=None, end=None)):
                    return places
        return []

    def _at(self, chunk: StoredChunk, place: Place) -> StoredChunk:
        document, start, end = place
        return StoredChunk(chunk.id, self.corpus.documents[document].id, "", start, end, chunk.file, chunk.line)


def _tried(placer: Placer, chunk: StoredChunk) -> list[Place]:
    try:
        return placer.places(chunk)
    except InputError:
        return []


def _parts(text: str) -> Iterator[str]:
    """A text, then what is left of it without its beginning or its end, the longest first; half of it at least."""
    most = len(text) - min(GLUED, len(text) // 2)
    left = [part for at in _BOUNDARY.finditer(text) for part in (text[at.end() :], text[: at.start()])]
    yield text
    yield from sorted((part for part in left if len(part) >= most), key=len, reverse=True)
