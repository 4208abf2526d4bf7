"""The texts of chunks and of contexts, and the tokens in them."""

from __future__ import annotations

import numpy as np

from ragdiag.core.passages import joined, numbered, tokens_once
from ragdiag.core.records import Chunking, Corpus, IntArray, Run, Span
from ragdiag.text.tokens import count_tokens

__all__ = ["Texts"]


class Texts:
    """One chunking of a corpus. What is counted is counted once."""

    def __init__(self, corpus: Corpus, chunking: Chunking) -> None:
        self._corpus, self._chunking = corpus, chunking
        self._tokens = np.full(len(chunking), -1, dtype=np.int64)
        self._counted: dict[Span, int] = {}
        same = chunking.document[1:] == chunking.document[:-1]
        self._disjoint = not (same & (chunking.start[1:] < chunking.end[:-1])).any()

    def text(self, chunk: int) -> str:
        """A chunk's own text, without what its context adds."""
        return self._at(self.span(chunk))

    def span(self, chunk: int) -> Span:
        """Where a chunk is."""
        chunking = self._chunking
        return Span(int(chunking.document[chunk]), int(chunking.start[chunk]), int(chunking.end[chunk]))

    def _at(self, span: Span) -> str:
        return self._corpus.documents[span.document].text[span.start : span.end]

    def tokens_of(self, chunks: IntArray) -> IntArray:
        """Tokens in each chunk (-1 counts 0), same shape."""
        real = chunks >= 0
        distinct = np.unique(chunks[real])
        for c in distinct[self._tokens[distinct] < 0].tolist():
            self._tokens[c] = count_tokens(self.text(c))
        tokens = np.zeros(chunks.shape, dtype=np.int64)
        tokens[real] = self._tokens[chunks[real]]
        return tokens

    def added(self, run: Run) -> IntArray:
        """Tokens that each ranked chunk adds to a context, in its shape; of passages, what chunks share counts once."""
        if not run.passages or self._disjoint:
            return self.tokens_of(run.chunks)
        tokens = np.zeros(run.chunks.shape, dtype=np.int64)
        for row, chunks in zip(tokens, run.chunks, strict=True):
            there = chunks[chunks >= 0].tolist()
            row[: len(there)] = tokens_once([self.span(c) for c in there], self._size)
        return tokens

    def _size(self, span: Span) -> int:
        if span not in self._counted:
            self._counted[span] = count_tokens(self._at(span))
        return self._counted[span]

    def down_to(self, run: Run, ranks: IntArray) -> IntArray:
        """Tokens of each query's ranked chunks from the first down to the one at its rank (from 1; 0: none), ``(n_queries,)``."""
        sums = np.cumsum(self.added(run), axis=1)
        return np.where(ranks > 0, sums[np.arange(len(ranks)), np.maximum(ranks, 1) - 1], 0)

    def by_k(self, run: Run) -> IntArray:
        """Tokens of each query's context by k, from 1, in the shape of the run: of chunks, or passages, as `k` counts them."""
        sums, depth = np.cumsum(self.added(run), axis=1), run.chunks.shape[1]
        if not run.passages:
            return sums
        last = [np.searchsorted(row, np.arange(1, depth + 1), side="right") - 1 for row in numbered(run.scores)]
        return np.take_along_axis(sums, np.array(last, dtype=np.int64).reshape(sums.shape), axis=1)

    def handed_over(self, run: Run, query: int, length: int) -> list[str]:
        """The texts of a query's context, its first `length` chunks: theirs, or of passages what touches as one."""
        spans = [self.span(c) for c in run.chunks[query, :length].tolist()]
        return [self._at(span) for span in (joined(spans) if run.passages else spans)]
