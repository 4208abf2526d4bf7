"""What answers do where there is nothing to answer by, and whether retrieval tells that, as terminal text and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ragdiag.answering.verdict import Litmus
from ragdiag.core.conditions import RETRIEVED
from ragdiag.reports.json import JsonObject
from ragdiag.reports.text import interval, line, plain_table
from ragdiag.scoring.abstaining import SAYS, Signal, Telling, Tradeoff
from ragdiag.text.phrases import counted

__all__ = ["abstention_dict", "abstention_lines"]

FIGURES = {
    ("unanswerable", "wrong"): ("false answers, unanswerable", "answered, and the corpus holds no answer"),
    ("unanswerable", "right"): ("right all the same, unanswerable", "from memory, or luck"),
    ("insufficient", "wrong"): ("false answers, context insufficient", "answered wrongly, without all evidence"),
    ("insufficient", "right"): ("right all the same, context insufficient", "from memory, or luck"),
    ("sufficient", "declined"): ("over-refusals, context sufficient", "declined, with all evidence there"),
}
"""The figures by group of queries and deed: what each is called, and what it is."""

UNLESS_NONE = ("right",)
"""Deeds that are left out where no answer does them: to say of none that it is right by luck says nothing."""


def abstention_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """The figures, and what retrieval tells, where there is something to show."""
    figures = _figures(litmus)
    if figures.row_count:
        yield from (Text(), figures)
        unknown = litmus.abstained.get("unknown", {}).get("declined")
        if unknown is not None:
            yield line((f"left out: {counted(unknown.n, 'quer', 'y')} of which nothing says what the context held", "dim"))
    if litmus.told_apart is not None:
        yield from (Text(), *_told(litmus.told_apart))


def _figures(litmus: Litmus) -> Table:
    """False answers, and answers that should have been given and were not; no row where nothing is known of either."""
    basis = "as labelled" if litmus.basis(RETRIEVED) == "as labelled" else "as judged, not corrected"
    table = plain_table("when to decline", "share [95 %]", ">n", basis)
    for (group, deed), (name, says) in FIGURES.items():
        share = litmus.abstained.get(group, {}).get(deed)
        if share is not None and share.n and (share.mean or deed not in UNLESS_NONE):
            table.add_row(name, interval(share, ""), str(share.n), says)
    return table


def _told(telling: Telling) -> Iterator[RenderableType]:
    """Whether a signal tells answerable from unanswerable queries, and what declining by it would come to."""
    yield line((_verdict(telling), "bold" if telling.best else "yellow"))
    table = plain_table("signal", ">higher if answerable [95 %]", ">p, corrected", ">unanswerable to add")
    for signal in telling.signals:
        area = f"{signal.seen.auc:.3f} [{signal.seen.low:.3f}, {signal.seen.high:.3f}]"
        table.add_row(_named(telling, signal), area, f"{signal.p:.2g}", _needed(signal))
    if telling.signals:
        yield table
    for tradeoff in telling.tradeoffs:
        yield line(_declined(telling, tradeoff))


def _named(telling: Telling, signal: Signal) -> str:
    """What a signal is, and of how many queries it could be had, if not of all."""
    other = f" ({telling.other})" if signal.name == "agreement" else ""
    had, of = signal.seen.n + signal.seen.m, telling.answerable + telling.unanswerable
    return f"{SAYS[signal.name]}{other}" + (f", {had} of {of} queries" if had < of else "")


def _verdict(telling: Telling) -> str:
    of = f"{counted(telling.unanswerable, 'unanswerable quer', 'y')} and {telling.answerable} answerable"
    if not telling.signals:
        return f"whether retrieval tells {of} apart is not known: its run has no scores"
    if telling.best is None:
        return f"no signal: nothing that retrieval says tells {of} apart"
    return f"{SAYS[telling.best]} tells {of} apart"


def _needed(signal: Signal) -> str:
    """How many further unanswerable queries would tell, where a signal does not."""
    if signal.tells:
        return "none, it tells"
    return "no number would tell" if signal.needed is None else f"{signal.needed:,}"


def _declined(telling: Telling, tradeoff: Tradeoff) -> str:
    where = "below" if telling.below else "above"
    return (
        f"declining {where} {tradeoff.threshold:.4g} declines {interval(tradeoff.unanswerable, 'none')} of the unanswerable "
        f"and {interval(tradeoff.answerable, 'none')} of the answerable"
    )


def abstention_dict(litmus: Litmus) -> JsonObject:
    """What stands under ``abstention`` in the JSON of a litmus test."""
    answers = {
        group: {deed: dataclasses.asdict(share) for deed, share in deeds.items()} for group, deeds in litmus.abstained.items()
    }
    return {"answers": answers, "retrieval": None if litmus.told_apart is None else _telling(litmus.told_apart)}


def _telling(telling: Telling) -> JsonObject:
    return {
        "answerable": telling.answerable,
        "unanswerable": telling.unanswerable,
        "signals": {s.name: {**s.seen._asdict(), "p_corrected": s.p, "needed": s.needed} for s in telling.signals},
        "agreement_with": telling.other or None,
        "best": telling.best,
        "decline": "below" if telling.below else "above",
        "tradeoffs": [
            {**t._asdict(), "unanswerable": dataclasses.asdict(t.unanswerable), "answerable": dataclasses.asdict(t.answerable)}
            for t in telling.tradeoffs
        ],
    }
