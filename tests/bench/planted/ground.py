"""What a planter works with: one question in a world, the ranking it gets there, and helpers to write edits."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ragdiag.core.registry import make

from .records import Edit, Page, Question, Span, World
from .search import Ranker, depths
from .sources import DIGEST
from .text import content, content_words, sentences

CHUNKER = make("chunkers", "sentence(size=160)")
SHARED = 3  # content words that a sentence of another document shares with the passage's chunk, to be on its subject


def cut(page: Page) -> frozenset[Span]:
    """The chunks of a new page."""
    starts, ends = CHUNKER.spans(page.text)
    return frozenset(Span(page.id, a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True))


@dataclass
class Ground:
    """A served question of a world, ready to have something planted."""

    world: World
    ranker: Ranker
    retriever: str
    foreign: Sequence[str]  # passages of other sets
    question: Question
    rng: random.Random

    @cached_property
    def ranking(self) -> list[Span]:
        """What the question finds as the world is."""
        return self.ranker.search(self.retriever, self.world.view(), [self.question.text])[0]

    @property
    def deepest(self) -> int:
        """The rank down to which the evidence reaches."""
        found = depths(self.ranking, self.question, self.world.pages)
        return max(d for d in found if d is not None)

    @cached_property
    def terms(self) -> list[str]:
        return content_words(self.question.text) or self.question.text.split()

    @cached_property
    def passage(self) -> Span:
        """A passage to work on: of one group, the first that stands whole in a chunk."""
        group = self.rng.choice(self.question.groups)
        return next(p for p in group if any(c.holds(p) for c in self.world.on(p.page)))

    @property
    def group(self) -> tuple[Span, ...]:
        return next(g for g in self.question.groups if self.passage in g)

    def holder(self, passage: Span) -> Span:
        """The base chunk that holds a passage."""
        return next(c for c in self.world.on(passage.page) if c.holds(passage))

    def alone(self, chunks: Iterable[Span]) -> bool:
        """Whether these chunks hold no other passage that the question needs."""
        return not any(c.meets(p) for c in chunks for p in self.question.passages if p != self.passage)

    def text(self, span: Span) -> str:
        return self.world.text(span)

    def title(self, page: str) -> str:
        return self.world.pages[page].title

    def name(self, like: str) -> str:
        """A new page's id, which tells nothing."""
        return f"{like.split('~')[0]}~{self.rng.getrandbits(24):06x}"

    def adding(
        self, kind: str, style: str, pages: Iterable[Page], metadata: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Edit:
        """An edit that adds pages; one that by chance holds the evidence, or its answer, is left out."""
        evidence = [t for p in self.question.passages if (t := self.text(p).strip())]
        evidence += [self.question.answer.strip()] if self.question.answer else []
        kept = tuple(p for p in pages if not any(e in p.text for e in evidence))
        spans = frozenset(span for page in kept for span in cut(page))
        return Edit(kind, style, kept, added=spans, metadata=metadata or {})

    def elsewhere(self, most: int) -> list[str]:
        """Texts of original chunks on something else: without a word of the question and no part of any evidence."""
        needed = [p for q in self.world.questions for p in q.passages]
        near = {*self.terms, *content(self.text(self.holder(self.passage)))}
        found: list[str] = []
        for chunk in self.rng.sample(sorted(self.world.base), min(300, len(self.world.base))):
            text = self.text(chunk)
            own = content(text)
            if own & set(self.terms) or len(own & near) > 0.15 * len(own) or len(text) < 200:
                continue
            if not any(chunk.meets(p) for p in needed):
                found.append(text)
            if len(found) == most:
                break
        return found

    def competitors(self, most: int = 20) -> list[Span]:
        """Chunks of the original pages, best ranked first, that hold none of the evidence."""
        return [c for c in self.ranking[:most] if c in self.world.base and not self._holds_evidence(c)]

    def subject(self, passage: Span) -> list[str]:
        """Sentences on the passage's subject, outside the evidence: of its document, then others that share its words."""
        stem = passage.page.rsplit("-p", 1)[0]
        alone = DIGEST in passage.page  # its neighbours are documents of other subjects
        others = [c for c in [*self.world.on(passage.page), *self.competitors(60)] if not self._holds_evidence(c)]
        kin = [c for c in others if not alone and c.page.rsplit("-p", 1)[0] == stem]
        about = content(f"{self.question.text} {self.text(self.holder(passage))}")
        found = [s for c in dict.fromkeys(kin) for s in sentences(self.text(c))]
        found += [s for c in others for s in sentences(self.text(c)) if len(content(s) & about) >= SHARED]
        evidence = [self.text(p) for p in self.question.passages]
        evidence += sorted(self.world.needed)
        return [s for s in dict.fromkeys(found) if len(s) > 40 and not any(s in e or e.strip() in s for e in evidence)]

    def _holds_evidence(self, chunk: Span) -> bool:
        return any(chunk.meets(p) for p in self.question.passages)
