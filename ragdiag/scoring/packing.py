"""How much of a ranking reaches the prompt: the one place that says so.

Without a budget the first `k` chunks do. With one (`budget` > 0) chunks are taken in rank order, stopping before the first that
would exceed it, whatever is below; the first chunk is always taken, however long it is. Of rankings of passages (see
`core.passages`) the first `k` passages do, and what chunks share is counted once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ragdiag.core.passages import numbered, tokens_once
from ragdiag.core.proofs import Edit
from ragdiag.core.records import BoolArray, Chunking, Corpus, FloatArray, IntArray, Span
from ragdiag.text.tokens import count_tokens

__all__ = ["Packing", "context_lengths", "reaches"]


def reaches(rank: IntArray, tokens: IntArray, k: int, budget: int) -> BoolArray:
    """Whether the chunk at each `rank` (from 1; 0: not ranked) reaches the prompt.

    `tokens`, of the shape of `rank`, are those of the chunks from the first down to that one; they matter under a budget only.
    """
    within = (tokens <= budget) | (rank == 1) if budget else rank <= k
    return np.asarray((rank > 0) & within, dtype=bool)


def context_lengths(chunks: IntArray, tokens: IntArray, k: int, budget: int, passages: FloatArray | None = None) -> IntArray:
    """How many ranked chunks of each query reach the prompt, shape ``(n_queries,)``.

    `chunks` holds rankings, padded with -1, and `tokens` the tokens of each ranked chunk, both of shape ``(n_queries, depth)``;
    `passages`, for rankings of passages, the scores, of that shape too.
    """
    places = np.arange(1, chunks.shape[1] + 1) if passages is None or budget else numbered(passages)
    rank = np.where(chunks >= 0, places, 0)
    return np.asarray(reaches(rank, np.cumsum(tokens, axis=1), k, budget).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Packing:
    """How much of a ranking reaches the prompt, where the ranking is of an index that an `Edit` may have changed.

    In a ranking, texts that an edit adds are numbered from the number of chunks on. `passages`: rankings are of passages, and
    their scores must be given.
    """

    corpus: Corpus
    chunking: Chunking
    k: int
    budget: int
    passages: bool = False
    _tokens: dict[Span, int] = field(default_factory=dict, repr=False)

    def fits(self, order: IntArray, edit: Edit, scores: FloatArray | None = None) -> int:
        """How many texts of `order`, which may be padded with -1, reach the prompt; `scores` are theirs."""
        # Without a budget no text has to be counted, which costs far more than all else here.
        tokens = self._sizes(order, edit) if self.budget else np.zeros_like(order)
        passages = scores[None] if self.passages and scores is not None else None
        return int(context_lengths(order[None], tokens[None], self.k, self.budget, passages)[0])

    def full(self, order: IntArray, edit: Edit) -> bool:
        """Whether `order`, padded with -1, fills the prompt, so that nothing below matters; `k` counts texts here."""
        if not self.budget:
            return int((order >= 0).sum()) >= self.k
        return self.tokens(order, edit) > self.budget

    def tokens(self, order: IntArray, edit: Edit) -> int:
        """The tokens of all texts of `order`, which may be padded with -1."""
        return int(self._sizes(order, edit).sum())

    def span(self, text: int, edit: Edit) -> Span:
        """Where a ranked text is: a chunk, or an addition of `edit`."""
        n, chunking = len(self.chunking), self.chunking
        if text >= n:
            return Span(*edit.added[text - n][:3])
        return Span(int(chunking.document[text]), int(chunking.start[text]), int(chunking.end[text]))

    def _sizes(self, order: IntArray, edit: Edit) -> IntArray:
        """The tokens of each text of `order`, in its shape; padding, which comes last, has 0."""
        spans = [self.span(text, edit) for text in order.tolist() if text >= 0]
        sizes = tokens_once(spans, self._size) if self.passages else [self._size(span) for span in spans]
        return np.array([*sizes, *[0] * (len(order) - len(sizes))], dtype=np.int64)

    def _size(self, span: Span) -> int:
        if span not in self._tokens:
            self._tokens[span] = count_tokens(self.corpus.documents[span.document].text[span.start : span.end])
        return self._tokens[span]
