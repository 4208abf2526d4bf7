"""What an answer lacks that nothing could judge: a reference on its query, a label on its line, or a judge's opinion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ragdiag.answering.verdict import Litmus
from ragdiag.core.files import shown_name
from ragdiag.core.records import Query

__all__ = ["LACKS", "Missing", "lacks", "missing", "why_unjudged"]

REFERENCE, OPINION = LACKS = "reference", "opinion"
"""What can be lacking: a reference of the query; the judge's opinion. An unanswerable query lacks neither: declining is right."""


class Missing(NamedTuple):
    """The answers that lack one thing: how many under each condition, to which queries, and how many labels had no say."""

    lack: str
    answers: Counter[str]
    queries: tuple[Query, ...]
    unheard: int

    @property
    def files(self) -> tuple[str, ...]:
        """Where the queries stand, as the user calls it."""
        return tuple(dict.fromkeys(shown_name(q.file) for q in self.queries if q.file))


def lacks(query: Query) -> str:
    """What answers to `query` lack that nothing could judge: one of `LACKS`."""
    return OPINION if query.answers else REFERENCE


def why_unjudged(query: Query, judge: str, labelled: bool) -> str:
    """Why an answer to `query` is not judged; `labelled`: it has a label, which had no say."""
    if lacks(query) == OPINION:
        return f"{judge} gave no opinion"
    where = f" ({shown_name(query.file)}:{query.line})" if query.file else ""
    label = 'its "correct" has no say' if labelled else 'the answer no "correct"'
    return f'nothing to judge by: query {query.id!r}{where} has no "answer", {label}'


def missing(litmus: Litmus) -> Sequence[Missing]:
    """The answers that nothing could judge, by what they lack, in the order of `LACKS`."""
    unjudged = [(j, litmus.queries[j.query]) for j in litmus.judgements if not j.by]
    rows = []
    for lack in LACKS:
        of_kind = [(j, query) for j, query in unjudged if lacks(query) == lack]
        if of_kind:
            answers = Counter(j.condition for j, _ in of_kind)
            queries = tuple({query.id: query for _, query in of_kind}.values())
            rows.append(Missing(lack, answers, queries, sum(j.label is not None for j, _ in of_kind)))
    return rows
