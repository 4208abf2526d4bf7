"""A session of labelling: which query is asked, what is shown for it, what is decided. How that looks is the surfaces' business.

A decision is in the file before the next query is asked, so that a session may stop anywhere and go on later.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Corpus, Query, Span
from ragdiag.label.decisions import DecisionFile, expected, record
from ragdiag.label.labelled import Labelled, summed_up
from ragdiag.label.pooling import Pool, distinct
from ragdiag.label.proposing import Proposal, proposals
from ragdiag.sources.queries.own import ANSWERS
from ragdiag.text.normal import folded

__all__ = ["ENOUGH", "Session", "Shown", "Task"]

FIRST, ENOUGH = 5, 10
"""Passages shown at first and each time that more are asked for; those to have seen before a query is called unanswerable."""

Found = Literal["answer", "draft", "context", "pool", "search", "beside"]


class Task(NamedTuple):
    """A query to label; `draft` is where the corpus itself answers it, for a query that the corpus asks."""

    query: Query
    draft: Span | None = None


class Shown(NamedTuple):
    """A passage on the screen and how it came there. What found it is for the file, not for the labeller's eyes."""

    passage: Span
    found: Found


class Session:
    """Asks each of `tasks` that `file` has no label for, from behind the last one that it has, and once more what was skipped.

    `stale` are the ids of labels in the file that no longer fit the corpus: asked like those that are not there. Methods raise
    `UsageError` for what cannot be done; nothing has changed then.
    """

    def __init__(self, pool: Pool, tasks: Sequence[Task], file: DecisionFile, stale: Iterable[str] = ()) -> None:
        self.pool, self.file, self.tasks = pool, file, list(tasks)
        self._stale = set(stale)
        self._skipped: list[int] = []
        self._again = False  # whether what was skipped is asked the second time
        self._passed: list[int] = []  # what `back` returns to
        self._coming = deque(i for i in self._order() if not self._is_decided(i))
        self.current: int | None = None
        self._pools: dict[str, tuple[str, ...]] = {}  # the retrievers behind what was shown for each query
        self.proposed: list[Proposal] = []  # where the answer of the current query may stand: nothing is marked by itself
        self._next()

    def _order(self) -> list[int]:
        """All tasks, in the order in which they are asked."""
        # Labels that came with the queries say nothing of how far a session got.
        records = [self.file.queries[task.query.id] if self._is_decided(i) else None for i, task in enumerate(self.tasks)]
        decided = [i for i, query in enumerate(records) if query and "pool" in query.metadata]
        first = decided[-1] + 1 if decided else 0
        return [*range(first, len(self.tasks)), *range(first)]

    def _is_decided(self, i: int) -> bool:
        name = self.tasks[i].query.id
        return name in self.file.queries and name not in self._stale

    @property
    def corpus(self) -> Corpus:
        """The documents that evidence is in."""
        return self.pool.corpus

    @property
    def task(self) -> Task:
        """What is asked now. Raises `UsageError` where nothing is left."""
        if self.current is None:
            raise UsageError("nothing is left to label here")
        return self.tasks[self.current]

    @property
    def decision(self) -> Query | None:
        """What the file says of the query that is asked now."""
        name = self.task.query.id
        return None if name in self._stale else self.file.queries.get(name)

    @property
    def decided(self) -> int:
        """Of the tasks, those with a label in the file."""
        return sum(map(self._is_decided, range(len(self.tasks))))

    # What is shown

    def _open(self) -> None:
        """Show the first passages of the current query."""
        task = self.task
        self.shown: list[Shown] = []
        self._searched = self._warned = False
        decided = self.decision or task.query
        self.answer, self.also = decided.answer, decided.also
        if task.draft is not None:
            self.shown.append(Shown(task.draft, "draft"))
        asks = task.draft is None and not task.query.evidence and self.decision is None
        self.proposed = proposals(self.pool, task.query) if asks else []
        self._show((proposal.passage for proposal in self.proposed), "answer", len(self.proposed))
        self._coming_passages = deque(self.pool.ranked(task.query.text, self._pool()))
        self.more()
        self.pool.prepare(task.query.text)  # after the first passages, so as not to hold them up

    def _pool(self) -> tuple[str, ...]:
        """The retrievers that find passages for the current query: as when it was shown before, else those that are ready."""
        name, decided = self.task.query.id, self.decision
        known = decided.metadata.get("pool") if decided else None
        recorded = tuple(each for each in self.pool.names if isinstance(known, list) and each in known)
        return self._pools.setdefault(name, recorded or self.pool.ready())

    def more(self) -> int:
        """Show `FIRST` more passages of the pool; how many there were."""
        return self._show((self._coming_passages.popleft() for _ in range(len(self._coming_passages))), "pool", FIRST)

    def search(self, words: str) -> list[int]:
        """Show what a search by words finds in the corpus: the numbers (1-based) of the passages, the best first."""
        if not words.strip():
            raise UsageError("search for what?")
        passages = self.pool.search(_readable(words))[:FIRST]
        self._searched = True
        self._show(passages, "search", FIRST)
        numbers = [self._number_of(passage) for passage in passages]
        return list(dict.fromkeys(n for n in numbers if n))

    def beside(self, number: int, step: int) -> int:
        """Show the passage before (`step` -1) or after (1) passage `number`: its own number."""
        passage = self.pool.beside(self.passage(number), step)
        if passage is None:
            raise UsageError(f"passage {number} is the {'last' if step > 0 else 'first'} of its document")
        self._show([passage], "beside", 1)
        return self._number_of(passage)

    def _show(self, passages: Iterable[Span], found: Found, most: int) -> int:
        self.task  # noqa: B018  # nothing is shown where nothing is asked
        before = len(self.shown)
        for passage in passages:
            if len(self.shown) - before >= most:
                break
            self.shown += [Shown(new, found) for new in distinct([passage], (s.passage for s in self.shown))]
        return len(self.shown) - before

    def _number_of(self, passage: Span) -> int:
        """Which of the shown passages has the most of `passage`; 0 where none has any."""
        shared = [_shared(shown.passage, passage) for shown in self.shown]
        return shared.index(max(shared)) + 1 if any(shared) else 0

    def passage(self, number: int) -> Span:
        """The passage shown as `number` (1-based). Raises `UsageError` for one that is not there."""
        if not 1 <= number <= len(self.shown):
            raise UsageError(f"there is no passage {number}; shown are 1 to {len(self.shown)}")
        return self.shown[number - 1].passage

    # What is decided

    def label(self, groups: Sequence[Sequence[Span]]) -> None:
        """The query's evidence: each of `groups` is required, passages in one are alternatives."""
        trimmed = [list(dict.fromkeys(self._whole(p) for p in group)) for group in groups]
        if not trimmed or not all(trimmed):
            raise UsageError("no evidence is marked")
        self._decide(list({tuple(group): group for group in trimmed}.values()))

    def _whole(self, passage: Span) -> Span:
        inside = 0 <= passage.document < len(self.corpus.documents)
        length = len(self.corpus.documents[passage.document].text) if inside else 0
        if not 0 <= passage.start < passage.end <= length:
            raise UsageError("that is no part of a document")
        trimmed = self.pool.trimmed(passage)
        if trimmed.start >= trimmed.end:
            raise UsageError("that is only white space")
        return trimmed

    def accept_proposal(self, number: int) -> Span:
        """Take what is proposed as `number` (1-based) for the evidence. Raises `UsageError` for what is not."""
        if not 1 <= number <= len(self.proposed):
            raise UsageError(f"there is no proposal {number}" if self.proposed else "nothing is proposed here: mark the evidence")
        evidence = self.proposed[number - 1].evidence
        self.label([[evidence]])
        return evidence

    def unanswerable(self) -> None:
        """No document answers the query; to be said twice where little has been looked at."""
        if len(self.shown) < ENOUGH and self._coming_passages and not (self._searched or self._warned):
            self._warned = True
            raise UsageError(
                f"only {len(self.shown)} passages were shown: look at more, or search; the same again to say so anyway"
            )
        self._decide([])

    def _decide(self, groups: Sequence[Sequence[Span]]) -> None:
        task = self.task
        self._refuse_contradiction(task.query, not groups)
        ways = sorted({self._found(p) for group in groups for p in group})
        metadata = {**task.query.metadata, "pool": list(self._pool()), "seen": len(self.shown)}
        metadata |= {"found": ways} if ways else {}
        if draft := task.draft:
            metadata["draft"] = f"{self.corpus.documents[draft.document].id}#{draft.start}-{draft.end}"
        query = dataclasses.replace(task.query, answer=self.answer, also=self.also, metadata=metadata)
        self.file.put(record(query, groups, self.corpus.documents))
        self._stale.discard(query.id)
        self._leave()

    def _found(self, passage: Span) -> str:
        number = self._number_of(passage)
        return self.shown[number - 1].found if number else "beside"

    def _refuse_contradiction(self, query: Query, unanswerable: bool) -> None:
        for other in self.file.queries.values():
            if other.id != query.id and folded(other.text) == folded(query.text) and other.unanswerable != unanswerable:
                label = "unanswerable" if other.unanswerable else "answerable"
                raise UsageError(f"the same question is labelled {label} as {other.id!r}; mend one of them")

    def answered(self, text: str) -> None:
        """Note the answer that is expected. It is written with the decision; at once where the query is decided already.

        "" takes the expected answer back, and with it all others that were accepted.
        """
        self.answer = _readable(text.strip())
        self.also = tuple(other for other in self.also if self.answer and other != self.answer)
        decision = self.decision
        if decision is not None:
            rest = {name: value for name, value in self.file.records[decision.id].items() if name not in ANSWERS}
            self.file.put({**rest, **expected([a for a in (self.answer, *self.also) if a])})

    def reword(self, text: str) -> None:
        """Put a draft in other words: passages are found anew. A team's own queries stay as they are."""
        task, text = self.task, _readable(" ".join(text.split()))
        if task.draft is None:
            raise UsageError("this query is the team's own, not a draft: change it in its file")
        if not text:
            raise UsageError("in what words?")
        assert self.current is not None
        self.tasks[self.current] = Task(dataclasses.replace(task.query, text=text), task.draft)
        answers = self.answer, self.also
        self._open()
        self.answer, self.also = answers

    def withdraw(self) -> None:
        """Take the current query's label back."""
        if self.task.query.id not in self.file.queries:
            raise UsageError("this query has no label")
        self.file.drop(self.task.query.id)
        self._stale.discard(self.task.query.id)

    # Where it goes on

    def skip(self) -> None:
        """Go on without a decision; a query that has none comes once more at the end."""
        self.task  # noqa: B018
        assert self.current is not None
        if not self._is_decided(self.current):
            self._skipped.append(self.current)
        self._leave()

    def back(self) -> None:
        """Return to the query before, with what was decided; a new decision takes the place of the old."""
        if not self._passed:
            raise UsageError("this is the first query of the session")
        if self.current is not None:
            self._coming.appendleft(self.current)
        self.current = self._passed.pop()
        if self.current in self._skipped:
            self._skipped.remove(self.current)
        self._open()

    def _leave(self) -> None:
        assert self.current is not None
        self._passed.append(self.current)
        self._next()

    def _next(self) -> None:
        if not self._coming and self._skipped and not self._again:
            self._again, self._skipped, self._coming = True, [], deque(self._skipped)
        self.current = self._coming.popleft() if self._coming else None
        if self.current is not None:
            self._open()

    def summary(self) -> Labelled:
        """What the file holds, and what is left."""
        asked = {task.query.id for task in self.tasks}
        return summed_up(self.file.queries.values(), asked, len(self.tasks) - self.decided, len(set(self._skipped)))


def _shared(one: Span, other: Span) -> int:
    """Characters that are in both."""
    return min(one.end, other.end) - max(one.start, other.start) if one.overlaps(other) else 0


def _readable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as e:
        raise UsageError("that holds half a character, which no file can hold") from e
    return text
