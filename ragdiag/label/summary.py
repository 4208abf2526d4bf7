"""What a session of labelling came to, what that is worth, and what to do next."""

from __future__ import annotations

from rich.console import Group, RenderableType

from ragdiag.label.labelled import Labelled
from ragdiag.reports.text import line, verbatim
from ragdiag.text.phrases import counted

__all__ = ["label_text", "unreferenced", "worth"]


def label_text(counts: Labelled, corpus: str, out: str) -> RenderableType:
    """The summary; `corpus` and `out` as a shell takes them."""
    labelled = counted(counts.labelled, "quer", "y")
    rest = (
        f", {counts.unanswerable} unanswerable; {counts.undecided} of {counts.asked} undecided, {counts.skipped} of them skipped"
    )
    parts: list[RenderableType] = [line((f"{labelled} labelled", "bold"), rest)]
    if counts.others:
        parts.append(line((f"{counted(counts.others, 'quer', 'y')} in the file were not asked here", "dim")))
    if counts.labelled:
        parts.append(line(worth(counts)))
    if counts.by_search:
        share = f"{counts.by_search} of {counts.labelled}"
        parts.append(line(f"evidence of {share} was found by searching or beside a passage, not by the pool's retrievers"))
    if counts.worded_alike:
        drafts = counted(counts.worded_alike, "draft")
        parts.append(line((f"{drafts} in the document's own words: users' words are harder to find", "yellow")))
    if lacking := unreferenced(counts):
        parts.append(line((lacking, "yellow"), f'; write "answer": "..." on their lines of {out}'))
    if counts.labelled or counts.unanswerable:
        parts += [verbatim(f"next: ragdiag check {corpus} {out}"), verbatim(f"      ragdiag audit {corpus} {out}")]
    return Group(*parts)


def unreferenced(counts: Labelled) -> str:
    """How many labels lack the answer that is expected; "" where none does."""
    n, of = counts.unreferenced, counts.labelled
    return f"{n:,} of {counted(of, 'label')} without the expected answer, by which ragdiag litmus judges" if n else ""


def worth(counts: Labelled) -> str:
    """How precise a share of the labelled queries is, and what it would be with more. At least one must be labelled."""
    (_, now), *more = counts.margins.items()  # the first is of those labelled so far
    return f"a share of them is known to ±{now} points" + "".join(f"; with {n} to ±{points}" for n, points in more[:2])
