"""Doubtful answers as text and JSON: how many there are, that they count as wrong, and what hangs on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType

from ragdiag.answering.verdict import Litmus, Verdict
from ragdiag.core.opinions import DOUBTFUL
from ragdiag.reports.json import JsonObject
from ragdiag.reports.text import line
from ragdiag.text.phrases import counted, listed

__all__ = ["doubt_lines", "doubts_dict"]


def doubt_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """How many answers are doubtful, what the verdict would be if all of them were right, and the request to label them."""
    doubtful, undoubted = _doubtful(litmus), litmus.undoubted
    if undoubted is None:
        return
    where = listed([f"{condition} {n}" for condition, n in doubtful.items()])
    are = "is" if doubtful.total() == 1 else "are"
    kind = _named(undoubted)
    would = "the verdict would be the same" if kind == _named(litmus.verdict) else f"the verdict would be {kind}"
    yield line(
        (f"{counted(doubtful.total(), 'answer')} {are} doubtful ({where}) and counted as wrong", "yellow"),
        f'; if all were right, {would}: label them ("correct": true or false)',
    )


def doubts_dict(litmus: Litmus) -> JsonObject:
    """The number of doubtful answers by condition, and the verdict if all of them were right (null where none is doubtful)."""
    return {"answers": dict(_doubtful(litmus)), "verdict_if_right": None if litmus.undoubted is None else litmus.undoubted.kind}


def _doubtful(litmus: Litmus) -> Counter[str]:
    return Counter(j.condition for j in litmus.judgements if j.kind == DOUBTFUL)


def _named(verdict: Verdict) -> str:
    """The kind of a verdict, with the secondary one."""
    return verdict.kind + (f", secondary {verdict.secondary}" if verdict.secondary else "")
