"""What there is to know about an index: its chunks, what is indexed for a span, what an encoder reads of it."""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ragdiag.core.encoders import Readable
from ragdiag.core.options import Options
from ragdiag.core.proofs import Addition
from ragdiag.core.records import Chunking, Corpus, IntArray, Span
from ragdiag.core.registry import make
from ragdiag.scoring.packing import Packing
from ragdiag.search.changes import Audited, Fix
from ragdiag.text.abbreviations import abbreviations
from ragdiag.text.analysis import Analysis
from ragdiag.text.duplicates import shingles
from ragdiag.text.languages import language_of
from ragdiag.text.versions import Versions
from ragdiag.text.words import inside_a_word, words

__all__ = ["Setting"]

SAMPLED = 60
"""Chunks, evenly spread, by which it is told how an encoder cuts the corpus's words."""

BY_PARTS = Analysis(parts=True)
"""Words, those inside identifiers too."""


@dataclass(eq=False)
class Setting:
    """What all queries of an audit share.

    `embed` gives what is indexed for a span. `visible` tells how many characters of what is indexed for each chunk the encoder
    reads, `seen` the same of any texts; None without an encoder. `swaps` names the other retrievers that the probe can ask
    (`proofs.EXACT` where the index is approximate), `analyses` those that read the same texts by other terms, by what that mends.
    `readers` are the encoders whose vocabulary is known: that of the index, under "", and those of other retrievers, by their
    names. `limit` is the most that the chunker puts into a chunk, in its `unit` (see `tokens.token_starts`); 0 where that is
    not known.
    `off_topic` gives, of chunks, those off the topic of the query with a number, with their affinity to it. `hubs` counts, for
    each chunk, the queries whose context it is in without holding any of their evidence.
    `context` names what is indexed with each chunk already. `drifted` tells of stored vectors which are not of their texts, None
    where there are none. `remedy` is what makes an approximate index miss less, "" where that is not known.
    `surely` is as in `Indexed`. `passages`: rankings are of passages, see `core.passages`. `options` are the audit's.
    """

    corpus: Corpus
    chunking: Chunking
    k: int
    budget: int
    embed: Callable[[Span], str]
    off_topic: Callable[[int, Sequence[int]], Mapping[int, float]]
    visible: IntArray | None = None
    seen: Callable[[Sequence[str]], Sequence[int]] | None = None
    readers: Mapping[str, Readable] = field(default_factory=dict)
    swaps: tuple[str, ...] = ()
    analyses: Mapping[str, str] = field(default_factory=dict)
    hubs: Mapping[int, int] = field(default_factory=dict)
    hub_from: int = 0
    limit: int = 0
    unit: str = "tokens"
    context: str = "none"
    drifted: Callable[[Sequence[int]], Sequence[bool]] | None = None
    remedy: str = ""
    surely: int = 0
    passages: bool = False
    options: Options = field(default_factory=Options)
    _specs: dict[Fix, tuple[str, ...]] = field(default_factory=dict, repr=False)
    _contexts: dict[tuple[str, int], list[str]] = field(default_factory=dict, repr=False)
    _shingles: dict[int, frozenset[tuple[str, str]]] = field(default_factory=dict, repr=False)
    _extents: dict[int, tuple[IntArray, IntArray, IntArray]] = field(default_factory=dict, repr=False)
    _idf: dict[str, float] = field(default_factory=dict, repr=False)
    _parts: dict[int, frozenset[str]] = field(default_factory=dict, repr=False)
    _spoken: dict[int, Counter[str]] = field(default_factory=dict, repr=False)
    _broken: dict[str, float] = field(default_factory=dict, repr=False)

    def advice(self, *fixes: Fix, **figures: object) -> str:
        """What to do about a cause: several things any of which would do, the one to do first, each with the specs to type."""
        return "; or ".join(fix.text(self.specs(fix), **figures) for fix in fixes)

    def specs(self, fix: Fix) -> tuple[str, ...]:
        """What of the audited pipeline a fix changes, as one would type it."""
        if fix not in self._specs:
            self._specs[fix] = fix.specs(Audited(self.options, self.language))
        return self._specs[fix]

    @cached_property
    def packing(self) -> Packing:
        """What reaches the prompt of a ranking."""
        return Packing(self.corpus, self.chunking, self.k, self.budget, self.passages)

    @cached_property
    def first(self) -> IntArray:
        """The first chunk of each document, and the number of chunks: shape ``(n_documents + 1,)``."""
        return np.searchsorted(self.chunking.document, np.arange(len(self.corpus.documents) + 1))

    @cached_property
    def versions(self) -> Versions:
        """What documents say of their age, and of one another."""
        return Versions(self.corpus.documents)

    @cached_property
    def changed(self) -> frozenset[str]:
        """The ids of documents that say something else than when a store's records of them were made."""
        return frozenset(document.was for document in self.corpus.documents if document.was)

    @cached_property
    def language(self) -> str:
        """The language of the documents, "" where it cannot be told."""
        return language_of(self.corpus)

    @cached_property
    def abbreviations(self) -> Mapping[str, str]:
        """Short forms with their long forms, as the documents spell them out."""
        return abbreviations(document.text for document in self.corpus.documents)

    @cached_property
    def titles(self) -> Mapping[tuple[str, ...], set[int]]:
        """The documents of each title, by its words; what stands in brackets tells titles apart and is no part of them."""
        found: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
        for d, document in enumerate(self.corpus.documents):
            if title := tuple(words(document.title.partition(" (")[0])):
                found[title].add(d)
        return dict(found)

    @cached_property
    def titles_from(self) -> frozenset[str]:
        """The first words of `titles`."""
        return frozenset(title[0] for title in self.titles)

    @property
    def _lengths(self) -> IntArray:
        """Characters in each chunk; where there are no chunks, as if there were one of nothing."""
        return self.chunking.end - self.chunking.start if len(self.chunking) else np.zeros(1, dtype=np.int64)

    @cached_property
    def size(self) -> int:
        """Characters in a long chunk of this index: the 95th percentile."""
        return int(np.percentile(self._lengths, 95))

    @cached_property
    def typical(self) -> int:
        """Characters in a chunk of this index: the median."""
        return max(int(np.median(self._lengths)), 1)

    @cached_property
    def _chunks_with(self) -> Mapping[str, Sequence[int]]:
        """The chunks in which each word stands, in order."""
        chunks: defaultdict[str, array[int]] = defaultdict(lambda: array("i"))
        for c in range(len(self.chunking)):
            for word in set(words(self.text(self.span(c)))):
                chunks[word].append(c)
        return dict(chunks)

    def chunks_with(self, word: str) -> Sequence[int]:
        """The chunks in which `word` stands, in order."""
        return self._chunks_with.get(word, ())

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word of the chunks and of the documents' titles, sorted."""
        return tuple(sorted(self._chunks_with.keys() | {word for d in self.corpus.documents for word in words(d.title)}))

    def knows(self, word: str) -> bool:
        """Whether a word stands in a chunk, or in the title of a document."""
        at = bisect_left(self.vocabulary, word)
        return self.vocabulary[at : at + 1] == (word,)

    def has_phrase(self, phrase: Sequence[str]) -> bool:
        """Whether some document has these words in a row."""
        pattern = re.compile(r"\W+".join(map(re.escape, phrase)), re.IGNORECASE)
        return any(pattern.search(document.text) or pattern.search(document.title) for document in self.corpus.documents)

    def idf(self, word: str) -> float:
        """``log(1 + n / df)``; a word in no chunk is as rare as one in a single chunk."""
        if word not in self._idf:
            self._idf[word] = math.log(1 + len(self.chunking) / max(len(self.chunks_with(word)), 1))
        return self._idf[word]

    def words_in(self, chunk: int) -> frozenset[str]:
        """The words of a chunk, those inside identifiers too, told once."""
        if chunk not in self._parts:
            self._parts[chunk] = frozenset(BY_PARTS(self.text(self.span(chunk))))
        return self._parts[chunk]

    def spoken(self, document: int) -> Counter[str]:
        """How often each word stands in a document, told once."""
        if document not in self._spoken:
            self._spoken[document] = Counter(words(self.corpus.documents[document].text))
        return self._spoken[document]

    def extents(self, document: int) -> tuple[IntArray, IntArray, IntArray]:
        """Where the chunks of a document start and end, and how far each and those before it reach."""
        if document not in self._extents:
            a, b = self.first[document], self.first[document + 1]
            ends = self.chunking.end[a:b]
            self._extents[document] = self.chunking.start[a:b], ends, np.maximum.accumulate(ends)
        return self._extents[document]

    def overlapping(self, span: Span) -> list[int]:
        """The chunks that share a character with `span`."""
        a, b = self.first[span.document], self.first[span.document + 1]
        inside = (self.chunking.start[a:b] < span.end) & (self.chunking.end[a:b] > span.start)
        return [int(c) for c in a + np.flatnonzero(inside)]

    def span(self, chunk: int) -> Span:
        """Where a chunk is."""
        return Span(int(self.chunking.document[chunk]), int(self.chunking.start[chunk]), int(self.chunking.end[chunk]))

    def text(self, span: Span) -> str:
        """The document's text there."""
        return self.corpus.documents[span.document].text[span.start : span.end]

    def unread(self, text: str, retriever: str = "") -> float:
        """The share of a text's words that the encoder of the index, or of one of `swaps`, cannot read.

        0 where none is in the way: without an encoder, and with one whose vocabulary is not known.
        """
        reader = self.readers.get(retriever)
        return float(reader.unread([text])[0]) if reader is not None else 0.0

    def broken(self, retriever: str = "") -> float:
        """The share of the chunks' words that the encoder of the index, or of one of `swaps`, cuts in three pieces or more."""
        if retriever not in self._broken:
            reader, step = self.readers.get(retriever), max(len(self.chunking) // SAMPLED, 1)
            texts = [self.text(self.span(c)) for c in range(0, len(self.chunking), step)] if reader is not None else []
            self._broken[retriever] = reader.broken(texts) if reader is not None else 0.0
        return self._broken[retriever]

    def shingles(self, chunk: int) -> frozenset[tuple[str, str]]:
        """A chunk as `duplicates.shingles`, made once."""
        if chunk not in self._shingles:
            self._shingles[chunk] = shingles(self.text(self.span(chunk)))
        return self._shingles[chunk]

    def in_context(self, kind: str, chunk: int) -> str:
        """What would be indexed for a chunk with another kind of context (a name of ``--context``), made once a document."""
        document = int(self.chunking.document[chunk])
        a, b = int(self.first[document]), int(self.first[document + 1])
        if (kind, document) not in self._contexts:
            strategy, start, end = make("contexts", kind), self.chunking.start[a:b], self.chunking.end[a:b]
            self._contexts[kind, document] = strategy.texts(self.corpus.documents[document], start, end)
        return self._contexts[kind, document][chunk - a]

    def addition(self, span: Span, seen: str = "") -> Addition:
        """`span` as if it were a chunk of the index."""
        a, b = self.first[span.document], self.first[span.document + 1]
        start, end = self.chunking.start[a:b], self.chunking.end[a:b]
        before = int(((start < span.start) | ((start == span.start) & (end < span.end))).sum())
        return Addition(*span, self.embed(span), int(a) + before - 0.5, seen)

    def window(self, span: Span, length: int, within: Span | None = None) -> Span:
        """`length` characters round `span`, as near to its middle as `within` (its document) allows, ending between words.

        Never less than `span`.
        """
        text = self.corpus.documents[span.document].text
        low, high = (within.start, within.end) if within else (0, len(text))
        spare = max(length - (span.end - span.start), 0)
        start = max(min(span.start - spare // 2, high - (span.end - span.start) - spare), low)
        end = min(max(start + length, span.end), high)
        while low < start < span.start and inside_a_word(text, start):
            start += 1
        while high > end > span.end and inside_a_word(text, end):
            end -= 1
        return Span(span.document, start, end)
