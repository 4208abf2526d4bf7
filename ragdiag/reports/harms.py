"""What it is about a context that harms, as lines of the litmus test and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from ragdiag.answering.effects import Harm
from ragdiag.reports.json import JsonObject
from ragdiag.reports.text import line, plain_table, signed

__all__ = ["harm_dict", "harm_lines"]


def harm_lines(harms: Sequence[Harm]) -> Iterator[RenderableType]:
    """A row for each contrast, then what they come to."""
    if not harms:
        return
    table = plain_table("what harms in a context", "right answers [95 %]", ">p, corrected", ">better", ">worse", ">n")
    for harm in harms:
        effect = harm.effect
        p = "" if effect.p is None else f"{effect.p:.2g}"
        table.add_row(
            harm.change, signed(effect.mean, effect.low, effect.high), p, str(harm.better), str(harm.worse), str(effect.n)
        )
    yield Text()
    yield table
    yield _said(harms)


def _said(harms: Sequence[Harm]) -> RenderableType:
    """Which kinds of harm are shown; of the others, what would have been found."""
    shown = list(dict.fromkeys(harm.kind for harm in harms if harm.shown))
    basis = ", as judged" if any(harm.errors == "open" for harm in harms) else ""
    if shown:
        return line((f"harm is shown{basis}: ", "red"), ", ".join(shown), "; p corrected for all that were tested (Holm)")
    least = max(harm.detectable for harm in harms)
    return line((f"none of these is shown to harm{basis}; ", "dim"), f"effects below about {least:.2f} would be missed")


def harm_dict(harm: Harm) -> JsonObject:
    """A contrast in the form of the contract."""
    return {**harm._asdict(), "effect": dataclasses.asdict(harm.effect), "shown": harm.shown}
