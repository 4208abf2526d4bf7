"""A pipeline run again on paper, from what each stage was given and what it gave, without some of its stages.

Nothing is searched: a stage keeps, drops and orders the chunks that it saw as it did. Of a chunk that only comes to it because an
earlier stage is undone it is not known what it would make: such a chunk keeps its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

import numpy as np

from ragdiag.core.proofs import Edit, Standing
from ragdiag.core.records import IntArray, Span
from ragdiag.diagnosis.cases import Case

__all__ = ["PACKS", "changed", "pairs", "replayed", "undoable", "without"]

PACKS = "prompted"
"""The stage that only takes and leaves; it ranks nothing."""

NOTHING: Mapping[int, int] = MappingProxyType({})
"""Nothing was made anew."""


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


def replayed(
    stages: Mapping[str, IntArray], undone: Collection[str], made_of: Mapping[int, int] = NOTHING
) -> tuple[list[int], int]:
    """The list at the end of the pipeline without the stages `undone`, and how many chunks of it are handed over at most.

    A reranker, or a prompt, that left some out keeps as many as it kept. What the packing cut off stands below that. `made_of`
    gives the chunk that the packing made anew of others, by trimming or joining.
    """
    (_, first), *later = ((name, chunks.tolist()) for name, chunks in stages.items())
    before = order = first
    for name, after in later:
        if name == PACKS and name not in undone:
            order, before = (list(dict.fromkeys(made_of.get(c, c) for c in chunks)) for chunks in (order, before))
            return _packed(order, before, after), len(after) if set(before) - set(after) else len({*order, *after})
        if name not in undone:
            order = _ordered(order, before, after)
            order = order[: len(after)] if name == "reranked" and set(before) - set(after) else order
        before = after
    return order, len(order)


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


def _packed(order: Sequence[int], before: Sequence[int], after: Sequence[int]) -> list[int]:
    """`order` without what the packing passed over, with what it added; what stood below its last chunk stays there."""
    given, taken = set(before), set(after)
    last = max((i for i, c in enumerate(before) if c in taken), default=-1)
    passed, added = set(before[: last + 1]) - taken, [c for c in after if c not in given]
    kept = [c for c in order if c not in passed and (c in given or c not in taken)]
    place = len(after) - len(added) if given - taken else len(kept)
    return [*kept[:place], *added, *kept[place:]]


def _made(case: Case) -> dict[int, int]:
    """Chunks that the packing trimmed or joined, each with what the prompt has instead; they share most of the shorter one."""
    names, span = list(case.stages), case.setting.span
    if PACKS not in names[1:]:
        return {}
    before, after = (case.stages[name].tolist() for name in names[-2:])
    rest = [b for b in before if b not in after]
    new = [c for c in after if c not in before]
    return {b: c for c in new for b in rest if _mostly(span(b), span(c))}


def _mostly(one: Span, other: Span) -> bool:
    """Whether two spans share more than half of the shorter one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.document == other.document and 2 * shared > min(one.end - one.start, other.end - other.start)


def without(case: Case, *undone: str) -> Standing:
    """How a query stands where its pipeline goes without the stages `undone`."""
    order, most = replayed(case.stages, undone, {} if PACKS in undone else _made(case))
    standing = case.stand(np.array(order, dtype=np.int64), Edit()).standing
    return Standing(standing.rank, standing.sufficient and (standing.rank or 0) <= most)
