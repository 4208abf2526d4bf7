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

NOTHING: Mapping[int, Collection[int]] = MappingProxyType({})
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
    stages: Mapping[str, IntArray], undone: Collection[str], stands_for: Mapping[int, Collection[int]] = NOTHING
) -> tuple[list[int], int]:
    """The list at the end of the pipeline without the stages `undone`, and how many chunks of it are handed over at most.

    A reranker, or a prompt, that left some out keeps as many as it kept. What the packing cut off stands below that. `stands_for`
    tells of chunks that the packing made anew, by trimming or joining, of which they were made.
    """
    whole = {c for made in stands_for.values() for c in made}
    (_, first), *later = stages.items()
    before = order = first.tolist()
    most = len(before) + sum(len(chunks) for _, chunks in later)
    for name, chunks in later:
        after = chunks.tolist()
        if name not in undone:
            cut = name != "filtered" and bool(set(before) - set(after) - (whole if name == PACKS else set()))
            order = _packed(order, before, after, cut, stands_for) if name == PACKS else _ordered(order, before, after)
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


def _packed(
    order: Sequence[int], before: Sequence[int], after: Sequence[int], cut: bool, stands_for: Mapping[int, Collection[int]]
) -> list[int]:
    """`order` without what the packing passed over, with what it made or added; what stood below its last chunk stays there."""
    made_of = {chunk: made for made, chunks in stands_for.items() for chunk in chunks}
    order = list(dict.fromkeys(made_of.get(c, c) for c in order))
    before = list(dict.fromkeys(made_of.get(c, c) for c in before))
    given, taken = set(before), set(after)
    last = max((i for i, c in enumerate(before) if c in taken), default=-1)
    passed, added = set(before[: last + 1]) - taken, [c for c in after if c not in given]
    kept = [c for c in order if c not in passed and (c in given or c not in taken)]
    place = len(after) - len(added) if cut else len(kept)
    return [*kept[:place], *added, *kept[place:]]


def _made(case: Case) -> dict[int, list[int]]:
    """Of each chunk that only the prompt has, those of the stage before that share more than half of it, or of themselves."""
    names, span = list(case.stages), case.setting.span
    if PACKS not in names[1:]:
        return {}
    before, after = (case.stages[name].tolist() for name in names[-2:])
    new = {c: [b for b in before if _mostly(span(b), span(c))] for c in after if c not in before}
    return {c: chunks for c, chunks in new.items() if chunks}


def _mostly(one: Span, other: Span) -> bool:
    """Whether two spans share more than half of the shorter one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.document == other.document and 2 * shared > min(one.end - one.start, other.end - other.start)


def without(case: Case, *undone: str) -> Standing:
    """How a query stands where its pipeline goes without the stages `undone`."""
    order, most = replayed(case.stages, undone, {} if PACKS in undone else _made(case))
    standing = case.stand(np.array(order, dtype=np.int64), Edit()).standing
    return Standing(standing.rank, standing.sufficient and (standing.rank or 0) <= most)
