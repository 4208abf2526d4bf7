"""A session of labelling answers: one query at a time, each of its answers right or wrong, blind to condition and judge."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.answering.drawing import drawn, reach
from ragdiag.answering.people import Mark, load_marks, mark_line
from ragdiag.answering.said import Said
from ragdiag.answering.verdict import Litmus
from ragdiag.core.appending import append, cut_or_ended, open_to_append, unfinished
from ragdiag.core.conditions import ORACLE, RETRIEVED
from ragdiag.core.errors import UsageError
from ragdiag.core.records import Query
from ragdiag.core.reviews import place_in_draw
from ragdiag.core.writing import check_writable, json_lines
from ragdiag.text.phrases import counted

__all__ = ["AnswerReview", "Shown", "begin"]

TWO = "one letter for each, such as rw"

START = b'{"query_id": '
"""How every line of a file of labels starts: a last line without an end is touched only where it is one of ours."""

AGAIN = "again"
"""The way to draw what others labelled and this person has not."""


def begin(file: Path) -> None:
    """See that decisions can be kept in `file`, which is made where it is not there. Raises `UsageError` where they cannot.

    What a killed session wrote half of is cut off: it was never said to be kept.
    """
    check_writable(file)
    _append(file, b"")
    end, last = unfinished(file)
    try:
        if last and START.startswith(last[: len(START)]):
            cut_or_ended(file, *((end, b"") if not _is_whole(last) else (end + len(last), b"\n")))
    except OSError as e:
        raise _unwritable(file, e) from e


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _append(file: Path, data: bytes) -> None:
    try:
        with os.fdopen(open_to_append(file), "ab", buffering=0) as kept:
            append(kept.fileno(), data)
    except OSError as e:
        raise _unwritable(file, e) from e


def _unwritable(file: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write {file}: {error.strerror or error}; name another file, or mend its permissions")


class Shown(NamedTuple):
    """An answer as it is shown; under which conditions it was given, and what the judge says of it, is not."""

    text: str
    conditions: tuple[str, ...]
    judged: bool | None


class AnswerReview:
    """Asks about the answers of `most` queries, and keeps each decision in `file` as it comes.

    `litmus` is what is known before; `by` names the person, `way` how queries are drawn: "doubt", "random" (see `drawing`), or
    "again". Raises `UsageError` where `file` cannot be written, and where nothing is left to draw.
    """

    def __init__(self, litmus: Litmus, file: Path, by: str = "", way: str = "doubt", most: int = 20) -> None:
        begin(file)
        self.file, self.by, self.way, self.most = file, by, way, most
        self.decided: dict[int, list[bool]] = {}
        self.litmus, self.queries = litmus, litmus.queries
        self._of_query = self._answers()
        self._marks = {key: dict(own) for key, own in load_marks([file]).of.items()}
        self._label = litmus.said.label.copy()
        self._passed: list[int] = []  # in the order of asking, for going back
        self.skipped: set[int] = set()
        self.most = min(most, len(self._order(len(self.queries))))
        self.current = self._next()
        if self.current is None:
            raise UsageError(self._nothing_left())

    def _nothing_left(self) -> str:
        if self.way == AGAIN:
            return "others labelled no answer that this person has not; give another --reviewer, or draw new ones"
        return "no query is left to draw: each has a label, or no answer that the judge spoke of"

    def _answers(self) -> dict[int, list[Shown]]:
        """By query the different answers that the verdict is about, in an order that tells nothing."""
        by_text: dict[tuple[int, str], tuple[list[str], list[bool | None]]] = {}
        for judgement, answer in zip(self.litmus.judgements, self.litmus.answers, strict=True):
            if answer.condition in (RETRIEVED, ORACLE) and not answer.failed:
                conditions, judged = by_text.setdefault((judgement.query, answer.answer), ([], []))
                conditions.append(answer.condition)
                judged.append(judgement.judged)
        of_query: dict[int, list[Shown]] = {}
        for (q, text), (conditions, judged) in by_text.items():
            of_query.setdefault(q, []).append(Shown(text, tuple(dict.fromkeys(conditions)), judged[0]))
        for q, shown in of_query.items():
            shown.sort(key=lambda one: place_in_draw(self.litmus.seed, f"{self.queries[q].id} {one.text}"))
        return of_query

    def _next(self) -> int | None:
        """The next query to ask about; None once enough were."""
        if len(self.decided) >= self.most:
            return None
        open_ = (
            q for q in self._order(len(self.decided) + len(self.skipped) + 1) if q not in self.decided and q not in self.skipped
        )
        return next(open_, None)

    def _order(self, most: int) -> Sequence[int]:
        """The next queries to ask about, as far as is known now."""
        if self.way == AGAIN:
            by_others = [q for q, shown in self._of_query.items() if self._others(q, shown)]
            return sorted(by_others, key=lambda q: place_in_draw(self.litmus.seed, self.queries[q].id))
        said = Said(self._label, self.litmus.said.judged)
        order = drawn(said, [query.id for query in self.queries], self.way, self.litmus.seed)
        return list(itertools.islice(order, most))

    def _others(self, q: int, shown: Sequence[Shown]) -> bool:
        """Whether somebody else labelled an answer to a query, and this person did not."""
        people = {by for one in shown for c in one.conditions for by in self._marks.get((self.queries[q].id, c, one.text), ())}
        return bool(people - {self.by}) and self.by not in people

    @property
    def query(self) -> Query:
        """What is asked about now. Raises `UsageError` where nothing is left."""
        if self.current is None:
            raise UsageError("nothing is left to ask")
        return self.queries[self.current]

    @property
    def shown(self) -> list[Shown]:
        """The answers to it."""
        return [] if self.current is None else self._of_query[self.current]

    def decide(self, right: Sequence[bool]) -> None:
        """Whether each answer shown is right; then the next query is asked about. Raises `UsageError` for another number."""
        if self.current is None or len(right) != len(self.shown):
            raise UsageError(
                "there is one answer: r or w" if len(self.shown) == 1 else f"there are {len(self.shown)} answers: {TWO}"
            )
        q, drawn_by = self.current, "" if self.way == AGAIN else self.way
        lines = []
        for shown, correct in zip(self.shown, right, strict=True):
            for condition in shown.conditions:
                key, mark = (self.queries[q].id, condition, shown.text), Mark(correct, self.by, drawn_by, shown.judged)
                self._marks.setdefault(key, {})[self.by] = mark
                lines.append(mark_line(key, mark))
        _append(self.file, json_lines(lines))
        self.decided[q] = list(right)
        self.skipped.discard(q)
        self._note(q)
        self._forward(q)

    def _note(self, q: int) -> None:
        """What is known now of a query's answers, for drawing the next."""
        for column, condition in enumerate((RETRIEVED, ORACLE)):
            pairs = zip(self._of_query[q], self.decided[q], strict=True)
            votes = [right for shown, right in pairs if condition in shown.conditions]
            self._label[q, column] = np.nan if not votes else float(2 * sum(votes) >= len(votes))

    def skip(self) -> None:
        """Go on without saying anything of this query."""
        if self.current is not None:
            self.skipped.add(self.current)
            self._forward(self.current)

    def _forward(self, q: int) -> None:
        self._passed.append(q)
        self.current = self._next()

    def back(self) -> None:
        """Ask about the query before once more; what is said then counts. Raises `UsageError` at the first."""
        if not self._passed:
            raise UsageError("this is the first")
        self.current = self._passed.pop()
        self.skipped.discard(self.current)
        self.decided.pop(self.current, None)

    def accepted(self) -> dict[str, list[str]]:
        """By query the answers that a person called right and no reference is, of all in the file."""
        accepted: dict[str, list[str]] = {}
        known = {query.id: {*query.answers, *query.acceptable} for query in self.queries}
        for (query_id, _, text), own in self._marks.items():
            votes = [mark.correct for mark in own.values()]
            if 2 * sum(votes) > len(votes) and text not in known.get(query_id, {text}):
                accepted.setdefault(query_id, [])
                if text not in accepted[query_id]:
                    accepted[query_id].append(text)
        return accepted

    def opening(self) -> str:
        """How well the share is known, and how much better it would be known after this session."""
        said, ids, seed = self.litmus.said, [query.id for query in self.queries], self.litmus.seed
        size = f"{counted(self.most, 'quer', 'y')}, about {counted(max(self.most // 2, 1), 'minute')}"
        then = None if self.way == AGAIN else reach(said, self.most, self.way, ids, seed)
        if then is None:
            return size
        known = f"the share of failures that perfect context fixes to about {100 * then:.0f} points to either side"
        if self.litmus.verdict.errors != "corrected":
            return f"{size}, would tell, with the judge's errors,\n{known}"
        now = reach(said, 0, self.way, ids, seed) or then
        return f"{size}, would tell\n{known}; now it is known to about {100 * now:.0f}"
