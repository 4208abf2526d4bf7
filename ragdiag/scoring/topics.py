"""Off-topic chunks: those that the query's words bring up, round a text which has nothing to do with the evidence.

Similarity to the evidence cannot tell them alone: a page stuffed with the query's words passes for near, and what many a healthy
context holds beside its evidence is as far from it as any page. Two numbers together can, and need no encoder, so that they
are the same for every retriever:

* *pull*, what the query's words do for a chunk: the weight (idf, more for a word said again) of those that it has, less the
  idf of those that it lacks;
* *affinity*, how near the rest of it, the query's words taken out, is to the evidence and to the chunks nearest to that, as a
  multiple of how near the words of the corpus in random order are. Unlike random chunks, which in a corpus on one subject are
  all on topic, random words mean the same in a corpus of one subject and of many.

A chunk is off topic where the rest of it is about as far from the subject as chance (its affinity is under `NEAR_AFFINITY`) and
its pull exceeds `PULL_AT_CHANCE` + `PULL_STEP` * log(affinity): the more of the query it repeats, the nearer the rest of it has
to be. A page on the query's subject that answers another question about it can pass both tests. So a third number may clear it:

* *company*: among the chunks nearest to the rest of it, how much more of the query's words that it has (by idf) stands than in
  the corpus. A page on giving birth stands among pages which say "pregnancy"; one on cooking does not, whatever it is stuffed
  with. Neighbours that are off topic themselves count as having none of those words: stuffed pages do not vouch for each other.

The constants were chosen on half of the queries of five sets and on planted faults; ``tests/bench/offtopic.py`` gives the rates
on the others.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ragdiag.core.ranking import best
from ragdiag.core.records import BoolArray, FloatArray, IntArray
from ragdiag.text.words import words as split

__all__ = ["Judgement", "Topics"]

PULL_AT_CHANCE, PULL_STEP = 2.1, 2.0
"""The most pull of a chunk on topic whose affinity is 1, and how much more that is where the affinity is e times as high."""

NEAR_AFFINITY = 2.0
"""From this affinity on a chunk is on topic, however strong the pull of the query's words."""

ENOUGH_COMPANY = 0.05
"""A chunk is on topic whose company is above this: so much more of its words of the query its neighbours have than all chunks."""

NEIGHBOURS, SHARE = 30, 3
"""So many chunks nearest to the evidence stand for its subject; in a small corpus no more than one chunk in `SHARE`."""

SMALL_CORPUS = 2000
"""In a corpus of fewer chunks, a word that one chunk has counts as no rarer than in a corpus of this many."""

SUPPORT = 3
"""A chunk's nearness to the subject is its mean nearness to so many of the subject's chunks, those nearest to it."""

RANDOM_TEXTS = 200
"""Texts of random words that say how near to the subject chance comes."""

FEWEST_TOKENS = 5
"""Tokens that must remain of a chunk without the query's words: fewer say nothing about its topic."""

LOWEST_AFFINITY = 0.2
"""A lower affinity counts as this one: down there it depends on single words."""

BLOCK = 2_000_000
"""Numbers in a dense matrix of chunks by chunks that is held at once."""

TINY = 1e-9
"""The least divisor, in place of 0."""

Sparse = Any
"""A matrix of `scipy.sparse`, by rows unless it says otherwise."""


class Judgement(NamedTuple):
    """What was found about chunks, each of shape ``(n_chunks,)``: the verdict and what it rests on.

    `affinity` is a multiple of that of random words: 1 is chance. `pull` counts words, one that a single chunk has as 1.
    `coverage` is the share of the query's words, by idf, that a chunk has; it is for showing.
    """

    off_topic: BoolArray
    affinity: FloatArray
    pull: FloatArray
    coverage: FloatArray


class Topics:
    """The chunks of one corpus as bags of words, built when first asked. `texts` are the chunks' own, shape ``(n_chunks,)``."""

    def __init__(self, texts: Sequence[str], seed: int = 0) -> None:
        self._texts, self._seed = texts, seed

    @functools.cached_property
    def _index(self) -> _Index:
        return _Index(self._texts, self._seed)

    def judge(
        self, query: str, evidence: Sequence[int], chunks: Sequence[int], evidence_text: str = "", kin: Sequence[int] = ()
    ) -> Judgement:
        """Whether each of `chunks` (positions, none of them evidence) is off topic for `query`.

        `evidence` are the positions of the chunks that hold the evidence; where there are none, `evidence_text` stands for them.
        `kin` are chunks known to be about the same thing, such as those round the evidence.
        Where neither has a word of the corpus, nothing is off topic. A chunk's verdict does not depend on what else is judged.
        """
        positions, nothing = np.asarray(chunks, dtype=np.int64), np.zeros((3, len(chunks)))
        if len(chunks):
            holders, near = np.asarray(evidence, dtype=np.int64), np.asarray(kin, dtype=np.int64)
            subject = self._index.subject(query, holders, evidence_text, near)
            if subject is not None:
                return self._index.judge(positions, subject)
        return Judgement(np.zeros(len(chunks), dtype=bool), *nothing)


