"""Where chunks are: spans of documents, from offsets, texts or ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from ragdiag.core.errors import InputError
from ragdiag.core.records import Chunking, Corpus, Document, IntArray, StoredChunk
from ragdiag.sources.begun import Begun, mark_of
from ragdiag.sources.holding import SourceText, TextSearch
from ragdiag.sources.naming import DocumentNames
from ragdiag.sources.paths import Paths
from ragdiag.sources.settling import Span, in_order, settled, tiling
from ragdiag.sources.stored import HintedChunk, names_of

__all__ = ["Place", "Placer", "chunk_id", "from_spans", "nearest_document"]

Place = tuple[int, int, int]
"""A document's number, and a half-open span of its text."""

SUGGESTED_FROM = 75.0
"""An unknown document id suggests a known one that is spelt like it from this similarity (0-100)."""


def chunk_id(corpus: Corpus, chunking: Chunking, chunk: int) -> str:
    """``doc#start-end``: the same chunk has the same id in every report."""
    return f"{corpus.documents[chunking.document[chunk]].id}#{chunking.start[chunk]}-{chunking.end[chunk]}"


def nearest_document(doc_id: str, corpus: Corpus) -> str:
    """``"; did you mean 'x'?"`` for an unknown `doc_id`: the one document of its file name in any folder and
    with any suffix, else one that is spelt like it; nothing where there is neither."""
    from rapidfuzz import fuzz, process

    name = _file_name(doc_id)
    same = [known for known in corpus.position if name in known.casefold() and _file_name(known) == name]
    if len(same) == 1:
        return f"; did you mean {same[0]!r}?"
    near = process.extractOne(doc_id, corpus.position.keys(), scorer=fuzz.ratio, score_cutoff=SUGGESTED_FROM)
    return f"; did you mean {near[0]!r}?" if near else ""


def _file_name(doc_id: str) -> str:
    """Of an id that is a path, without folder and suffix: ``help/Returns.md`` -> ``returns``."""
    return re.sub(r"\.[a-z][a-z0-9]{0,7}$", "", doc_id.replace("\\", "/").rpartition("/")[2].casefold())


