"""The checks of one query's labels against the corpus: where each passage is, and what is wrong with each label."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from rapidfuzz import fuzz

from ragdiag.core.records import Corpus, Defect, Label, Query, Span
from ragdiag.sources.evidence._differences import differences
from ragdiag.sources.evidence._mistakes import CRLF, mistake, moved, without_returns
from ragdiag.sources.evidence._search import (
    MOST_PLACES,
    MOST_SOUGHT,
    Passages,
    cuts_a_number,
    most_similar,
    starts,
    whole,
)
from ragdiag.sources.naming import DocumentNames
from ragdiag.sources.occurrences import Even
from ragdiag.sources.omissions import where_lost
from ragdiag.sources.places import nearest_document
from ragdiag.sources.queries.ragas import RENAME
from ragdiag.text.tokens import count_tokens

__all__ = ["SIMILARITY", "Checker", "note"]

SIMILARITY = 90.0
"""A passage that is in the document neither exactly nor typed otherwise must be this similar (0-100) to count as found."""

BROAD_DOCUMENT = 2000
"""Tokens from which a document is long enough for evidence over most of it to be worth a warning."""


def note(query: Query, kind: str, message: str) -> Defect:
    """A defect of `query`, or a warning about it."""
    return Defect(kind, query.id, query.file, query.line, message)


class _Wrong(Exception):
    """A label's defect on its way up: kind and message."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind, self.message = kind, message


