"""What an exported pipeline does in plain Python, whatever its framework: these definitions are copied as they stand here.

So they are written for whoever reads the pipeline, and fit in 88 columns. They give what `ragdiag.search.retrievers` gives, which
tests hold them to.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rank_bm25 import BM25, BM25Okapi
from scipy.sparse import csr_matrix
from sentence_transformers import CrossEncoder
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd
from torch.nn import Identity

from ragdiag.text.words import words

FOLDER = Path(__file__).parent


class Chunk(NamedTuple):
    """A stretch of a document: `text` is for the prompt, `indexed` what is searched."""

    doc_id: str
    start: int
    end: int
    text: str
    indexed: str
    metadata: dict[str, object]


def read_chunks() -> list[Chunk]:
    """All chunks, by document and place."""
    with (FOLDER / "chunks.jsonl").open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [Chunk(**{"indexed": record["text"], **record}) for record in records]


class Hit(NamedTuple):
    """A chunk that was found, by its place among all, and its score."""

    chunk: int
    score: float


def ordered(hits: Iterable[Hit], decimals: int) -> list[Hit]:
    """The best first; of scores that are equal when rounded, the earlier chunk."""
    rounded = [Hit(hit.chunk, round(hit.score, decimals)) for hit in hits]
    return sorted(rounded, key=lambda hit: (-hit.score, hit.chunk))


class Bm25:
    """rank-bm25; a chunk that shares no term with the query is not found."""

    def __init__(
        self,
        chunks: list[Chunk],
        terms: Callable[[str], list[str]],
        variant: Callable[..., BM25],
        **parameters: float,
    ) -> None:
        self.terms = terms
        self.index = variant([terms(c.indexed) for c in chunks], **parameters)

    def search(self, query: str, k: int) -> list[Hit]:
        """The best `k` chunks; of equal scores the earlier one."""
        asked = self.terms(query)
        scores = self.index.get_scores(asked)
        counts = enumerate(self.index.doc_freqs)
        found = [i for i, count in counts if any(term in count for term in asked)]
        best = sorted(found, key=lambda i: -scores[i])[:k]
        return [Hit(i, float(scores[i])) for i in best]


class LuceneBm25(BM25Okapi):  # type: ignore[misc]
    """BM25 with the idf of Lucene, which is never negative."""

    def _calc_idf(self, nd: dict[str, int]) -> None:
        n = self.corpus_size
        self.idf = {t: math.log1p((n - f + 0.5) / (f + 0.5)) for t, f in nd.items()}


def word_weights() -> TfidfVectorizer:
    """TF-IDF with the logarithm of frequencies."""
    return TfidfVectorizer(analyzer=words, sublinear_tf=True, dtype=np.float32)


class Lsa:
    """Cosine between texts in the strongest components of their words' weights."""

    def __init__(self, chunks: list[Chunk], dimensions: int, seed: int) -> None:
        self.weigh = word_weights()
        texts = [chunk.indexed for chunk in chunks]
        matrix = self.weigh.fit_transform(texts)
        size = min(dimensions, *matrix.shape)
        # In an order of their own: that of the documents changes nothing.
        order = sorted(range(len(texts)), key=texts.__getitem__)
        _, strengths, directions = randomized_svd(
            matrix[order].astype(np.float64),
            size,
            n_iter=5,
            random_state=seed,
        )
        kept = strengths > 1e-5 * strengths[0]
        self.components = directions[kept].T.astype(np.float32)
        # Sums in float32 may tell copies of a text apart, by where they stand.
        self.vectors = self._vectors(matrix).astype(np.float64)

    def search(self, query: str, k: int) -> list[Hit]:
        """The best `k` chunks; none for a query without a known word."""
        vector = self._vectors(self.weigh.transform([query]))[0]
        if not vector.any():
            return []
        scores = self.vectors @ vector
        return ordered((Hit(i, float(score)) for i, score in enumerate(scores)), 6)[:k]

    def _vectors(self, matrix: csr_matrix) -> np.ndarray:
        vectors = matrix @ self.components
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        unit: np.ndarray = vectors / lengths
        return unit


