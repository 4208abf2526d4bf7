"""What a session of labelling came to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from ragdiag.core.records import Query
from ragdiag.label.drafts import LONGER, question_id
from ragdiag.stats.statistics import wilson

__all__ = ["MILESTONES", "Labelled", "margin", "summed_up"]

MILESTONES = (25, 50, 100, 200)
"""Numbers of queries whose worth is told."""


class Labelled(NamedTuple):
    """How many queries were decided, and how.

    `margins` says how precise a result on so many queries is. Its keys are numbers of queries: first those labelled so far, if
    any, then larger ones. Its values are half the width, in percentage points, of the 95 % interval of a share of one half.
    """

    asked: int
    labelled: int
    unanswerable: int
    undecided: int
    skipped: int
    others: int  # decided in the file, but not asked in this session
    by_search: int  # labelled with evidence that no retriever of the pool found, only a search or a look beside a passage
    worded_alike: int  # drafts that were labelled without being put in other words
    unreferenced: int  # labelled without the answer that is expected
    margins: Mapping[int, int]


def summed_up(queries: Collection[Query], asked: Collection[str], undecided: int, skipped: int) -> Labelled:
    """Of the decided `queries` of a file, and the ids of those that a session has `asked`."""
    labelled = [q for q in queries if q.evidence]
    return Labelled(
        asked=len(asked),
        labelled=len(labelled),
        unanswerable=sum(q.unanswerable for q in queries),
        undecided=undecided,
        skipped=skipped,
        others=sum(q.id not in asked for q in queries),
        by_search=sum(map(_by_search, labelled)),
        worded_alike=sum(map(_worded_alike, labelled)),
        unreferenced=sum(not q.answers for q in labelled),
        margins={n: margin(n) for n in (len(labelled), *MILESTONES) if n >= max(len(labelled), 1)},
    )


def margin(n: int) -> int:
    """Half the width, in points, of the 95 % interval (Wilson's) of a share of one half among `n` queries."""
    low, high = wilson(n / 2, n)
    return round(50 * (high - low))


def _by_search(query: Query) -> bool:
    """Whether a labelled query has evidence that a search or a look beside a passage brought."""
    ways = query.metadata.get("found")
    return "pool" in query.metadata and isinstance(ways, list) and not {"search", "beside"}.isdisjoint(ways)


def _worded_alike(query: Query) -> bool:
    """Whether a query is a draft in the document's own words: its id was made from the words that it still has."""
    return "draft" in query.metadata and query.id in (question_id(query.text), question_id(query.text, LONGER))
