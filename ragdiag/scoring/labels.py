"""What labels ask for, as a hash; and those that ask for more than an answer needs: wider than it, or several passages of which
each would do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

from ragdiag.core.records import Corpus, Defect, IntArray, Labels, Query, Span
from ragdiag.scoring.answering import Answering, answers_alone
from ragdiag.scoring.rarity import Rarity
from ragdiag.stats.paired import joined
from ragdiag.text.duplicates import near_duplicates, shingles
from ragdiag.text.normal import folded
from ragdiag.text.tokens import count_tokens

__all__ = ["asked_alike", "copies_of", "label_digest", "more_than_needed"]

SAME = 0.8
"""Share of the shorter passage's runs of words that both have: from here on they say the same."""

MOST_ALIKE = 100
"""So many required passages are held against each other, each pair. More of one wording are the rows of a table, not copies."""

REMEDY = '"any": true in the query\'s record, or one "group" for them, makes them alternatives'
"""What to do where each of several passages answers."""


def label_digest(query: Query) -> str:
    """The hash of what a query's label asks for: its passages by document and text, its documents and their grades.

    Where a passage stands counts only where its text is not given: a document that grows above it moves it, and asks for nothing
    else. The order of passages says nothing, and neither does the reference answer.
    """
    passages = [(label.doc_id, label.text or (label.start, label.end), label.group) for label in query.evidence]
    parts = (sorted(passages, key=repr), sorted(query.relevant), query.unanswerable)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def copies_of(queries: Sequence[Query]) -> IntArray:
    """Numbers queries, shape ``(n_queries,)``: those of one text, or with the same passages for evidence, have one number."""
    evidence = [label_digest(query) if query.evidence else i for i, query in enumerate(queries)]
    return joined(asked_alike(query.text for query in queries), _numbered(evidence))


def asked_alike(texts: Iterable[str]) -> IntArray:
    """As `copies_of`, by the texts of queries alone."""
    return _numbered(map(folded, texts))


def _numbered(keys: Iterable[Hashable]) -> IntArray:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def more_than_needed(corpus: Corpus, labels: Labels) -> Iterator[Defect]:
    """Warnings: each label much wider than its answer, each query that requires passages of which each alone answers."""
    rarity, evidence = Rarity(corpus), labels.evidence
    for row, parts in Answering(corpus, labels).by_row.items():
        if not evidence.copy[row]:
            label = Span(*(int(c[row]) for c in (evidence.document, evidence.start, evidence.end)))
            yield _wide(labels.queries[int(evidence.query[row])], corpus, label, parts[0])
    for q in labels.at("span").tolist():
        query, passages = labels.queries[q], _required(corpus, labels, q)
        if len(passages) > 1 and (why := _each_would_do(query, passages, rarity)):
            message = f"{len(passages)} passages are required, and {why}: {REMEDY}"
            yield Defect("each_answers", query.id, query.file, query.line, message)


def _wide(query: Query, corpus: Corpus, label: Span, part: Span) -> Defect:
    long, short = (count_tokens(corpus.documents[s.document].text[s.start : s.end]) for s in (label, part))
    where = f"{corpus.documents[label.document].id}#{label.start}-{label.end}"
    message = f"{where} has {long} tokens, of which {short} answer ({part.start}-{part.end}): Answer@k asks for these alone"
    return Defect("wide_label", query.id, query.file, query.line, message)


def _required(corpus: Corpus, labels: Labels, q: int) -> list[str]:
    """The first labelled passage of each of a query's groups."""
    evidence, passages = labels.evidence, dict[int, str]()
    for row in range(*evidence.query.searchsorted([q, q + 1]).tolist()):
        if not evidence.copy[row]:
            text = corpus.documents[int(evidence.document[row])].text[int(evidence.start[row]) : int(evidence.end[row])]
            passages.setdefault(int(evidence.group[row]), text)
    return list(passages.values())


def _each_would_do(query: Query, passages: list[str], rarity: Rarity) -> str:
    """Why each of several passages would do alone; "" where that is not clear."""
    if all(answers_alone(query, passage, rarity.idf) for passage in passages):
        return "each alone holds the answer"
    if len(passages) > MOST_ALIKE:
        return ""
    pairs = combinations(map(shingles, passages), 2)
    return "all say nearly the same" if all(near_duplicates(one, other, SAME) for one, other in pairs) else ""
