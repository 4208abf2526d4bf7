"""Labelling on a terminal: a query, its passages with numbered sentences, one line of answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Document
from ragdiag.label.pooling import Passage
from ragdiag.label.session import Session
from ragdiag.reports.text import line
from ragdiag.text.headings import headings, path_at
from ragdiag.text.phrases import one_line

__all__ = ["above", "ask_all", "marked", "terminal"]

WIDEST = 100
"""Columns that are used at most: longer lines are hard to read."""

HELP = (
    ("3", "passage 3 is the evidence"),
    ("3:2-4", "sentences 2 to 4 of it are; 3:2 the second"),
    ("3 5", "both are needed"),
    ("3|5", "either will do"),
    ("3:6+4:1-2", "one piece that goes on from one passage into the next"),
    ("m", "more passages"),
    ("/words", "search all documents for words, or for a phrase as it stands"),
    (">3  <3", "the passage after, or before, passage 3"),
    ("l", "show it all again"),
    ("a text", "the answer that is expected (before you mark the evidence)"),
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
_MARKS = re.compile(r"[\d:\-+|\s,]*\d[\d:\-+|\s,]*")


def ask_all(session: Session, read: Callable[[str], str], console: Console) -> None:
    """Ask query by query until none is left, or `read` raises `EOFError`, or the labeller quits."""
    asked, seen = None, 0
    while session.current is not None:
        if asked != session.current:
            asked, seen = session.current, 0
            console.print(*_heading(session), sep="\n")
        _show_passages(session, console, range(seen + 1, len(session.shown) + 1))
        seen = len(session.shown)
        try:
            given = read("> ").strip()
        except EOFError:
            return
        if given == "q":
            return
        try:
            if _obey(session, given, console) or given.startswith("e "):
                asked = None
        except UsageError as e:
            console.print(line((str(e), "yellow")))


def _obey(session: Session, given: str, console: Console) -> bool:
    """Do what the labeller says; whether the query is to be shown anew."""
    word, _, rest = given.partition(" ")
    simple = {"u": session.unanswerable, "s": session.skip, "b": session.back}
    if given.startswith("/"):
        numbers = session.search(given[1:])
        found = f"found, best first: {', '.join(map(str, numbers))}" if numbers else "no passage has these words"
        console.print(line((found, "dim")))
    elif given in simple:
        simple[given]()
        if given == "u":
            console.print(line(("unanswerable", "green")))
    elif given == "m":
        if not session.more():
            console.print(line(("that is all that the retrievers found; /words searches on", "dim")))
    elif given == "l":
        return True
    elif given == "x":
        session.withdraw()
        console.print(line(("taken back", "green")))
    elif word == "a" and rest:
        session.answered(rest)
        console.print(line(("answer noted" if session.decision else "answer noted: now mark the evidence", "green")))
    elif word == "e":
        session.reword(rest)
    elif beside := _BESIDE.fullmatch(given):
        console.print(line((f"that is passage {session.beside(int(beside[2]), 1 if beside[1] == '>' else -1)}", "dim")))
    elif _MARKS.fullmatch(given):
        _label(session, given, console)
    else:
        _help(console)
        if given not in ("", "?"):
            raise UsageError(f"{one_line(given, 40)!r} is none of these")
    return False


def _label(session: Session, given: str, console: Console) -> None:
    groups = marked(session, given)
    session.label(groups)
    for group in groups:
        for passage in group:
            document = session.corpus.documents[passage.document]
            text = one_line(document.text[passage.start : passage.end], 10_000)
            shown = text if len(text) <= 60 else f"{text[:35]} … {text[-22:]}"
            where = f"{one_line(document.id, 30)}#{passage.start}-{passage.end}"
            console.print(line(("evidence ", "green"), f"{where}  ", (shown, "dim")))


def marked(session: Session, given: str) -> list[list[Passage]]:
    """What ``3:2-4 5|6`` marks: each group is required, what ``|`` parts are alternatives, what ``+`` joins is one piece.

    Raises `UsageError` for numbers that are not there, and for pieces joined that do not follow one another.
    """
    even = re.sub(r"\s*([|+])\s*", r"\1", given.replace(",", " "))
    return [[_piece(session, each) for each in group.split("|")] for group in even.split()]


def _piece(session: Session, given: str) -> Passage:
    parts = sorted(_part(session, each) for each in given.split("+"))
    for one, other in itertools.pairwise(parts):
        text = session.corpus.documents[one.document].text
        if one.document != other.document or text[one.end : other.start].strip():
            raise UsageError(f"{given} joins what does not follow one another; with a space between, both are required")
    return Passage(parts[0].document, parts[0].start, max(p.end for p in parts))


def _part(session: Session, given: str) -> Passage:
    match = _REFERENCE.fullmatch(given)
    if match is None:
        raise UsageError(f"cannot read {one_line(given, 40)!r}; write 3, 3:2 or 3:2-4")
    passage = session.passage(int(match[1]))
    if match[2] is None:
        return passage
    sentences = session.pool.sentences(passage)
    first, last = int(match[2]), int(match[3] or match[2])
    if not 1 <= first <= last <= len(sentences):
        raise UsageError(f"{given}: passage {match[1]} has sentences 1 to {len(sentences)}")
    return Passage(passage.document, sentences[first - 1].start, sentences[last - 1].end)


def _help(console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    for command, means in HELP:
        table.add_row(line((command, "bold")), line(means))
    console.print(Padding(table, (0, 0, 0, 1)))


def _heading(session: Session) -> Iterator[Rule | Text]:
    assert session.current is not None
    task, said = session.task, session.decision
    where = f"query {session.current + 1} of {len(session.tasks)}, {session.decided} decided"
    yield Rule(line((where, "dim")), align="left", style="dim")
    yield line((task.query.text, "bold"))
    if task.draft is not None:
        yield line(("a draft in the document's own words: e puts it as a user would ask, s skips it", "dim"))
    if session.answer:
        yield line(("answer  ", "dim"), " or ".join([session.answer, *session.also]))
    if said is not None:
        where = ", ".join(f"{one_line(e.doc_id, 30)}#{e.start}-{e.end}" for e in said.evidence)
        yield line(("so far  ", "dim"), "unanswerable" if said.unanswerable else where)


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
