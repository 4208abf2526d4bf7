"""Which document is an older version of which, by what they say of their age (see `ages`)."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ragdiag.core.records import BoolArray, Document
from ragdiag.text.ages import IN_NAMES, Age, Interval, Key, age_of, comes_before
from ragdiag.text.titles import no_title

__all__ = ["Versions", "current_titles", "superseded"]

BATCH = dt.timedelta(days=2)
"""Dates of a whole corpus that lie within this are those of an import or a crawl: they order nothing."""

FEWEST_DATES = 3
"""Dates from which they can be told to be those of one batch."""


class Versions:
    """The documents of a corpus, by their positions; what each says of its age is read once."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self.ages: list[Age] = [age_of(document) for document in documents]

    def link(self, old: int, new: int) -> str:
        """How documents say that `old` is a superseded version of `new`; "" where they do not.

        A title binds them only where it is one, and of the current documents `new` alone bears it: what a program writes by
        default, or a site on each of its pages, says nothing.
        """
        return self._reference(old, new) or ("" if self.ages[new].superseded else self._likeness(old, new))

    def _reference(self, old: int, new: int) -> str:
        """The field in which one of the two documents names the other as its newer or older version; "" for none."""
        if self._documents[new].id in self.ages[old].by:
            return "superseded_by"
        return "replaces" if self._documents[old].id in self.ages[new].replaces else ""

    def _likeness(self, old: int, new: int) -> str:
        """What `old` has in common with `new`, a current document, that makes it an older version of it; "" for nothing."""
        mine, other = self.ages[old], self.ages[new]
        if mine.family and mine.family == other.family and (mine.superseded or _decided(mine, other)):
            return "family"
        title = _title(self._documents[old])
        if mine.superseded and title == _title(self._documents[new]) and self._titles.get(title) == 1 and not no_title(title):
            return "superseded, same title"
        return next((name for name in _shared(mine, other) if _decided(mine, other, name)), "")

    def older(self, old: int, new: int) -> str:
        """By what `old` comes before `new`, without being said to be a version of it; "" where nothing says so.

        Nothing does where two of their fields contradict each other.
        """
        mine, other = self.ages[old], self.ages[new]
        if mine.superseded != other.superseded:
            return "superseded" if mine.superseded else ""
        values, others = self._without_batches(mine), self._without_batches(other)
        shared = _shared(mine, other)  # what version another page has, says nothing of this one
        values = {key: value for key, value in values.items() if key[0] not in IN_NAMES or key[0] in shared}
        return comes_before(values, others)

    def superseded(self) -> BoolArray:
        """Whether each document is, by `link`, a superseded version of another one: shape ``(n_documents,)``."""
        positions = {d.id: i for i, d in enumerate(self._documents)}
        titled, families = dict[str, int](), defaultdict[str, _Family](_Family)
        stems = defaultdict[tuple[str, str], _Family](_Family)
        replaced = {
            positions.get(name) for i, age in enumerate(self.ages) for name in age.replaces if name != self._documents[i].id
        }
        for i, age in enumerate(self.ages):
            if not age.superseded:
                titled[_title(self._documents[i])] = i
                if age.family:
                    families[age.family].add(age)
                for name, stem in age.stems.items():
                    stems[name, stem].add(age, name)

        def is_old(i: int, age: Age) -> bool:
            others = [positions.get(name) for name in age.by] + [
                titled.get(_title(self._documents[i])) if age.superseded else None
            ]
            if any(new is not None and new != i and self.link(i, new) for new in others):
                return True
            return _newer_in_family(age, families) or _newer_of_name(age, stems)

        return np.array([is_old(i, age) or i in replaced for i, age in enumerate(self.ages)], dtype=bool)

    @cached_property
    def _titles(self) -> Mapping[str, int]:
        return current_titles(self._documents, self.ages)

    @cached_property
    def _batches(self) -> frozenset[Key]:
        """The dates that order nothing, since the whole corpus bears them within `BATCH`."""
        spread: dict[Key, list[Any]] = {}
        for age in self.ages:
            for key, (low, high) in age.values.items():
                if key[1] == "day":
                    known = spread.setdefault(key, [low, high, 0])
                    spread[key] = [min(low, known[0]), max(high, known[1]), known[2] + 1]
        return frozenset(key for key, (low, high, n) in spread.items() if n >= FEWEST_DATES and high - low <= BATCH)

    def _without_batches(self, age: Age) -> Mapping[Key, Interval]:
        return {key: value for key, value in age.values.items() if key not in self._batches}


class _Family:
    """Of documents of a family that are not superseded, the latest beginning of each value that orders them.

    They are kept apart by which values they have, since the first that two documents share decides.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[Key, ...], dict[Key, Any]] = {}

    def add(self, age: Age, only: str = "") -> None:
        """Take a document's values into account; `only` those of one meaning."""
        values = {key: value for key, value in age.values.items() if not only or key[0] == only}
        last = self._last.setdefault(tuple(values), {key: low for key, (low, _) in values.items()})
        for key, (low, _) in values.items():
            last[key] = max(last[key], low)

    def has_newer(self, age: Age, only: str = "") -> bool:
        """Whether a document that was added comes after this one, as `_decided` says."""
        mine = {key: high for key, (_, high) in age.values.items() if not only or key[0] == only}
        first = (next(((key, last) for key in mine if key in last), None) for last in self._last.values())
        return any(mine[key] < last[key] for key, last in filter(None, first))


def _newer_in_family(age: Age, families: Mapping[str, _Family]) -> bool:
    """Whether a document's family has a newer one; for a document that is superseded, any current one will do."""
    return bool(age.family) and age.family in families and (age.superseded or families[age.family].has_newer(age))


def _newer_of_name(age: Age, stems: Mapping[tuple[str, str], _Family]) -> bool:
    """Whether a newer document bears the same name as this one but for the version in it."""
    return any(key in stems and stems[key].has_newer(age, key[0]) for key in age.stems.items())


def superseded(documents: Sequence[Document]) -> BoolArray:
    """See `Versions.superseded`."""
    return Versions(documents).superseded()


def current_titles(documents: Sequence[Document], ages: Iterable[Age]) -> Mapping[str, int]:
    """How many documents that are not superseded bear each title, in lower case."""
    return Counter(_title(d) for d, age in zip(documents, ages, strict=True) if not age.superseded)


def _title(document: Document) -> str:
    return document.title.strip().casefold()


def _shared(one: Age, other: Age) -> tuple[str, ...]:
    """The names, of `IN_NAMES`, that are the same of two documents but for the version in them."""
    return tuple(name for name in IN_NAMES if name in one.stems and one.stems[name] == other.stems.get(name))


def _decided(one: Age, other: Age, only: str = "") -> bool:
    """Whether one document comes before another by the first value that both have."""
    both = (key for key in one.values if key in other.values and (not only or key[0] == only))
    first = next(both, None)
    return first is not None and bool(one.values[first][1] < other.values[first][0])
