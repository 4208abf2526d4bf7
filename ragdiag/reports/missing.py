"""What the litmus test lacks, as text: which answers could not be judged, and what to write on which line so that they can."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from ragdiag.answering.missing import Missing, missing
from ragdiag.answering.verdict import Litmus
from ragdiag.core.records import Query
from ragdiag.reports.text import line
from ragdiag.text.phrases import counted, listed

__all__ = ["missing_lines"]

SHOWN = 5
"""Queries named."""

SAYS = {
    "reference": (
        'has no "answer"',
        'have no "answer"',
        'write "answer": "..." on the line of the query, or "correct": true or false',
    ),
    "opinion": ("got no opinion", "got no opinion", 'the judge said nothing: write "correct": true or false'),
}
"""Of one query and of several what is the matter, and what to write."""


def missing_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """For each thing that is lacking a line with the answers and their queries, and one that says what to add."""
    for row in missing(litmus):
        where = listed([f"{condition} {n:,}" for condition, n in row.answers.items()])
        yield line((f"{counted(row.answers.total(), 'answer')} not judged ({where}): ", "yellow"), _queries(row))
        yield line(_remedy(row))


def _queries(row: Missing) -> str:
    """Which queries they are, by id, with the lines they stand on."""
    one, several, _ = SAYS[row.lack]
    n = len(row.queries)
    of = f" of {listed(row.files)}" if row.files else ""
    more = ", …" if n > SHOWN else ""
    return f"{counted(n, 'quer', 'y')}{of} {one if n == 1 else several}: {', '.join(map(_named, row.queries[:SHOWN]))}{more}"


def _named(query: Query) -> str:
    return f"{query.id} (line {query.line})" if query.line else query.id


def _remedy(row: Missing) -> str:
    unheard = f"; {row.unheard:,} of them have a label, which has no say with --blind" if row.unheard else ""
    return f"{SAYS[row.lack][2]} on the line of the answer{unheard}"