class Placer:
    """Finds the spans of chunks.

    A text is found as it stands, else with other white space. Where it stands several times in its document, `settled` assigns
    the places to all chunks of a list at once. `doubtful` has the chunks whose place is a guess, `misnamed` those whose names are
    of no document that holds their text.
    """

    def __init__(self, corpus: Corpus, among: Collection[Place] = ()) -> None:
        """`among`: the only places there are for texts that stand there, as when the chunks are known already."""
        self.corpus, self.doubtful, self.misnamed = corpus, list[StoredChunk](), list[StoredChunk]()
        self._among = frozenset(among)
        self._ids = DocumentNames(corpus)
        self._texts: dict[int, SourceText] = {}
        self._begun = Begun(self._among, self._text)

    def places(self, chunk: StoredChunk) -> list[Place]:
        """Everywhere that a chunk may stand, which is alone: at its offsets, else wherever its text does.

        Raises `InputError` for one that leaves its document, or whose text is not there.
        """
        if isinstance(chunk, HintedChunk) and chunk.cut:
            return self._places_of_cut(chunk)
        documents = self._documents(chunk)
        if len(documents) == 1 and (span := self._offsets(chunk, documents[0])):
            return [(documents[0], *span)]
        places = [(i, *span) for i in documents for span in self._spans(chunk, i)]
        return [place for place in places if place in self._among] or places

    def _places_of_cut(self, chunk: HintedChunk) -> list[Place]:
        """Everywhere that a chunk may stand whose text may go on: the known chunks that begin so, else what there is of it."""
        whole, mark = replace(chunk, cut=False), mark_of(chunk.text)
        try:
            places = self.places(whole)
            if mark or all(place in self._among for place in places):
                return places
        except InputError:
            text = chunk.text.rstrip().removesuffix(mark)
            if not mark or not text.strip():
                raise
            places = self.places(replace(whole, text=text, start=None, end=None))
        return self._begun.places(chunk, places, marked=bool(mark))

    def named(self, name: str) -> bool:
        """Whether a name is of a document."""
        return bool(self._paths.documents(name))

    def spans(self, chunks: Sequence[StoredChunk]) -> list[Place]:
        """The place of each of the chunks that make up an index, which are all there are. Raises as `places`."""
        documents = [self._document(chunk) for chunk in chunks]
        spans_of = self._spans_of_all(chunks, documents)
        numbers: dict[int, list[int]] = {}
        for n, i in enumerate(documents):
            numbers.setdefault(i, []).append(n)
        places, place_of = {i: [spans_of[n] for n in of] for i, of in numbers.items()}, dict[int, Place]()
        ordered = in_order(places.values())
        tiled = tiling((self.corpus.documents[i].text, of_document) for i, of_document in places.items())
        for i, of in numbers.items():
            texts = [chunks[n].text for n in of]
            spans, doubtful = settled(texts, places[i], self.corpus.documents[i].text, ordered, tiled)
            self.doubtful += [chunks[of[n]] for n in doubtful]
            place_of |= {n: (i, *span) for n, span in zip(of, spans, strict=True)}
        return [place_of[n] for n in range(len(chunks))]

    def _spans_of_all(self, chunks: Sequence[StoredChunk], documents: Sequence[int]) -> list[list[Span]]:
        """For each chunk, where it may stand in its document."""
        offsets = [self._offsets(chunk, i) for chunk, i in zip(chunks, documents, strict=True)]
        keys = [(i, chunk.text) for chunk, i in zip(chunks, documents, strict=True)]
        sought = {keys[n]: chunks[n] for n, span in enumerate(offsets) if not span}  # a text that many chunks have once
        places = self._as_they_are(sought)
        return [[span] if span else places[key] for key, span in zip(keys, offsets, strict=True)]

    def _as_they_are(self, sought: Mapping[tuple[int, str], StoredChunk]) -> dict[tuple[int, str], list[Span]]:
        """The places of texts, each in a document, in order.

        Where every text stands as it is, its white space tells places apart; where some was changed, it tells nothing.
        """
        places = {(i, text): self._text(i).as_it_is(text) if text.strip() else [] for i, text in sought}
        if not all(places.values()):
            places = {key: sorted(self._spans(chunk, key[0])) for key, chunk in sought.items()}
        return places

    def notes(self) -> tuple[str, ...]:
        """Notes on `doubtful` and on `misnamed`, where there are any."""
        notes = []
        if texts := {(c.doc_id, c.text): None for c in self.doubtful}:
            (document, text), n = next(iter(texts)), len(texts)
            where = f" in {document}" if document else ""
            notes.append(
                f"{n} chunk texts stand in several places of their documents, and nothing tells in which they are meant "
                f"(the first: {text.strip()[:40]!r}{where}): each is taken for the first that is left; give start and end"
            )
        if names := {(c.doc_id, c.text): None for c in self.misnamed}:
            (name, _), n = next(iter(names)), len(names)
            notes.append(
                f"{n} chunk texts name no document of the corpus that holds them (the first: {name!r}): found by their text alone"
            )
        return (*notes, *self._begun.notes())

    def _text(self, i: int) -> SourceText:
        if i not in self._texts:
            self._texts[i] = SourceText(self.corpus.documents[i].text)
        return self._texts[i]

    @cached_property
    def _search(self) -> TextSearch:
        return TextSearch([self._text(i) for i in range(len(self.corpus.documents))])

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self.corpus)

    def _is_strict(self, chunk: StoredChunk) -> bool:
        """Whether its document is one for sure: a record's own ``doc_id``, which is a document's id."""
        return self._is_own(chunk) and chunk.doc_id in self._ids

    def _documents(self, chunk: StoredChunk) -> list[int]:
        """The documents that a chunk may be of: the one that it names, else all that hold its text."""
        if self._is_strict(chunk) and (known := self._ids.position(chunk.doc_id)) is not None:
            return [known]
        in_no_document = not isinstance(chunk, HintedChunk) and chunk.start is not None
        if in_no_document or not chunk.text.strip():
            raise self._unknown(chunk)
        return self._holding(chunk, names_of(chunk))

    def _holding(self, chunk: StoredChunk, names: Sequence[str]) -> list[int]:
        """The documents that hold a chunk's text: those that the first of `names` to fit is of, else all."""
        for name in names:
            if holding := [i for i in self._paths.documents(name) if self._offsets(chunk, i) or chunk.text in self._text(i)]:
                return holding
        if not (holding := self._search.documents(chunk.text)):
            raise self._unknown(chunk) if chunk.doc_id and self._is_own(chunk) else _homeless(chunk, 0)
        if names:
            self.misnamed.append(chunk)
        return holding

    def _document(self, chunk: StoredChunk) -> int:
        """The one document that a chunk may be of; a guess, where one has the text as it is, others with other white space."""
        documents = self._documents(chunk)
        if len(documents) == 1:
            return documents[0]
        as_it_is = [i for i in documents if chunk.text.strip() in self.corpus.documents[i].text]
        if len(as_it_is) != 1:
            raise _homeless(chunk, len(documents))
        self.doubtful.append(chunk)
        return as_it_is[0]

    def _is_own(self, chunk: StoredChunk) -> bool:
        """Whether its `doc_id` is a record's own, not metadata's."""
        return not isinstance(chunk, HintedChunk) or chunk.strict

    def _unknown(self, chunk: StoredChunk) -> InputError:
        message = f"no document {chunk.doc_id!r} in the corpus{nearest_document(chunk.doc_id, self.corpus)}"
        return InputError(message, chunk.file, chunk.line, "chunk the corpus that is audited")

    def _spans(self, chunk: StoredChunk, i: int) -> list[Span]:
        """Where a chunk's text stands in document `i`, whatever its white space; where it does as it is, first."""
        if not chunk.text.strip():
            raise InputError(f"chunk {chunk.id!r} has neither offsets nor text", chunk.file, chunk.line, "add start and end")
        if not (spans := self._text(i).places(chunk.text)):
            message = f"chunk text {chunk.text[:40]!r} is not in {self.corpus.documents[i].id}"
            raise InputError(message, chunk.file, chunk.line, "give start and end, or the text as it stands in the document")
        return spans

    def _offsets(self, chunk: StoredChunk, i: int) -> Span | None:
        """The offsets that a chunk gives, None without, and where they are wrong and no more than hints. Raises `InputError`."""
        if chunk.start is None or chunk.end is None:
            return None
        document = self.corpus.documents[i]
        if self._is_strict(chunk):
            return _checked(chunk, chunk.start, chunk.end, document)
        inside = 0 <= chunk.start < chunk.end <= len(document.text)
        return (chunk.start, chunk.end) if inside and document.text[chunk.start : chunk.end] == chunk.text else None


