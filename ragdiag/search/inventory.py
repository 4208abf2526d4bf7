"""The chunks of a search that does not list them: taken from what it gives, asked for the documents' own text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ragdiag.core.errors import InputError, Untestable
from ragdiag.core.protocols import Progress
from ragdiag.core.records import BoolArray, Chunking, Corpus, Labels
from ragdiag.search.asking import Asking
from ragdiag.search.runs import Ranking
from ragdiag.search.standing import Standing
from ragdiag.sources.chunks import Placed
from ragdiag.sources.places import Place, from_spans
from ragdiag.text.phrases import counted

__all__ = ["inventory"]

WINDOW = 600
"""Characters of a document that a search is asked for: about a chunk."""

SHARE = 2
"""One call in so many goes into the inventory at most: the others prove."""

SHOWN = 3
"""Documents that a note names."""

WHOLE = 0.98
"""The share of the documents' characters from which on chunks are taken to be all that there are."""


def inventory(
    asking: Asking,
    rankings: Sequence[Ranking],
    whole: Corpus,
    corpus: Corpus,
    labels: Labels,
    depth: int,
    progress: Progress,
) -> Placed:
    """Every chunk that a search gives: for the labelled queries, for their evidence, for the text that no known chunk holds.

    `corpus` is `whole`, or the part of it that is audited. Of a label it is asked for the text even where a chunk with a part of
    it is known: another may hold all of it. The chunks are `complete` where they hold nearly all text of the documents.
    """
    shelf = _Shelf(whole, corpus, labels)
    for query, ranking in enumerate(rankings):
        shelf.add(ranking, query)
    may = asking.calls
    wanted = list(shelf.wanted(labels))
    for n, (document, start, end) in enumerate(wanted):
        if may - asking.calls >= may // SHARE:
            break
        if shelf.holds(document, start, end, whole=n < shelf.labelled):
            continue
        progress("asking for the documents' text", n, len(wanted))
        text = " ".join(corpus.documents[document].text[start:end].split())
        shelf.tried(document)
        try:
            shelf.add(asking.more(text, depth), None)
        except (Untestable, InputError):  # one text of many
            continue
    progress("asking for the documents' text", len(wanted), len(wanted))
    return shelf.placed(may - asking.calls)


class _Shelf:
    """The places of chunks that are known, and the characters that they hold."""

    def __init__(self, whole: Corpus, corpus: Corpus, labels: Labels) -> None:
        self._corpus = corpus
        self._standing = Standing(whole, corpus, None, labels)
        self._held: list[BoolArray] = [np.zeros(len(d.text), dtype=bool) for d in corpus.documents]
        self._places: dict[int, set[tuple[int, int]]] = {}
        self._in_vain: set[int] = set()
        self.labelled = 0
        """How many of `wanted` are labels."""

    def add(self, ranking: Ranking, query: int | None) -> None:
        """Learn the chunks of a ranking, and of its stages."""
        placed = self._standing.ranking(ranking, query)
        for result in (r for results in (placed.results, *placed.stages.values()) for r in results):
            if result.place is not None:
                document, start, end = result.place
                self._places.setdefault(document, set()).add((start, end))
                self._held[document][start:end] = True

    def tried(self, document: int) -> None:
        """Remember that a document is asked for."""
        self._in_vain.add(document)

    def wanted(self, labels: Labels) -> Iterator[Place]:
        """What to ask for: the labelled texts, then all others, a window at a time; those of labelled documents first."""
        evidence = labels.evidence
        spans = dict.fromkeys(zip(evidence.document.tolist(), evidence.start.tolist(), evidence.end.tolist(), strict=True))
        self.labelled = len(spans)
        yield from spans
        named = dict.fromkeys([*evidence.document.tolist(), *(d for grades in labels.relevant for d in grades)])
        for document in dict.fromkeys([*named, *range(len(self._corpus.documents))]):
            if self._corpus.documents[document].foreign:
                continue
            length = len(self._corpus.documents[document].text)
            yield from ((document, start, min(start + WINDOW, length)) for start in range(0, length, WINDOW))

    def holds(self, document: int, start: int, end: int, whole: bool) -> bool:
        """Whether a stretch of text is known: held by one chunk where `whole`, else by several; blank text always is."""
        text = self._corpus.documents[document].text[start:end]
        if whole:
            return any(a <= start and end <= b for a, b in self._places.get(document, ()))
        return not any(
            not held and not c.isspace() for held, c in zip(self._held[document][start:end].tolist(), text, strict=True)
        )

    def placed(self, calls: int) -> Placed:
        """The chunks, with a note on how they were found."""
        rows = sorted((document, start, end) for document, spans in self._places.items() for start, end in spans)
        named = from_spans(rows, [])
        own = [(d.text, held) for d, held in zip(self._corpus.documents, self._held, strict=True) if not d.foreign]
        texts = ((np.array([not c.isspace() for c in text], dtype=bool), held) for text, held in own)
        ink = [(int((held & dark).sum()), int(dark.sum())) for dark, held in texts]
        share = sum(n for n, _ in ink) / max(sum(n for _, n in ink), 1)
        chunking = Chunking(named.document, named.start, named.end, complete=share >= WHOLE)
        how = f"found by asking for the documents' text ({counted(calls, 'call')})"
        rest = "" if chunking.complete else "; give --chunks for what this leaves open, or more --calls"
        notes = (f"{counted(len(rows), 'chunk')} {how} with {share:.1%} of their characters{rest}", *self._unreached())
        return Placed(chunking, notes)

    def _unreached(self) -> Iterator[str]:
        """A note on documents that were asked for by their own text, and are in no result."""
        lost = [self._corpus.documents[d].id for d in sorted(self._in_vain - self._places.keys())]
        if lost:
            named = f"{counted(len(lost), 'document')} ({', '.join(lost[:SHOWN])}{', …' if len(lost) > SHOWN else ''})"
            yield f"{named} in no result, though asked for by their own text: not indexed, or filtered out"
