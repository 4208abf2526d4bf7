"""What an audit was of: its strategies by name, its sizes, and what index and encoder leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["MUCH_UNREAD", "IndexRecall", "Pipeline", "Unread", "UnreadScript", "Unseen"]


@dataclass(frozen=True, slots=True)
class IndexRecall:
    """What an approximate index returns of the first `k` of exact search: the mean share over queries.

    `other_starts` has the same share at other starts of the application, where these miss other chunks.
    """

    k: int
    mean: float
    other_starts: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """The chunks that an encoder reads in part only, and the share of all text beyond its `limit`, which is in its tokens."""

    chunks: int
    share: float
    limit: int


MUCH_UNREAD = 0.005
"""The share that unknown pieces have at least where a line says so: a rare sign in a text of another kind is not worth one."""


@dataclass(frozen=True, slots=True)
class UnreadScript:
    """A script that an encoder's vocabulary lacks: the share of the letters that it is of, and the pieces for it.

    Those are its characters, for Han and kana; else its pieces of two letters or more.
    """

    script: str
    corpus: float
    queries: float
    pieces: int


@dataclass(frozen=True, slots=True)
class Unread:
    """What an encoder cannot read: the share of the characters that are in unknown pieces, and of the queries' words.

    `scripts` are those that the vocabulary lacks, the most frequent first.
    """

    corpus: float
    queries: float
    words: float
    scripts: tuple[UnreadScript, ...]

    @property
    def of_queries(self) -> float:
        """The share of the queries that it cannot read: words with unknown pieces, or letters of scripts that it lacks."""
        return max(self.words, sum(script.queries for script in self.scripts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What was audited. `k` or `budget` (tokens) is the size of each context, the other one is None.

    `models`, `index_recall`, `unlinked` (records of a Chroma collection that are in no stored graph), `unseen` and `unread` are
    None where there is nothing to say. `swaps` are the other retrievers that a mismatch is put to, `depth` is how deep rankings
    go, `context_tokens` the mean size of a context, `most_precise` the highest CharP that contexts of
    this size can have with labels of this length.
    """

    chunker: str
    context: str | None
    retriever: str
    models: tuple[str, ...] | None = None
    index_recall: IndexRecall | None = None
    unlinked: int | None = None
    k: int | None
    budget: int | None
    chunks: int
    unseen: Unseen | None = None
    unread: Unread | None = None
    swaps: tuple[str, ...]
    depth: int
    context_tokens: float
    most_precise: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """As a JSON report has it: what there is nothing to say of is left out."""
        return asdict(self, dict_factory=_stated)

    def __getitem__(self, key: str) -> Any:
        """A value of `as_dict`. Raises `KeyError` for one that is left out."""
        return self.as_dict()[key]


def _stated(fields: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    known = ((name, value) for name, value in fields if value is not None or name in ("context", "k", "budget"))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in known}
