"""The nouns: a page, a chunk's span, a question, an edit (one fault or one harmless oddity), a case, a world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from .text import words

CAUSES = (
    "missing_content",
    "header_lost",
    "chunk_split",
    "truncated",
    "stale",
    "conflicting",
    "crowded_out",
    "pollution",
    "diluted",
    "contextless",
    "too_small",
    "follow_up",
    "misspelt",
    "query_mismatch",
    "incomplete",
    "ranking",
)
K = 5
LABEL_WIDE = "label wide"  # what is said of a label whose answering part is served


class Span(NamedTuple):
    """Half-open characters of a page: a chunk, or a passage of evidence."""

    page: str
    start: int
    end: int

    def holds(self, other: Span) -> bool:
        return self.page == other.page and self.start <= other.start and other.end <= self.end

    def meets(self, other: Span) -> bool:
        return self.page == other.page and self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Page:
    """A document of the world."""

    id: str
    text: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A labelled query: an AND of groups, each an OR of passages. `other` asks it in another's words, `answer` is the set's."""

    id: str
    text: str
    groups: tuple[tuple[Span, ...], ...]
    other: str = ""
    answer: str = ""

    @property
    def passages(self) -> list[Span]:
        return [span for group in self.groups for span in group]


@dataclass(frozen=True, eq=False)
class Edit:
    """One change to a world: a fault, a herring or a decoy of some kind. Undoing it is leaving it out.

    `gone` are pages that it takes out of the corpus, `groups` where the evidence stands from then on, `titles` new titles of
    pages, `record` more fields of the query's record, `context` what the evidence's chunk lacks and its surroundings say.
    """

    kind: str
    style: str
    pages: tuple[Page, ...] = ()
    added: frozenset[Span] = frozenset()
    removed: frozenset[Span] = frozenset()
    asked: str = ""
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    groups: tuple[tuple[Span, ...], ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    context: str = ""


@dataclass
class Case:
    """A question of a finished world with what was done to it; a healthy control has no `fault`, and its `extra` is a decoy.

    `needs` is the question with its evidence where it stands after the edits.
    """

    question: Question
    fault: Edit | None
    extra: Edit | None
    right: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        moved = [e.groups for e in (self.fault, self.extra) if e and e.groups]
        self.needs = replace(self.question, groups=moved[0]) if moved else self.question

    @property
    def kind(self) -> str:
        return self.fault.kind if self.fault else "healthy"

    @property
    def asked(self) -> str:
        edits = [e for e in (self.fault, self.extra) if e and e.asked]
        return edits[0].asked if edits else self.question.text

    @property
    def record(self) -> dict[str, Any]:
        """Fields of the query's record beside its text and its evidence."""
        answer = {"answer": self.question.answer} if self.question.answer else {}
        return {**answer, **{k: v for e in (self.extra, self.fault) if e for k, v in e.record.items()}}


class View(NamedTuple):
    """The chunks of a world at one moment, in position order, with their texts."""

    spans: list[Span]
    texts: list[str]


class World:
    """Pages and chunks of a source set, and the edits made to them so far."""

    def __init__(self, pages: Iterable[Page], chunks: Iterable[Span], questions: Iterable[Question]) -> None:
        self.pages = {p.id: p for p in pages}
        self.base, self.questions, self.edits = frozenset(chunks), list(questions), list[Edit]()
        self.reserved: set[Span] = set()  # base chunks that hold the evidence of accepted cases
        self.needed: set[str] = set()  # that evidence: another page with it would be evidence too
        self._on: dict[str, list[Span]] = {}
        for span in sorted(self.base):
            self._on.setdefault(span.page, []).append(span)

    def include(self, page: Page, chunks: Iterable[Span]) -> None:
        """One more original page."""
        self.pages[page.id] = page
        self._on[page.id] = sorted(chunks)
        self.base |= frozenset(chunks)

    def on(self, page: str) -> list[Span]:
        """The chunks of a page as they were before any edit."""
        return self._on.get(page, [])

    def holders(self, question: Question) -> set[Span]:
        """The base chunks that hold any of the evidence."""
        return {c for p in question.passages for c in self.on(p.page) if c.meets(p)}

    @cached_property
    def known(self) -> Counter[str]:
        """In how many of the original pages each word stands."""
        return Counter(w for page in self.pages.values() for w in set(words(page.text)))

    @property
    def gone(self) -> set[str]:
        return {page for edit in self.edits for page in edit.gone}

    @property
    def removed(self) -> set[Span]:
        return {span for edit in self.edits for span in edit.removed}

    def text(self, span: Span) -> str:
        return self.pages[span.page].text[span.start : span.end]

    def view(self, without: Iterable[Edit | None] = (), plus: Iterable[Edit | None] = (), drop: Iterable[str] = ()) -> View:
        """The chunks with all edits but `without`, with `plus` also, without the chunks of pages `drop`."""
        left = set(map(id, without))
        edits = [e for e in dict.fromkeys([*self.edits, *plus]) if e is not None and id(e) not in left]
        added = {s for e in edits for s in e.added}
        removed = {s for e in edits for s in e.removed}
        new = {p.id: p for e in edits for p in e.pages}
        dropped = set(drop)
        spans = sorted(s for s in (self.base | added) - removed if s.page not in dropped)
        return View(spans, [(new.get(s.page) or self.pages[s.page]).text[s.start : s.end] for s in spans])

    def accept(self, case: Case) -> None:
        """Keep a case's edits; a hub's edit is shared by several cases and kept once."""
        for edit in (case.fault, case.extra):
            if edit is not None and edit not in self.edits:
                self.edits.append(edit)
                self.pages |= {p.id: p for p in edit.pages}
        self.reserved |= self.holders(case.question)
        self.needed |= {self.text(p).strip() for p in (*case.question.passages, *case.needs.passages)}

    def free(self, edit: Edit) -> bool:
        """Whether an edit leaves alone what other edits changed and what accepted cases need."""
        copied = any(passage in page.text for page in edit.pages for passage in self.needed if counts_as_copy(passage))
        told = [{*other.metadata, *other.titles} for other in self.edits]
        versions = any(page in pages for pages in told for page in (*edit.metadata, *edit.titles))
        return not (copied or versions or edit.removed & (self.removed | self.reserved))

    def untouched(self, question: Question) -> bool:
        """Whether no edit changed the chunks that hold the evidence, or copied it."""
        new = [page.text for edit in self.edits for page in edit.pages]
        passages = [t for p in question.passages if counts_as_copy(t := self.text(p).strip())]
        copied = any(passage in text for passage in passages for text in new)
        return not (copied or self.holders(question) & self.removed)


def counts_as_copy(passage: str) -> bool:
    """Whether another place with the same words is evidence, too: "3" is found anywhere."""
    return len(passage.split()) >= 5
