"""A session of reviewing: failing queries, drawn at random, with the chunks of their contexts that no label judges.

What a person accepts becomes an alternative to the evidence that the query has. What else its line says stays as it is.
"""

from __future__ import annotations

import copy
import itertools
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Document, Label, Query, Span
from ragdiag.core.reviews import Corrected, Drawn, Says, Stratum
from ragdiag.label.decisions import DecisionFile, label_of
from ragdiag.label.pooling import Pool
from ragdiag.label.session import Session, Shown, Task
from ragdiag.stats.corrected import planned, recounted

__all__ = ["ROUND", "Asked", "Draw", "Review", "with_review"]

ROUND = 20
"""Queries whose worth is told before the first is asked; about ten minutes' reading."""


class Asked(NamedTuple):
    """A failing query, the chunks in its context that no label judges, and the stratum that it was drawn from."""

    query: Query
    passages: tuple[Span, ...]
    stratum: Stratum


class Draw(NamedTuple):
    """What the queries are drawn from: an audit's measure, what it comes to so far, the seed, the pipeline's `stamp`."""

    measure: str
    corrected: Corrected
    seed: int
    pipeline: str


class Review(Session):
    """Asks each of `asked`, in that order, that `file` says nobody looked at.

    `file` holds all queries; `originals` are their lines before any review. A decision says of every passage that was on the
    screen what it does for the query.
    """

    file: DecisionFile

    def __init__(
        self, pool: Pool, asked: Sequence[Asked], file: DecisionFile, originals: Mapping[str, Mapping[str, Any]], draw: Draw
    ) -> None:
        self.draw, self._asked, self._originals = draw, list(asked), originals
        self.parts: set[int] = set()
        super().__init__(pool, [Task(each.query) for each in asked], file)

    def _is_decided(self, i: int) -> bool:
        review = self.file.queries[self.tasks[i].query.id].review
        return review is not None and bool(review.passages)

    def _order(self) -> list[int]:
        return list(range(len(self.tasks)))  # whoever stops has then looked at a random sample

    @property
    def asked(self) -> Asked:
        """What is asked now. Raises `UsageError` where nothing is left."""
        self.task  # noqa: B018
        assert self.current is not None
        return self._asked[self.current]

    @property
    def decision(self) -> Query | None:
        """What the file says of the query that is asked now, if somebody looked at it."""
        decided = self.file.queries[self.task.query.id]
        return decided if self.current is not None and self._is_decided(self.current) else None

    @property
    def evidence(self) -> list[list[str]]:
        """The query's labelled passages, as text, by group, without what reviews added."""
        by_group: dict[str, list[str]] = {}
        for n, label in enumerate(self.file.queries[self.task.query.id].evidence):
            if not label.accepted:
                by_group.setdefault(label.group or f"#{n}", []).append(self._text(label))
        return list(by_group.values())

    def _text(self, label: Label) -> str:
        if label.text or label.doc_id not in self.corpus.position:
            return label.text
        return self.corpus.documents[self.corpus.position[label.doc_id]].text[label.start : label.end]

    def _open(self) -> None:
        self.parts = set()
        self._pooled = False
        self._coming_passages = deque()
        self.answer, self.also = self.task.query.answer, self.task.query.also
        self.shown = [Shown(self.pool.trimmed(passage), "context") for passage in self.asked.passages]

    def more(self) -> int:
        """As `Session.more`; the pool's retrievers are asked when they are first needed."""
        if not self._pooled:
            self._coming_passages, self._pooled = deque(self.pool.ranked(self.task.query.text)), True
        return super().more()

    def in_part(self, numbers: Sequence[int]) -> None:
        """Note that the passages shown as `numbers` hold part of the answer."""
        for number in numbers:
            self.passage(number)
        self.parts |= set(numbers)

    def accept(self, accepted: Sequence[tuple[int, Span]]) -> None:
        """Decide the query: each passage answers it, or stands for evidence group n (from 1; 0: all), none of the others does."""
        evidence = self.evidence
        whole = [(group, self._whole(passage)) for group, passage in accepted]
        if wrong := next((group for group, _ in whole if not 0 <= group <= len(evidence)), 0):
            raise UsageError(f"there is no evidence {wrong}; the query has {len(evidence)}")
        passages = []
        for number, (passage, _) in enumerate(self.shown, 1):
            document = self.corpus.documents[passage.document].id
            says = self._says(number, passage, whole, len(evidence))
            passages.append({"doc_id": document, "start": passage.start, "end": passage.end, "says": says})
        reviewed = {"stratum": self.asked.stratum, "seed": self.draw.seed, "pipeline": self.draw.pipeline, "passages": passages}
        self.file.put(with_review(self._originals[self.task.query.id], whole, reviewed, self.corpus.documents))
        self._leave()

    def _says(self, number: int, passage: Span, accepted: Sequence[tuple[int, Span]], groups: int) -> Says:
        stands_for = {group for group, span in accepted if span.overlaps(passage)}
        if 0 in stands_for or len(stands_for) == groups:
            return "answers"
        return "part" if stands_for or number in self.parts else "no"

    def withdraw(self) -> None:
        """Take back what was said of the current query: its line is as it was."""
        if self.decision is None:
            raise UsageError("nothing was said of this query yet")
        self.file.put(self._originals[self.task.query.id])

    def accepted(self) -> list[tuple[int, Span]]:
        """What was accepted for the current query: passages, each with the evidence that it stands for (0: all of it)."""
        decision = self.decision
        if decision is None:
            return []
        labels = decision.evidence
        names = list(dict.fromkeys(label.group or f"#{n}" for n, label in enumerate(labels) if not label.accepted))
        numbers: dict[Span, list[int]] = {}
        for label in labels:
            if label.accepted and label.group in names:
                span = Span(self.corpus.position[label.doc_id], *_offsets(label))
                numbers.setdefault(span, []).append(names.index(label.group) + 1)
        return [(n, span) for span, each in numbers.items() for n in ((0,) if len(each) == len(names) else each)]

    # What it comes to

    def corrected(self) -> Corrected:
        """The measure as far as the queries reviewed here correct it, by what was said of the chunks of their contexts."""
        return recounted(self.draw.corrected, [self._so_far(stratum) for stratum in self.draw.corrected.strata])

    def _so_far(self, stratum: Drawn) -> Drawn:
        """A stratum with what was decided here: its sample ends with the last query decided, and what was skipped stays open."""
        names = {each.stratum for each in self.draw.corrected.strata}
        drawn_as = [each.stratum if each.stratum in names else "other" for each in self._asked]
        here = [i for i, name in enumerate(drawn_as) if name == stratum.stratum]
        decided = [place for place, i in enumerate(here) if self._is_decided(i)]
        served = sum(self.said(self._asked[here[place]]) == "answers" for place in decided)
        inside = max(stratum.open, decided[-1] + 1 if decided else 0)
        return replace(stratum, sample=stratum.settled + inside, served=stratum.served + served, open=inside - len(decided))

    def then(self) -> Corrected:
        """What it would come to with `ROUND` more queries."""
        return planned(self.corrected(), ROUND)

    def said(self, asked: Asked) -> Says:
        """The best that was said of a chunk of a query's context."""
        review, documents = self.file.queries[asked.query.id].review, self.corpus.documents
        context = {(documents[p.document].id, p.start, p.end) for p in map(self.pool.trimmed, asked.passages)}
        said = {each.says for each in (review.passages if review else ()) if tuple(each.passage) in context}
        return "answers" if "answers" in said else "part" if "part" in said else "no"

    def counts(self) -> dict[Says, int]:
        """How many of the queries reviewed so far have the answer in their context, part of it, nothing of it."""
        best = [self.said(each) for i, each in enumerate(self._asked) if self._is_decided(i)]
        return {"answers": best.count("answers"), "part": best.count("part"), "no": best.count("no")}


