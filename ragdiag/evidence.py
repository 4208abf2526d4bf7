"""Check labels against the corpus: find each labelled passage, its exact copies elsewhere, and every label that is wrong.

A wrong label is a *defect*: reported with file and line, its query excluded and counted, nothing silently repaired.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import ahocorasick_rs
import numpy as np
from rapidfuzz import fuzz

from ragdiag.errors import did_you_mean
from ragdiag.records import Chunking, Corpus, Defect, Evidence, IntArray, Label, Labels, Query
from ragdiag.tokens import count_tokens

__all__ = ["COPY_WORDS", "SIMILARITY", "locate", "restrict", "unlabelled_hits"]

SIMILARITY = 90.0
"""A passage that is in the document neither exactly nor but for white space must be this similar (0-100) to count as found."""

COPY_WORDS = 5
"""Passages of fewer words get no exact copies as alternatives: "in 2003" stands in many places and answers nothing there."""

ANSWER_WORDS = 3
"""Shortest reference answer whose presence in an unlabelled chunk is worth a warning."""

BROAD_DOCUMENT = 2000
"""Tokens from which a document is long enough for evidence over most of it to be worth a warning."""

LEVELS = ("span", "document", "unanswerable", "excluded")


class _Found(NamedTuple):
    document: int
    start: int
    end: int


class _Wrong(Exception):
    """A label's defect on its way up: kind and message."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind, self.message = kind, message


def locate(queries: Sequence[Query], corpus: Corpus, copies: Literal["count", "ignore"] = "count") -> Labels:
    """Check every label of `queries` against `corpus`.

    With ``copies="count"`` every exact copy of a labelled passage of at least `COPY_WORDS` words becomes an alternative to it.
    """
    checker = _Checker(corpus)
    levels, rows, grades = [], [], []
    for i, query in enumerate(queries):
        level, found, relevant = checker.check(query)
        levels.append(level)
        grades.append(relevant)
        rows += [(i, group, place, False) for group, place in found]
    for i in _contradicting(queries):
        if levels[i] != "excluded":
            checker.defects.append(
                _note(queries[i], "contradictory", "the same question is answerable in one label, not in another")
            )
            levels[i] = "excluded"
    rows = [r for r in rows if levels[r[0]] == "span"]
    if copies == "count":
        rows += _copies(rows, corpus)
    return Labels(tuple(queries), tuple(levels), _columns(rows), tuple(grades), tuple(checker.defects), tuple(checker.warnings))


def _note(query: Query, kind: str, message: str) -> Defect:
    return Defect(kind, query.id, query.file, query.line, message)


def _contradicting(queries: Sequence[Query]) -> Iterable[int]:
    by_text = defaultdict(list)
    for i, query in enumerate(queries):
        by_text[" ".join(query.text.casefold().split())].append(i)
    for text, same in by_text.items():
        if text and len({queries[i].unanswerable for i in same}) > 1:
            yield from same


