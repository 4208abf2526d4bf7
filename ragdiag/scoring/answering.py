"""The part of a label that answers: labels are often wider than their answers, and what lacks of the rest is no failure.

A label is *wide* where a stretch of whole sentences in it is known to answer, and is much shorter. Such a stretch is known

* where a reference answer stands as it is: the sentences that hold it; of a short answer only those that also carry most of the
  query's words that the label has, since a number or a name stands in many places and answers in few;
* else where it stands in other words: the fewest sentences in a row with (nearly) all of the answer's own words that the label
  has, if it has most of them.

Where it is not clear which part answers, there is none, and the whole label counts. The words of the query alone tell nothing:
the sentence that repeats a question rarely answers it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np

from ragdiag.core.records import Corpus, Evidence, IntArray, Labels, Query, Span
from ragdiag.scoring.measures import Contexts
from ragdiag.scoring.rarity import Idf, Rarity, carried, share, stems_of, weighed
from ragdiag.text.normal import Normal, folded
from ragdiag.text.sentences import sentences
from ragdiag.text.tokens import count_tokens
from ragdiag.text.words import inside_a_word

__all__ = ["Answering", "answering_parts", "answers_alone"]

WIDE = 1.5
"""A label is wide where it has so many times the tokens of the part that answers, or more."""

LONG_ANSWER = 5
"""Words from which an answer that stands in a label answers there, whatever stands round it."""

MOST_OF_QUERY = 0.5
"""Share, by idf, of the query's words in a label that the sentences with a short answer carry at least."""

MOST_OF_ANSWER = 0.7
"""Share, by idf, of a reference answer's own words that a label has, so that it can be said to answer in other words."""

NEARLY_ALL = 0.9
"""Share of those that the part has at least: the rest of the label adds next to nothing to the answer."""

FEWEST_WORDS = 4
"""Words of its own, besides the query's, that an answer must have to be looked for in other words."""

Place = tuple[int, int]
"""Where something stands in the text of a label: from, to."""

TINY = 1e-9
"""Sums in another order may differ by so much."""


class Answering:
    """The parts of labels that answer, found when first asked for."""

    def __init__(self, corpus: Corpus, labels: Labels) -> None:
        self._corpus, self._labels, self.rarity = corpus, labels, Rarity(corpus)

    @functools.cached_property
    def by_row(self) -> Mapping[int, tuple[Span, ...]]:
        """For each row of the evidence that is a wide label: the parts that answer, each by itself."""
        evidence, parts = self._labels.evidence, dict[int, tuple[Span, ...]]()
        columns = (evidence.query, evidence.document, evidence.start, evidence.end)
        for row, (query, *place) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            asked = self._labels.queries[query]
            if asked.answers and (of_row := answering_parts(asked, self._corpus, Span(*place), self.rarity.idf)):
                parts[row] = of_row
        return parts

    @functools.cached_property
    def by_query(self) -> Mapping[int, Mapping[int, tuple[Span, ...]]]:
        """For each query with a wide label, by its position: the same by the number, from 1, of its evidence group."""
        evidence, numbers = self._labels.evidence, dict[int, dict[int, int]]()
        for query, group in zip(evidence.query.tolist(), evidence.group.tolist(), strict=True):
            of_query = numbers.setdefault(query, {})
            of_query.setdefault(group, len(of_query) + 1)
        parts: dict[int, dict[int, tuple[Span, ...]]] = {}
        for row, of_row in self.by_row.items():
            query, group = int(evidence.query[row]), int(evidence.group[row])
            of_groups, number = parts.setdefault(query, {}), numbers[query][group]
            of_groups[number] = (*of_groups.get(number, ()), *of_row)
        return parts

    def rows(self, spans: Contexts) -> tuple[Evidence, Contexts]:
        """The evidence with the parts that answer in place of wide labels; `spans` holds the rows of the evidence as they are."""
        evidence, base = self._labels.evidence, self._corpus.base
        wide = np.isin(np.arange(len(evidence.query)), list(self.by_row))
        rows: list[list[int]] = np.stack([*_columns(evidence), *spans[1:]], axis=1)[~wide].tolist()
        for row, parts in self.by_row.items():
            query, group, document, label_start, _, copy = (int(column[row]) for column in _columns(evidence))
            text = self._corpus.documents[document].text
            for _, start, end in parts:
                before, inside = _nonspace(text[label_start:start]), _nonspace(text[start:end])
                ns_start, first = int(spans.ns_start[row]) + before, int(base[document])
                rows.append([query, group, document, start, end, copy, first + start, first + end, ns_start, ns_start + inside])
        table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 10).T
        query, group, document, start, end, copy = table[:6]
        return Evidence(query, group, document, start, end, copy.astype(bool)), Contexts(query, *table[6:])