class _Subject(NamedTuple):
    """What stands for the evidence's subject: chunks (-1: the evidence's own text), and their unit vectors as columns.

    Those are dense, shape ``(n_words, n_chunks)``, the columns `words`, which the query has, left out.
    """

    words: IntArray
    chunks: IntArray
    vectors: npt.NDArray[np.float32]


class _Index:
    """TF-IDF of chunks: `weights` is sparse, shape ``(n_chunks, n_words)``; the rows of `chance` are made of random words."""

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._vectorizer = CountVectorizer(analyzer=split, dtype=np.float32)
        try:
            self.weights = self._vectorizer.fit_transform(texts).tocsr()
        except ValueError:  # "empty vocabulary": no text has a word
            self._vectorizer = CountVectorizer(analyzer=split, dtype=np.float32, vocabulary=["-"])
            self.weights = self._vectorizer.transform(texts).tocsr()
        n_texts, n_words = self.weights.shape
        frequency = np.bincount(self.weights.indices, minlength=n_words)
        # A word that one chunk has weighs 1 in a corpus of any size from there, so that a query is worth as many words in each.
        self.idf = np.log((1 + n_texts) / (1 + frequency)) / np.log((1 + max(n_texts, SMALL_CORPUS)) / 2)
        self._tokens = np.asarray(self.weights.sum(axis=1), dtype=np.float64).ravel()
        self.chance = self._shuffled(np.random.default_rng(seed))
        self._weigh(self.weights)
        self._lengths = np.maximum(_lengths(self.weights), TINY)

    @functools.cached_property
    def _columns(self) -> Sparse:
        """`weights` by column, a column a word."""
        return self.weights.tocsc()

    def _shuffled(self, rng: np.random.Generator) -> Sparse:
        """Texts as long as some of the corpus, of its words in random order."""
        from scipy import sparse

        ends = np.cumsum(self.weights.data, dtype=np.float64)
        length = self._tokens[rng.integers(0, max(len(self._tokens), 1), RANDOM_TEXTS if len(ends) else 0)].astype(np.int64)
        drawn = np.searchsorted(ends, rng.integers(0, int(ends[-1]) if len(ends) else 1, int(length.sum())), side="right")
        where = np.repeat(np.arange(len(length)), length), self.weights.indices[drawn]
        counts = sparse.csr_array((np.ones(len(drawn), np.float32), where), shape=(len(length), self.weights.shape[1]))
        self._weigh(counts)
        return counts

    def _weigh(self, counts: Sparse) -> None:
        """Turn counts of words to weights, in place: (1 + log count) * idf. Ten times a word does not tell ten times as much."""
        counts.data = ((1 + np.log(counts.data)) * self.idf[counts.indices]).astype(np.float32)

    def subject(self, query: str, evidence: IntArray, text: str, kin: IntArray) -> _Subject | None:
        """The evidence, its kin and the chunks nearest to it; None where the evidence has no word of the corpus."""
        from scipy import sparse

        rows = self.weights[evidence]
        if not len(evidence):
            rows = self._vectorizer.transform([text]).tocsr()
            self._weigh(rows)
        if not rows.nnz:
            return None
        known = self._vectorizer.vocabulary_
        words = np.unique(np.array([known[w] for w in split(query) if w in known], dtype=np.int64))
        rest = _without(rows, words)
        # The whole length, so that pages full of the query's words stay out of each other's neighbourhood.
        nearness = self._likeness(rest).max(axis=1) / self._lengths
        nearness[evidence] = np.inf
        chunks = best(nearness, max(len(evidence), min(NEIGHBOURS, len(nearness) // SHARE), SUPPORT))
        chunks = np.unique(np.concatenate([chunks, kin]))
        vectors = _without(self.weights[chunks], words)
        if not len(evidence):
            chunks, vectors = np.concatenate([[-1], chunks]), sparse.vstack([rest, vectors])
        return _Subject(words, chunks, vectors.T.toarray(order="C"))

    def judge(self, chunks: IntArray, subject: _Subject) -> Judgement:
        """The verdict on chunks."""
        alone = self._alone(chunks, subject)
        off_topic = alone.off_topic.copy()
        flagged = np.flatnonzero(off_topic)
        off_topic[flagged] = self._company(chunks[flagged], subject) <= ENOUGH_COMPANY
        return alone._replace(off_topic=off_topic)

    def _company(self, chunks: IntArray, subject: _Subject) -> FloatArray:
        """How much more of each chunk's words of the query its neighbours have than chunks do: shape ``(n_chunks,)``."""
        n = self.weights.shape[0]
        has = self._columns[:, subject.words].astype(bool)
        shares = has[chunks].toarray() * self.idf[subject.words]  # of each chunk's words of the query, by idf
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), TINY)
        usual = shares @ np.asarray(has.mean(axis=0)).ravel()
        rest, more = _without(self.weights[chunks], subject.words), np.zeros(len(chunks))
        at_once = max(BLOCK // n, 1)
        for start in range(0, len(chunks), at_once):
            likeness = self._likeness(rest[start : start + at_once])
            for i, column in enumerate(likeness.T, start):
                nearness = column / self._lengths
                nearness[chunks[i]] = -np.inf
                near = best(nearness, max(min(NEIGHBOURS, n // SHARE), 1))
                honest = near[~self._alone(near, subject).off_topic]
                more[i] = (has[honest] @ shares[i]).sum() / len(near) - usual[i]
        return more

    def _likeness(self, rows: Sparse) -> npt.NDArray[np.float32]:
        """The products of all chunks with sparse `rows`, shape ``(n_chunks, n_rows)``. Read is only where a word of theirs is."""
        words = np.unique(rows.indices[rows.data != 0])
        products: npt.NDArray[np.float32] = self._columns[:, words] @ rows[:, words].T.toarray(order="C")
        return products

    def _alone(self, chunks: IntArray, subject: _Subject) -> Judgement:
        """The verdict by pull and affinity alone, without company."""
        rows = self.weights[chunks]
        idf = self.idf[subject.words]
        weights = rows[:, subject.words].toarray()
        has = weights > 0
        pull = weights.sum(axis=1, dtype=np.float64) - ~has @ idf
        chance = _nearness(self.chance, np.full(self.chance.shape[0], -2), subject).mean()
        affinity = _nearness(rows, chunks, subject) / max(chance, TINY)
        decidable = self._tokens[chunks] - has.sum(axis=1) >= FEWEST_TOKENS
        off_topic = (
            decidable
            & (affinity < NEAR_AFFINITY)
            & (pull > PULL_AT_CHANCE + PULL_STEP * np.log(np.maximum(affinity, LOWEST_AFFINITY)))
        )
        return Judgement(off_topic, affinity, pull, has @ idf / max(idf.sum(), TINY))


def _nearness(rows: Sparse, chunks: IntArray, subject: _Subject) -> FloatArray:
    """Mean cosine of each row, one of `chunks`, with the `SUPPORT` of the subject nearest to it: shape ``(n_rows,)``."""
    cosines = _without(rows, subject.words) @ subject.vectors
    cosines[chunks[:, None] == subject.chunks] = 0.0  # a page that is taken for one of the subject must not vouch for itself
    nearest: FloatArray = np.sort(cosines, axis=1)[:, -SUPPORT:].mean(axis=1, dtype=np.float64)
    return nearest


def _without(rows: Sparse, words: IntArray) -> Sparse:
    """Sparse `rows` without the columns of `words`, of length 1 (or 0)."""
    rest = rows.copy()
    gone = np.zeros(rows.shape[1], dtype=bool)
    gone[words] = True
    rest.data[gone[rest.indices]] = 0.0
    rest.data /= np.repeat(np.maximum(_lengths(rest), TINY), np.diff(rest.indptr)).astype(np.float32)
    return rest


def _lengths(rows: Sparse) -> FloatArray:
    """Of sparse rows, by hand: most calls are for a few rows, where scipy's checks cost more than the sums."""
    sums = np.concatenate([[0.0], np.cumsum(rows.data.astype(np.float64) ** 2)])
    lengths: FloatArray = np.sqrt(np.maximum(np.diff(sums[rows.indptr]), 0.0))
    return lengths
