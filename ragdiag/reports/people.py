"""What people say of answers, as lines of the litmus test: how far they agree, and what of their labels may not count."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from ragdiag.answering.verdict import Litmus
from ragdiag.reports.text import line
from ragdiag.text.phrases import counted

__all__ = ["people_lines"]


def people_lines(litmus: Litmus) -> Iterator[RenderableType]:
    """How far people agree where several labelled an answer; labels that nothing here is about, or that a judge has outrun."""
    people = litmus.people
    if people.n and people.agree is not None:
        alpha = "" if people.alpha is None else f", Krippendorff's alpha {people.alpha:.2f}"
        yield line(
            f"of {counted(people.n, 'answer')} that several people labelled, pairs of them agree on {people.agree:.0%}{alpha}"
        )
        if people.tied:
            yield line(
                (f"{counted(people.tied, 'answer')} as many call right as wrong: without a label till one more says", "yellow")
            )
    if people.unknown:
        yield line((f"{counted(people.unknown, 'label')} of answers that are not among those given: not used", "yellow"))
    if litmus.otherwise:
        yield line(
            (f"the judge says otherwise of {counted(litmus.otherwise, 'answer')} than when they were drawn", "yellow"),
            "; where queries were drawn by doubt the correction leans on what it said: draw some more at random",
        )