def fuse_ranks(
    rankings: list[list[Hit]],
    weights: list[float],
    k: int = 60,
) -> list[Hit]:
    """Reciprocal rank fusion."""
    scores = defaultdict[int, float](float)
    for weight, ranking in zip(weights, rankings, strict=True):
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.chunk] += weight / (k + rank)
    return ordered((Hit(*item) for item in scores.items()), 12)


def fuse_scores(rankings: list[list[Hit]], weights: list[float]) -> list[Hit]:
    """The weighted sum of scores, each ranking's scaled to run from 1 to 0."""
    scores = defaultdict[int, float](float)
    for weight, ranking in zip(weights, rankings, strict=True):
        for chunk, share in scaled(ranking).items():
            scores[chunk] += weight * share
    return ordered((Hit(*item) for item in scores.items()), 12)


def scaled(hits: list[Hit]) -> dict[int, float]:
    """The scores by chunk: 1 for the best, 0 for the last; 1 for all that are equal."""
    if not hits or hits[0].score == hits[-1].score:
        return {hit.chunk: 1.0 for hit in hits}
    last, spread = hits[-1].score, hits[0].score - hits[-1].score
    return {hit.chunk: (hit.score - last) / spread for hit in hits}


def dedupe(query: str, hits: list[Hit], chunks: list[Chunk]) -> list[Hit]:
    """Only the first of chunks that say nearly the same."""
    kept, above = list[Hit](), list[frozenset[tuple[str, str]]]()
    for hit in hits:
        pairs = frozenset(pairwise(words(chunks[hit.chunk].indexed)))
        if not any(near_duplicates(pairs, other) for other in above):
            kept.append(hit)
            above.append(pairs)
    return kept


def near_duplicates(
    one: frozenset[tuple[str, str]],
    other: frozenset[tuple[str, str]],
) -> bool:
    """Whether 60 % of the shorter text's pairs of words are in the other text.

    That must not be more than twice as long; very short texts must be equal.
    """
    less, more = sorted((len(one), len(other)))
    if less < 8:
        return one == other and less > 0
    return 2 * less >= more and len(one & other) >= 0.6 * less


def latest(query: str, hits: list[Hit], chunks: list[Chunk]) -> list[Hit]:
    """Without chunks of documents that another one supersedes."""
    return [hit for hit in hits if not chunks[hit.chunk].metadata["superseded"]]


class Diverse:
    """Maximal marginal relevance: next comes what is relevant and says what is new."""

    def __init__(self, chunks: list[Chunk], weight: float) -> None:
        self.weight = weight
        texts = [chunk.indexed for chunk in chunks]
        self.rows = word_weights().fit_transform(texts)

    def __call__(self, query: str, hits: list[Hit], chunks: list[Chunk]) -> list[Hit]:
        """All hits in their new order, with what made each the next."""
        relevance = scaled(hits)
        left, chosen = sorted(relevance), list[Hit]()
        rows = self.rows[left]
        alike = np.round((rows @ rows.T).toarray().astype(float), 6)
        at = {chunk: i for i, chunk in enumerate(left)}
        nearest = np.zeros(len(left))
        while left:
            new = 1 - self.weight
            worth = {c: self.weight * relevance[c] - new * nearest[at[c]] for c in left}
            best = ordered((Hit(*item) for item in worth.items()), 12)[0]
            chosen.append(best)
            left.remove(best.chunk)
            nearest = np.maximum(nearest, alike[at[best.chunk]])
        return chosen


class Reranker:
    """A cross-encoder, which reads the query and a chunk together."""

    def __init__(self, model: str) -> None:
        self.model = CrossEncoder(model)

    def __call__(self, query: str, hits: list[Hit], chunks: list[Chunk]) -> list[Hit]:
        """The hits by the model's scores."""
        if not hits:
            return []
        pairs = [(query, chunks[hit.chunk].indexed) for hit in hits]
        scores = self.model.predict(pairs, activation_fn=Identity())
        found = zip(hits, scores, strict=True)
        return ordered((Hit(hit.chunk, float(score)) for hit, score in found), 5)