class _Checker:
    """The checks of METHOD section 4 on one query at a time; what is wrong gathers in `defects` and `warnings`."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.defects: list[Defect] = []
        self.warnings: list[Defect] = []
        self._by_text: dict[str, int] | None = None

    def check(self, query: Query) -> tuple[str, list[tuple[str, _Found]], dict[int, int]]:
        """The query's level, its located evidence as ``(group name, place)``, its document grades."""
        before = len(self.defects)
        if not query.text.strip():
            self._defect(query, "empty_query", "the query has no text")
        if query.unanswerable and (query.evidence or any(grade > 0 for _, grade in query.relevant)):
            self._defect(query, "contradictory", "labelled unanswerable, and evidence is given")
        grades = self._grades(query)
        found = []
        for n, label in enumerate(query.evidence):
            try:
                place = self._place(query, label)
            except _Wrong as wrong:
                self._defect(query, wrong.kind, wrong.message)
                continue
            if grades.get(place.document, 1) == 0:
                name = self.corpus.documents[place.document].id
                self._defect(query, "contradictory", f"evidence is given in {name}, whose grade is 0")
            found.append((f"={label.group}" if label.group else f"#{n}", place))
            self._warn_if_broad(query, place)
        if len(self.defects) > before:
            return "excluded", [], {}
        if query.unanswerable:
            return "unanswerable", [], {}
        if found:
            return "span", found, {}
        if any(grade > 0 for grade in grades.values()):
            return "document", [], grades
        self._defect(query, "unlabelled", "no evidence, no relevant document, and not marked unanswerable")
        return "excluded", [], {}

    def _defect(self, query: Query, kind: str, message: str) -> None:
        self.defects.append(_note(query, kind, message))

    def _grades(self, query: Query) -> dict[int, int]:
        grades: dict[int, int] = {}
        for doc_id, grade in query.relevant:
            if doc_id not in self.corpus.position:
                self._defect(query, "unknown_document", f"no document {doc_id!r} in the corpus")
            elif grades.setdefault(self.corpus.position[doc_id], grade) != grade:
                self._defect(query, "contradictory", f"document {doc_id!r} is graded twice, differently")
        return grades

    def _warn_if_broad(self, query: Query, place: _Found) -> None:
        text = self.corpus.documents[place.document].text
        if place.end - place.start > len(text) / 2 and count_tokens(text) > BROAD_DOCUMENT:
            share = (place.end - place.start) / len(text)
            name = self.corpus.documents[place.document].id
            self.warnings.append(_note(query, "broad_evidence", f"the evidence is {share:.0%} of the long document {name}"))

    def _place(self, query: Query, label: Label) -> _Found:
        documents = self._documents(label)
        if label.start is not None and label.end is not None:
            if len(documents) > 1:
                raise _Wrong("unknown_document", "offsets are given without a document")
            return self._at_offsets(documents[0], label, label.start, label.end)
        if not label.text.strip():
            raise _Wrong("empty_evidence", "the evidence has no text")
        return self._by_search(query, documents, label.text)

    def _documents(self, label: Label) -> Sequence[int]:
        if label.doc_text:
            if self._by_text is None:
                self._by_text = {d.text: i for i, d in reversed(list(enumerate(self.corpus.documents)))}
            if label.doc_text in self._by_text:
                return [self._by_text[label.doc_text]]
        if label.doc_id in self.corpus.position:
            return [self.corpus.position[label.doc_id]]
        if label.doc_id or label.doc_text:
            near = did_you_mean(label.doc_id, self.corpus.position).split(" (known")[0]
            raise _Wrong("unknown_document", f"no document {label.doc_id!r} in the corpus{near}")
        return range(len(self.corpus.documents))

    def _at_offsets(self, document: int, label: Label, start: int, end: int) -> _Found:
        text, name = self.corpus.documents[document].text, self.corpus.documents[document].id
        if start >= end:
            raise _Wrong("offsets_inverted", f"start {start} is not before end {end}")
        if start < 0 or end > len(text):
            raise _Wrong("offsets_outside", f"[{start}, {end}) leaves {name}, which has {len(text)} characters")
        if label.text and text[start:end] != label.text:
            there = f"{name}[{start}:{end}] is {_short(text[start:end])}, the label says {_short(label.text)}"
            raise _Wrong("text_mismatch", there + _where_instead(text, label.text, start))
        if not text[start:end].strip():
            raise _Wrong("empty_evidence", f"{name}[{start}:{end}] is white space")
        return _Found(document, start, end)

    def _by_search(self, query: Query, documents: Sequence[int], wanted: str) -> _Found:
        for note in ("", "white space"):
            places = [_Found(d, *span) for d in documents for span in _find(self.corpus.documents[d].text, wanted, bool(note))]
            if len(places) > 1:
                raise _Wrong("text_ambiguous", f"{_short(wanted)} stands at {self._list(places)}; give start and end")
            if places:
                if note:
                    self._located(query, places[0], f"found but for {note}")
                return places[0]
        return self._fuzzy(query, documents, wanted)

    def _fuzzy(self, query: Query, documents: Sequence[int], wanted: str) -> _Found:
        best, similarity = None, 0.0
        for d in documents:
            match = fuzz.partial_ratio_alignment(wanted, self.corpus.documents[d].text, score_cutoff=max(similarity, 50.0))
            if match is not None and match.score > similarity and len(self.corpus.documents[d].text) >= len(wanted):
                best, similarity = _Found(d, match.dest_start, match.dest_end), match.score
        if best is None or similarity < SIMILARITY:
            near = f"; the nearest, {similarity:.0f} % similar, is {self._list([best])}" if best else ""
            raise _Wrong("text_absent", f"{_short(wanted)} is not in {self._scope(documents)}{near}")
        self._located(query, best, f"found by similarity, {similarity:.0f} %: {_short(self._text(best))}")
        return best

    def _located(self, query: Query, place: _Found, how: str) -> None:
        self.warnings.append(_note(query, "located_inexactly", f"{how}, at {self._list([place])}"))

    def _text(self, place: _Found) -> str:
        return self.corpus.documents[place.document].text[place.start : place.end]

    def _scope(self, documents: Sequence[int]) -> str:
        return self.corpus.documents[documents[0]].id if len(documents) == 1 else "any document"

    def _list(self, places: Sequence[_Found]) -> str:
        shown = [f"{self.corpus.documents[p.document].id}#{p.start}-{p.end}" for p in places[:5]]
        return ", ".join(shown) + (f" and {len(places) - 5} more" if len(places) > 5 else "")


