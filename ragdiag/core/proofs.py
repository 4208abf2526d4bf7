"""How a cause is proved: an edit of one thing, what came of it, and the finding that states both."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ragdiag.core.arrays import IntArray

__all__ = [
    "EXACT", "Addition", "Control", "Edit", "Finding", "GroupProof", "Mark", "Outcome", "RankedChunk", "Row", "Standing", "Trial",
]  # fmt: skip

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
    """How a query stands: the rank of the last chunk that it takes to hold all its evidence (None: no rank does), and whether
    its context does. `passage` is the number of the passage there, where the ranking is of passages (see `core.passages`).
    """

    rank: int | None
    sufficient: bool
    passage: int | None = None

    @property
    def k(self) -> int | None:
        """The least k that would do."""
        return self.passage or self.rank

    def told(self) -> dict[str, int | bool | None]:
        """As reports have it."""
        return {"rank": self.k, "sufficient": self.sufficient}


class Outcome(NamedTuple):
    """What an edit leads to: how the query stands, the rank of each added text (None: not ranked), the ranking itself.

    In `order` added texts are numbered from the number of chunks on; the first `length` of it reach the prompt.
    """

    standing: Standing
    ranks: tuple[int | None, ...]
    order: IntArray
    length: int = 0


class Control(NamedTuple):
    """What changes came to that should make no difference: how many were tried, and how many did as well as the intervention.

    `p` is (1 + `as_well`) / (1 + `tried`) where the proof rests on it, else None. `says` is the same as a sentence.
    """

    tried: int
    as_well: int
    p: float | None
    says: str


class Mark(NamedTuple):
    """A stretch of a row's text, half-open, and what it is: "strong", "good", "bad", "warn" or "dim", or several of these."""

    start: int
    end: int
    kind: str


class Row(NamedTuple):
    """One line of what a failure mode saw, for people: a label of a word (or none), a text, stretches of it to mark."""

    label: str
    text: str
    marks: tuple[Mark, ...] = ()

    @classmethod
    def of(cls, label: str, *parts: str | tuple[str, str]) -> Row:
        """A row of strings and ``(string, kind)`` pairs, one after another."""
        text, marks = "", list[Mark]()
        for part in parts:
            words, kind = (part, "") if isinstance(part, str) else part
            if kind:
                marks.append(Mark(len(text), len(text) + len(words), kind))
            text += words
        return cls(label, text, tuple(marks))


@dataclass(frozen=True)
class Finding:
    """A failure mode seen in one query, with the intervention that proves it the cause, or shows that it is not.

    `group` numbers the evidence group concerned from 1, None where it is about the whole query. `proved`: the intervention made
    the context sufficient, and its control (None where there is none) did not do as well. `says` is what it says of the query,
    in a sentence, `cannot_tell` what its proof leaves open. `residual`: it counts as a cause only where no other does.
    `unattainable`: no context of this size can hold the evidence. `tokens` are those of the larger context that a residual repair
    hands over. `rows` show what was seen, in words; where they are None, `detail`, which is free in form and goes into the JSON
    report, is shown as it is.
    """

    cause: str
    group: int | None
    intervention: str
    before: Standing
    after: Standing
    fix: str
    proved: bool
    says: str = ""
    residual: bool = False
    unattainable: bool = False
    control: Control | None = None
    tokens: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Row, ...] | None = field(default=None, repr=False)
    edit: Edit = field(default=Edit(), repr=False)
    cannot_tell: str = ""

    @property
    def placebo_p(self) -> float | None:
        """The p of its control; None where it has no control, or one that gives no p."""
        return self.control.p if self.control else None

    @property
    def as_well(self) -> bool:
        """Whether at least half of its controls did as well as the intervention."""
        return self.control is not None and 2 * self.control.as_well >= self.control.tried > 0


Trial = Generator[Sequence[Edit], Sequence[Outcome], Finding | None]
"""A proof in progress: yields edits, is sent what came of them, returns its finding."""


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk in one query's ranking: its place, its text, what it holds of the evidence."""

    rank: int
    id: str
    score: float
    in_context: bool
    grade: float  # share of the best evidence group that it covers
    text: str
    marks: tuple[tuple[int, int], ...]  # evidence spans within `text`


@dataclass(frozen=True, slots=True)
class GroupProof:
    """One evidence group of a query: where it is, how much of it the context holds, at what ranks its pieces stand."""

    document: str
    start: int
    end: int
    text: str
    cuts: tuple[int, ...]  # positions within `text` where chunks end
    coverage: float
    pieces: tuple[tuple[str, int | None, float], ...]  # chunk id, rank (None: not in the run), share of the group it holds
    copies: int
    page: int | None  # where it starts, 1-based, in formats that have pages
