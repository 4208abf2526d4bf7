"""How much of a ranking reaches the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ragdiag.core.proofs import Edit
from ragdiag.core.records import Chunking, Corpus, IntArray, Span
from ragdiag.text.tokens import count_tokens

__all__ = ["Packing"]


@dataclass(frozen=True, eq=False)
class Packing:
    """How many of a ranking's texts reach the prompt: the first `k`, or those that fit a `budget` of tokens where there is one.

    In a ranking, texts that an edit adds are numbered from the number of chunks on.
    """

    corpus: Corpus
    chunking: Chunking
    k: int
    budget: int
    _tokens: dict[Span, int] = field(default_factory=dict, repr=False)

    def fits(self, order: IntArray, edit: Edit) -> int:
        """How many of `order` reach the prompt, at most."""
        if not self.budget:
            return self.k
        total = np.cumsum(self._sizes(order, edit))
        return max(int((total <= self.budget).sum()), 1)

    def full(self, order: IntArray, edit: Edit) -> bool:
        """Whether `order` fills the prompt, so that nothing below it matters."""
        if not self.budget:
            return int((order >= 0).sum()) >= self.k
        return sum(self._sizes(order, edit)) > self.budget

    def _sizes(self, order: IntArray, edit: Edit) -> list[int]:
        """The tokens of each text of `order`, which may be padded."""
        return [self._size(self._span(c, edit)) for c in order.tolist() if c >= 0]

    def _span(self, text: int, edit: Edit) -> Span:
        n, chunking = len(self.chunking), self.chunking
        if text >= n:
            return Span(*edit.added[text - n][:3])
        return Span(int(chunking.document[text]), int(chunking.start[text]), int(chunking.end[text]))

    def _size(self, span: Span) -> int:
        if span not in self._tokens:
            self._tokens[span] = count_tokens(self.corpus.documents[span.document].text[span.start : span.end])
        return self._tokens[span]
