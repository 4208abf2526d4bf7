"""What is indexed for chunks, as sequences of texts that are made when they are asked for: a corpus is held once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from ragdiag.core.records import Chunking, Corpus

__all__ = ["ChunkTexts", "OwnTexts"]

BLOCK = 10_000
"""Chunks whose places are turned into numbers of Python at once."""


class OwnTexts(Sequence[str]):
    """The text of each chunk of `chunking`, and nothing else."""

    def __init__(self, corpus: Corpus, chunking: Chunking) -> None:
        self._documents, self._chunking = corpus.documents, chunking

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> list[str]: ...
    def __getitem__(self, i: int | slice) -> str | list[str]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        cut = self._chunking
        return self._documents[int(cut.document[i])].text[int(cut.start[i]) : int(cut.end[i])]

    def __len__(self) -> int:
        return len(self._chunking)

    def __iter__(self) -> Iterator[str]:
        cut, documents = self._chunking, self._documents
        for i in range(0, len(cut), BLOCK):
            columns = (column[i : i + BLOCK].tolist() for column in (cut.document, cut.start, cut.end))
            yield from (documents[d].text[a:b] for d, a, b in zip(*columns, strict=True))


class ChunkTexts(Sequence[str]):
    """What is indexed for each chunk of `chunking`, in its order, for retrievers that need more than texts.

    Its documents are those of `corpus`, by position, and so are the documents of an `Edit`.
    """

    def __init__(self, texts: Sequence[str], corpus: Corpus, chunking: Chunking) -> None:
        self._texts, self.corpus, self.chunking = texts, corpus, chunking

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[str]: ...
    def __getitem__(self, i: int | slice) -> str | Sequence[str]:
        return self._texts[i]

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)