def _find(text: str, wanted: str, any_space: bool = False) -> Iterable[tuple[int, int]]:
    """Where `wanted` stands in `text`; with `any_space`, whatever its white space."""
    if any_space:
        yield from (m.span() for m in re.finditer(r"\s+".join(map(re.escape, wanted.split())), text))
        return
    start = text.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + 1)


def _short(text: str, most: int = 40) -> str:
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def _where_instead(text: str, wanted: str, start: int) -> str:
    places = [place for place, _ in _find(text, wanted)]
    if places:
        nearest = min(places, key=lambda p: abs(p - start))
        return f"; it stands at {nearest}, {abs(nearest - start)} characters {'later' if nearest > start else 'earlier'}"
    if "\r\n" in text and wanted.replace("\r\n", "\n") in text.replace("\r\n", "\n"):
        return "; the document has CRLF line ends, the label was made from a copy without them"
    return "; it stands nowhere in that document"


def _copies(rows: list[tuple[int, str, _Found, bool]], corpus: Corpus) -> list[tuple[int, str, _Found, bool]]:
    """Every exact copy of a located passage elsewhere in the corpus, as further alternatives of its group."""
    wanted: dict[str, list[tuple[int, str, _Found, bool]]] = defaultdict(list)
    for row in rows:
        place = row[2]
        passage = corpus.documents[place.document].text[place.start : place.end].strip()
        if _is_a_passage(passage):
            wanted[passage].append(row)
    if not wanted:
        return []
    passages = list(wanted)
    automaton = ahocorasick_rs.AhoCorasick(passages)
    known = {(query, group, p.document, p.start) for query, group, p, _ in rows}
    found = []
    for d, document in enumerate(corpus.documents):
        for which, start, end in automaton.find_matches_as_indexes(document.text, overlapping=True):
            if _inside_a_word(document.text, start) or _inside_a_word(document.text, end):
                continue
            for query, group, place, _ in wanted[passages[which]]:
                labelled = d == place.document and place.start <= start < place.end
                if not labelled and (query, group, d, start) not in known:
                    known.add((query, group, d, start))
                    found.append((query, group, _Found(d, start, end), True))
    return found


def _is_a_passage(text: str) -> bool:
    # Scripts written without spaces make one "word" of a whole sentence.
    return len(text.split()) >= COPY_WORDS or (len(text) >= 4 * COPY_WORDS and not text.isascii() and " " not in text)


