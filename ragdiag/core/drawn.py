"""How the queries of a file were drawn, where they are not a sample of all questions: at random among those that two
configurations hand over different contexts for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.files import field
from ragdiag.core.records import Query
from ragdiag.core.reviews import stamp

__all__ = ["DRAWN", "DrawnBetween", "drawn_between", "pipelines_of"]

DRAWN = "drawn"
"""The name of the record in a query's metadata."""


class DrawnBetween(NamedTuple):
    """A draw between two configurations, by their names: `of` questions were searched with both, `differ` get different contexts.

    A context is the first `k` chunks, or with a `budget` above 0 what fits in so many tokens. `pipelines` is what `pipelines_of`
    says of the two.
    """

    between: tuple[str, str]
    k: int
    budget: int
    of: int
    differ: int
    seed: int
    pipelines: str

    @property
    def share(self) -> float:
        """The share of the questions that get different contexts."""
        return self.differ / self.of

    @property
    def names(self) -> str:
        """Both configurations, for a sentence."""
        return " and ".join(self.between)

    def record(self) -> dict[str, object]:
        """As a label of the file has it, which `drawn_between` reads."""
        return {**self._asdict(), "between": list(self.between)}


def drawn_between(query: Query) -> DrawnBetween | None:
    """How a query was drawn; None for one that was not. Raises `InputError` for a record that cannot be one."""
    given = query.metadata.get(DRAWN)
    if not (isinstance(given, Mapping) and "between" in given):
        return None  # a field of the team's own
    path, line = Path(query.file), query.line
    numbers = {name: field(given, (name,), int, path, line) for name in ("k", "budget", "of", "differ", "seed")}
    names = field(given, ("between",), list, path, line)
    two = len(names) == 2 and all(isinstance(name, str) for name in names)
    if not (two and 1 <= numbers["differ"] <= numbers["of"] and min(numbers["k"], 1 + numbers["budget"]) >= 1):
        message = f"query {query.id!r} says that it was drawn, and not between what"
        raise InputError(message, path, line, "leave 'drawn' as ragdiag label wrote it, or remove it")
    return DrawnBetween((names[0], names[1]), **numbers, pipelines=field(given, ("pipelines",), str, path, line))


def pipelines_of(signatures: Sequence[str], inputs: Mapping[str, object]) -> str:
    """A few letters that tell two pipelines on one corpus, in either order, from all others."""
    return stamp("\n".join(sorted(signatures)), inputs)
