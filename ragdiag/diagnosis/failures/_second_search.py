"""What lacks stands on a page that the question does not name, and a page that was found does: a second search finds it."""

from __future__ import annotations

from collections.abc import Container, Generator, Sequence
from typing import NamedTuple

from ragdiag.core.proofs import Control, Edit, Outcome
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.failures._asking import NEAR
from ragdiag.diagnosis.failures._words import added, telling
from ragdiag.text.words import words

__all__ = ["Lead", "lead"]

LONGEST = 6
"""Words of the longest title that is looked for."""

FEWEST, MOST = 3, 9
"""Other titles that are asked for as a control."""

MOST_AS_WELL = 0.25
"""The share of them that may find as much."""


class Lead(NamedTuple):
    """The title of what lacks, the rank of the chunk that names it, where a search for it as well has that, and its control."""

    title: str
    named_at: int
    rank: int
    control: Control


Leads = Generator[Sequence[Edit], Sequence[Outcome], Lead | None]


def lead(case: Case) -> Leads:
    """Ask for the title of what lacks as well, where a chunk of the context names it and the question does not.

    The control asks for titles of other documents that the chunks found name.
    """
    sought, others = _titles(case)
    if sought is None or len(others) < FEWEST:
        return None
    title, at = sought
    edits = [Edit(query=added(case.query.text, t)) for t in (title, *others)]
    outcomes = yield edits
    ranks = [_rank(case, outcome) for outcome in outcomes]
    fits = outcomes[0].length
    as_well = sum(rank <= min(fits, ranks[0]) for rank in ranks[1:])
    if ranks[0] > fits or as_well > MOST_AS_WELL * len(others):
        return None
    says = f"{as_well} of {len(others)} titles of other documents that the chunks found name do as well"
    lacking = {span.document for g in case.targets for span in g.needed}
    written = case.setting.corpus.documents[min(case.setting.titles[title] & lacking)].title
    return Lead(written, at, ranks[0], Control(len(others), as_well, None, says))


def _titles(case: Case) -> tuple[tuple[tuple[str, ...], int] | None, list[tuple[str, ...]]]:
    """The title of what lacks, with the rank of the chunk of the context that names it first; titles of other documents."""
    titles, found = case.setting.titles, {int(case.setting.chunking.document[c]) for c in case.context}
    lacking, named = {span.document for g in case.targets for span in g.needed}, _named(case, titles)
    sought = next(((t, at) for t, at in named.items() if titles[t] & lacking - found and at <= case.length), None)
    return sought, [t for t in named if not titles[t] & (lacking | found)][:MOST]


def _named(case: Case, titles: Container[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The titles, not in the question, that chunks found name, with the rank of the first."""
    asked, found = set(words(case.query.text)), dict[tuple[str, ...], int]()
    for rank, chunk in enumerate(case.ranking[: NEAR * case.length].tolist(), 1):
        text = words(case.setting.text(case.setting.span(chunk)))
        for start in (i for i, word in enumerate(text) if word in case.setting.titles_from):
            for end in range(start + 1, min(start + LONGEST, len(text)) + 1):
                title = tuple(text[start:end])
                if title in titles and not asked.issuperset(telling(" ".join(title))):
                    found.setdefault(title, rank)
    return found


def _rank(case: Case, outcome: Outcome) -> int:
    """The rank by which another search has all that lacks; beyond the ranking where it has not."""
    ranks = case.ranks(outcome.order)
    return max(ranks.get(g.number, len(outcome.order) + 1) for g in case.targets)
