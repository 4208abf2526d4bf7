"""A search for what to deploy, on a terminal and as JSON: the decision first, then what it rests on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from ragdiag.comparing.cells import Cell
from ragdiag.comparing.judged import MATTERS
from ragdiag.comparing.tuned import Budget, Tuned
from ragdiag.core.records import Mean
from ragdiag.core.version import __version__
from ragdiag.reports.json import JsonObject
from ragdiag.reports.terminal import troubles
from ragdiag.reports.text import LABEL_MORE, interval, line, plain_table, signed
from ragdiag.text.phrases import counted

__all__ = [
    "JUDGED", "costs", "counts", "evidence", "frontier_table", "headline", "not_measured", "stability", "tune_dict", "tune_text",
    "turned",
]  # fmt: skip

COLOURS = {"deploy": "green", "nothing": "yellow", "undecided": "yellow"}

IDS = 8
"""Queries named of those won and of those lost."""

OFTEN = 4
"""Configurations named of those that choices fell on."""

JUDGED = "choices are judged on queries that did not choose"

NEXT = "what is left is more context, see the table, or better documents"

WIDE = 12
"""Characters of a bar of all queries."""


def headline(tuned: Tuned) -> str:
    """The decision in a sentence."""
    kind, difference, needed = tuned.decision
    if kind == "deploy":
        return f"Deploy {tuned.cells[tuned.chosen].name}"
    if kind == "nothing":
        return f"Nothing beats the baseline with as many tokens, {tuned.cells[0].name}"
    if not needed and difference is not None:
        return "Undecided: more queries are served by what some of them choose, not by what all of them do"
    if not needed:
        return "Undecided: too few labelled queries to choose on some and judge on others"
    return f"Undecided: about {needed:,} more labelled queries would tell"


def counts(tuned: Tuned) -> str:
    """How much was searched, and the size of every context."""
    of = ", ".join([counted(tuned.inputs["documents"], "document"), counted(tuned.inputs["queries"], "quer", "y")])
    return f"{of}: {counted(len(tuned.cells), 'configuration')}, up to {tuned.tokens:,} tokens of context"


def tune_text(tuned: Tuned) -> RenderableType:
    """On one screen."""
    parts: list[RenderableType] = [line((f"ragdiag {__version__}", "bold"), f"  {counts(tuned)}"), Text()]
    parts += [
        line((headline(tuned), f"bold {COLOURS[tuned.decision.kind]}")),
        *evidence(tuned),
        *turned(tuned),
        Text(),
        costs(tuned),
    ]
    if tuned.frontier:
        parts += [Text(), line(("Served, by tokens of context", "bold"), (f"  ({JUDGED})", "dim")), frontier_table(tuned)]
    parts += [Text(), *stability(tuned), *(line((said, "dim")) for said in not_measured(tuned))]
    return Group(*parts, *troubles(tuned.label_defects, tuned.label_warnings, tuned.problems, tuned.notes))


def evidence(tuned: Tuned) -> Iterator[Text]:
    """What the decision rests on."""
    difference = tuned.decision.difference
    if difference is None:
        return
    by = signed(difference.mean, difference.low, difference.high)
    p = f"p {difference.p:.2g}" if difference.p >= 0.001 else "p <.001"
    before, now = tuned.tokens_used
    judged = f"on {counted(difference.n, 'quer', 'y')}, each judged by a choice made without it"
    yield line(f"{judged}: {interval(tuned.held_out, '')} served, with {now:,.0f} tokens")
    yield line(f"the baseline with {before:,.0f} tokens: {interval(tuned.raised, '')}; difference {by}, {p}")
    if tuned.decision.kind == "undecided" and tuned.chosen:
        yield line("so far the best: ", (tuned.cells[tuned.chosen].name, "bold"))
        if tuned.cells[tuned.chosen].chunker == tuned.cells[0].chunker:  # else all contexts differ, and a choice saves nothing
            yield line((LABEL_MORE, "dim"))
    if tuned.decision.kind == "nothing" and tuned.decision.needed:
        exclude = f"about {tuned.decision.needed:,} more labelled queries would exclude one of {MATTERS:g}"
        yield line((f"an advantage of up to {difference.high:.3f} is not excluded; {exclude}", "dim"))
    if tuned.decision.kind == "nothing":
        yield line((NEXT, "dim"))
    if tuned.reasons:
        yield line((f"{', '.join(tuned.reasons)} of the baseline point to it", "dim"))


def turned(tuned: Tuned, everything: bool = False) -> Iterator[Text]:
    """The queries that turn, by name: the first of them, or all."""
    if not tuned.chosen:
        return
    yield line((f"{tuned.cells[tuned.chosen].name}, on all queries, which chose it (so it looks better than it is):", "dim"))
    for name, ids, causes, colour in (("won", tuned.won, tuned.cured, "green"), ("lost", tuned.lost, tuned.broke, "red")):
        first = len(ids) if everything else IDS
        shown = ", ".join(ids[:first]) + (f", … {len(ids) - first} more" if len(ids) > first else "")
        kinds = ", ".join(f"{cause} {n}" for cause, n in list(causes.items())[:OFTEN])
        said = f": {shown}" if ids else "", (f"  ({kinds})" if kinds else "", "dim")
        yield line((f"{len(ids)} {name}", colour), *said)


def costs(tuned: Tuned) -> RenderableType:
    """What the chosen one costs beside the baseline."""
    table = plain_table("", ">tokens", ">chunks", ">index MB", ">p95 ms", "configuration")
    table.expand, table.columns[-1].ratio, table.columns[-1].no_wrap, table.columns[-1].overflow = True, 1, False, "fold"
    for role, i in dict.fromkeys([("baseline", 0), *([("chosen", tuned.chosen)] if tuned.chosen else [])]):
        cell = tuned.cells[i]
        table.add_row(role, f"{_tokens(cell):,.0f}", f"{cell.chunks:,}", f"{cell.bytes / 1e6:.1f}", _p95(cell), line(cell.name))
    return table


def _tokens(cell: Cell) -> float:
    return float(cell.tokens.mean())


def _p95(cell: Cell) -> str:
    p95 = (cell.timings.get("retrieval") or {}).get("p95_ms")
    return "" if p95 is None else f"{p95:,.1f}"


def frontier_table(tuned: Tuned, bars: bool = True) -> RenderableType:
    """The baseline and what is chosen, at several sizes of context; with bars, or without."""
    side = ("", ">tokens") if bars else (">tokens",)
    table = plain_table(">up to", ">baseline", *side, ">chosen", *side, "if it is another")
    table.expand, table.columns[-1].ratio, table.columns[-1].no_wrap, table.columns[-1].overflow = True, 1, False, "fold"
    for row in tuned.frontier:
        cells = [f"{row.tokens:,}"]
        for mean, used in ((row.baseline, row.baseline_uses), (row.choice, row.choice_uses)):
            cells += [f"{mean.mean or 0:.3f}", *([_bar(mean)] if bars else []), f"{used:,.0f}"]
        name = "" if row.place == tuned.chosen else tuned.cells[row.place].name  # what is chosen is named above
        table.add_row(*cells, line(name), style="bold" if row.tokens == tuned.tokens else "")
    return table


def _bar(mean: Mean) -> str:
    return "█" * round(WIDE * (mean.mean or 0.0))


def stability(tuned: Tuned) -> Iterator[Text]:
    """How often each configuration was chosen."""
    if tuned.choices:
        often = "; ".join(f"{n} {tuned.cells[i].name}" for i, n in list(tuned.times.items())[:OFTEN])
        rest = f"; {len(tuned.times) - OFTEN} others" if len(tuned.times) > OFTEN else ""
        yield line((f"Of {tuned.choices} choices", "bold"), f", each on other four fifths of the queries: {often}{rest}")


def not_measured(tuned: Tuned) -> Iterator[str]:
    """What was not measured, or not to the end."""
    if tuned.dropped:
        worse = "worse than the best on a part of the queries by more than chance"
        yield f"{counted(len(tuned.dropped), 'configuration')} dropped early: {worse}"
    for why, n in tuned.skipped.items():
        yield f"{counted(n, 'configuration')} left out: {why}"


def tune_dict(tuned: Tuned) -> JsonObject:
    """In the form of the contract: configurations go by name."""
    names = [cell.name for cell in tuned.cells]
    kind, difference, needed = tuned.decision
    return {
        "ragdiag": __version__,
        "seed": tuned.seed,
        "inputs": dict(tuned.inputs),
        "tokens": tuned.tokens,
        "decision": {
            "kind": kind,
            "says": headline(tuned),
            "chosen": names[tuned.chosen],
            "difference": None if difference is None else difference._asdict(),
            "needed": needed,
        },
        "held_out": dataclasses.asdict(tuned.held_out) | {"tokens": tuned.tokens_used[1]},
        "baseline_with_as_many_tokens": dataclasses.asdict(tuned.raised) | {"tokens": tuned.tokens_used[0], "up_to": tuned.size},
        "won": list(tuned.won),
        "lost": list(tuned.lost),
        "causes": dict(tuned.causes),
        "cured": dict(tuned.cured),
        "broke": dict(tuned.broke),
        "reasons": list(tuned.reasons),
        "frontier": [_size(row, names) for row in tuned.frontier],
        "choices": {"made": tuned.choices, "chosen": {names[i]: n for i, n in tuned.times.items()}},
        "configs": [_config(cell) for cell in tuned.cells],
        "dropped": list(tuned.dropped),
        "skipped": dict(tuned.skipped),
        "label_defects": [dataclasses.asdict(d) for d in tuned.label_defects],
        "label_warnings": [dataclasses.asdict(d) for d in tuned.label_warnings],
        "unreadable": [dataclasses.asdict(p) for p in tuned.problems],
        "notes": list(tuned.notes),
        "timings": {cell.name: {**cell.timings, "bytes": cell.bytes} for cell in tuned.cells},
    }


def _size(row: Budget, names: Sequence[str]) -> Mapping[str, object]:
    return {
        "tokens": row.tokens,
        "baseline": dataclasses.asdict(row.baseline) | {"tokens": row.baseline_uses},
        "choice": dataclasses.asdict(row.choice) | {"tokens": row.choice_uses},
        "config": names[row.place],
    }


def _config(cell: Cell) -> Mapping[str, object]:
    """A configuration, with the queries that it serves as a share of those that it can be told of."""
    known = ~(cell.served != cell.served)
    return {
        "name": cell.name,
        "chunker": cell.chunker,
        "context": cell.context,
        "retriever": cell.retriever,
        "served": round(float(cell.served[known].mean()), 6) if known.any() else None,
        "cost": {"chunks": cell.chunks, "context_tokens": round(_tokens(cell), 1)},
    }
