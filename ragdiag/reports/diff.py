"""Two reports held against each other, on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from ragdiag.comparing.changes import Diff, PutBack, Turned, causes_of
from ragdiag.comparing.reported import Reported
from ragdiag.core.version import __version__
from ragdiag.reports.changes import TURNED, TurnedRow, changes
from ragdiag.reports.json import JsonObject
from ragdiag.reports.text import line, plain_table

__all__ = ["diff_dict", "diff_text"]

COLOURS = {"worse": "red", "better": "green", "same": "green"}
"""Of the headline."""


def diff_text(found: Diff) -> RenderableType:
    """On one screen."""
    told = changes(found)
    parts: list[RenderableType] = [line((f"ragdiag {__version__}", "bold"), f"  {found.old.name} -> {found.new.name}"), Text()]
    parts += [line((told.headline, f"bold {COLOURS[told.verdict]}")), line(told.effect), line((told.chance, "dim"))]
    parts += [line(said) for said in told.causes]
    if told.parts:
        parts += [Text(), line(("Changed", "bold"))]
        parts += [line(f"  {row.part}: {row.old} -> {row.new}") for row in told.parts]
    if told.why:
        parts += [Text(), line(("Why: ", "bold"), told.why)]
    if told.put_back:
        table = plain_table("put back alone", ">lost: back", ">won: given up", ">kept: broken", "")
        table.expand, table.columns[-1].ratio, table.columns[-1].no_wrap = True, 1, False
        for row in told.put_back:
            table.add_row(row.part, row.restored, row.given_up, row.broken, line((row.untested, "dim")))
        parts += [table]
    parts += [*_queries("Lost", told.lost, "brought back by"), *_queries("Won", told.won, "given up by")]
    if told.left_out:
        parts += [Text(), line((f"not compared: {'; '.join(told.left_out)}", "yellow"))]
    return Group(*parts, *(line((f"note: {note}", "dim")) for note in told.notes))


def _queries(title: str, rows: Sequence[TurnedRow], by: str) -> Iterator[RenderableType]:
    if not rows:
        return
    yield Text()
    tried = [by] if any(row.parts for row in rows) else []
    table = plain_table(title.lower(), "causes", *tried, "text")
    table.expand, table.columns[-1].ratio, table.columns[-1].overflow = True, 1, "ellipsis"
    for row in rows[:TURNED]:
        table.add_row(line(row.id), line(row.causes), *([row.parts] if tried else []), line(" ".join(row.text.split())))
    yield table
    if len(rows) > TURNED:
        yield line((f"and {len(rows) - TURNED} more; --json lists all", "dim"))


def diff_dict(found: Diff) -> JsonObject:
    """In the form of the contract."""
    told = changes(found)
    return {
        "ragdiag": __version__,
        "old": _side(found.old, found.served[0]),
        "new": _side(found.new, found.served[1]),
        "measure": found.measure,
        "verdict": told.verdict,
        "difference": found.difference._asdict() | {"detectable": found.difference.detectable(1)},
        "more_than_chance": found.more_than_chance,
        "min_effect": found.min_effect,
        "lost": [_turned(query) for query in found.lost],
        "won": [_turned(query) for query in found.won],
        "causes": {"lost": causes_of(found.lost), "won": causes_of(found.won)},
        "left_out": {reason: list(names) for reason, names in found.left_out.items()},
        "changed": [{"part": part.name, "old": part.old, "new": part.new} for part in found.parts],
        "why": told.why,
        "restored_by": [trial.part for trial in found.named],
        "put_back": [_put_back(trial) for trial in found.trials.put_back] if found.trials else [],
        "notes": list(told.notes),
    }


def _side(report: Reported, served: int) -> JsonObject:
    return {"file": report.name, "ragdiag": report.version, "queries": len(report.queries), "served": served}


def _turned(query: Turned) -> Mapping[str, object]:
    return {"id": query.id, "text": query.text, "causes": list(query.reasons)}


def _put_back(trial: PutBack) -> JsonObject:
    ids = {name: list(getattr(trial, name)) for name in ("restored", "given_up", "broken")}
    of = {name: getattr(trial, name) for name in ("lost", "won", "kept")}
    return {"part": trial.part, **ids, "of": of, "untested": trial.untested or None}
