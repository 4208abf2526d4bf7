"""Where an answer that a query came with may stand: proposed first, for whoever labels to accept or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ragdiag.core.records import Query, Span
from ragdiag.label.pooling import Pool
from ragdiag.text.words import spelled, words

__all__ = ["Proposal", "proposals"]

MOST = 3
"""Places that are proposed of one query."""

NEAREST = 10
"""Passages looked at, of those found by the words of question and answer, where the answer stands nowhere as it is."""

SHARE = 0.5
"""Share of the answer's words that a sentence has at least, to be proposed."""


class Proposal(NamedTuple):
    """Sentences of a passage that may be the evidence, and whether the answer stands there word for word."""

    passage: Span
    evidence: Span
    exact: bool


def proposals(pool: Pool, query: Query) -> list[Proposal]:
    """Where the answers of a query stand, best first by the words of question and answer; else the sentences nearest to them."""
    found: list[Proposal] = []
    for answer in query.answers:
        wanted = words(answer)
        ranked = pool.by_words(f"{query.text} {answer}") if wanted else []
        places = {passage: n for n, passage in enumerate(ranked)}
        holding = sorted(pool.having(max(wanted, key=len)) if wanted else (), key=lambda p: places.get(p, len(places)))
        exact = [Proposal(passage, evidence, True) for passage in holding for evidence in _standing(pool, passage, wanted)]
        found += exact or _nearest(pool, ranked[:NEAREST], set(wanted))
    found.sort(key=lambda proposal: not proposal.exact)
    return list({proposal.evidence: proposal for proposal in reversed(found)}.values())[::-1][:MOST]


def _text(pool: Pool, span: Span) -> str:
    return pool.corpus.documents[span.document].text[span.start : span.end]


def _standing(pool: Pool, passage: Span, wanted: Sequence[str]) -> Iterator[Span]:
    """The sentences of a passage that hold an answer's words one behind the other."""
    there = list(spelled(_text(pool, passage)))
    held = [word for _, _, word in there]
    for i in range(len(held) - len(wanted) + 1):
        if held[i : i + len(wanted)] == list(wanted):
            start, end = passage.start + there[i][0], passage.start + there[i + len(wanted) - 1][1]
            over = [s for s in pool.sentences(passage) if s.start < end and start < s.end]
            if over:
                yield Span(passage.document, over[0].start, over[-1].end)


def _nearest(pool: Pool, passages: Sequence[Span], wanted: set[str]) -> list[Proposal]:
    """Of each passage the sentence with most of an answer's words, if it has enough of them; those with most come first."""
    best = []
    for passage in passages:
        shares = {s: len(wanted & set(words(_text(pool, s)))) / len(wanted) for s in pool.sentences(passage)}
        sentence = max(shares, key=lambda s: shares[s], default=passage)
        if shares.get(sentence, 0.0) >= SHARE:
            best.append((shares[sentence], Proposal(passage, sentence, False)))
    return [proposal for _, proposal in sorted(best, key=lambda each: -each[0])]
