"""Labels in doubt: passages of a context that no label names and that may answer all the same.

This points to queries to look at; it serves none. A passage is a few sentences in a row of a chunk that holds no evidence. It is
pointed to where a reference answer stands in it as it is; where the words of the question and those of a reference answer stand
together in it, and a judge of answers, who reads numbers, dates and negations, takes it for an answer; and, where there is no
reference answer, where it carries as much of the question as the labelled passage does, and nearly all of it. Short answers
stand everywhere, so the fewer words an answer has of its own, the more of the question must stand with it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple

from ragdiag.core.protocols import Judge, no_progress
from ragdiag.core.records import Answer, IntArray, Query, Run
from ragdiag.scoring.rarity import Idf, share, stems_of, weighed
from ragdiag.scoring.scoring import Scorer
from ragdiag.text.normal import folded
from ragdiag.text.sentences import sentences

__all__ = ["Doubt", "doubts"]

ANSWER_WORDS = 3
"""Words of the shortest reference answer whose presence, as it stands, means something."""

LONGEST_PASSAGE = 4
"""Sentences in a row that a passage has at most."""

LEAST_WEIGHT = 2.0
"""Idf that an answer's own words have together at least: below it, they stand wherever the corpus speaks of its subject."""

NEEDED = ((2, 1.0, 0.6), (4, 1.0, 0.5), (12, 0.75, 0.5), (sys.maxsize, 0.6, 0.4))
"""Up to so many words of its own, an answer is taken for said where this share of them, and this share of the question's words,
stand together, both by idf."""

HOLDS = "holds the reference answer as it stands"
SAYS = "says what the reference answer says"
AS_LABELLED = "says what the labelled passage says"

TINY = 1e-9
"""Sums in another order may differ by so much."""


class Doubt(NamedTuple):
    """A chunk in a query's context that no label names and that may answer: query, chunk, its rank from 1, and why."""

    query: int
    chunk: int
    rank: int
    why: str


class _Sought(NamedTuple):
    """What says the same as one evidence group: for each of its wordings, the words that the question lacks, with weights."""

    wordings: Sequence[str]
    own: Sequence[Mapping[str, float]]


def doubts(scorer: Scorer, run: Run, lengths: IntArray, failing: Collection[int], judge: Judge) -> Iterator[Doubt]:
    """The chunks in the context of each query that neither a label nor a person judges and that hold a reference answer.

    For a query in `failing` without any: the first that may answer in other words.
    """
    of_contexts, rarity = scorer.judgements.unjudged(run, lengths), scorer.answering.rarity
    for q in scorer.labels.at("span").tolist():
        ranked = enumerate(run.chunks[q, : lengths[q]].tolist(), 1)
        unjudged = {c: rank for rank, c in ranked if c in of_contexts.get(q, ())}
        query = scorer.labels.queries[q]
        holding = [Doubt(q, c, rank, HOLDS) for c, rank in unjudged.items() if _holds(query, scorer.text(c))]
        if not holding and q in failing:
            holding = _in_other_words(scorer, q, unjudged, rarity.idf, judge)
        yield from holding


def _holds(query: Query, text: str) -> bool:
    answers = [form for answer in query.answers if len((form := folded(answer).strip(" .")).split()) >= ANSWER_WORDS]
    form = folded(text) if answers else ""
    return any(answer in form for answer in answers)


def _in_other_words(scorer: Scorer, q: int, unjudged: Mapping[int, int], idf: Idf, judge: Judge) -> list[Doubt]:
    """The first chunk that may answer a query, where all that it needs has one."""
    query = scorer.labels.queries[q]
    question, texts = weighed(query.text, idf), {c: scorer.text(c) for c in unjudged}
    doubted: list[Doubt] = []
    for sought in _sought(scorer, q, question, idf):
        first = next((c for c in unjudged if _says(query, question, sought, texts[c], judge)), None)
        if first is None:
            return []
        doubted.append(Doubt(q, first, unjudged[first], SAYS if query.answers else AS_LABELLED))
    return doubted[:1]


def _sought(scorer: Scorer, q: int, question: Mapping[str, float], idf: Idf) -> list[_Sought]:
    """What a context must say: a reference answer; where there is none, what an alternative of each evidence group says."""
    query, evidence = scorer.labels.queries[q], scorer.labels.evidence
    groups: dict[int, list[str]] = {-1: list(query.answers)} if query.answers else {}
    for r in range(*evidence.query.searchsorted([q, q + 1]).tolist()) if not groups else ():
        text = scorer.corpus.documents[int(evidence.document[r])].text[int(evidence.start[r]) : int(evidence.end[r])]
        groups.setdefault(int(evidence.group[r]), []).append(text)
    distinct = (list(dict.fromkeys(wordings)) for wordings in groups.values())
    return [_Sought(of_one, [_own(wording, question, idf) for wording in of_one]) for of_one in distinct]


def _own(text: str, question: Mapping[str, float], idf: Idf) -> dict[str, float]:
    return {stem: weight for stem, weight in weighed(text, idf).items() if stem not in question}


def _says(query: Query, question: Mapping[str, float], sought: _Sought, text: str, judge: Judge) -> bool:
    """Whether a passage of a chunk says what is sought, by its words and by the judge."""
    whole = stems_of(text)
    if not any(_tells(question, own, whole) for own in sought.own):
        return False
    asked = [
        (replace(query, answer=wording, also=()), Answer(query.id, "retrieved", passage))
        for passage, stems in _passages(text)
        for wording, own in zip(sought.wordings, sought.own, strict=True)
        if _tells(question, own, stems)
    ]
    return any(opinion and opinion.correct for opinion in judge.judge(asked, None, no_progress))


def _passages(text: str) -> Iterator[tuple[str, Set[str]]]:
    """A text's passages, with their stems; and the whole text, which a long answer may take."""
    places = sentences(text)
    for first, (start, _) in enumerate(places):
        for _, end in places[first : first + LONGEST_PASSAGE]:
            yield text[start:end], stems_of(text[start:end])


def _tells(question: Mapping[str, float], own: Mapping[str, float], stems: Set[str]) -> bool:
    """Whether a passage with these words speaks of the question, and has an answer's own words."""
    of_answer, of_question = next(needed for most, *needed in NEEDED if len(own) <= most)
    tells = share(own, stems) >= of_answer - TINY and share(question, stems) >= of_question
    return tells and sum(own.values()) >= LEAST_WEIGHT
