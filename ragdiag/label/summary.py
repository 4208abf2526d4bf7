"""What a session of labelling came to, what that is worth, and what to do next."""

from __future__ import annotations

from rich.console import Group, RenderableType

from ragdiag.label.labelled import Labelled
from ragdiag.reports.text import line, verbatim
from ragdiag.text.phrases import counted

__all__ = ["label_text", "worth"]


def label_text(found: Labelled, corpus: str, out: str) -> RenderableType:
    """The summary; `corpus` and `out` as a shell takes them."""
    labelled = counted(found.labelled, "quer", "y")
    rest = f", {found.unanswerable} unanswerable; {found.undecided} of {found.asked} undecided, {found.skipped} of them skipped"
    parts: list[RenderableType] = [line((f"{labelled} labelled", "bold"), rest)]
    if found.others:
        parts.append(line((f"{counted(found.others, 'quer', 'y')} in the file were not asked here", "dim")))
    if found.labelled:
        parts.append(line(worth(found)))
    if found.by_search:
        share = f"{found.by_search} of {found.labelled}"
        parts.append(line(f"evidence of {share} was found by searching or beside a passage, not by the pool's retrievers"))
    if found.worded_alike:
        drafts = counted(found.worded_alike, "draft")
        parts.append(line((f"{drafts} in the document's own words: users' words are harder to find", "yellow")))
    if found.labelled or found.unanswerable:
        parts += [verbatim(f"next: ragdiag check {corpus} {out}"), verbatim(f"      ragdiag audit {corpus} {out}")]
    return Group(*parts)


def worth(found: Labelled) -> str:
    """How sure a share of the labelled queries is, and of more."""
    (_, now), *more = found.margins.items()
    return f"a share of them is known to ±{now} points" + "".join(f"; with {n} to ±{points}" for n, points in more[:2])
