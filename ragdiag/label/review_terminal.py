"""Reviewing on a terminal: a failing query, its reference answer, and what its context has that no label judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Span
from ragdiag.core.reviews import Corrected
from ragdiag.label.reviewing import ROUND, Review
from ragdiag.label.session import Session
from ragdiag.label.terminal import Surface, look_further, marked, show_help
from ragdiag.reports.text import line, verbatim
from ragdiag.text.phrases import counted, one_line

__all__ = ["REVIEW", "opening", "review_text"]

HELP = (
    ("3", "passage 3 answers the query by itself; 3:2 its second sentence does, 3:2-4 those three"),
    ("3|5:1", "each of these does"),
    ("2=3:1", "it does no more than evidence 2 does, where the label lists several"),
    ("p 3 5", "passages 3 and 5 hold part of the answer (before you decide)"),
    ("n", "none answers it, beside what p noted"),
    ("m", "passages that other retrievers find, which may answer it as well"),
    ("/words", "search all documents for words, or for a phrase as it stands"),
    (">3  <3", "the passage after, or before, passage 3"),
    ("l", "show it all again"),
    ("s", "skip: it comes once more at the end; unless it is decided, the interval counts it both ways"),
    ("b", "back to the query before"),
    ("x", "take back what was said of this query"),
    ("q", "quit; every decision is in the file already"),
)

_PARTS = re.compile(r"p[\d ,]*\d[\d ,]*")
_MARK = re.compile(r"(?:(\d{1,4})=)?([\d:+|-]*\d)")


_DECISIONS: Mapping[str, tuple[Callable[[Review], None], str]] = {
    "n": (lambda session: session.accept(()), "does not answer it"),
    "x": (Review.withdraw, "taken back"),
    "s": (Review.skip, ""),
    "b": (Review.back, ""),
}
"""Commands of one letter: what they do, and what is shown when it is done."""


def obey(session: Session, command: str, console: Console) -> bool:
    """Do what the reviewer says; whether the query is to be shown anew."""
    assert isinstance(session, Review)
    if command in _DECISIONS:
        decide, done = _DECISIONS[command]
        decide(session)
        _say(done, "green", console)
    elif _PARTS.fullmatch(command):
        session.in_part([int(number) for number in re.findall(r"\d{1,9}", command)])
        _say("noted: part of it. n where nothing answers it by itself", "green", console)
    elif command[:1].isdigit():
        accepted = accepted_by(session, command)
        session.accept(accepted)
        for group, passage in accepted:
            _show_accepted(session, group, passage, console)
    elif (note := look_further(session, command)) is not None:
        _say(note, "dim", console)
    elif command != "l":
        show_help(HELP, console)
        if command not in ("", "?"):
            raise UsageError(f"{one_line(command, 40)!r} is none of these")
    return command == "l"


def _say(text: str, style: str, console: Console) -> None:
    if text:
        console.print(line((text, style)))


def accepted_by(session: Review, marks: str) -> list[tuple[int, Span]]:
    """What ``3:2|5`` or ``1=3:2 2=5`` accepts: passages, each with the evidence that it stands for (0: all of it)."""
    pieces = re.sub(r"\s*([|+=])\s*", r"\1", marks).split()
    accepted: list[tuple[int, Span]] = []
    for piece in pieces:
        match = _MARK.fullmatch(piece)
        if match is None:
            raise UsageError(f"cannot read {one_line(piece, 40)!r}; write 3, 3:2, 3:2-4 or 3|5")
        if len(pieces) > 1 and match[1] is None:
            raise UsageError("each passage has to answer by itself: 3|5; where it takes several, p 3 5 notes the parts, then n")
        accepted += [(int(match[1] or 0), span) for span in marked(session, match[2])[0]]
    if any(group == 0 for group, _ in accepted) or len({group for group, _ in accepted}) == len(pieces):
        return accepted
    raise UsageError("name each evidence once: 2=3:1|5")


def _show_accepted(session: Review, group: int, passage: Span, console: Console) -> None:
    document = session.corpus.documents[passage.document]
    text = one_line(document.text[passage.start : passage.end], 60)
    what = f"answers as evidence {group} does " if group else "answers it "
    console.print(line((what, "green"), f"{one_line(document.id, 30)}#{passage.start}-{passage.end}  ", (text, "dim")))


def heading(session: Session) -> Iterator[Rule | Text]:
    """The query, its reference answer, its labelled evidence, what was said of it already."""
    assert isinstance(session, Review) and session.current is not None
    query, decision = session.task.query, session.decision
    doubtful = ", its label is doubtful" if session.asked.stratum == "doubtful" else ""
    where = f"query {session.current + 1} of {len(session.tasks)} failing, {session.decided} reviewed{doubtful}"
    yield Rule(line((where, "dim")), align="left", style="dim")
    yield line((query.text, "bold"))
    if query.answers:
        yield line(("answer    ", "dim"), one_line(" or ".join(query.answers), 600))
    evidence = session.evidence
    for n, passages in enumerate(evidence, 1):
        name = f"evidence {n}" if len(evidence) > 1 else "evidence"
        yield line((f"{name:<10}", "dim"), (one_line(" or ".join(passages), 400), "dim"))
    if decision is not None:
        yield line(("so far    ", "dim"), {"answers": "answered", "part": "in part", "no": "no"}[session.said(session.asked)])


REVIEW = Surface(obey, heading)
"""How a terminal shows a review."""


def opening(session: Review) -> str:
    """How well the measure is known, and how much better it would be once so many more queries are reviewed."""
    now, then = session.corrected(), session.then()
    reviewed = f", {now.reviewed} reviewed so far" if now.reviewed else ""
    more = min(ROUND, now.drawn_from - now.reviewed)
    return (
        f"{session.draw.measure} is {ends(now)}: {now.drawn_from} failing queries have chunks that no label judges{reviewed}\n"
        f"{counted(more, 'quer', 'y')} {'more ' if now.reviewed else ''}reviewed, some {max(more // 2, 1)} minutes, would narrow "
        f"that from {_points(now)} points to about {_points(then)}"
    )


def _points(share: Corrected) -> int:
    return round(100 * (share.high - share.low))


def ends(share: Corrected) -> str:
    """The share with its interval, or its bounds."""
    if share.mean is None:
        return f"somewhere from {share.low:.3f} to {share.high:.3f}"
    return f"{share.mean:.3f} [{share.low:.3f}, {share.high:.3f}]"


def review_text(session: Review, corpus: str, out: str) -> RenderableType:
    """What the review came to; `corpus` and `out` as a shell takes them."""
    counts, share = session.counts(), session.corrected()
    total = sum(counts.values())
    found = f"{counts['answers']} answered by their context all the same, {counts['part']} in part, {counts['no']} not"
    parts: list[RenderableType] = [line((f"{counted(total, 'quer', 'y')} of {share.drawn_from} reviewed", "bold"), f": {found}")]
    if share.reviewed:
        parts.append(line(f"{session.draw.measure} corrected: {ends(share)}"))
    return Group(*parts, verbatim(f"next: ragdiag audit {corpus} {out}"))