def _columns(evidence: Evidence) -> tuple[IntArray, ...]:
    return evidence.query, evidence.group, evidence.document, evidence.start, evidence.end, evidence.copy.astype(np.int64)


def _nonspace(text: str) -> int:
    return len("".join(text.split()))


def answering_parts(query: Query, corpus: Corpus, label: Span, idf: Idf) -> tuple[Span, ...]:
    """The parts of one label that answer a query; none where nothing much shorter than the label is known to."""
    text = corpus.documents[label.document].text[label.start : label.end]
    return tuple(Span(label.document, label.start + a, label.start + b) for a, b in _parts(query, text, idf))


def answers_alone(query: Query, text: str, idf: Idf) -> bool:
    """Whether a text clearly answers a query by itself.

    It speaks of the question, and holds a longer reference answer, as it stands or most of its own words.
    """
    asked, stems = weighed(query.text, idf), stems_of(text)
    if share(asked, stems) < MOST_OF_QUERY:
        return False
    for answer in query.answers:
        if len(folded(answer).split()) >= LONG_ANSWER and any(_stands(answer, text)):
            return True
        own = {stem: weight for stem, weight in weighed(answer, idf).items() if stem not in asked}
        if len(own) >= FEWEST_WORDS and share(own, stems) >= MOST_OF_ANSWER:
            return True
    return False


def _parts(query: Query, label: str, idf: Idf) -> Sequence[Place]:
    """Where in the text of a label a reference answer is; nothing where that is not much shorter than the label."""
    stretches = sentences(label)
    if len(stretches) < 2:
        return ()
    asked = weighed(query.text, idf)
    as_it_is = [place for answer in query.answers for place in _verbatim(answer, asked, label, stretches)]
    places = as_it_is or [place for answer in query.answers for place in _in_other_words(answer, asked, label, stretches, idf)]
    most = count_tokens(label) / WIDE
    return [(a, b) for a, b in dict.fromkeys(places) if count_tokens(label[a:b]) <= most]


def _verbatim(answer: str, asked: Mapping[str, float], label: str, stretches: Sequence[Place]) -> Iterator[Place]:
    """The sentences that hold an answer as it stands, however typed."""
    places = [_round(place, stretches) for place in _stands(answer, label)]
    if len(folded(answer).split()) >= LONG_ANSWER:
        yield from places
        return
    weights = {place: carried(asked, stems_of(label[slice(*place)])) for place in places}
    best, of_label = max(weights.values(), default=0.0), carried(asked, stems_of(label))
    if best and best >= MOST_OF_QUERY * of_label:
        yield from (place for place, weight in weights.items() if weight == best)


def _stands(answer: str, label: str) -> Iterator[Place]:
    """Every place of an answer in a label, in whole words."""
    sought, form = folded(answer).strip(" .,;:!?\"'"), Normal(label, fold=True)
    text = " ".join(form.text.split(" "))
    start = text.find(sought) if sought else -1
    while start >= 0:
        end = start + len(sought)
        if not inside_a_word(text, start) and not inside_a_word(text, end):
            yield form.source(start, end)
        start = text.find(sought, start + 1)


def _round(place: Place, stretches: Sequence[Place]) -> Place:
    """The sentences that a place is in, from the start of the first to the end of the last."""
    inside = [(a, b) for a, b in stretches if a < place[1] and b > place[0]]
    return (min(inside[0][0], place[0]), max(inside[-1][1], place[1])) if inside else place


def _in_other_words(answer: str, asked: Mapping[str, float], label: str, stretches: Sequence[Place], idf: Idf) -> Iterator[Place]:
    """The shortest run of sentences with nearly all of the answer's own words that the label has, if it has most of them."""
    own = {stem: weight for stem, weight in weighed(answer, idf).items() if stem not in asked}
    of_each = [own.keys() & stems_of(label[a:b]) for a, b in stretches]
    held = carried(own, set[str]().union(*of_each))
    if len(own) < FEWEST_WORDS or held < MOST_OF_ANSWER * sum(own.values()):
        return
    runs = _runs(of_each, own, NEARLY_ALL * held)
    yield min(((stretches[a][0], stretches[b][1]) for a, b in runs), key=lambda place: place[1] - place[0])


def _runs(of_each: Sequence[Set[str]], own: Mapping[str, float], enough: float) -> Iterator[Place]:
    """For each sentence with one of the words `own`: the first and last of the shortest run that ends there with `enough`."""
    last_of: dict[str, int] = {}  # where each word stood last
    for last, stems in enumerate(of_each):
        last_of.update(dict.fromkeys(stems, last))
        held = 0.0
        for stem, first in sorted(last_of.items(), key=lambda item: -item[1]) if stems else ():
            held += own[stem]
            if held >= enough - TINY:
                yield first, last
                break
