"""Which questions to label next: a random sample of those that two configurations hand over different contexts for.

Never those first on which they differ most: a choice by the size of a difference makes the difference look larger than it is.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Group, RenderableType

from ragdiag.core.drawn import DRAWN, DrawnBetween, drawn_between, pipelines_of
from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Query
from ragdiag.core.registry import make
from ragdiag.core.reviews import place_in_draw
from ragdiag.core.writing import real
from ragdiag.label.between import Between, name_of, read_between
from ragdiag.label.decisions import DecisionFile
from ragdiag.label.differing import Searched, searched
from ragdiag.label.pooling import Pool, with_defaults
from ragdiag.label.session import Session, Task
from ragdiag.label.setup import check_same, questions, stale
from ragdiag.label.summary import unreferenced
from ragdiag.pipeline import inputs_of
from ragdiag.reports.text import line, verbatim
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate
from ragdiag.text.phrases import counted

__all__ = ["Drawing", "drawn_text", "open_drawing", "opening"]


class Sample(NamedTuple):
    """The draw, the two configurations, and how many labelled queries from all questions would tell; None: not known."""

    draw: DrawnBetween
    two: tuple[Options, Options]
    enough: int | None


class Drawing(Session):
    """Asks the questions of a draw in its order, so that whoever stops has labelled a random sample."""

    def __init__(self, pool: Pool, tasks: Sequence[Task], file: DecisionFile, stale: set[str], sample: Sample) -> None:
        self.sample = sample
        super().__init__(pool, tasks, file, stale)

    def _order(self) -> list[int]:
        return list(range(len(self.tasks)))  # what was skipped is part of the sample, so it comes first the next time


def open_drawing(
    corpus_path: str | Path,
    queries_path: str | Path,
    between: Sequence[str],
    out: str | Path,
    retrievers: Sequence[str] = (),
    cache: str | Path | None = "",
    progress: Progress = no_progress,
    keep: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> tuple[Drawing, list[str]]:
    """A session that asks only what tells two configurations apart, and notes; `between` is as `read_between` takes it.

    Passages are found by the retrievers of both, beside the usual ones, unless `retrievers` are named. Raises `UsageError` where
    there is nothing to ask or `out` is an input, `InputError` for a file that is broken, or has labels that were not drawn so.
    """
    for spec in retrievers:
        make("retrievers", spec)  # a misspelt one should cost no time
    path = Path(out)
    if real(path) in map(real, (corpus_path, queries_path, *between)):
        raise UsageError(f"--out {out} would overwrite an input; choose another file")
    two = read_between(between, Options(cache=cache, keep=tuple(keep), exclude=tuple(exclude)))
    file = DecisionFile(path)
    every = questions(Path(queries_path), file.queries)
    asked = [query for query in every if not _is_labelled(query)]
    if not asked:
        raise UsageError(f"all queries of {queries_path} are labelled already: give further questions")
    corpus = load_corpus(corpus_path, progress, keep, exclude)
    found = searched(two.two, corpus, asked, progress, two.sized)
    draw = _draw(two, found, pipelines_of(found.signatures, inputs_of(corpus, locate(asked, corpus))))
    tasks = _tasks(asked, found, draw)
    _check_drawn(file, draw)
    check_same(tasks, file)
    notes = list(corpus.notes)
    if len(asked) < len(every):
        notes.append(f"{counted(len(every) - len(asked), 'quer', 'y')} labelled already: not among the questions drawn from")
    old = stale(file, corpus, notes)
    pool = Pool(corpus, retrievers or with_defaults([options.retriever for options in two.two]), cache, progress)
    return Drawing(pool, tasks, file, old, Sample(draw, found.options, two.enough)), notes


def _is_labelled(query: Query) -> bool:
    return bool(query.evidence or query.relevant or query.unanswerable)


def _draw(between: Between, found: Searched, pipelines: str) -> DrawnBetween:
    """Raises `UsageError` where no question gets different contexts."""
    one, other = found.options
    names = name_of(one), name_of(other)
    of, differ = len(found.differ), int(found.differ.sum())
    if not differ:
        every = counted(of, "question")
        raise UsageError(f"{' and '.join(names)} hand over the same context for all of {every}: no label can tell them apart")
    return DrawnBetween(names, one.k, one.budget, of, differ, between.seed, pipelines)


def _tasks(asked: Sequence[Query], found: Searched, draw: DrawnBetween) -> list[Task]:
    """The questions that get different contexts, in the order of the draw; their labels say that they were drawn so."""
    differing = [asked[i] for i in np.flatnonzero(found.differ).tolist()]
    differing.sort(key=lambda query: place_in_draw(draw.seed, query.id))
    return [Task(dataclasses.replace(each, metadata={**each.metadata, DRAWN: draw.record()})) for each in differing]


def _check_drawn(file: DecisionFile, draw: DrawnBetween) -> None:
    """Raise `InputError` where the file has a label that is not of this draw: together they are no sample."""
    for query in file.queries.values():
        other = drawn_between(dataclasses.replace(query, file=str(file.path)))
        if other != draw:
            how = f"was drawn otherwise, from {other.differ} of {other.of} questions" if other else "was not drawn"
            remedy = "name another file with --out: what was not drawn alike is no one sample"
            raise InputError(f"query {query.id!r} {how}", file.path, query.line, remedy)


def opening(session: Drawing) -> str:
    """What the first screen says: how many questions can tell, and how much labelling that saves."""
    draw, _, enough = session.sample
    asked = f"{draw.differ:,} of {counted(draw.of, 'question')} get different contexts from the two"
    others = "the others cannot tell them apart" if draw.differ < draw.of else "so each label can tell them apart"
    lines = [f"{draw.names}:", f"{asked}; {others}"]
    if enough:
        here = f"about {max(round(enough * draw.share), 1):,} labelled here would tell"
        few = "" if enough * draw.share <= draw.differ else ", more than there are"
        lines.append(f"{here}{few}, where {enough:,} drawn from all questions would")
    elif draw.differ < draw.of:
        lines.append(f"ten labelled here tell as much of the difference as {10 / draw.share:,.0f} drawn from all questions")
    return "\n".join(lines)


def drawn_text(session: Drawing, corpus: str, out: str) -> RenderableType:
    """What the session came to, and the command that makes a difference over all questions of it."""
    counts, draw = session.summary(), session.sample.draw
    labelled = (
        f"{counts.labelled} labelled, {counts.unanswerable} unanswerable; {counts.undecided} of {draw.differ:,} drawn are left"
    )
    parts: list[RenderableType] = [line((labelled, "bold"), f", {counts.skipped} of them skipped")]
    if counts.labelled or counts.unanswerable:
        parts.append(line("a random sample of the questions on which the two differ: shares of it say nothing of all questions"))
    if lacking := unreferenced(counts):
        parts.append(line((lacking, "yellow"), f'; write "answer": "..." on their lines of {out}'))
    if counts.labelled:
        parts.append(verbatim(f"next: ragdiag compare {corpus} {out} {' '.join(_compared(session.sample))}"))
    return Group(*parts)


def _compared(sample: Sample) -> Iterator[str]:
    """The options of a comparison of the two, which takes the size of contexts from the labels."""
    for flag in ("chunker", "context", "retriever"):
        for spec in dict.fromkeys(getattr(options, flag) for options in sample.two):
            if (flag, spec) != ("context", "none") or len({options.context for options in sample.two}) > 1:
                yield f"--{flag} {shlex.quote(spec)}"
    for flag, values in (("keep", sample.two[0].keep), ("exclude", sample.two[0].exclude)):
        yield from (f"--{flag} {shlex.quote(value)}" for value in values)
