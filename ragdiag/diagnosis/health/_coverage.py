"""What of a document is in no record, and which documents say something else than their records."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ragdiag.core.records import Chunking, Corpus, StoredChunk
from ragdiag.sources.paths import Paths
from ragdiag.sources.stored import names_of

__all__ = ["Coverage", "Gap", "coverage"]

_EDGES = re.compile(r"^\W+|\W+$")


class Gap(NamedTuple):
    """A stretch of a document that is in no record, and its characters, blanks aside."""

    start: int
    end: int
    characters: int


class Coverage(NamedTuple):
    """By document: the `gaps` of those that have any; the records, `changed`, of what it does not say any more."""

    gaps: dict[int, list[Gap]]
    changed: dict[int, list[str]]


def coverage(corpus: Corpus, chunking: Chunking, records: Mapping[str, StoredChunk], altered: Collection[str]) -> Coverage:
    """Of all documents; `records` are those of `chunking`, by id, `altered` the ids of those of which a part is in a document."""
    held = frozenset(_words(record.text) for record in records.values())
    own = (d for d, document in enumerate(corpus.documents) if not document.foreign)
    gaps = {d: found for d in own if (found := _gaps(corpus, chunking, d, held))}
    changed: dict[int, list[str]] = {}
    elsewhere = _elsewhere(corpus, chunking, records, gaps)
    pairs = [*_foreign(corpus, chunking, records), *elsewhere, *_edited(corpus, chunking, altered, gaps)]
    for document, name in dict.fromkeys(pairs):
        changed.setdefault(document, []).append(name)
    return Coverage(gaps, dict(sorted(changed.items())))


def _words(text: str) -> str:
    """A text with one space for any white space, from its first letter or digit to its last."""
    return _EDGES.sub("", " ".join(text.split()))


def _gaps(corpus: Corpus, chunking: Chunking, document: int, held: Collection[str]) -> list[Gap]:
    """The stretches of a document that no record has. One without a letter or a digit, such as a rule, is none, nor is one whose
    text some record has: a passage that stands twice is there when it was stored once.
    """
    text = corpus.documents[document].text
    first, last = np.searchsorted(chunking.document, [document, document + 1])
    gaps, reached = list[Gap](), 0
    for start, end in [
        *zip(chunking.start[first:last].tolist(), chunking.end[first:last].tolist(), strict=True),
        (len(text),) * 2,
    ]:
        between = text[reached:start]
        if any(map(str.isalnum, between)) and _words(between) not in held:
            gaps.append(Gap(reached, start, len("".join(between.split()))))
        reached = max(reached, end)
    return gaps


def _foreign(corpus: Corpus, chunking: Chunking, records: Mapping[str, StoredChunk]) -> Iterator[tuple[int, str]]:
    """The records of which their document has nothing, each with that document."""
    paths = Paths(corpus)
    for d, name in zip(chunking.document.tolist(), chunking.ids, strict=True):
        if corpus.documents[d].foreign == "changed":
            named = next(filter(None, map(paths.documents, names_of(records[name]))), [])
            yield from ((document, name) for document in named[:1])


def _elsewhere(
    corpus: Corpus, chunking: Chunking, records: Mapping[str, StoredChunk], gaps: Mapping[int, list[Gap]]
) -> Iterator[tuple[int, str]]:
    """The records that name a document which lacks their text, and has text that is in no record, where another document has
    theirs: that one is another version, each with the document that it names.
    """
    paths = Paths(corpus)
    for placed, name in zip(chunking.document.tolist(), chunking.ids, strict=True):
        named = next(filter(None, map(paths.documents, names_of(records[name]))), [])
        if not corpus.documents[placed].foreign and len(named) == 1 and named[0] != placed and named[0] in gaps:
            yield named[0], name


def _edited(
    corpus: Corpus, chunking: Chunking, altered: Collection[str], gaps: Mapping[int, list[Gap]]
) -> Iterator[tuple[int, str]]:
    """The records of which their document has a part, beside one that no record has: it was edited there.

    Where something is only glued to a text, what the document has before and after it is in other records.
    """
    for chunk, name in enumerate(chunking.ids):
        if name not in altered:
            continue
        document, start, end = (int(column[chunk]) for column in (chunking.document, chunking.start, chunking.end))
        if any(start == gap.end or end == gap.start for gap in gaps.get(document, ())):
            yield document, name
