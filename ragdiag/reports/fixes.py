"""What to fix first: the causes of an audit's unserved queries, and the queries that show each best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult

from ragdiag.core.records import Mean, QueryResult, Report
from ragdiag.reports.text import line, one_line, plain_table
from ragdiag.reports.words import NO_SWAP, RESIDUAL, RUN_ALONE, STATUSES, weak

__all__ = ["Fix", "Order", "cause_order", "fix_first", "fixes", "got", "look_first", "look_order", "share_said", "shown_for"]

FIRST = 6
"""Queries shown of those to look at first."""

IDS = 3
"""Queries named behind a cause."""

ADJACENT = "adjacent"
"""A residual cause that many queries with another have as well."""

NARROW = 18
"""Columns left for ids below which they are not shown."""

CERTAIN = ("caused", "over-determined", "compound")
"""Statuses with causes, the plainest examples first."""

Order = Mapping[str, Sequence[QueryResult]]


def cause_order(failing: Sequence[QueryResult]) -> Order:
    """Each cause with its queries, the plainest first; causes by how many their fix restores by itself, residual ones last."""
    found: dict[str, list[QueryResult]] = {}
    for q in failing:
        for cause in q.causes:
            found.setdefault(cause, []).append(q)
    for own in found.values():
        own.sort(key=lambda q: CERTAIN.index(q.status) if q.status in CERTAIN else len(CERTAIN))

    def rank(item: tuple[str, list[QueryResult]]) -> tuple[bool, int, int, str]:
        cause, own = item
        return cause in RESIDUAL, -len(_alone(own)), -len(own), cause

    return dict(sorted(found.items(), key=rank))


def _alone(queries: Sequence[QueryResult]) -> list[QueryResult]:
    """Those that this one fix would restore."""
    return [q for q in queries if q.status != "compound"]


class Fix(NamedTuple):
    """A cause: its queries, the plainest first; how many its fix restores by itself; its share of the unserved; the fix."""

    cause: str
    queries: Sequence[QueryResult]
    alone: int
    share: Mean | None
    fix: str


def fixes(report: Report, order: Order) -> list[Fix]:
    """What to fix, in `order`."""
    return [Fix(c, own, len(_alone(own)), report.causes.get(c), _fix(c, own)) for c, own in order.items()]


def fix_first(report: Report, failing: Sequence[QueryResult], order: Order) -> list[RenderableType]:
    """How many unserved queries have a cause, and the table of causes."""
    if failing and all(q.status == "not_decidable" for q in failing):
        return [line(("Why", "bold"), f"  {RUN_ALONE}")]
    proved = sum(any(c not in RESIDUAL for c in q.causes) for q in failing)
    residual = sum(bool(q.causes) for q in failing) - proved
    least = f"; {residual} only a residual one" if residual else ""
    parts: list[RenderableType] = [line((f"Fix this first: {proved} of the {len(failing)} have a proved cause{least}", "bold"))]
    if order:
        parts += [_Fixes(fixes(report, order))]
    if any(c in RESIDUAL for c in order):
        parts += [line(("* residual: no more specific change restores these, only more context or a better order", "dim"))]
    doubtful = sum(any(f.cause == c and weak(f) for f in q.findings for c in q.causes) for q in failing)
    if doubtful:
        verb = "is" if doubtful == 1 else "are"
        parts += [line((f"{doubtful} of the mismatches {verb} proved by words alone: weak, others come in as easily", "dim"))]
    beside = sum(any(f.cause == ADJACENT for f in q.findings) for q in failing if set(q.causes) & {*RESIDUAL} - {ADJACENT})
    if beside:
        parts += [line((f"  {beside} of them: what lacks stands right beside chunks that were found ({ADJACENT})", "dim"))]
    return parts + _statuses(failing, report.pipeline)


def _statuses(failing: Sequence[QueryResult], pipeline: Mapping[str, Any]) -> list[RenderableType]:
    """The queries that have no one cause, in plain words."""
    rows: list[RenderableType] = []
    for status, words in STATUSES.items():
        own = [one_line(q.id, 28) for q in failing if q.status == status]
        if own:
            more = f"; {NO_SWAP}" if status == "undetermined" and not pipeline["swaps"] else ""
            rows.append(line((f"{len(own)} {words}{more} ({', '.join(own[:IDS])}{', …' if len(own) > IDS else ''})", "dim")))
    return rows


class _Fixes:
    """The table of causes; how many queries are named depends on the width."""

    def __init__(self, fixes: Sequence[Fix]) -> None:
        self.fixes = fixes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width // 4 - 6
        ids = room >= NARROW
        table = plain_table("cause", ">queries", "of unserved", "fix", *(["queries behind it"] if ids else []))
        for cause, queries, alone, share, fix in self.fixes:
            count = str(alone) + (f" +{len(queries) - alone}" if alone < len(queries) else "")
            style = "" if cause not in RESIDUAL else "dim"
            name = one_line(cause, 24) + (" *" if cause in RESIDUAL else "")
            named = [_named(queries, room)] if ids else []
            table.add_row(name, count, share_said(share), line(fix), *named, style=style)
        # The fix is what one came for: it wraps, and on a narrow terminal the ids, which stand below too, leave it their room.
        table.expand, table.columns[3].ratio, table.columns[3].no_wrap = True, 1, False
        yield table


def share_said(mean: Mean | None) -> str:
    """``16% [11–23]``."""
    if mean is None or mean.mean is None or mean.low is None or mean.high is None:
        return ""
    return f"{mean.mean:>3.0%} [{100 * mean.low:.0f}–{100 * mean.high:.0f}]"


def _fix(cause: str, queries: Sequence[QueryResult]) -> str:
    """The fix that most of the findings point to, without its alternatives."""
    found = Counter(f.fix.split(";")[0] for q in queries for f in q.findings if f.cause == cause)
    return one_line(found.most_common(1)[0][0], 100) if found else ""


def _named(queries: Sequence[QueryResult], room: int) -> str:
    """The first ids, as many as fit."""
    names = [one_line(q.id, 28) for q in queries[:IDS]]
    while len(names) > 1 and len(" ".join(names)) > room:
        names.pop()
    return " ".join(names)


def look_order(failing: Sequence[QueryResult], order: Order) -> list[tuple[QueryResult, str]]:
    """Every unserved query with the cause that it is shown for: one of each cause, then more of each; then those that get least
    of their evidence, for none."""
    turns = [(q, cause) for turn in zip_longest(*order.values()) for q, cause in zip(turn, order, strict=True) if q is not None]
    chosen: dict[str, tuple[QueryResult, str]] = {}
    for q, cause in [*turns, *((q, "") for q in _worst(failing))]:
        chosen.setdefault(q.id, (q, cause))
    return list(chosen.values())


def look_first(failing: Sequence[QueryResult], order: Order, depth: int) -> RenderableType:
    """The first queries of `look_order`."""
    columns = ("query", *(["cause"] if order else []), ">evidence", ">needs k", "text")
    table = plain_table(*columns)
    for q, cause in look_order(failing, order)[:FIRST]:
        why = [shown_for(q, cause)] if order else []
        table.add_row(one_line(q.id, 28), *why, f"{got(q):.0%}", str(q.least_k or f">{depth}"), one_line(q.text, 100))
    table.expand, table.columns[-1].ratio = True, 1  # a narrow terminal cuts the text, nothing else
    left = len(failing) - FIRST
    return Group(table, *([line((f"and {left} more; --json lists all, ragdiag explain shows one", "dim"))] if left > 0 else []))


def shown_for(q: QueryResult, cause: str) -> str:
    """The cause that a query is shown for, and how many more it has; its status where it has none."""
    others = f" +{len(q.causes) - 1}" if len(q.causes) > 1 else ""
    return one_line(cause, 24) + others if cause else q.status.replace("_", " ")


def _worst(failing: Sequence[QueryResult]) -> list[QueryResult]:
    """Those that get least of their evidence, of the documents that leave most queries unserved; then those furthest down."""
    unserved = Counter(d for q in failing for d in q.documents)

    def worst(q: QueryResult) -> tuple[float, int, int, str]:
        return got(q), -max((unserved[d] for d in q.documents), default=0), -(q.least_k or 10**9), q.id

    return sorted(failing, key=worst)


def got(q: QueryResult) -> float:
    """The share of its evidence's characters that it gets."""
    return next((v for m, v in q.measures.items() if m.startswith("CharR@") and v is not None), 0.0)
