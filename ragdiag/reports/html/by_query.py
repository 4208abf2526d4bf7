"""The queries that configurations of a comparison serve differently: who wins each, and the passages that make the difference.

A page holds at most `COLUMNS` configurations and `MOST` queries, and of each query the passages of `TOLD` configurations, each
cut to `LONGEST` characters: some megabytes, however much was compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ragdiag.comparing.cells import NEVER, Cell, Comparison, Seen
from ragdiag.core.records import BoolArray, FloatArray
from ragdiag.reports.html.text import CUT, Span, shortened
from ragdiag.reports.words import expected
from ragdiag.text.phrases import counted

__all__ = ["ByQuery", "by_query"]

COLUMNS = 12
"""Configurations shown: the baseline, and those that are best by the measure."""

MOST = 200
"""Queries shown."""

TOLD = 4
"""Configurations of a query whose passages are shown: the baseline, and the first ones that serve it otherwise."""

GROUPS, HOLDERS = 6, 3
"""Labelled passages of a query that are shown, and passages with evidence of a context."""

LONGEST, AROUND = 600, 160
"""Characters shown of a passage, of a query and of an answer; of them those before and after the evidence of a passage."""


class Column(NamedTuple):
    """A configuration: its place in the comparison, its number in the table of all, its name, how many queries it wins and
    loses against the baseline.
    """

    place: int
    rank: int
    name: str
    won: int
    lost: int


class Shown(NamedTuple):
    """A passage: where it is, and its text stretch by stretch, evidence marked."""

    at: str
    text: list[Span]


class Outcome(NamedTuple):
    """What a configuration makes of a query: whether it serves it, whether the baseline does otherwise, what it takes to serve
    it, and the share of the evidence that its context holds; "" where that is not known.
    """

    column: Column
    served: bool
    differs: bool
    needs: str
    held: str


class Told(NamedTuple):
    """An outcome with its passages: those of the context with evidence, how many more there are, and the first one below it.

    `instead` is the first passage of a context that holds no evidence.
    """

    outcome: Outcome
    context: list[Shown]
    more: int
    below: Shown | None
    instead: Shown | None


class QueryRow(NamedTuple):
    """A query that at least two configurations serve differently. `won`: the baseline does not serve it.

    `documents` are those that are labelled as a whole, `left` counts labelled passages that are not shown. `others` are
    configurations of which no passage is shown.
    """

    id: str
    text: str
    answer: str
    won: bool
    says: str
    outcomes: list[Outcome]
    evidence: list[Shown]
    documents: list[str]
    left: int
    told: list[Told]
    others: list[Outcome]

    @property
    def turned(self) -> str:
        """The places of the configurations that serve it otherwise than the baseline does."""
        return " ".join(str(outcome.column.place) for outcome in self.outcomes if outcome.differs)


class ByQuery(NamedTuple):
    """All of it: the configurations, baseline first; the queries; how many all of these configurations serve, none does, and
    some do; what is left out, in a sentence or not at all.
    """

    columns: list[Column]
    rows: list[QueryRow]
    all: int
    none: int
    some: int
    left_out: str


def by_query(comparison: Comparison, ranks: Sequence[int]) -> ByQuery:
    """The queries that the configurations shown serve differently; `ranks` are the numbers of all configurations."""
    columns = _columns(comparison, ranks)
    served = np.stack([comparison.cells[column.place].served for column in columns])
    decided = ~np.isnan(served).any(axis=0)
    counts = np.where(decided, np.nansum(served, axis=0), -1)
    differing = _first_to_see(served, decided & (counts > 0) & (counts < len(columns)))
    pages = _Pages(comparison)
    rows = [_row(pages, columns, q, served[:, q] == 1) for q in differing[:MOST]]
    every, none = int((counts == len(columns)).sum()), int((counts == 0).sum())
    return ByQuery(columns, rows, every, none, len(differing), _left_out(comparison, columns, len(differing)))


def _columns(comparison: Comparison, ranks: Sequence[int]) -> list[Column]:
    """The baseline, then the best others."""
    baseline = comparison.baseline
    others = sorted((i for i in range(len(ranks)) if i != baseline), key=lambda i: ranks[i])[: COLUMNS - 1]
    before = comparison.cells[baseline].served
    return [
        Column(i, ranks[i], cell.name, int((cell.served > before).sum()), int((cell.served < before).sum()))
        for i, cell in ((i, comparison.cells[i]) for i in (baseline, *others))
    ]


def _first_to_see(served: FloatArray, differing: BoolArray) -> list[int]:
    """Those that the best other configuration wins or loses, then those that most others do; of equal ones in file order."""
    turned = served != served[0]
    places = np.flatnonzero(differing)
    order = np.lexsort((places, -turned[:, places].sum(axis=0), ~turned[1:2, places].any(axis=0)))
    return [int(q) for q in places[order]]


def _left_out(comparison: Comparison, columns: Sequence[Column], differing: int) -> str:
    """What of the comparison this part of the page does not hold; "" for nothing."""
    parts = [f"{MOST:,} of these queries"] if differing > MOST else []
    parts += [f"{len(columns)} of {len(comparison.cells)} configurations"] if len(columns) < len(comparison.cells) else []
    return f"Shown are {' and '.join(parts)}; --json names the configurations that serve each query." if parts else ""


def _row(pages: _Pages, columns: Sequence[Column], q: int, served: BoolArray) -> QueryRow:
    query = pages.labels.queries[q]
    outcomes = [pages.outcome(column, q, bool(s), bool(s != served[0])) for column, s in zip(columns, served, strict=True)]
    differing = [outcome for outcome in outcomes if outcome.differs]
    told = [outcomes[0], *differing[: TOLD - 1]]
    turned = f"{'lost' if served[0] else 'won'} by {len(differing)} of {len(columns) - 1}"
    evidence = list(pages.evidence(q))
    return QueryRow(
        id=query.id,
        text=shortened(query.text, LONGEST),
        answer=shortened(expected(query), LONGEST),
        won=not served[0],
        says=turned,
        outcomes=outcomes,
        evidence=evidence[:GROUPS],
        documents=[pages.corpus.documents[d].id for d, grade in pages.labels.relevant[q].items() if grade > 0][:GROUPS],
        left=max(len(evidence) - GROUPS, 0),
        told=[pages.told(outcome, q) for outcome in told],
        others=[outcome for outcome in outcomes if outcome not in told],
    )


class _Pages:
    """The texts and figures of a comparison, query by query."""

    def __init__(self, comparison: Comparison) -> None:
        self.labels, self.corpus, self._cells = comparison.labels, comparison.corpus, comparison.cells

    def outcome(self, column: Column, q: int, served: bool, differs: bool) -> Outcome:
        """What a configuration makes of query `q`."""
        cell = self._cells[column.place]
        share = next((values[q] for name, values in cell.values.items() if name.startswith("CharR@")), np.nan)
        return Outcome(column, served, differs, _needs(cell, q), "" if np.isnan(share) else f"{share:.0%}")

    def evidence(self, q: int) -> Iterator[Shown]:
        """The labelled passages, without exact copies of them elsewhere."""
        evidence = self.labels.evidence
        for row in self._rows(q):
            if not evidence.copy[row]:
                span = int(evidence.document[row]), int(evidence.start[row]), int(evidence.end[row])
                yield Shown(self._at(*span), [Span(shortened(self._text(*span), LONGEST), "")])

    def told(self, outcome: Outcome, q: int) -> Told:
        """An outcome with its passages."""
        seen = self._cells[outcome.column.place].seen_of(q)
        holding = [passage for passage in seen if self._marks(q, passage) or self.labels.relevant[q].get(passage.document, 0) > 0]
        context, below = ([self._shown(q, p) for p in holding if p.inside is there] for there in (True, False))
        instead = None if context or not seen else self._shown(q, seen[0])
        return Told(
            outcome, context[:HOLDERS], len(context[HOLDERS:]), None if outcome.served else next(iter(below), None), instead
        )

    def _rows(self, q: int) -> range:
        """The rows of a query's evidence."""
        return range(*np.searchsorted(self.labels.evidence.query, [q, q + 1]).tolist())

    def _marks(self, q: int, passage: Seen) -> list[tuple[int, int]]:
        """Where evidence stands in a passage, as positions in its text; those that touch or overlap are one."""
        evidence, spans = self.labels.evidence, list[tuple[int, int]]()
        for row in self._rows(q):
            start, end = max(int(evidence.start[row]), passage.start), min(int(evidence.end[row]), passage.end)
            if evidence.document[row] == passage.document and self._text(passage.document, start, max(start, end)).strip():
                spans.append((start - passage.start, end - passage.start))
        marks: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            last = marks.pop() if marks and start <= marks[-1][1] else (start, end)
            marks.append((last[0], max(last[1], end)))
        return marks

    def _shown(self, q: int, passage: Seen) -> Shown:
        """A passage of a ranking: cut to where the evidence begins, its evidence marked."""
        text, marks = self._text(passage.document, passage.start, passage.end), self._marks(q, passage)
        start, end = _window(text, marks)
        stretches, last = list[Span](), start
        for a, b in ((max(a, start), min(b, end)) for a, b in marks):
            if a < b:
                stretches += [Span(text[last:a], ""), Span(text[a:b], "evidence")]
                last = b
        stretches.append(Span(text[last:end], ""))
        before, after = CUT if start else "", CUT if end < len(text) else ""
        named = f"rank {passage.rank}, {self._at(passage.document, passage.start, passage.end)}"
        return Shown(named, [s for s in (Span(before, ""), *stretches, Span(after, "")) if s.text])

    def _at(self, document: int, start: int, end: int) -> str:
        return f"{self.corpus.documents[document].id}#{start}-{end}"

    def _text(self, document: int, start: int, end: int) -> str:
        return self.corpus.documents[document].text[start:end]


def _window(text: str, marks: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The part of a text that is shown: its evidence with some words round it, or its beginning."""
    first, last = (marks[0][0], marks[-1][1]) if marks else (0, len(text))
    start = max(first - AROUND, 0)
    word = re.search(r"(?<=\s)\S", text[start:first]) if start else None
    start += word.start() if word else 0
    return start, min(last + AROUND, start + LONGEST, len(text))


def _needs(cell: Cell, q: int) -> str:
    """The first chunks that hold all evidence, and their tokens."""
    if cell.need[q] == NEVER:
        return f"not all in the first {cell.sums.shape[1]}"
    return f"needs k {cell.least_k[q]}, {counted(int(cell.need[q]), 'token')}"
