"""Every answer traced to the passages that hold what it states, claim by claim; and what its own citations are worth."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ragdiag.answering.judges import unthought
from ragdiag.answering.judges._claims import Claim
from ragdiag.answering.judges.grounded import Grounded
from ragdiag.answering.rules import spoken
from ragdiag.core.records import Answer, Query
from ragdiag.core.registry import make
from ragdiag.pipeline import Audit, labelled_documents

__all__ = ["Citation", "Tally", "tally", "traced"]

RANKED = 100
"""Chunks of a query's ranking whose documents a context is looked for in."""


class Citation(NamedTuple):
    """One claim of the answer numbered `repeat` (from 1) to the query at position `query` under `condition`.

    `passage` is the text of the context that holds most of the claim, and `context_id` the id that the context was recorded with;
    `doc_id`, `doc_start` and `doc_end` say where it stands in the corpus: "" and None where there is none, or it is not found.
    """

    query: int
    condition: str
    repeat: int
    claim: Claim
    passage: str = ""
    context_id: str = ""
    doc_id: str = ""
    doc_start: int | None = None
    doc_end: int | None = None


class Tally(NamedTuple):
    """Of the claims in `answers`: how many there are, are `supported`, cite anything (`cited`), cite what holds them (`held`).

    Of those that cite, `elsewhere` are held by another context alone, `nowhere` by none, and `unknown` name no context there is;
    `uncited` are supported and cite nothing.
    """

    answers: int
    claims: int
    supported: int
    cited: int
    held: int
    elsewhere: int
    nowhere: int
    unknown: int
    uncited: int

    @property
    def precision(self) -> float | None:
        """The share of claims with a citation that hold by what they cite; None where none cites."""
        return self.held / self.cited if self.cited else None

    @property
    def recall(self) -> float | None:
        """The share of supported claims that cite a context which holds them; None where none cites, or none is supported."""
        return self.held / self.supported if self.cited and self.supported else None


def tally(citations: Iterable[Citation]) -> Tally:
    """The citations counted."""
    citations = list(citations)
    claims = [c.claim for c in citations]
    citing = [c for c in claims if c.marks]
    return Tally(
        answers=len({(c.query, c.condition, c.repeat) for c in citations}),
        claims=len(claims),
        supported=sum(c.supported for c in claims),
        cited=len(citing),
        held=sum(bool(c.cited) for c in citing),
        elsewhere=sum(c.supported and not c.cited for c in citing),
        nowhere=sum(not c.supported for c in citing),
        unknown=sum(map(_names_none, citing)),
        uncited=sum(c.supported and not c.marks for c in claims),
    )


def _names_none(claim: Claim) -> bool:
    """Whether a mark of `claim` names a context that is not there."""
    return any(-1 in mark.contexts for mark in claim.marks)


def traced(
    queries: Sequence[Query], asked: Sequence[tuple[int, Answer]], support: str, audit: Audit | None
) -> tuple[Citation, ...]:
    """The claims of all answers that have contexts, in order; `asked` has each with the position of its query.

    By words, as `grounded` does, whatever judge of `support` there is: others do not say which passage they mean.
    """
    judge = make("judges", support)
    grounded = judge if isinstance(judge, Grounded) else Grounded()
    corpus = _Places(audit) if audit else None
    repeats: Counter[tuple[int, str]] = Counter()
    citations: list[Citation] = []
    for q, answer in asked:
        repeats[q, answer.condition] += 1
        places = [corpus.of(q, context) if corpus else None for context in answer.contexts]
        names = answer.context_ids or ["" if place is None else place[0] for place in places]
        said = dataclasses.replace(answer, answer=spoken(unthought(answer.answer)))
        for claim in grounded.claims(queries[q], said, names):
            citation = Citation(q, answer.condition, repeats[q, answer.condition], claim)
            citations.append(citation if claim.context is None else _placed(citation, claim.context, answer, places))
    return tuple(citations)


def _placed(citation: Citation, context: int, answer: Answer, places: Sequence[tuple[str, int] | None]) -> Citation:
    """`citation` with the passage that holds its claim, and where that stands."""
    claim, place = citation.claim, places[context]
    citation = citation._replace(
        passage=answer.contexts[context][claim.start : claim.end],
        context_id=answer.context_ids[context] if answer.context_ids else "",
    )
    if place is None:
        return citation
    return citation._replace(doc_id=place[0], doc_start=place[1] + claim.start, doc_end=place[1] + claim.end)


class _Places:
    """Where contexts stand in a corpus: looked for in the documents that are labelled, or ranked, for their query."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._labelled = labelled_documents(audit.labels)
        self._known: dict[tuple[int, str], tuple[str, int] | None] = {}

    def of(self, query: int, context: str) -> tuple[str, int] | None:
        """The document that holds `context` letter by letter, and where it begins; None where none of those does."""
        key = query, context
        if key not in self._known:
            documents = self._audit.corpus.documents
            found = ((documents[d].id, documents[d].text.find(context)) for d in self._likely(query))
            self._known[key] = next(((name, at) for name, at in found if at >= 0), None) if context.strip() else None
        return self._known[key]

    def _likely(self, query: int) -> Mapping[int, None]:
        """The documents to look in, the best ranked first."""
        ranked = self._audit.run.chunks[query, :RANKED]
        of_chunks = self._audit.scorer.chunking.document[ranked[ranked >= 0]].tolist()
        return dict.fromkeys([*of_chunks, *self._labelled[query]])
