"""Labelling answers on a terminal: a question, its references, and the answers to it, one letter each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console, RenderableType
from rich.rule import Rule

from ragdiag.core.errors import UsageError
from ragdiag.label.answer_review import AnswerReview
from ragdiag.label.terminal import show_help
from ragdiag.reports.text import line, verbatim
from ragdiag.text.phrases import one_line

__all__ = ["review_answers"]

HELP = (
    ("r", "the answer is right: it says what a reference says, as the answer to the question"),
    ("w", "it is wrong, or declines; of several answers one letter each, in their order: rw"),
    ("e", "show the labelled evidence"),
    ("l", "show it all again"),
    ("s", "skip: nothing is said of this query"),
    ("b", "back to the query before; what you say then counts"),
    ("q", "quit; every decision is in the file already"),
)

LETTERS = {"r": True, "w": False}

LONGEST = 4000
"""Characters of an answer, or of evidence, that are shown."""


def review_answers(session: AnswerReview, read: Callable[[str], str], console: Console) -> None:
    """Ask query by query until none is left, the input ends, or the labeller quits, by Ctrl-C as well."""
    on_screen = None
    while session.current is not None:
        if on_screen != session.current:
            on_screen = session.current
            console.print(*_query(session), sep="\n")
        try:
            command = read("> ").strip().lower()
        except (EOFError, KeyboardInterrupt):  # what was said is kept
            console.print()
            return
        if command == "q":
            return
        try:
            if _obey(session, command, console):
                on_screen = None
        except UsageError as e:
            console.print(line((str(e), "yellow")))


def _obey(session: AnswerReview, command: str, console: Console) -> bool:
    """Do what the labeller says; whether the query is to be shown anew."""
    if command and set(command.replace(" ", "")) <= set(LETTERS):
        session.decide([LETTERS[letter] for letter in command.replace(" ", "")])
    elif command in ("s", "b"):
        (session.skip if command == "s" else session.back)()
        return True
    elif command == "e":
        for label in session.query.evidence:
            console.print(line(("evidence  ", "dim"), (one_line(label.text or label.doc_id, LONGEST), "dim")))
        if not session.query.evidence:
            console.print(line(("no passage is labelled", "dim")))
    elif command != "l":
        show_help(HELP, console)
        if command not in ("", "?"):
            raise UsageError(f"{one_line(command, 40)!r} is none of these")
    return command == "l"


def _query(session: AnswerReview) -> Iterator[RenderableType]:
    query, shown = session.query, session.shown
    yield Rule(line((f"{len(session.decided) + 1} of {session.most}", "dim")), align="left", style="dim")
    yield line((query.text, "bold"))
    yield line(("reference  ", "dim"), one_line(" or ".join([*query.answers, *query.acceptable]) or "none is given", LONGEST))
    for n, answer in enumerate(shown, 1):
        yield line((f"answer {n}" if len(shown) > 1 else "answer", "dim"))
        yield verbatim(answer.text[:LONGEST]) if answer.text.strip() else line(("nothing", "dim"))
