"""What the diagnosis is measured against: rules that change nothing, and answers that look at nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
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
        found = depths(self.ranking, self.case.needs, self.world.pages)
        missing = [g for g, d in zip(self.case.needs.groups, found, strict=True) if d is None or d > K]
        if not missing:
            return "healthy"
        rules = {
            "missing_content": lambda: any(not self._touching(g) for g in missing),
            "follow_up": lambda: bool(self.case.record.get("history")) and len(content_words(self.case.asked)) <= 3,
            "chunk_split": lambda: any(not self._holding(g) for g in missing),
            "header_lost": lambda: any(self._bare_rows(g) for g in missing),
            "truncated": lambda: self.retriever != "bm25" and any(self._unread(g) for g in missing),
            "stale": self._superseded,
            "conflicting": lambda: self._contradicted(missing) >= 2,
            "crowded_out": lambda: self._repeated() >= 2,
            "pollution": lambda: self._stuffed() >= 2,
            "diluted": lambda: any(self._lost_in_its_chunk(g) for g in missing),
            "too_small": lambda: any(self._in_a_small_chunk(g) for g in missing),
            "misspelt": lambda: self._mistyped(missing),
            "contextless": lambda: any(self._named_by_title_alone(g) for g in missing),
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
        current = [metadata.get(p.page, self.world.pages[p.page].metadata) for p in self.case.needs.passages]
        told = {key for given in current for key in given if key != "title"}
        similar = [self.world.pages[c.page] for c in self._like_the_evidence(self.case.needs.groups)]
        return any(told & set(p.metadata) for p in similar) or any(
            self.world.pages[c.page].metadata.get("superseded") for c in self.context
        )

    def _like_the_evidence(self, groups: Sequence[Sequence[Span]]) -> list[Span]:
        """Chunks of the context that read like one that holds the evidence."""
        held = [self.world.text(c) for g in groups for c in self._holding(g)]
        own = {p.page for g in groups for p in g}
        return [c for c in self.context if c.page not in own and any(likeness(self.world.text(c), t) > 0.3 for t in held)]

    def _contradicted(self, missing: Sequence[Sequence[Span]]) -> int:
        """How many chunks of the context read like the evidence and say nothing of when they are from."""
        return sum(not self.world.pages[c.page].metadata for c in self._like_the_evidence(missing))

    def _bare_rows(self, group: Sequence[Span]) -> bool:
        """Whether a chunk with the passage starts with a row of a table or a list's item."""
        return any(re.match(r"\s*(\||[-*•] |[^\n|]+ \| )", self.world.text(c)) for c in self._holding(group))

    def _in_a_small_chunk(self, group: Sequence[Span]) -> bool:
        size = median(c.end - c.start for c in self.chunks)
        return all(c.end - c.start < 0.5 * size for c in self._holding(group))

    def _mistyped(self, missing: Sequence[Sequence[Span]]) -> bool:
        """Whether a word of the query stands nowhere and one much like it stands with the evidence."""
        texts = [self.world.text(c) for c in self.chunks]
        known = {w for text in texts for w in words(text)}
        near = {w for g in missing for c in self._holding(g) for w in words(self.world.text(c))}
        unknown = [w for w in content_words(self.case.asked) if w not in known]
        return any(get_close_matches(w, near, 1, 0.8) for w in unknown)

    def _named_by_title_alone(self, group: Sequence[Span]) -> bool:
        """Whether the title has two words of the query that the chunk lacks."""
        asked = set(content_words(self.case.asked))
        chunk = self._holding(group)[0]
        return len(asked & set(words(self.world.pages[chunk.page].title)) - set(words(self.world.text(chunk)))) >= 2

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
