"""Passages to label: what several retrievers find for a query, merged and shown alike, as TREC pools its runs.

The passages are paragraphs whatever a retriever's own chunks are, so that a label neither tells nor favours how a system cuts.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.core.errors import RagdiagError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.protocols import Index, Progress, no_progress
from ragdiag.core.records import Chunking, Corpus, IntArray, Span
from ragdiag.core.registry import make, spec_of
from ragdiag.label.background import Background
from ragdiag.search.nested import retriever_of
from ragdiag.search.retrieval import DEPTH, Plan
from ragdiag.sources.chunks import cut
from ragdiag.text.normal import folded
from ragdiag.text.sentences import Cuts
from ragdiag.text.spans import covered, overlapping_pairs, union

__all__ = ["Pool", "default_retrievers", "distinct", "merged", "with_defaults"]

PASSAGES = "section(size=160)"
"""What is shown at once: paragraphs under one heading, up to some ten lines."""

SHOWN_BEFORE = 0.5
"""A passage of which so much is on the screen already is not shown again."""

WORDS = "bm25"
"""What searches by words."""

QUICK = {WORDS, "lsa"}
"""Retrievers that need no encoder: ready as soon as they are asked."""


class _Searched(NamedTuple):
    """One retriever's index, and the passages that each of its chunks is shown as."""

    searchable: Index
    passages: Sequence[Sequence[int]]


def default_retrievers() -> tuple[str, ...]:
    """bm25, and dense where its model is on this machine; else lsa."""
    try:
        make("retrievers", "dense").encoder.folder  # noqa: B018
    except RagdiagError:
        return (WORDS, "lsa")
    return (WORDS, "dense" if importlib.util.find_spec("sentence_transformers") else "lsa")


def with_defaults(specs: Sequence[str]) -> tuple[str, ...]:
    """`specs` and those of `default_retrievers` that are not among them."""
    named = [spec_of(retriever_of(spec)) for spec in specs]
    return tuple(dict.fromkeys([*named, *default_retrievers()]))


def merged(rankings: Sequence[Sequence[int]], turn: int = 0) -> list[int]:
    """All that is in `rankings`, each once: the first of every ranking before the second of any.

    Who comes first at a rank rotates from rank to rank, from ranking `turn` on: a place tells nothing of who found it.
    """
    n = len(rankings)
    order: dict[int, None] = {}
    for rank, row in enumerate(itertools.zip_longest(*rankings)):
        for i in range(n):
            item = row[(turn + rank + i) % n]
            if item is not None:
                order.setdefault(item)
    return list(order)


def distinct(passages: Iterable[Span], shown: Iterable[Span] = ()) -> list[Span]:
    """`passages` in order, without those that overlap what stands before them, or is `shown`, over half of their length."""
    before: dict[int, list[Span]] = {}
    for passage in shown:
        before.setdefault(passage.document, []).append(passage)
    new = []
    for passage in passages:
        others = np.array(before.get(passage.document, []), dtype=np.int64).reshape(-1, 3)
        overlap = covered(np.array([passage.start]), np.array([passage.end]), *union(others[:, 1], others[:, 2]))
        if overlap[0] < SHOWN_BEFORE * (passage.end - passage.start):
            new.append(passage)
            before.setdefault(passage.document, []).append(passage)
    return new


