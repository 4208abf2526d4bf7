"""Labelling on a terminal: a query, its passages with numbered sentences, one line of answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Document, Span
from ragdiag.label.session import Session
from ragdiag.reports.text import line
from ragdiag.text.headings import headings, path_at
from ragdiag.text.phrases import one_line

__all__ = ["Surface", "above", "ask_all", "look_further", "marked", "show_help", "terminal"]

WIDEST = 100
"""Columns that are used at most: longer lines are hard to read."""

HELP = (
    ("y", "the proposed place is the evidence (y2 the second)"),
    ("3", "passage 3 is the evidence"),
    ("3:2-4", "sentences 2 to 4 of it are; 3:2 the second"),
    ("3 5", "both are needed"),
    ("3|5", "either will do"),
    ("3:6+4:1-2", "one piece that goes on from one passage into the next"),
    ("m", "more passages"),
    ("/words", "search all documents for words, or for a phrase as it stands"),
    (">3  <3", "the passage after, or before, passage 3"),
    ("l", "show it all again"),
    ("a text", "the answer that is expected, by which litmus judges (before you mark the evidence)"),
    ("e text", "put a draft in other words, as a user would ask"),
    ("u", "unanswerable: the documents do not hold the answer"),
    ("s", "skip: it comes once more at the end"),
    ("b", "back to the query before"),
    ("x", "take this query's label back"),
    ("q", "quit; every decision is in the file already"),
)

_NUMBER = r"(\d{1,9})"
"""No passage has a larger one."""

_REFERENCE = re.compile(rf"{_NUMBER}(?::{_NUMBER}(?:-{_NUMBER})?)?")
_BESIDE = re.compile(rf"([<>])\s*{_NUMBER}")
_ACCEPT = re.compile(r"y\s*([1-9]\d?)?")
_EVIDENCE = re.compile(rf"{_ACCEPT.pattern}|[\d:\-+|\s,]*\d[\d:\-+|\s,]*")

_DECISIONS: Mapping[str, tuple[Callable[[Session], None], str]] = {
    "u": (Session.unanswerable, "unanswerable"),
    "x": (Session.withdraw, "taken back"),
    "s": (Session.skip, ""),
    "b": (Session.back, ""),
}
"""Commands of one letter: what they do, and what is shown when it is done."""


class Surface(NamedTuple):
    """How a terminal serves one kind of session: does what the labeller says (whether to show the query anew), heads a query."""

    obey: Callable[[Session, str, Console], bool]
    heading: Callable[[Session], Iterator[Rule | Text]]


def ask_all(session: Session, read: Callable[[str], str], console: Console, surface: Surface | None = None) -> None:
    """Ask query by query until none is left, or `read` raises `EOFError`, or the labeller quits."""
    surface = surface or Surface(_obey, _heading)
    on_screen, passages = None, 0  # the query, and how many of its passages
    while session.current is not None:
        if on_screen != session.current:
            on_screen, passages = session.current, 0
            console.print(*surface.heading(session), sep="\n")
        _show_passages(session, console, range(passages + 1, len(session.shown) + 1))
        if not passages:
            console.print(*_proposed(session), sep="\n", end="\n" if session.proposed else "")
        passages = len(session.shown)
        try:
            command = read("> ").strip()
        except EOFError:
            return
        if command == "q":
            return
        try:
            if surface.obey(session, command, console):
                on_screen = None
        except UsageError as e:
            console.print(line((str(e), "yellow")))


def _obey(session: Session, command: str, console: Console) -> bool:
    """Do what the labeller says; whether the query is to be shown anew."""
    word, _, rest = command.partition(" ")
    if word == "e":
        session.reword(rest)
    elif command in _DECISIONS:
        decide, done = _DECISIONS[command]
        decide(session)
        if done:
            console.print(line((done, "green")))
    elif word == "a" and rest:
        session.answered(rest)
        console.print(line(("answer noted" if session.decision else "answer noted: now mark the evidence", "green")))
    elif _EVIDENCE.fullmatch(command):
        _label(session, command, console)
    elif (note := look_further(session, command)) is not None:
        if note:
            console.print(line((note, "dim")))
    elif command != "l":
        show_help(HELP, console)
        if command not in ("", "?"):
            raise UsageError(f"{one_line(command, 40)!r} is none of these")
    return word in ("e", "l")


def look_further(session: Session, command: str) -> str | None:
    """Show more passages where `command` asks for that, and say what came of it; None where it asks for something else."""
    if command.startswith("/"):
        numbers = session.search(command[1:])
        return f"found, best first: {', '.join(map(str, numbers))}" if numbers else "no passage has these words"
    if command == "m":
        return "" if session.more() else "that is all that the retrievers found; /words searches on"
    if beside := _BESIDE.fullmatch(command):
        return f"that is passage {session.beside(int(beside[2]), 1 if beside[1] == '>' else -1)}"
    return None


def _label(session: Session, marks: str, console: Console) -> None:
    if accepted := _ACCEPT.fullmatch(marks):
        groups = [[session.accept_proposal(int(accepted[1] or 1))]]
    else:
        groups = marked(session, marks)
        session.label(groups)
    for group in groups:
        for passage in group:
            _show_evidence(session, passage, console)


def _show_evidence(session: Session, passage: Span, console: Console) -> None:
    document = session.corpus.documents[passage.document]
    text = one_line(document.text[passage.start : passage.end], 10_000)
    shown = text if len(text) <= 60 else f"{text[:35]} … {text[-22:]}"
    where = f"{one_line(document.id, 30)}#{passage.start}-{passage.end}"
    console.print(line(("evidence ", "green"), f"{where}  ", (shown, "dim")))


def marked(session: Session, marks: str) -> list[list[Span]]:
    """What ``3:2-4 5|6`` marks: each group is required, what ``|`` parts are alternatives, what ``+`` joins is one piece.

    Raises `UsageError` for numbers that are not there, and for pieces joined that do not follow one another.
    """
    even = re.sub(r"\s*([|+])\s*", r"\1", marks.replace(",", " "))
    return [[_piece(session, piece) for piece in group.split("|")] for group in even.split()]


def _piece(session: Session, mark: str) -> Span:
    """What a mark without alternatives stands for, such as ``3:6+4:1-2``."""
    parts = sorted(_part(session, part) for part in mark.split("+"))
    for one, other in itertools.pairwise(parts):
        text = session.corpus.documents[one.document].text
        if one.document != other.document or text[one.end : other.start].strip():
            raise UsageError(f"{mark} joins what does not follow one another; with a space between, both are required")
    return Span(parts[0].document, parts[0].start, max(p.end for p in parts))


def _part(session: Session, mark: str) -> Span:
    """A passage, or sentences of one, such as ``3:2-4``."""
    match = _REFERENCE.fullmatch(mark)
    if match is None:
        raise UsageError(f"cannot read {one_line(mark, 40)!r}; write 3, 3:2 or 3:2-4")
    passage = session.passage(int(match[1]))
    if match[2] is None:
        return passage
    sentences = session.pool.sentences(passage)
    first, last = int(match[2]), int(match[3] or match[2])
    if not 1 <= first <= last <= len(sentences):
        raise UsageError(f"{mark}: passage {match[1]} has sentences 1 to {len(sentences)}")
    return Span(passage.document, sentences[first - 1].start, sentences[last - 1].end)


def show_help(commands: Sequence[tuple[str, str]], console: Console) -> None:
    """What can be typed, and what each command does."""
    table = Table.grid(padding=(0, 2))
    for command, means in commands:
        table.add_row(line((command, "bold")), line(means))
    console.print(Padding(table, (0, 0, 0, 1)))


def _heading(session: Session) -> Iterator[Rule | Text]:
    assert session.current is not None
    task, decision = session.task, session.decision
    where = f"query {session.current + 1} of {len(session.tasks)}, {session.decided} decided"
    yield Rule(line((where, "dim")), align="left", style="dim")
    yield line((task.query.text, "bold"))
    if task.draft is not None:
        yield line(("a draft in the document's own words: e puts it as a user would ask, s skips it", "dim"))
    if session.answer:
        yield line(("answer  ", "dim"), " or ".join([session.answer, *session.also]))
    if decision is not None:
        evidence = ", ".join(f"{one_line(label.doc_id, 30)}#{label.start}-{label.end}" for label in decision.evidence)
        yield line(("so far  ", "dim"), "unanswerable" if decision.unanswerable else evidence)


def _proposed(session: Session) -> Iterator[Text]:
    """Where the answer may stand: the text itself, and what to type to take it."""
    for n, proposal in enumerate(session.proposed, 1):
        where = session.corpus.documents[proposal.evidence.document]
        text = one_line(where.text[proposal.evidence.start : proposal.evidence.end], 160)
        says = "the answer stands here" if proposal.exact else "nearest to the answer's words"
        yield line((f"{'y' if n == 1 else f'y{n}':>2}  ", "bold green"), (f"{says}: ", "dim"), text)


def above(document: Document, start: int) -> str:
    """A document's title and the headings above a position, outermost first."""
    path = path_at(headings(document.text), [start])[0]
    return " › ".join(dict.fromkeys(name for name in (document.title, *path) if name and name != document.id))


def _show_passages(session: Session, console: Console, numbers: Sequence[int]) -> None:
    for number in numbers:
        passage = session.passage(number)
        document = session.corpus.documents[passage.document]
        copies = session.pool.copies(passage)
        same = f"  (the same text in {copies} more)" if copies else ""
        head = one_line(" › ".join(filter(None, (document.id, above(document, passage.start)))), console.width - 6 - len(same))
        console.print()
        console.print(line((f"{number:>2}  ", "bold cyan"), (head, "cyan"), (same, "dim")))
        table = Table.grid(padding=(0, 1))
        table.add_column(justify="right", style="dim", width=5)
        table.add_column(overflow="fold")
        for i, sentence in enumerate(session.pool.sentences(passage), 1):
            table.add_row(str(i), line(" ".join(document.text[sentence.start : sentence.end].split())))
        console.print(table)
    if numbers:
        console.print()


def terminal() -> Console:
    """Standard output, at most `WIDEST` columns wide."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    return console
