"""What people say of answers: labels by several people, what most say, and how far they agree."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ragdiag.answering.drawing import WAYS
from ragdiag.core.conditions import CONDITIONS
from ragdiag.core.errors import InputError, did_you_mean
from ragdiag.core.files import field, stream_jsonl
from ragdiag.core.records import Answer
from ragdiag.sources.fields import Fields

__all__ = ["Mark", "Marks", "People", "load_marks", "mark_line", "marked", "otherwise_judged"]

FIELDS = ("query_id", "condition", "answer", "correct", "by", "drawn", "judged")

REMEDY = "give a file that litmus --review wrote, or lines with these fields"

Key = tuple[str, str, str]
"""The id of a query, a condition, and the text of an answer."""


class Mark(NamedTuple):
    """What one person, `by`, says of an answer. `drawn` is how its query was drawn, "" where a person chose it; `judged` what the
    judge said of it then."""

    correct: bool
    by: str = ""
    drawn: str = ""
    judged: bool | None = None


class Marks(NamedTuple):
    """By answer what people say of it, one mark a person: the last of each counts."""

    of: Mapping[Key, Mapping[str, Mark]]

    @property
    def by_doubt(self) -> bool:
        """Whether any query was drawn by doubt, so that labels are random only among answers that the judge says the same of."""
        return any(mark.drawn == "doubt" for own in self.of.values() for mark in own.values())

    def votes(self, answer: Answer) -> list[bool]:
        """What people say of an answer, its own line's label among them."""
        own = self.of.get((answer.query_id, answer.condition, answer.answer), {})
        recorded = [] if answer.correct is None else [answer.correct]
        return [*recorded, *(mark.correct for mark in own.values())]

    def judged(self, answer: Answer) -> set[bool]:
        """What the judge said of an answer when it was drawn."""
        own = self.of.get((answer.query_id, answer.condition, answer.answer), {})
        return {mark.judged for mark in own.values() if mark.drawn and mark.judged is not None}


class People(NamedTuple):
    """How far people agree about the `n` answers that several labelled.

    `alpha` is Krippendorff's (None where all labels are the same), `tied` how many answers as many call right as wrong, which so
    have no label. `unknown` counts marks of answers that are not among those given.
    """

    n: int = 0
    agree: float | None = None
    alpha: float | None = None
    tied: int = 0
    unknown: int = 0


def load_marks(files: Iterable[str | Path]) -> Marks:
    """The marks in files of labels. Raises `InputError` with file and line."""
    of: dict[Key, dict[str, Mark]] = defaultdict(dict)
    for path in map(Path, files):
        with Fields(path) as fields:
            for line, _, record in stream_jsonl(path):
                fields.look(record, FIELDS, line)
                key, mark = _mark(record, path, line)
                of[key][mark.by] = mark
    return Marks(of)


def _mark(record: dict[str, object], path: Path, line: int) -> tuple[Key, Mark]:
    texts = [str(field(record, (name,), (str, int), path, line)) for name in ("query_id", "condition", "answer")]
    if texts[1] not in CONDITIONS:
        raise InputError(f"unknown condition {texts[1]!r}{did_you_mean(texts[1], CONDITIONS)}", path, line, REMEDY)
    correct = field(record, ("correct",), bool, path, line)
    by, drawn, judged = record.get("by") or "", record.get("drawn") or "", record.get("judged")
    if not isinstance(by, str) or drawn not in ("", *WAYS) or not isinstance(judged, (bool, type(None))):
        raise InputError("'by' must be a name, 'drawn' random or doubt, 'judged' true or false", path, line, REMEDY)
    return (texts[0], texts[1], texts[2]), Mark(correct, by, drawn, judged)


def mark_line(key: Key, mark: Mark) -> dict[str, object]:
    """A mark as a line of a file."""
    names = dict(zip(("query_id", "condition", "answer"), key, strict=True))
    return {**names, **{name: value for name, value in mark._asdict().items() if value not in ("", None)}}


def marked(answers: Sequence[Answer], marks: Marks) -> tuple[tuple[Answer, ...], People]:
    """The answers with what most people say of each as their label, and how far people agree.

    An answer that as many call right as wrong has none.
    """
    votes = [marks.votes(answer) for answer in answers]
    labelled = tuple(
        replace(answer, correct=_majority(own)) if own and not answer.failed else answer
        for answer, own in zip(answers, votes, strict=True)
    )
    known = {(answer.query_id, answer.condition, answer.answer) for answer in answers}
    return labelled, _agreement([own for own in votes if len(own) > 1])._replace(unknown=len(set(marks.of) - known))


def _agreement(several: Sequence[Sequence[bool]]) -> People:
    """How far people agree, by the labels of each answer that has several."""
    pairs = [(a, b) for own in several for a, b in itertools.combinations(own, 2)]
    agree = sum(a == b for a, b in pairs) / len(pairs) if pairs else None
    return People(len(several), agree, alpha(several), sum(_majority(own) is None for own in several))


def _majority(votes: Sequence[bool]) -> bool | None:
    right = sum(votes)
    return None if 2 * right == len(votes) else 2 * right > len(votes)


def alpha(units: Iterable[Sequence[bool]]) -> float | None:
    """Krippendorff's alpha for two values, of units that have two labels or more; None where every label is the same.

    One less the disagreement that was seen over that expected of labels shared out by chance (Krippendorff 2004, "Content
    Analysis", chapter 11).
    """
    counts, seen = Counter[bool](), 0.0
    for votes in units:
        counts.update(votes)
        seen += 2 * sum(votes) * (len(votes) - sum(votes)) / (len(votes) - 1)
    n, right = counts.total(), counts[True]
    expected = 2 * right * (n - right) / (n - 1) if n > 1 else 0.0
    return 1 - seen / expected if expected else None


def otherwise_judged(marks: Marks, judged: Iterable[tuple[Answer, bool | None]]) -> int:
    """Of how many answers the judge says something else than when they were drawn."""
    return sum(opinion not in then for answer, opinion in judged if opinion is not None and (then := marks.judged(answer)))