class Pool:
    """The passages of a corpus, searchable by several retrievers at once and by words.

    Raises what retrievers raise that cannot be made, and `UsageError` where one is named twice.
    """

    def __init__(self, corpus: Corpus, specs: Sequence[str], cache: str | Path | None, progress: Progress) -> None:
        self.corpus = corpus
        self.names = tuple(spec_of(retriever_of(spec)) for spec in specs or default_retrievers())
        twice = next((name for name, n in Counter(self.names).items() if n > 1), "")
        if twice:
            raise UsageError(f"--retriever {twice} is given twice; name each once")
        self._plans = {name: Plan(Options(chunker=PASSAGES, retriever=name, cache=cache)) for name in (*self.names, WORDS)}
        self._progress = progress
        self._chunking = cut(corpus, make("chunkers", PASSAGES), progress)
        texts = [corpus.documents[d].text[a:b] for d, a, b in self._rows(self._chunking)]
        self._flat = [" ".join(text.split()) for text in texts]
        self._searched: dict[str, _Searched] = {}  # by retriever, once something was asked of it
        self._background: Background[_Searched] | None = None
        slow = tuple(name for name in self.names if self._is_slow(name))
        self._slow = slow if len(slow) < len(self.names) else ()  # where all are, there is nothing to show before

    def _is_slow(self, name: str) -> bool:
        """Whether it has texts to embed; what is stored is embedded already, and is not asked from two sides at once."""
        return name.partition("(")[0] not in QUICK and self._plans[name].collection is None

    def ready(self) -> tuple[str, ...]:
        """The retrievers that answer at once; the others are got ready behind that, once `prepare` was called."""
        return tuple(n for n in self.names if n not in self._slow or (self._background and self._background.is_over(n)))

    def prepare(self, text: str) -> None:
        """Begin to get the slow retrievers ready; `text` is asked of each, as an encoder is loaded by the first question."""
        if self._slow and self._background is None:
            self._background = Background(lambda name: self._asked(name, text), self._slow)

    def _asked(self, name: str, text: str) -> _Searched:
        searched = self._indexed(self._plans[name], no_progress)
        searched.searchable.search([text], 1)
        return searched

    @staticmethod
    def _rows(chunking: Chunking) -> list[tuple[int, int, int]]:
        columns = (chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist())
        return list(zip(*columns, strict=True))

    def _indexed(self, plan: Plan, progress: Progress) -> _Searched:
        retrieved = plan.retrieve(self.corpus, self.corpus, (), progress)
        if retrieved.searchable is None:
            raise UsageError(f"{plan.options.retriever} cannot be searched")
        return _Searched(retrieved.searchable, self._shown_as(retrieved.chunking, retrieved.corpus.base))

    def _shown_as(self, chunking: Chunking, base: IntArray) -> list[list[int]]:
        """For each chunk, the passages that it overlaps, by how much of it they have; `base` is that of the chunks' corpus."""
        passages = self._chunking
        start, end = base[passages.document] + passages.start, base[passages.document] + passages.end
        chunk_start, chunk_end = base[chunking.document] + chunking.start, base[chunking.document] + chunking.end
        chunk, passage = overlapping_pairs(chunk_start, chunk_end, start, end)
        shared = np.minimum(chunk_end[chunk], end[passage]) - np.maximum(chunk_start[chunk], start[passage])
        shown: list[list[int]] = [[] for _ in range(len(chunking))]
        for i in np.lexsort((passage, -shared, chunk)).tolist():
            shown[int(chunk[i])].append(int(passage[i]))
        return shown

    def ranked(self, text: str, names: Sequence[str] = ()) -> list[Span]:
        """What retrievers find for a query, best first: all, or those of `names`. Waits for those that are not ready."""
        names = names or self.names
        turn = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=1).digest()[0]
        return self._passages(merged([self._ranking(name, text) for name in names], turn % len(names)))

    def search(self, words: str) -> list[Span]:
        """The passages that hold `words` as they stand, whatever their case, then those that bm25 finds for them."""
        phrase = folded(words)
        exactly = [i for i, text in enumerate(self._folded) if phrase in text]
        return self._passages(dict.fromkeys([*exactly, *self._ranking(WORDS, words)]))

    def by_words(self, words: str) -> list[Span]:
        """The passages that bm25 finds for `words`, best first."""
        return self._passages(self._ranking(WORDS, words))

    def having(self, word: str) -> list[Span]:
        """The passages that have `word` in them, or a longer one that it is a part of."""
        part = folded(word)
        return self._passages(i for i, text in enumerate(self._folded) if part in text)

    def _ranking(self, name: str, text: str) -> list[int]:
        if name not in self._searched:
            behind = self._background if self._background and name in self._background else None
            self._searched[name] = self._from(behind, name) if behind else self._indexed(self._plans[name], self._progress)
        searchable, passages = self._searched[name]
        positions: IntArray = searchable.search([text], min(DEPTH, len(passages)))[0][0]
        return list(dict.fromkeys(p for c in positions.tolist() if c >= 0 for p in passages[c]))

    @staticmethod
    def _from(background: Background[_Searched], name: str) -> _Searched:
        try:
            return background.result(name)
        except RagdiagError as e:
            raise RagdiagError(f"{name} could not be got ready: {e}; --retriever {WORDS} does without") from e

    def _passages(self, positions: Iterable[int]) -> list[Span]:
        """Those at `positions`, of equal texts the first."""
        first: dict[str, int] = {}
        for i in positions:
            if self._flat[i]:
                first.setdefault(self._flat[i], i)
        return [self._passage(i) for i in first.values()]

    def _passage(self, i: int) -> Span:
        chunking = self._chunking
        return self.trimmed(Span(int(chunking.document[i]), int(chunking.start[i]), int(chunking.end[i])))

    def beside(self, passage: Span, step: int) -> Span | None:
        """The passage that comes after the end of one (`step` 1) or before its start (-1) in its document, if there is one."""
        low, high = np.searchsorted(self._chunking.document, [passage.document, passage.document + 1]).tolist()
        starts = self._chunking.start[low:high].tolist()
        i = bisect_right(starts, passage.end - 1) if step > 0 else bisect_right(starts, passage.start) - 2
        while 0 <= i < high - low:
            if self._flat[low + i]:
                return self._passage(low + i)
            i += step
        return None

    def trimmed(self, passage: Span) -> Span:
        """Without white space at its ends; empty where it is nothing else."""
        text = self.corpus.documents[passage.document].text[passage.start : passage.end]
        return Span(passage.document, passage.start + len(text) - len(text.lstrip()), passage.start + len(text.rstrip()))

    def sentences(self, passage: Span) -> list[Span]:
        """The sentences of a passage: headings, list items and rows of tables are some too."""
        text = self.corpus.documents[passage.document].text[passage.start : passage.end]
        cuts = Cuts(text)
        places = [0, *(p for p in cuts.tokens[cuts.sentences()].tolist() if p), len(text)]
        parts = (Span(passage.document, passage.start + a, passage.start + b) for a, b in itertools.pairwise(places))
        return [part for part in map(self.trimmed, parts) if part.end > part.start]

    def copies(self, passage: Span) -> int:
        """How many other passages of the corpus have the same text."""
        text = self.corpus.documents[passage.document].text[passage.start : passage.end]
        return max(self._count[" ".join(text.split())] - 1, 0)

    @cached_property
    def _count(self) -> Counter[str]:
        return Counter(self._flat)

    @cached_property
    def _folded(self) -> list[str]:
        return [text.casefold() for text in self._flat]