def _inside_a_word(text: str, position: int) -> bool:
    return 0 < position < len(text) and text[position - 1].isalnum() and text[position].isalnum()


def _columns(rows: list[tuple[int, str, _Found, bool]]) -> Evidence:
    """Rows of ``(query, group name, place, copy)`` as columns, groups numbered in the order of their first label."""
    numbers: dict[tuple[int, str], int] = {}
    for query, group, _, _ in rows:
        numbers.setdefault((query, group), len(numbers))
    table = np.array(
        sorted((q, numbers[q, g], p.document, p.start, p.end, c) for q, g, p, c in rows) or np.empty((0, 6)), dtype=np.int64
    )
    query, group, document, start, end, copy = table.T
    return Evidence(query, group, document, start, end, copy.astype(bool))


def restrict(corpus: Corpus, labels: Labels, only: Collection[str]) -> tuple[Corpus, Labels]:
    """The documents named in `only`, and the queries whose every evidence group (or relevant document) has a place in them."""
    kept = [i for i, d in enumerate(corpus.documents) if d.id in only]
    new_document = {d: i for i, d in enumerate(kept)}
    evidence = labels.evidence
    rows = [r for r, d in enumerate(evidence.document.tolist()) if d in new_document]
    needed, here = defaultdict(set), defaultdict(set)
    for r, (q, g) in enumerate(zip(evidence.query.tolist(), evidence.group.tolist(), strict=True)):
        needed[q].add(g)
        if evidence.document[r] in new_document:
            here[q].add(g)
    relevant = [{new_document[d]: g for d, g in each.items() if d in new_document} for each in labels.relevant]
    stays = {"span": lambda q: needed[q] == here[q], "document": lambda q: any(g > 0 for g in relevant[q].values())}
    queries = [q for q, level in enumerate(labels.level) if level in stays and stays[level](q)]
    new_query = {q: i for i, q in enumerate(queries)}
    names = {query.id for query in (labels.queries[q] for q in queries)}
    rows = [r for r in rows if int(evidence.query[r]) in new_query]
    places = [_Found(new_document[int(evidence.document[r])], int(evidence.start[r]), int(evidence.end[r])) for r in rows]
    columns = [
        (new_query[int(evidence.query[r])], str(evidence.group[r]), place, bool(evidence.copy[r]))
        for r, place in zip(rows, places, strict=True)
    ]
    smaller = Labels(
        tuple(labels.queries[q] for q in queries),
        tuple(labels.level[q] for q in queries),
        _columns(columns),
        tuple(relevant[q] for q in queries),
        (),
        tuple(w for w in labels.warnings if w.query in names),
    )
    return replace(corpus, documents=tuple(corpus.documents[d] for d in kept)), smaller


def unlabelled_hits(
    corpus: Corpus, labels: Labels, chunking: Chunking, ranked: IntArray, lengths: IntArray, relevant: set[tuple[int, int]]
) -> tuple[Defect, ...]:
    """Warnings for retrieved chunks outside the evidence that hold the reference answer: perhaps evidence nobody labelled.

    `ranked` and `lengths` are a run's chunks and how many of each query reach the prompt; `relevant` the ``(query, chunk)`` pairs
    that overlap evidence. Answers of fewer than `ANSWER_WORDS` words stand by chance in too many places to mean anything.
    """
    warnings = []
    for q in labels.at("span").tolist():
        query = labels.queries[q]
        answer = " ".join(query.answer.casefold().split()).strip(" .")
        if len(answer.split()) < ANSWER_WORDS:
            continue
        for c in ranked[q, : lengths[q]].tolist():
            document = corpus.documents[int(chunking.document[c])]
            text = document.text[int(chunking.start[c]) : int(chunking.end[c])]
            if (q, c) not in relevant and answer in " ".join(text.casefold().split()):
                where = f"{document.id}#{chunking.start[c]}-{chunking.end[c]}"
                warnings.append(_note(query, "unlabelled_hit", f"the answer also stands in {where}, which no label names"))
    return tuple(warnings)
