"""Is a fault what it claims to be? Each repair is made on the whole world and ranked again, without the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import log

from .asking import RARE
from .records import Case, Edit, K, Question, Span, World
from .search import READ, RETRIEVERS, Ranker, depths, sufficient
from .text import content, content_words, likeness

DEEPEST = 50
NEAR = 0.5  # likeness of near-duplicates
SMALL = 0.25  # share of its chunk up to which a passage counts as diluted


class Verifier:
    """Checks cases of a world under one retriever; `plus` are edits that a trial adds, `swaps` the retrievers to try instead."""

    def __init__(self, world: World, ranker: Ranker, retriever: str, swaps: Sequence[str] = RETRIEVERS) -> None:
        self.world, self.ranker, self.retriever, self.swaps = world, ranker, retriever, swaps

    def rank(self, asked: str, retriever: str = "", **view: Iterable) -> list[Span]:
        return self.ranker.search(retriever or self.retriever, self.world.view(**view), [asked])[0]

    def serves(self, question: Question, asked: str, retriever: str = "", **view: Iterable) -> bool:
        return sufficient(self.rank(asked, retriever, **view), question, self.world.pages)

    def harmless(self, question: Question, edit: Edit) -> bool:
        """Whether the question stays served with this edit."""
        return self.serves(question, edit.asked or question.text, plus=(edit,))

    def flaw(self, case: Case, plus: Sequence[Edit | None] = ()) -> str:
        """Why a case is not what it says; "" when it is."""
        ranking = self.rank(case.asked, plus=plus)
        if case.fault is None:
            return "" if sufficient(ranking, case.question, self.world.pages) else "no longer served"
        found = depths(ranking, case.question, self.world.pages)
        if all(d is not None and d <= K for d in found):
            return "still served"
        if not self.serves(case.question, case.question.text, plus=plus, without=(case.fault,)):
            return "not restored by undoing it"
        if case.extra and self.serves(case.question, case.asked, plus=plus, without=(case.extra,)):
            return "restored by removing the herring"
        return self._flaw_of_kind(case, found, plus)

    def _flaw_of_kind(self, case: Case, found: Sequence[int | None], plus: Sequence[Edit | None]) -> str:
        covered = [d is not None and d <= K for d in found]
        if case.kind in ("ranking", "incomplete") and not all(d is not None and d <= DEEPEST for d in found):
            return "evidence too deep"
        if case.kind == "ranking" and any(covered):
            return "partly covered"
        if case.kind == "incomplete" and not any(covered):
            return "nothing covered"
        if case.kind == "query_mismatch" and not (rare(case) or self._few_shared_words(case, plus)):
            return "its words are still the passage's"
        clean = case.kind in ("ranking", "incomplete", "query_mismatch")
        if clean and any(repair(case, plus) for name, repair in self._repairs() if name != case.kind):
            return "another repair does it as well"
        return ""

    def right(self, case: Case, plus: Sequence[Edit | None] = ()) -> list[str]:
        """The planted cause, then every other single repair that restores sufficiency, in the order of docs/method.md."""
        return [case.kind] + [name for name, repair in self._repairs() if name != case.kind and repair(case, plus)]

    def _repairs(self) -> tuple[tuple[str, Callable[[Case, Sequence[Edit | None]], bool]], ...]:
        return (
            ("stale", self._without_old),
            ("crowded_out", self._without_copies),
            ("pollution", self._without_foreign),
            ("diluted", self._in_half_windows),
            ("query_mismatch", self._elsewhere_ranked),
        )

    def provable(self, case: Case) -> bool:
        """Whether the method's own repair of the planted cause, made plainly, restores it; told for the two where it may not."""
        repair = {"diluted": self._in_half_windows, "query_mismatch": self._elsewhere_ranked}.get(case.kind)
        return repair is None or repair(case, ())

    def _edits(self, plus: Sequence[Edit | None]) -> list[Edit]:
        return [*self.world.edits, *(e for e in plus if e)]

    def _without_old(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """Superseded versions of this evidence dropped: the case's own, and any of the set that reads like it."""
        planted = self._old_versions(case)
        return bool(planted) and self.serves(case.question, case.asked, plus=plus, drop=planted)

    def _old_versions(self, case: Case) -> set[str]:
        found = {p.id for e in (case.fault, case.extra) if e and e.kind == "stale" for p in e.pages}
        passages = [self.world.text(c) for c in self.world.holders(case.question)]
        for page in self.world.pages.values():
            if page.metadata.get("superseded") and any(likeness(page.text, p) > 0.3 for p in passages):
                found.add(page.id)
        return found

    def _without_foreign(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        planted = {p.id for e in self._edits(plus) if e.kind == "pollution" for p in e.pages}
        return bool(planted) and self.serves(case.question, case.asked, plus=plus, drop=planted)

    def _without_copies(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """The first of each cluster of near-duplicates kept; versions of the evidence are no such cluster."""
        old = self._old_versions(case)
        view = self.world.view(plus=plus)
        text = dict(zip(view.spans, view.texts, strict=True))
        kept: list[Span] = []
        ranking = self.rank(case.asked, plus=plus)
        for span in ranking[: 4 * K]:
            evidence = any(span.meets(p) for p in case.question.passages)
            if evidence or span.page in old or all(likeness(text[span], text[k]) < NEAR for k in kept):
                kept.append(span)
        return len(kept) < len(ranking[: 4 * K]) and sufficient(kept, case.question, self.world.pages)

    def _in_half_windows(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """Half of its chunk round each small passage that the context lacks."""
        view = self.world.view(plus=plus)
        ranking = self.rank(case.asked, plus=plus)
        removed, added = set(), set()
        for group in case.question.groups:
            depth = depths(ranking, Question("", "", (group,)), self.world.pages)[0]
            if depth is not None and depth <= K:
                continue
            holders = [(c, p) for p in group for c in view.spans if c.holds(p) and p.end - p.start <= SMALL * (c.end - c.start)]
            if not holders or not self.visible(*holders[0]):
                return False
            chunk, passage = holders[0]
            removed.add(chunk)
            added.add(_half(chunk, passage))
        window = Edit("window", "half", added=frozenset(added), removed=frozenset(removed))
        return self.serves(case.question, case.asked, plus=(*plus, window))

    def _elsewhere_ranked(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """Another retriever serves the question, whose words this passage has less of than what stands above it."""
        view = self.world.view(plus=plus)
        for group in case.question.groups:
            if not any(self.visible(c, p) for p in group for c in view.spans if c.holds(p)):
                return False
        gated = case.kind not in ("ranking", "incomplete") and not rare(case)
        if gated and not self._few_shared_words(case, plus):
            return False
        return any(self.serves(case.question, case.asked, r, plus=plus) for r in self.swaps if r != self.retriever)

    def visible(self, chunk: Span, passage: Span) -> bool:
        """Whether the encoder reads a passage of a chunk; a sparse retriever reads everything."""
        if self.retriever == "bm25":
            return True
        return self.ranker.pieces(self.world.pages[chunk.page].text[chunk.start : passage.end]) <= READ

    def _few_shared_words(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        view = self.world.view(plus=plus)
        sets = {s: content(t) for s, t in zip(view.spans, view.texts, strict=True)}
        wanted = content_words(case.asked)
        weight = {w: log(1 + len(sets) / (1 + sum(w in s for s in sets.values()))) for w in wanted}

        def share(span: Span) -> float:
            return sum(weight[w] for w in wanted if w in sets[span])

        above = self.rank(case.asked, plus=plus)[:K]
        own = max((share(s) for s in view.spans if any(s.holds(p) for p in case.question.passages)), default=0.0)
        return own < sum(map(share, above)) / max(len(above), 1)


def rare(case: Case) -> bool:
    """Whether the question only names rare terms: it shares them with its passage, and the encoder does not see that."""
    return case.fault is not None and case.fault.style == RARE


def _half(chunk: Span, passage: Span) -> Span:
    """Half a chunk round a passage, within the chunk."""
    size = (chunk.end - chunk.start) // 2
    start = passage.start - (size - (passage.end - passage.start)) // 2
    start = min(max(start, chunk.start), chunk.end - size)
    return Span(chunk.page, start, start + size)
