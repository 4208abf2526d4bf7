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
from ragdiag.text.words import words

__all__ = ["FEWEST", "Doubt", "answer_words", "doubts"]

ANSWER_WORDS = 3
"""Words of the shortest reference answer whose presence, as it stands, means something."""

LONGEST_PASSAGE = 4
"""Sentences in a row that a passage has at most."""

LEAST_WEIGHT = 2.0
"""Idf that an answer's own words have together at least: below it, they stand wherever the corpus speaks of its subject."""

NEEDED = ((2, 1.0, 0.6), (4, 1.0, 0.5), (12, 0.75, 0.5), (sys.maxsize, 0.6, 0.4))
"""Up to so many words of its own, an answer is taken for said where this share of them, and this share of the question's words,
stand together, both by idf."""

HELD, FEWEST = 0.8, 4
"""The share of the words of a reference answer that the question lacks and the evidence has, from which a chunk has the answer;
and how many such words tell.
"""

FEW, ABOUT = 2, 0.66
"""Of fewer words, so many at least, a chunk needs them all, and this share of the question's words."""

REPEATED = 8
"""Words of the shortest labelled passage that a chunk can be said to repeat."""

REPEATS = "says the labelled passage word for word"
HOLDS = "holds the reference answer as it stands"
SAYS = "says what the reference answer says"
AS_LABELLED = "says what the labelled passage says"

TINY = 1e-9
"""Sums in another order may differ by so much."""


class Doubt(NamedTuple):
    """A chunk in a query's context that may answer: query, chunk, its rank from 1, why, and whether labels name any of it."""

    query: int
    chunk: int
    rank: int
    why: str
    labelled: bool = False


class _Sought(NamedTuple):
    """What says the same as one evidence group: for each of its wordings, the words that the question lacks, with weights."""

    wordings: Sequence[str]
    own: Sequence[Mapping[str, float]]


def doubts(scorer: Scorer, run: Run, lengths: IntArray, failing: Collection[int], judge: Judge) -> Iterator[Doubt]:
    """The chunks in the context of each query that neither a label nor a person judges and that hold a reference answer.

    For a query in `failing` without any: the first that says what a label names word for word, that may answer in other words, or
    that has nearly all words of a reference answer, though labels name some of it: they may be wider than the answer.
    """
    of_contexts, rarity = scorer.judgements.unjudged(run, lengths), scorer.answering.rarity
    for q in scorer.labels.at("span").tolist():
        ranked = enumerate(run.chunks[q, : lengths[q]].tolist(), 1)
        unjudged = {c: rank for rank, c in ranked if c in of_contexts.get(q, ())}
        query = scorer.labels.queries[q]
        holding = [Doubt(q, c, rank, HOLDS) for c, rank in unjudged.items() if _holds(query, scorer.text(c))]
        if not holding and q in failing:
            context = dict(zip(run.chunks[q, : lengths[q]].tolist(), range(1, int(lengths[q]) + 1), strict=True))
            holding = (
                _repeating(scorer, q, unjudged)
                or _in_other_words(scorer, q, unjudged, rarity.idf, judge)
                or _having(scorer, q, context, unjudged)
            )
        yield from holding


def _holds(query: Query, text: str) -> bool:
    answers = [form for answer in query.answers if len((form := folded(answer).strip(" .")).split()) >= ANSWER_WORDS]
    form = folded(text) if answers else ""
    return any(answer in form for answer in answers)


def _repeating(scorer: Scorer, q: int, unjudged: Mapping[int, int]) -> list[Doubt]:
    """The first chunk that says a labelled passage word for word, of a query that needs no other."""
    passages = list(_passages_of(scorer, q).values())
    wordings = [words(text) for text in passages[0]] if len(passages) == 1 else []
    sought = [f" {' '.join(wording)} " for wording in wordings if len(wording) >= REPEATED]
    for chunk, rank in unjudged.items() if sought else ():
        held = f" {' '.join(words(scorer.text(chunk)))} "
        if any(passage in held for passage in sought):
            return [Doubt(q, chunk, rank, REPEATS)]
    return []


def _having(scorer: Scorer, q: int, context: Mapping[int, int], unjudged: Collection[int]) -> list[Doubt]:
    """The chunks that have nearly all words of a reference answer that the question lacks and the evidence has."""
    query = scorer.labels.queries[q]
    asked, labelled = _stems(query.text), " ".join(text for group in _passages_of(scorer, q).values() for text in group)
    wordings = [own for own in answer_words(query, labelled) if len(own) >= FEW]
    held = {chunk: stems_of(scorer.text(chunk)) for chunk in context} if wordings else {}
    having = [(c, own) for c, stems in held.items() for own in wordings if _has(own, asked, stems)]
    return [Doubt(q, c, context[c], _words_had(own, held[c]), c not in unjudged) for c, own in dict(having).items()]


def answer_words(query: Query, labelled: str) -> list[Set[str]]:
    """Of each reference answer the stems of the words that the question lacks and the labelled text has."""
    asked, there = _stems(query.text), _stems(labelled)
    return [(_stems(answer) - asked) & there for answer in query.answers]


def _has(own: Set[str], asked: Set[str], stems: Set[str]) -> bool:
    """Whether a chunk has enough of an answer's own words; where these are few, all of them and most of the question's."""
    if len(own) >= FEWEST:
        return len(own & stems) >= HELD * len(own)
    return own <= stems and len(asked & stems) >= ABOUT * len(asked)


def _words_had(own: Set[str], stems: Set[str]) -> str:
    return f"has {len(own & stems)} of the {len(own)} words of the reference answer that the question lacks"


def _stems(text: str) -> Set[str]:
    """The stems of a text's telling words."""
    return weighed(text, lambda _: 1.0).keys()


def _passages_of(scorer: Scorer, q: int) -> Mapping[int, list[str]]:
    """The texts of a query's labelled passages, by evidence group."""
    evidence, groups = scorer.labels.evidence, dict[int, list[str]]()
    for r in range(*evidence.query.searchsorted([q, q + 1]).tolist()):
        text = scorer.corpus.documents[int(evidence.document[r])].text[int(evidence.start[r]) : int(evidence.end[r])]
        groups.setdefault(int(evidence.group[r]), []).append(text)
    return groups


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
    query = scorer.labels.queries[q]
    groups = {-1: list(query.answers)} if query.answers else _passages_of(scorer, q)
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
