"""Which labelled query each recorded question is, and its ranking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ragdiag.core.errors import InputError
from ragdiag.core.records import Query, StoredChunk
from ragdiag.search.runs import Ranking, Rankings
from ragdiag.search.traces.cutting import with_cuts
from ragdiag.search.traces.stages import Staging, without_idle
from ragdiag.search.traces.steps import LLM, RETRIEVER, Step, Tree
from ragdiag.text.normal import normal

__all__ = ["rankings_of"]

LENGTH_LIMIT = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
"""Where OpenTelemetry is told how long an attribute may be."""

SHOWN = 60
"""Characters shown of a question."""


def rankings_of(steps: Sequence[Step], queries: Sequence[Query], part: bool = False) -> Rankings:
    """A ranking for each query that was asked: of several times the last.

    Raises `InputError` where the trace has no search at all, and where it has none of `queries`, unless these are only a `part`.
    """
    _check_searches(steps)
    once = list({_key(step): step for step in steps}.values())
    marked, limit = with_cuts(once)
    tree = Tree(marked)
    questions = _Questions(tree, queries)
    if not questions.asked and not part:
        raise _none_asked(tree, questions.others)
    staging = Staging(tree, limit)
    last = {query: asked[-1] for query, asked in questions.asked.items()}
    held = without_idle({query: staging.of(question) for query, question in last.items()})
    staged = any(len(stages) > 1 for stages in held.values() if stages)
    rankings = [_ranking(query, question, held[query], staged) for query, question in last.items()]
    counts = _counts(once, questions, tree) + staging.counts
    counts["steps stand several times in the trace: each is taken once, as it stands last"] = len(steps) - len(once)
    notes = [f"{n} {what}" for what, n in counts.items() if n]
    cut = f"no text of the trace is longer than {limit} characters, as several are: the tracer has a limit ({LENGTH_LIMIT})"
    return Rankings(rankings, (*notes, *([cut] if limit else [])))


def _check_searches(steps: Sequence[Step]) -> None:
    """Raise `InputError` where no step is a search."""
    if not any(step.searches for step in steps):
        message = f"is a trace of {len(steps)} steps, none of which is a search"
        remedy = "record the retriever as one: span kind RETRIEVER, type RETRIEVER, run_type retriever"
        raise InputError(message, steps[0].file, remedy=remedy)


def _none_asked(tree: Tree, others: int) -> InputError:
    """For a trace of other questions."""
    first = next((text for step in tree.steps for text in step.asked if step.kind != LLM), "")
    message = f"none of its {others} questions is in the query set (the first is {_shown(first)!r})"
    return InputError(message, tree.steps[0].file, remedy="give the trace of these queries, or record query_id in its metadata")


def _counts(steps: Sequence[Step], questions: _Questions, tree: Tree) -> Counter[str]:
    """What a reader should know of how questions were found, in words that follow a number."""
    last = [asked[-1] for asked in questions.asked.values()]
    lost = [any(step.lost for step in (question, *tree.below(question)) if step.searches) for question in last]
    return Counter(
        {
            "steps have no time: all are taken in the order of the file": sum(step.time is None for step in steps),
            "questions of the trace are not in the query set: left out": questions.others,
            "queries were asked several times: the last counts": sum(len(asked) > 1 for asked in questions.asked.values()),
            "queries have searches that lost attributes to a limit: documents may be missing": sum(lost),
        }
    )


def _shown(text: str) -> str:
    return " ".join(text.split())[:SHOWN]


def _ranking(query: str, question: Step, stages: Mapping[str, tuple[StoredChunk, ...]] | None, staged: bool) -> Ranking:
    """The ranking of a query, which has stages where any has; one that failed has none."""
    if stages is None:
        return Ranking(query, (), (), True, str(question.file), question.line)
    if staged:
        return Ranking.of_stages(query, stages, str(question.file), question.line)
    chunks = stages["found"]
    scores = tuple(0.0 - n for n in range(len(chunks)))
    return Ranking(query, chunks, scores, False, str(question.file), question.line, listed=True)


class _Labelled(NamedTuple):
    """The labelled queries by what a trace may say of them."""

    ids: frozenset[str]
    by_text: Mapping[str, tuple[str, ...]]

    def of(self, step: Step) -> tuple[str, ...]:
        """The queries that a step is about: by ``query_id``, by its text, or by the session's name."""
        if step.kind == LLM:
            return ()
        if step.query_id in self.ids:
            return (step.query_id,)
        by_text = next((found for text in step.asked if (found := self.by_text.get(_even(text)))), ())
        return by_text or ((step.session,) if step.session in self.ids else ())


def _even(text: str) -> str:
    """A text however its white space, quotes and dashes are typed."""
    return " ".join(normal(text).split())


class _Questions:
    """The steps that are questions, by the queries that they ask, in time order; and how many `others` there are."""

    def __init__(self, tree: Tree, queries: Sequence[Query]) -> None:
        by_text: dict[str, tuple[str, ...]] = {}
        for query in queries:
            if even := _even(query.text):
                by_text[even] = (*by_text.get(even, ()), query.id)
        self._tree, self._labelled = tree, _Labelled(frozenset(query.id for query in queries), by_text)
        self._of = {_key(step): found for step in tree.steps if (found := self._topmost(step))}
        wholes: dict[tuple[str, str], tuple[Step, tuple[str, ...]]] = {}
        for step in tree.steps:
            if own := self._of.get(_key(step)):
                whole = self._whole(step, own)
                wholes.setdefault(_key(whole), (whole, own))
        self.asked: dict[str, list[Step]] = {}
        for whole, own in wholes.values():
            for name in own:
                self.asked.setdefault(name, []).append(whole)
        self.others = len(set(self._unknown(wholes)))

    def _topmost(self, step: Step) -> tuple[str, ...]:
        """The queries that a step asks, which is a part of no other step that asks one."""
        if not (found := self._labelled.of(step)):
            return ()
        outer = self._tree.path(step)[:-1]
        return () if any(each.kind == LLM or self._labelled.of(each) for each in outer) else found

    def _whole(self, step: Step, found: tuple[str, ...]) -> Step:
        """The outermost step that has no other query in it: it need not say what was asked, and may search for more words."""
        for outer in reversed(self._tree.path(step)[:-1]):
            if any(self._of.get(_key(part), found) != found for part in self._tree.below(outer)):
                break
            step = outer
        return step

    def _unknown(self, wholes: Mapping[tuple[str, str], object]) -> Iterator[tuple[str, str]]:
        """The outermost steps round searches that are of no query."""
        for step in self._tree.steps:
            if step.kind == RETRIEVER:
                path = self._tree.path(step)
                if not any(_key(each) in wholes for each in path):
                    yield _key(path[0])


def _key(step: Step) -> tuple[str, str]:
    return step.trace, step.id
