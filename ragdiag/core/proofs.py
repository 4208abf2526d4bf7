"""How a cause is proved: an edit of one thing, what came of it, and the finding that states both."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ragdiag.core.arrays import IntArray

__all__ = ["EXACT", "Addition", "Edit", "Finding", "Outcome", "Standing", "Trial"]

EXACT = "exact"
"""The retriever of an `Edit` that searches an approximate index exactly: the same vectors, all compared."""


class Addition(NamedTuple):
    """A text that an index does not hold, as if it did: the span it answers for, and what is indexed for it.

    `place` is where it would stand among the chunks, which decides ties. `seen` is what an encoder reads in place of `text`,
    where an intervention is about what the encoder sees and nothing else.
    """

    document: int
    start: int
    end: int
    text: str
    place: float
    seen: str = ""


@dataclass(frozen=True)
class Edit:
    """One change to a pipeline for one query: chunks dropped, texts added, other words, another retriever.

    `query` and `retriever` are empty where they stay as they are.
    """

    removed: frozenset[int] = frozenset()
    added: tuple[Addition, ...] = ()
    query: str = ""
    retriever: str = ""

    def with_(self, other: Edit) -> Edit | None:
        """Both changes at once; None where they contradict each other."""
        if (self.query and other.query) or (self.retriever and other.retriever):
            return None
        return Edit(
            self.removed | other.removed,
            self.added + other.added,
            self.query or other.query,
            self.retriever or other.retriever,
        )


class Standing(NamedTuple):
    """How a query stands: the least k whose first k chunks hold all its evidence (None: no k in the ranking), and whether
    its context does.
    """

    rank: int | None
    sufficient: bool


class Outcome(NamedTuple):
    """What an edit leads to: how the query stands, the rank of each added text (None: not ranked), the ranking itself.

    In `order` added texts are numbered from the number of chunks on.
    """

    standing: Standing
    ranks: tuple[int | None, ...]
    order: IntArray


@dataclass(frozen=True)
class Finding:
    """A failure mode seen in one query, with the intervention that proves it the cause, or shows that it is not.

    `group` numbers the evidence group concerned from 1, None where it is about the whole query. `proved`: the intervention made
    the context sufficient, and its control did not do as well (`placebo_p`, None where there is no control).
    """

    cause: str
    group: int | None
    intervention: str
    before: Standing
    after: Standing
    fix: str
    proved: bool
    placebo_p: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    edit: Edit = field(default=Edit(), repr=False)


Trial = Generator[Sequence[Edit], Sequence[Outcome], Finding | None]
"""A proof in progress: yields edits, is sent what came of them, returns its finding."""
