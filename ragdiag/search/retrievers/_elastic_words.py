"""Lucene's BM25, asked of a server: what it finds, and what it would give to a text that it does not hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.errors import RagdiagError
from ragdiag.core.proofs import Edit
from ragdiag.core.ranking import best, edited, padded
from ragdiag.search.retrievers._elastic import MOST, SAME_COPY, Answer, ElasticIndex
from ragdiag.search.retrievers._elastic_form import reads_answers

__all__ = ["ElasticWords", "Terms", "kept_length"]

K1, B = 1.2, 0.75
DIGITS = 6
"""Digits of a score that count: float32, in which it is computed, carries no more."""

BATCH = 50
"""Texts that are analysed in one request."""

SAMPLE = 16
EXACT = 1e-5
"""The share by which a score that is recomputed may differ from the server's."""


class Terms(NamedTuple):
    """A text as the server reads it: how often it has each term, its length, and what the index knows of each term."""

    counts: Mapping[str, int]
    length: int
    frequency: Mapping[str, int]
    records: int
    total: int

    def idf(self, term: str) -> float:
        """Lucene's; a term that no record has is as rare as one that a single record has."""
        n = self.frequency[term] or 1
        return math.log1p((self.records - n + 0.5) / (n + 0.5))


@reads_answers
class ElasticWords:
    """A field's text searched by its words (a ``match`` query); see `protocols.Index`. Records not in `ids` are passed over.

    Scores are the server's. What it would give to a text that an edit adds is computed by Lucene's formula from what the server
    says of the terms: the server analyses the text. Whether that is how it scores is tried on what it has found: see `adds`.
    `field` is the one that is searched, `ids` are its records.
    """

    def __init__(self, source: ElasticIndex, field: str, ids: Sequence[str]) -> None:
        self._source, self._field, self._ids = source, field, list(ids)
        self.nbytes = source.size()
        self._position = {name: i for i, name in enumerate(ids)}
        self._found: dict[tuple[str, int], tuple[IntArray, FloatArray]] = {}
        self._terms: dict[tuple[str, bool], Terms] = {}

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self._source.place

    def search(self, queries: Sequence[str], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. A live index is asked each once: it may answer differently later."""
        for query in queries:
            if (query, depth) not in self._found:
                self._found[query, depth] = self._search(query, depth)
        return padded([self._found[query, depth] for query in queries], depth)

    def answer(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`."""
        return padded([self._search(query, depth)], depth)

    def weights_of(self, query: str) -> dict[str, float]:
        """See `protocols.Weighted`. Words are terms, as the server makes them of a query; none where it does not tell them."""
        if not self.adds:
            return {}
        (terms,) = self._read([query], of_query=True)
        return {term: terms.idf(term) if terms.frequency[term] else math.inf for term in terms.counts}

    def what_if(self, queries: Sequence[str], edits: Sequence[Edit], depth: int) -> tuple[IntArray, FloatArray]:
        """See `protocols.Index`. Statistics stay those of the index."""
        texts = [[added.text for added in edit.added] for edit in edits]
        read = list(dict.fromkeys(text for own in texts for text in own))
        asked = [query for query, own in zip(queries, texts, strict=True) if own]
        factor = self._factor if read else None
        if factor is not None:
            self._read(read)
            self._read(asked, of_query=True)

        def score(query: str, text: str) -> float:
            if factor is None:  # nothing is known of what it would score, see `adds`
                return -math.inf
            return _rounded(factor * _bm25(self._terms[query, True], self._terms[text, False]))

        return edited(self.search, score, len(self._ids), queries, edits, texts, depth)

    @property
    def adds(self) -> bool:
        """See `protocols.Kept`: whether scores that the server gave are what the formula gives, for a sample of them."""
        return self._factor is not None

    def drifted(self, chunks: Sequence[int]) -> list[bool]:
        """See `protocols.Kept`: the server indexes the texts that it holds."""
        return [False] * len(chunks)

    def _search(self, query: str, depth: int) -> tuple[IntArray, FloatArray]:
        """What the server gives: asked for `depth` results, for more while too few of them are in `ids`."""
        wanted = min(depth, MOST)
        while True:
            match = {"match": {self._field: {"query": query}}}
            filtered = {"bool": {"must": match, "filter": self._source.filter}} if self._source.filter else match
            hits = self._source.search({"size": wanted, "query": filtered})
            known = sorted((self._position[h["_id"]], _rounded(h["_score"])) for h in hits if h["_id"] in self._position)
            if len(known) >= depth or len(hits) < wanted or wanted == MOST:
                break
            wanted = min(2 * wanted, MOST)
        positions, scores = np.array([p for p, _ in known], dtype=np.int64), np.array([s for _, s in known], dtype=np.float64)
        top = best(scores, depth)
        return positions[top], scores[top]

    @cached_property
    def _factor(self) -> float | None:
        """What the server's scores are of the formula's, 1 or ``k1 + 1``; None where neither holds for all of a sample.

        Elasticsearch, and OpenSearch before 3, multiply scores by ``k1 + 1``, as Lucene once did.
        """
        queries, chunks, scores = self._sample()
        texts = [row.text or "" for row in self._source.records([self._ids[chunk] for chunk in chunks])]
        try:
            words, read = self._read(queries, of_query=True), self._read(texts)
        except RagdiagError:  # a server that tells no terms
            return None
        given, made = np.array(scores), np.array(list(map(_bm25, words, read)))
        fits = (factor for factor in (1.0, K1 + 1) if (np.abs(factor * made - given) <= EXACT * given).all())
        return next(fits, None) if queries else None

    def _sample(self) -> tuple[list[str], list[int], list[float]]:
        """Of some queries that were asked, each with the first and the last result: the queries, the chunks, the scores."""
        asked = [(query, *row) for (query, _), row in self._found.items() if len(row[0])]
        sample = asked[:: max(-(-len(asked) // SAMPLE), 1)]
        ends = [(query, int(found[at]), float(scores[at])) for query, found, scores in sample for at in {0, len(found) - 1}]
        return [query for query, *_ in ends], [chunk for _, chunk, _ in ends], [score for *_, score in ends]

    def _read(self, texts: Sequence[str], of_query: bool = False) -> list[Terms]:
        """Texts as the server reads them for the index, or queries as it reads these. What was read once is not asked again."""
        new = [text for text in dict.fromkeys(texts) if (text, of_query) not in self._terms]
        for i in range(0, len(new), BATCH):
            batch = new[i : i + BATCH]
            self._terms |= {(t, of_query): terms for t, terms in zip(batch, self._analysed(batch, of_query), strict=True)}
        return [self._terms[text, of_query] for text in texts]

    def _analysed(self, texts: Sequence[str], of_query: bool) -> list[Terms]:
        """Texts as records that the index does not hold: the server tells their terms, and keeps nothing."""
        analyzer = self._source.kind(self._field).get("search_analyzer") if of_query else None
        how = {"fields": [self._field], "term_statistics": True, "positions": True, "offsets": False, "payloads": False}
        how |= {"per_field_analyzer": {self._field: analyzer}} if analyzer else {}
        asked = {"docs": [{"doc": {self._source.text: text}, **how} for text in texts]}
        return [_terms(each, self._field) for each in self._source.ask(f"_mtermvectors?{SAME_COPY}", asked)["docs"]]


def kept_length(length: int) -> int:
    """A length as Lucene keeps it, in one byte (``SmallFloat.intToByte4``): from 24 on, with four significant bits."""
    if length < 24:
        return length
    shift = max((length - 24).bit_length() - 4, 0)
    return 24 + ((length - 24 >> shift) << shift)


def _terms(said: Answer, field: str) -> Terms:
    """What a server says of the terms of one text. Raises `RagdiagError` where it says nothing of them."""
    if "term_vectors" not in said:
        raise RagdiagError("the server tells nothing of a text's terms")
    of = said["term_vectors"].get(field)
    if of is None:  # no term is left of it
        return Terms({}, 0, {}, 0, 0)
    terms, statistics = of["terms"], of["field_statistics"]
    counts = {term: int(each["term_freq"]) for term, each in terms.items()}
    positions = {token["position"] for each in terms.values() for token in each.get("tokens", ()) if "position" in token}
    length = len(positions) or sum(counts.values())  # terms at one place, as synonyms are, count once
    frequency = {term: int(each.get("doc_freq", 0)) for term, each in terms.items()}
    return Terms(counts, length, frequency, int(statistics["doc_count"]), int(statistics["sum_ttf"]))


def _bm25(query: Terms, text: Terms) -> float:
    """Lucene's BM25 of a text for a query, without the factor ``k1 + 1``; -inf where they share no term."""
    shared = [term for term in query.counts if term in text.counts]
    if not shared:
        return -math.inf
    norm = K1 * (1 - B + B * kept_length(text.length) * query.records / query.total)
    return sum(query.counts[t] * query.idf(t) * text.counts[t] / (text.counts[t] + norm) for t in shared)


def _rounded(score: float) -> float:
    return float(f"{score:.{DIGITS}g}")