class Checker:
    """Checks one query at a time; what is wrong gathers in `defects` and `warnings`."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.defects: list[Defect] = []
        self.warnings: list[Defect] = []
        self._names = DocumentNames(corpus)
        self._passages = Passages(corpus.documents)
        self._sources: dict[tuple[str, str], Span | None] = {}
        self._searched: dict[tuple[str, str], tuple[Span, str] | _Wrong] = {}

    def check(self, query: Query) -> tuple[str, list[tuple[str, Span]], dict[int, int]]:
        """The query's level, its located evidence as ``(group name, place)``, its document grades."""
        before = len(self.defects)
        if not query.text.strip():
            self._defect(query, "empty_query", "the query has no text")
        if query.unanswerable and (query.evidence or any(grade > 0 for _, grade in query.relevant)):
            self._defect(query, "contradictory", "labelled unanswerable, and evidence is given")
        grades = self._grades(query)
        evidence = self._evidence(query, grades)
        if len(self.defects) > before:
            return "excluded", [], {}
        if query.unanswerable:
            return "unanswerable", [], {}
        if evidence:
            return "span", evidence, {}
        if any(grade > 0 for grade in grades.values()):
            return "document", [], grades
        hint = f"; {RENAME}" if query.metadata.get("contexts") else ""
        self._defect(query, "unlabelled", f"no evidence, no relevant document, and not marked unanswerable{hint}")
        return "excluded", [], {}

    def _defect(self, query: Query, kind: str, message: str) -> None:
        self.defects.append(note(query, kind, message))

    def _grades(self, query: Query) -> dict[int, int]:
        grades: dict[int, int] = {}
        for doc_id, grade in query.relevant:
            if (document := self._names.position(doc_id)) is None:
                self._defect(query, "unknown_document", self._unknown(doc_id))
            elif grades.setdefault(document, grade) != grade:
                self._defect(query, "contradictory", f"document {doc_id!r} is graded twice, differently")
        return grades

    def _evidence(self, query: Query, grades: dict[int, int]) -> list[tuple[str, Span]]:
        """Where each label's passage is, with the name of its group; `grades` are those of documents."""
        evidence = []
        for n, label in enumerate(query.evidence):
            try:
                place = self._place(query, label)
            except _Wrong as wrong:
                self._defect(query, wrong.kind, wrong.message)
                continue
            if grades.get(place.document, 1) == 0:
                self._defect(query, "contradictory", f"evidence is given in {self._name(place)}, whose grade is 0")
            # The marks in front keep a group that a file calls "0" apart from the label that stands first.
            evidence.append((f"={label.group}" if label.group else f"#{n}", place))
            self._warn_if_broad(query, place)
        return evidence

    def _warn_if_broad(self, query: Query, place: Span) -> None:
        text = self.corpus.documents[place.document].text
        if place.end - place.start > len(text) / 2 and count_tokens(text) > BROAD_DOCUMENT:
            share = (place.end - place.start) / len(text)
            self.warnings.append(
                note(query, "broad_evidence", f"the evidence is {share:.0%} of the long document {self._name(place)}")
            )

    def _place(self, query: Query, label: Label) -> Span:
        if label.start is not None and label.end is not None:
            source = self._source(label)
            if source is None:
                raise _Wrong("unknown_document", self._unknown(label.doc_id))
            place, how = self._at_offsets(source.document, label, source.start + label.start, source.start + label.end)
        elif not label.text.strip():
            raise _Wrong("empty_evidence", "the evidence has no text")
        else:
            place, how = self._by_search(label)
        if how:
            self.warnings.append(note(query, "located_inexactly", f"{how}, at {self._list([place])}"))
        return place

    def _source(self, label: Label) -> Span | None:
        """The text that a label's offsets count in: a document, or the one place where it stands in a document."""
        key = label.doc_id, label.doc_text
        if key not in self._sources:
            at = self._by_text.get(label.doc_text) if label.doc_text else None
            named = self._names.position(label.doc_id) if at is None else at
            whole = None if named is None else Span(named, 0, len(self.corpus.documents[named].text))
            if at is None and label.doc_text:
                among = range(len(self.corpus.documents)) if named is None else [named]
                inside = self._passages.exact(among, label.doc_text)
                whole = inside[0] if len(inside) == 1 else whole
            self._sources[key] = whole
        return self._sources[key]

    @cached_property
    def _by_text(self) -> dict[str, int]:
        return {d.text: i for i, d in reversed(list(enumerate(self.corpus.documents)))}

    def _unknown(self, doc_id: str) -> str:
        if not doc_id:
            return "the label names no document, and its source text is in none"
        if any(p.file == doc_id or p.file.endswith(f"/{doc_id}") for p in self.corpus.problems):
            return f"document {doc_id!r} could not be read"
        return f"no document {doc_id!r} in the corpus{nearest_document(doc_id, self.corpus)}"

    def _at_offsets(self, document: int, label: Label, start: int, end: int) -> tuple[Span, str]:
        """The span of a label's offsets, and how its text is there where not exactly. Raises `_Wrong`."""
        text, name = self.corpus.documents[document].text, self.corpus.documents[document].id
        there = text[max(start, 0) : end]
        if 0 <= start < end <= len(text) and (not label.text or _same(there, label.text, text)):
            if not there.strip():
                raise _Wrong("empty_evidence", f"{name}[{start}:{end}] is white space")
            return Span(document, start, end), _typed(label.text, there) if label.text not in ("", there) else ""
        explained = mistake(self.corpus.documents[document], label.text, start, end) if label.text.strip() else ""
        why = explained and f"; {explained}"
        if start >= end:
            raise _Wrong("offsets_inverted", f"start {start} is not before end {end}{why}")
        if start < 0 or end > len(text):
            raise _Wrong("offsets_outside", f"[{start}, {end}) leaves {name}, which has {len(text)} characters{why}")
        said = f"{name}[{start}:{end}] is {_short(there)}, the label says {_short(label.text)}"
        raise _Wrong("text_mismatch", said + (why or self._where_instead(document, label.text, start, there)))

    def _where_instead(self, document: int, passage: str, start: int, there: str) -> str:
        """Where a passage stands that is not where its label says, or how what stands there differs."""
        text = self.corpus.documents[document].text
        places = list(starts(text, passage)) or [span.start for span in self._passages.typed([document], passage)]
        if places:
            returns = passage not in text and "\r\n" in text and without_returns(passage) in without_returns(text)
            return f"; {moved(start, min(places, key=lambda place: abs(place - start)))}" + (f"; {CRLF}" if returns else "")
        difference = _differing(passage, there) if fuzz.ratio(passage, there) >= SIMILARITY else ""
        return "; it stands nowhere in that document" + (f", and {difference}" if difference else "")

    def _by_search(self, label: Label) -> tuple[Span, str]:
        key = label.doc_id, label.text
        if key not in self._searched:  # the same passage is often labelled for many queries
            try:
                self._searched[key] = self._search(self._among(label.doc_id), label.text)
            except _Wrong as wrong:
                self._searched[key] = wrong
        outcome = self._searched[key]
        if isinstance(outcome, _Wrong):
            raise _Wrong(outcome.kind, outcome.message)
        return outcome

    def _among(self, doc_id: str) -> Sequence[int]:
        """The documents in which a label's passage is looked for."""
        if not doc_id:
            return range(len(self.corpus.documents))
        if (document := self._names.position(doc_id)) is None:
            raise _Wrong("unknown_document", self._unknown(doc_id))
        return [document]

    def _search(self, among: Sequence[int], passage: str) -> tuple[Span, str]:
        """Where a passage is, and how it was found where not exactly. Raises `_Wrong`."""
        for look in (self._passages.exact, self._passages.typed):
            spans = [s for s in look(among, passage) if not cuts_a_number(self.corpus.documents[s.document].text, s)]
            if len(spans) > 1:
                raise _Wrong("text_ambiguous", f"{_short(passage)} stands at {self._list(spans)}; give start and end")
            if spans:
                there = self._text(spans[0])
                return spans[0], "" if there == passage else _typed(passage, there)
        return self._by_similarity(among, passage)

    def _by_similarity(self, among: Sequence[int], passage: str) -> tuple[Span, str]:
        spans, similarity = most_similar(self.corpus.documents, among, passage)
        spans = [whole(self.corpus.documents[s.document].text, s, passage) for s in spans]
        alike = f"{min(similarity, 99.0):.0f} %"  # never 100: it is not the same
        if similarity < SIMILARITY:
            if lost := where_lost((self.corpus.documents[d] for d in among), passage):
                raise _Wrong("text_absent", f"{_short(passage)} is not in {self._scope(among)}; {lost}")
            if len(passage) > MOST_SOUGHT:
                raise _Wrong(
                    "text_absent", f"{_short(passage)} is not in {self._scope(among)}, and too long to look for what is like it"
                )
            near = f"; the nearest, {alike} similar, is {self._list(spans[:1])}" if spans else ""
            raise _Wrong("text_absent", f"{_short(passage)} is not in {self._scope(among)}{near}")
        if len(spans) > 1:
            raise _Wrong("text_ambiguous", f"{_short(passage)} is {alike} similar to each of {self._list(spans)}")
        if difference := _differing(passage, self._text(spans[0])):
            raise _Wrong("text_differs", f"{_short(passage)} is {alike} similar to {self._list(spans)}, and {difference}")
        return spans[0], f"found by similarity, {alike}: {_short(self._text(spans[0]))}"

    def _scope(self, among: Sequence[int]) -> str:
        return self.corpus.documents[among[0]].id if len(among) == 1 else "any document"

    def _name(self, place: Span) -> str:
        return self.corpus.documents[place.document].id

    def _text(self, place: Span) -> str:
        return self.corpus.documents[place.document].text[place.start : place.end]

    def _list(self, spans: Sequence[Span]) -> str:
        names = [f"{self._name(span)}#{span.start}-{span.end}" for span in spans[:5]]
        more = "more than " if len(spans) == MOST_PLACES else ""
        return ", ".join(names) + (f" and {more}{len(spans) - 5} more" if len(spans) > 5 else "")


def _short(text: str, most: int = 40) -> str:
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def _differing(label: str, there: str) -> str:
    """How the words of a label differ from those that stand there; "" where both say the same."""
    both = differences(label, there)
    return "; ".join(f"where it says {_short(one)} the document says {_short(other)}" for one, other in both)


def _same(there: str, passage: str, text: str) -> bool:
    """Whether offsets into `text` lead to a passage, however typed; one that stands elsewhere as it is was not meant there."""
    if there == passage:
        return True
    # Where offsets drift, white space at one end is often all that tells.
    ends = [(len(part) - len(part.lstrip()), len(part) - len(part.rstrip())) for part in (there, passage)]
    return ends[0] == ends[1] and passage not in text and Even(there).text == Even(passage).text


def _typed(passage: str, there: str) -> str:
    """How a passage was found that is typed otherwise in its document."""
    return "found but for " + ("white space" if passage.split() == there.split() else "how it is typed")