def _offsets(label: Label) -> tuple[int, int]:
    """Those of a passage that a review accepted, which always has them."""
    assert label.start is not None and label.end is not None
    return label.start, label.end


def with_review(
    line: Mapping[str, Any], accepted: Sequence[tuple[int, Span]], reviewed: Mapping[str, object], documents: Sequence[Document]
) -> dict[str, Any]:
    """A query's line with what a review found: accepted passages are alternatives of an evidence group (from 1; 0: of each)."""
    new: dict[str, Any] = copy.deepcopy(dict(line))
    for number, items in enumerate(_by_group(new.get("evidence") or ()), 1):
        passages = list(dict.fromkeys(span for group, span in accepted if group in (0, number)))
        if passages:
            name = items[0].get("group")
            if name is None:
                taken = {str(item.get("group")) for item in new["evidence"]}
                name = items[0]["group"] = next(f"g{i}" for i in itertools.count(number) if f"g{i}" not in taken)
            added = (label_of(span, documents[span.document], name) for span in passages)
            new["evidence"] += [label | {"accepted": True} for label in added]
    return new | {"reviewed": dict(reviewed)}


def _by_group(evidence: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Labelled passages by group, in the order of each group's first; one without a group is one by itself."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for n, item in enumerate(evidence):
        groups.setdefault(f"#{n}" if item.get("group") is None else f"={item['group']}", []).append(item)
    return list(groups.values())
