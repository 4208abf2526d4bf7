"""Passages of evidence on one line, as tests name them: what a context lacks, and where chunks cut it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ragdiag.core.records import GroupProof, QueryResult
from ragdiag.text.phrases import clean, one_line

__all__ = ["lacking", "passage"]

CUT = "‖"
"""Stands where one chunk ends and the next begins."""

ROUND = 60
"""Characters shown on either side of a cut."""


def lacking(result: QueryResult, groups: Sequence[GroupProof]) -> str:
    """On one line, what the context of an unserved query lacks: the cut passage, or the evidence that it has least of."""
    cuts = [row.text for f in result.findings if f.cause in result.causes for row in f.rows or () if CUT in row.text]
    if groups:
        least = min(groups, key=lambda g: g.coverage)
        if cuts and least.cuts:
            return f"cut: {_round(least.text[: least.cuts[0]], least.text[least.cuts[0] :], 2 * ROUND)}"
        part = f" ({least.coverage:.0%} there)" if least.coverage else ""
        return f"lacks {clean(least.document)}#{least.start}-{least.end}{part}: {passage(least, 2 * ROUND)}"
    if cuts:
        return f"cut: {one_line(cuts[0], 2 * ROUND)}"
    return f"evidence in {', '.join(map(clean, result.documents)) or 'no document'}"


def passage(group: GroupProof, most: int) -> str:
    """A passage of evidence on one line, with ``‖`` where chunks end inside it."""
    if not group.cuts:
        return one_line(group.text, most)
    first = group.cuts[0]
    if len(group.text) > most:
        return _round(group.text[:first], group.text[first:], most)
    bounds = (0, *group.cuts, len(group.text))
    return " ‖ ".join(one_line(group.text[a:b], most) for a, b in pairwise(bounds))


def _round(before: str, after: str, most: int) -> str:
    """The text round a cut, as much of either side."""
    before, after = (" ".join(clean(t).split()) for t in (before, after))
    lead = before if len(before) <= most // 2 else "…" + before[-most // 2 :]
    rest = after if len(after) <= most // 2 else after[: most // 2] + "…"
    return f"{lead} ‖ {rest}"
