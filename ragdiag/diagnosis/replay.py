"""A pipeline run again on paper, from what each stage was given and what it gave, without some of its stages.

Nothing is searched: a stage keeps, drops and orders the chunks that it saw as it did. Of a chunk that only comes to it because an
earlier stage is undone it is not known what it would make: such a chunk keeps its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import numpy as np

from ragdiag.core.proofs import Edit, Standing
from ragdiag.core.records import IntArray
from ragdiag.diagnosis.cases import Case

__all__ = ["PACKS", "changed", "pairs", "replayed", "undoable", "without"]

PACKS = "prompted"
"""The stage that only takes and leaves; it ranks nothing."""


def undoable(stages: Mapping[str, IntArray]) -> tuple[str, ...]:
    """The stages that have one before them."""
    return tuple(stages)[1:]


def changed(stages: Mapping[str, IntArray], name: str) -> bool:
    """Whether a stage dropped or moved any chunk of those that it was given."""
    names = tuple(stages)
    if name not in names[1:]:
        return False
    before, after = (stages[n].tolist() for n in (names[names.index(name) - 1], name))
    given = set(before)
    return bool(given - set(after)) or (name != PACKS and before != [c for c in after if c in given])


def pairs(stages: Mapping[str, IntArray]) -> list[tuple[str, str]]:
    """Two stages at a time, of those that changed something."""
    return list(combinations([name for name in undoable(stages) if changed(stages, name)], 2))


def replayed(stages: Mapping[str, IntArray], undone: Collection[str]) -> tuple[list[int], int]:
    """The list at the end of the pipeline without the stages `undone`, and how many chunks of it are handed over at most.

    A reranker, or a prompt, that left some out keeps as many as it kept. What the packing cut off stands below that.
    """
    (_, first), *later = stages.items()
    before = order = first.tolist()
    most = len(before) + sum(len(chunks) for _, chunks in later)
    for name, chunks in later:
        after = chunks.tolist()
        if name not in undone:
            cut = name != "filtered" and bool(set(before) - set(after))
            order = _packed(order, before, after, cut) if name == PACKS else _ordered(order, before, after)
            most = min(most, len(after)) if cut and name == PACKS else most
            order = order[: len(after)] if cut and name != PACKS else order
        before = after
    return order, most


def _ordered(order: Sequence[int], before: Sequence[int], after: Sequence[int]) -> list[int]:
    """`order` as a stage leaves it that made `after` of `before`; a chunk that it never saw keeps its place."""
    given, here = set(before), set(order)
    seen = given | set(after)
    kept = [c for c in after if c in here or c not in given]
    result = list[int]()
    for place, chunk in enumerate(order):
        if chunk not in seen:
            while kept and len(result) < place:
                result.append(kept.pop(0))
            result.append(chunk)
    return result + kept


def _packed(order: Sequence[int], before: Sequence[int], after: Sequence[int], cut: bool) -> list[int]:
    """`order` without what the packing passed over, and with what it added; what stood below its last chunk stays there."""
    given, taken = set(before), set(after)
    last = max((i for i, c in enumerate(before) if c in taken), default=-1)
    passed, added = set(before[: last + 1]) - taken, [c for c in after if c not in given]
    kept = [c for c in order if c not in passed and (c in given or c not in taken)]
    place = len(after) - len(added) if cut else len(kept)
    return [*kept[:place], *added, *kept[place:]]


def without(case: Case, *undone: str) -> Standing:
    """How a query stands where its pipeline goes without the stages `undone`."""
    order, most = replayed(case.stages, undone)
    standing = case.stand(np.array(order, dtype=np.int64), Edit()).standing
    return Standing(standing.rank, standing.sufficient and (standing.rank or 0) <= most)
