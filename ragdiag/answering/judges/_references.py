"""Several references: an answer is right where any of them says so."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from ragdiag.core.opinions import Opinion
from ragdiag.core.records import Answer, Query

SHORT = 8
"""Words: what stands in brackets in a longer reference belongs to what it says."""

SHOWN = 60
"""Characters of a reference that a reason shows."""

Asked = Sequence[tuple[Query, Answer]]


def by_any(asked: Asked, judge: Callable[[Asked], list[Opinion | None]]) -> list[Opinion | None]:
    """An opinion on each of `asked`, whose queries `judge` sees with one reference at a time.

    In rounds, so that nothing is asked about an answer that an earlier reference found right. A failed attempt, an answer to a
    query without references, and one that no reference found right while `judge` could not tell by all of them get None.
    """
    references = [() if answer.failed else query.answers for query, answer in asked]
    right: dict[int, Opinion] = {}
    not_right: dict[int, Opinion | None] = {}  # the first opinion, or None as soon as the judge could not tell
    for turn in range(max(map(len, references), default=0)):
        rows = [i for i, several in enumerate(references) if turn < len(several) and i not in right]
        for i, opinion in zip(rows, _against(asked, references, rows, turn, judge), strict=True):
            if opinion is None:
                not_right[i] = None
            elif opinion.correct:
                right[i] = _naming(opinion, references[i], turn)
            else:
                not_right.setdefault(i, _naming(opinion, references[i], turn))
    return [right.get(i) or not_right.get(i) for i in range(len(asked))]


def _against(
    asked: Asked, references: Sequence[Sequence[str]], rows: list[int], turn: int, judge: Callable[[Asked], list[Opinion | None]]
) -> list[Opinion | None]:
    """What `judge` says of some rows of `asked` by one of the `references` of their queries."""
    pairs = [(dataclasses.replace(asked[i][0], answer=references[i][turn], also=()), asked[i][1]) for i in rows]
    return judge(pairs) if pairs else []


def readings(reference: str) -> list[str]:
    """What a short reference may mean: as it stands, without what stands in brackets, and either side of its "or"."""
    if len(reference.split()) > SHORT or re.search(r"[,;]|\d", reference):
        return [reference]
    without = " ".join(re.sub(r"\([^()]*\)", " ", reference).split())
    meanings = [reference, without, *without.split(" or ")]
    return list(dict.fromkeys(reading for reading in meanings if re.search(r"\w", reading))) or [reference]


def _naming(opinion: Opinion, references: Sequence[str], turn: int) -> Opinion:
    """`opinion` with the reference that it is about, where there are several."""
    n, reference = len(references), references[turn]
    if n == 1:
        return opinion
    shown = reference if len(reference) <= SHOWN else reference[: SHOWN - 1] + "…"
    which = (
        f"reference {turn + 1} of {n}, {shown!r}" if opinion.correct else f"none of {n} references matches; the first, {shown!r}"
    )
    return opinion._replace(why=f"{which}: {opinion.why}")
