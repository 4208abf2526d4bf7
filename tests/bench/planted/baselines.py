"""What the diagnosis is measured against: rules that change nothing, and answers that look at nothing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from .records import Case, K, Span, World
from .search import READ, Ranker, depths
from .text import content_words, likeness, words

DEPTH = 50
STUFFED = 0.25  # share of a chunk's words that are the query's: no prose has so many


class Surface(NamedTuple):
    """What can be seen of a case without changing anything."""

    world: World
    ranker: Ranker
    retriever: str
    case: Case
    ranking: Sequence[Span]
    chunks: Sequence[Span]

    def cause(self) -> str:
        """The first rule that applies, in the order of docs/method.md."""
        found = depths(self.ranking, self.case.question, self.world.pages)
        missing = [g for g, d in zip(self.case.question.groups, found, strict=True) if d is None or d > K]
        if not missing:
            return "healthy"
        rules = {
            "missing_content": lambda: any(not self._touching(g) for g in missing),
            "chunk_split": lambda: any(not self._holding(g) for g in missing),
            "truncated": lambda: self.retriever != "bm25" and any(self._unread(g) for g in missing),
            "stale": self._superseded,
            "crowded_out": lambda: self._repeated() >= 2,
            "pollution": lambda: self._stuffed() >= 2,
            "diluted": lambda: any(self._lost_in_its_chunk(g) for g in missing),
            "query_mismatch": lambda: self._words_shared(missing) < 0.2,
            "incomplete": lambda: len(missing) < len(found),
            "ranking": lambda: all(d is not None and d <= DEPTH for d in found),
        }
        return next((cause for cause, applies in rules.items() if applies()), "query_mismatch")

    @property
    def context(self) -> list[Span]:
        return list(self.ranking[:K])

    def _touching(self, group: Sequence[Span]) -> list[Span]:
        return [c for c in self.chunks if any(c.meets(p) for p in group)]

    def _holding(self, group: Sequence[Span]) -> list[Span]:
        return [c for c in self.chunks if any(c.holds(p) for p in group)]

    def _unread(self, group: Sequence[Span]) -> bool:
        """Whether the passage starts beyond what the encoder reads of its chunk."""
        chunk = self._holding(group)[0]
        passage = next(p for p in group if chunk.holds(p))
        return self.ranker.pieces(self.world.pages[chunk.page].text[chunk.start : passage.start]) > READ

    def _superseded(self) -> bool:
        metadata = {page: given for edit in self.world.edits for page, given in edit.metadata.items()}
        families = {metadata.get(p.page, {}).get("family") for p in self.case.question.passages} - {None}
        pages = [self.world.pages[c.page] for c in self.context]
        return any(p.metadata.get("superseded") or p.metadata.get("family") in families for p in pages)

    def _repeated(self) -> int:
        """How many chunks of the context are much like one before them."""
        texts = [self.world.text(c) for c in self.context]
        return sum(any(likeness(t, other) > 0.5 for other in texts[:n]) for n, t in enumerate(texts))

    def _stuffed(self) -> int:
        """How many chunks of the context consist of the query's words to a large part."""
        asked = set(content_words(self.case.asked))
        found = [words(self.world.text(c)) for c in self.context]
        return sum(sum(w in asked for w in text) > STUFFED * len(text) for text in found if text)

    def _lost_in_its_chunk(self, group: Sequence[Span]) -> bool:
        """Whether the passage is a small part of a chunk much longer than most."""
        chunk = self._holding(group)[0]
        passage = next(p for p in group if chunk.holds(p))
        size = chunk.end - chunk.start
        return passage.end - passage.start < 0.2 * size and size > 1.5 * median(c.end - c.start for c in self.chunks)

    def _words_shared(self, missing: Sequence[Sequence[Span]]) -> float:
        """Share of the query's content words that the chunks of the missing evidence have."""
        asked = content_words(self.case.asked)
        text = set(words(" ".join(self.world.text(c) for g in missing for c in self._holding(g))))
        return sum(w in text for w in asked) / max(len(asked), 1)


def add_surface(world: World, ranker: Ranker, retriever: str, cases: Sequence[Case]) -> None:
    """Note for each case what the surface check says."""
    view = world.view()
    rankings = ranker.search(retriever, view, [c.asked for c in cases])
    for case, ranking in zip(cases, rankings, strict=True):
        case.notes["surface"] = Surface(world, ranker, retriever, case, ranking, view.spans).cause()
