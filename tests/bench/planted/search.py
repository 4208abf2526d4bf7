"""Rankings of a world's chunks and what they hold: the retrievers' formulas once more, quick on changing chunk lists.

Written apart from ragdiag's retrievers: a fault is verified without the code under test. A test checks that both rank alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ragdiag.core.cache import Cache
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make

from .records import K, Page, Question, Span, View
from .text import words

DEPTH = 100
RETRIEVERS = ("bm25", "dense", "hybrid")
K1, B, EPSILON = 1.5, 0.75, 0.25  # of BM25 Okapi, as rank-bm25 has them
FUSION_K = 60
READ = 254  # word pieces that the encoder reads of a text: 256 less its two marks


class Ranker:
    """Ranks chunk texts by bm25, dense or hybrid, keeping what it knows of each text."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._terms: defaultdict[str, int] = defaultdict(count().__next__)
        self._counts: dict[str, tuple[Any, Any, int]] = {}
        self._vectors: dict[tuple[str, str], Any] = {}

    @cached_property
    def store(self) -> Cache:
        return Cache(self.cache)

    @cached_property
    def encoder(self) -> Any:
        return make("retrievers", "dense").encoder

    @cached_property
    def tokenizer(self) -> Any:
        """The encoder's word pieces, without its limit."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.encoder.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def pieces(self, text: str) -> int:
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def search(self, retriever: str, view: View, queries: Sequence[str]) -> list[list[Span]]:
        """For each query the chunks that it finds, best first."""
        return [[view.spans[i] for i in row] for row in self.rows(retriever, view.texts, queries)]

    def rows(self, retriever: str, texts: Sequence[str], queries: Sequence[str]) -> list[list[int]]:
        """As `search`, but positions in `texts`."""
        if retriever == "bm25":
            return self._sparse(texts, queries)
        if retriever == "dense":
            return self._dense(texts, queries)
        pairs = zip(self._sparse(texts, queries), self._dense(texts, queries), strict=True)
        return [_fused(pair) for pair in pairs]

    def _sparse(self, texts: Sequence[str], queries: Sequence[str]) -> list[list[int]]:
        counted = [self._count(t) for t in texts]
        terms = np.concatenate([ids for ids, _, _ in counted])
        frequency = np.concatenate([n for _, n, _ in counted])
        lengths = np.array([length for _, _, length in counted])
        rows = np.repeat(np.arange(len(texts)), [len(ids) for ids, _, _ in counted])
        in_texts = np.bincount(terms, minlength=len(self._terms))
        idf = np.log(len(texts) - in_texts + 0.5) - np.log(in_texts + 0.5)
        idf = np.where(idf < 0, EPSILON * idf[in_texts > 0].mean(), idf)
        norm = 1 - B + B * lengths / lengths.mean()
        found = []
        for query in queries:
            asked = [self._terms[w] for w in words(query) if w in self._terms and in_texts[self._terms[w]]]
            times = np.bincount(np.array(asked, dtype=np.int64), minlength=len(in_texts))
            at = np.flatnonzero(times[terms])
            weights = idf[terms[at]] * (frequency[at] * (K1 + 1) / (frequency[at] + K1 * norm[rows[at]]))
            scores = np.zeros(len(texts))
            for term in asked:  # in the order of the query: equal scores have to be equal to the last bit
                here = terms[at] == term
                scores[rows[at[here]]] += weights[here]
            found.append(self._best(rows[at], scores))
        return found

    def _best(self, rows: Any, scores: Any) -> list[int]:
        """The best of the texts that share a word with the query."""
        matching = np.unique(rows)
        order = np.lexsort((matching, -scores[matching]))[:DEPTH]
        return matching[order].tolist()

    def _count(self, text: str) -> tuple[Any, Any, int]:
        if text not in self._counts:
            counted = Counter(words(text))
            ids = np.array([self._terms[w] for w in counted], dtype=np.int64)
            self._counts[text] = ids, np.array(list(counted.values()), dtype=np.int64), counted.total()
        return self._counts[text]

    def _dense(self, texts: Sequence[str], queries: Sequence[str]) -> list[list[int]]:
        scores = np.round((self.vectors(queries, "query") @ self.vectors(texts, "document").T).astype(np.float64), 6)
        return [np.lexsort((np.arange(len(row)), -row))[:DEPTH].tolist() for row in scores]

    def vectors(self, texts: Sequence[str], kind: str) -> Any:
        """Unit vectors of texts, each made once."""
        missing = [t for t in dict.fromkeys(texts) if (kind, t) not in self._vectors]
        if missing:
            made = self.encoder.encode(missing, kind, self.store, no_progress)
            self._vectors |= {(kind, t): v for t, v in zip(missing, made, strict=True)}
        return np.stack([self._vectors[kind, t] for t in texts])


def _fused(rankings: Sequence[list[int]]) -> list[int]:
    """Reciprocal rank fusion, ties by position."""
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, i in enumerate(ranking, 1):
            scores[i] += 0.5 / (FUSION_K + rank)
    return sorted(scores, key=lambda i: (-round(scores[i], 12), i))[:DEPTH]


def holds(context: Sequence[Span], passage: Span, text: str) -> bool:
    """Whether chunks together hold every non-space character of a passage; `text` is its page's."""
    position = passage.start
    for chunk in sorted(c for c in context if c.meets(passage)):
        if text[position : chunk.start].strip():
            return False
        position = max(position, chunk.end)
    return not text[position : passage.end].strip()


def depths(ranking: Sequence[Span], question: Question, pages: dict[str, Page]) -> list[int | None]:
    """For each group the least k whose context holds it; None where no k does."""
    return [_depth(ranking, group, pages) for group in question.groups]


def _depth(ranking: Sequence[Span], group: Sequence[Span], pages: dict[str, Page]) -> int | None:
    found = []
    for passage in group:
        useful = [rank for rank, chunk in enumerate(ranking, 1) if chunk.meets(passage)]
        found += [rank for rank in useful if holds(ranking[:rank], passage, pages[passage.page].text)][:1]
    return min(found, default=None)


def sufficient(ranking: Sequence[Span], question: Question, pages: dict[str, Page], k: int = K) -> bool:
    """Whether the first `k` chunks hold all the evidence."""
    return all(depth is not None and depth <= k for depth in depths(ranking, question, pages))