def _homeless(chunk: StoredChunk, holding: int) -> InputError:
    """For a text that is not in one document and names none that holds it."""
    names = "names no document" + (f" that holds it ({chunk.doc_id!r})" if chunk.doc_id else "")
    called = repr(chunk.id) if chunk.id else f"{chunk.text[:40]!r}…"
    where = f"in {holding} documents" if holding else "in no document"
    remedy = "add doc_id" if holding else "chunk the corpus that is audited"
    return InputError(f"chunk {called} {names} and its text is {where}", chunk.file, chunk.line, remedy)


def _checked(chunk: StoredChunk, start: int, end: int, document: Document) -> Span:
    """A chunk's offsets. Raises `InputError` where they leave its document, or have another text than the chunk's."""
    text = document.text
    if not 0 <= start < end <= len(text):
        leaves = f"chunk [{start}, {end}) leaves {document.id}, which has {len(text)} characters"
        leaves += _misread(text, start, end, chunk.text) if chunk.text else ""
        message = leaves if start < end else f"chunk start {start} is not before its end {end}"
        raise InputError(message, chunk.file, chunk.line, "0 <= start < end <= length must hold")
    if chunk.text and text[start:end] != chunk.text:
        message = f"chunk text differs from {document.id}[{start}:{end}]" + _misread(text, start, end, chunk.text)
        raise InputError(message, chunk.file, chunk.line, "leave out the text, or the offsets, or chunk the same version")
    return start, end


def _misread(text: str, start: int, end: int, chunk_text: str) -> str:
    """What offsets that miss a chunk's text seem to be instead of half-open characters; "" where they fit nothing."""
    if text[start : end + 1] == chunk_text:
        return "; its end seems to be the last character: write the one behind it"
    for name, unit, width in (("bytes", "utf-8", 1), ("UTF-16 units", "utf-16-le", 2)):
        raw = text.encode(unit, "surrogatepass")
        if raw[width * start : width * end] == chunk_text.encode(unit, "surrogatepass"):
            first = len(raw[: width * start].decode(unit, "surrogatepass"))
            return f"; its offsets seem to be of {name}: in characters they are {first} and {first + len(chunk_text)}"
    return ""


def from_spans(spans: Iterable[Place], ids: Sequence[str], chunks: Sequence[StoredChunk] = ()) -> Chunking:
    """``(document, start, end)`` rows as a sorted chunking. Raises `InputError` for an id that stands twice."""
    table: IntArray = np.array(list(spans), dtype=np.int64).reshape(-1, 3)
    order = np.lexsort((np.arange(len(table)), table[:, 2], table[:, 1], table[:, 0]))
    names = tuple(ids[i] for i in order) if any(ids) else ()
    used: set[str] = set()
    for name, chunk in zip(ids if names else (), chunks, strict=False):
        if not name:
            raise InputError("this chunk has no id, others have one", chunk.file, chunk.line, "name all chunks or none")
        if name in used:
            raise InputError(f"chunk id {name!r} stands twice", chunk.file, chunk.line, "make ids unique")
        used.add(name)
    document, start, end = table[order].T
    return Chunking(document, start, end, names)
