"""Is a fault what it claims to be? Each repair is made on the whole world and ranked again, without the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import log

from .asking import RARE
from .records import Case, Edit, K, Page, Question, Span, View, World
from .search import READ, RETRIEVERS, Ranker, depths, sufficient
from .text import content, content_words, likeness
from .wordforms import FILLER

DEEPEST = 50
NEAR = 0.5  # likeness of near-duplicates
CLEARLY = 3  # the rank down to which another retriever has to bring the evidence
ASKED_OR_ALONE = ("misspelt", "follow_up", "contextless", "header_lost")  # what they lack no other retriever gives back
SMALL = 0.25  # share of its chunk up to which a passage counts as diluted


class Verifier:
    """Checks cases of a world under one retriever; `plus` are edits that a trial adds, `swaps` the retrievers to try instead."""

    def __init__(self, world: World, ranker: Ranker, retriever: str, swaps: Sequence[str] = RETRIEVERS) -> None:
        self.world, self.ranker, self.retriever, self.swaps = world, ranker, retriever, swaps

    def rank(self, asked: str, retriever: str = "", **view: Iterable) -> list[Span]:
        return self.ranker.search(retriever or self.retriever, self.world.view(**view), [asked])[0]

    def serves(self, question: Question, asked: str, retriever: str = "", **view: Iterable) -> bool:
        return sufficient(self.rank(asked, retriever, **view), question, self.pages(view.get("plus", ())))

    def pages(self, plus: Iterable[Edit | None]) -> dict[str, Page]:
        """The pages of the world and of edits on trial."""
        return self.world.pages | {p.id: p for e in plus if e for p in e.pages}

    def flaw(self, case: Case, plus: Sequence[Edit | None] = ()) -> str:
        """Why a case is not what it says; "" when it is."""
        ranking = self.rank(case.asked, plus=plus)
        pages = self.pages(plus)
        if case.fault is None:
            if not sufficient(ranking, case.question, pages):
                return "no longer served"
            return "all of it served" if case.needs != case.question and sufficient(ranking, case.needs, pages) else ""
        found = depths(ranking, case.needs, pages)
        if all(d is not None and d <= K for d in found):
            return "still served"
        if not self.serves(case.question, case.question.text, plus=plus, without=(case.fault,)):
            return "not restored by undoing it"
        if case.extra:
            alone = replace(case, extra=None)
            if self.serves(case.needs, alone.asked, plus=plus, without=(case.extra,)):
                return "restored by removing the herring"
            if case.extra.record.get("rewrite") and self.serves(case.needs, case.extra.record["rewrite"], plus=plus):
                return "restored by the herring's rewrite"
        if case.fault.context and not self._with_context(case, plus):
            return "not restored by what surrounds it"
        return self._flaw_of_kind(case, found, plus)

    def _flaw_of_kind(self, case: Case, found: Sequence[int | None], plus: Sequence[Edit | None]) -> str:
        style = case.fault.style if case.fault else ""
        covered = [d is not None and d <= K for d in found]
        if case.kind in ("ranking", "incomplete") and not all(d is not None and d <= DEEPEST for d in found):
            return "evidence too deep"
        if case.kind == "ranking" and any(covered):
            return "partly covered"
        if case.kind == "incomplete" and not any(covered):
            return "nothing covered"
        if case.kind == "query_mismatch" and not (rare(case) or FILLER in style or self._few_shared_words(case, plus)):
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
            ("conflicting", self._without_contradictions),
            ("crowded_out", self._without_copies),
            ("pollution", self._without_foreign),
            ("diluted", self._in_half_windows),
            ("contextless", self._with_title),
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
        planted = self._old_versions(case) - {p.id for e in self._edits(plus) if e.kind == "conflicting" for p in e.pages}
        return bool(planted) and self.serves(case.needs, case.asked, plus=plus, drop=planted)

    def _old_versions(self, case: Case) -> set[str]:
        found = {p.id for e in (case.fault, case.extra) if e and e.kind in ("stale", "conflicting") for p in e.pages}
        passages = [self.world.text(c) for c in self.world.holders(case.question)]
        for page in self.world.pages.values():
            if page.metadata.get("superseded") and any(likeness(page.text, p) > 0.3 for p in passages):
                found.add(page.id)
        return found

    def _without_contradictions(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """Undated pages dropped that say nearly the same as this evidence with other values."""
        planted = {p.id for e in (case.fault, case.extra) if e and e.kind == "conflicting" for p in e.pages}
        return bool(planted) and self.serves(case.needs, case.asked, plus=plus, drop=planted)

    def _with_context(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """What its surroundings say, given back to the chunk that holds the evidence."""
        return self._served_after(case, plus, case.fault.context if case.fault else "")

    def _with_title(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """The title before the evidence's chunk, where it has words of the question that the chunk lacks."""
        pages = self.pages(plus)
        if len(case.needs.groups) > 1:
            return False
        passage = case.needs.passages[0]
        title = pages[passage.page].title
        chunk = next((c for c in self.world.view(plus=plus).spans if c.holds(passage)), None)
        if chunk is None:
            return False
        lacks = content(pages[chunk.page].text[chunk.start : chunk.end])
        if not (content(title) & content(case.asked)) - lacks:
            return False
        return self._served_after(case, plus, title)

    def _served_after(self, case: Case, plus: Sequence[Edit | None], before: str) -> bool:
        """Whether the query is served with this text before the chunks that hold its evidence."""
        view = self.world.view(plus=plus)
        holding = [any(s.holds(p) for p in case.needs.passages) for s in view.spans]
        texts = [f"{before}\n\n{t}" if held else t for held, t in zip(holding, view.texts, strict=True)]
        ranking = self.ranker.search(self.retriever, View(view.spans, texts), [case.asked])[0]
        pages = self.pages(plus)
        return sufficient(ranking, case.needs, pages)

    def _without_foreign(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        planted = {p.id for e in self._edits(plus) if e.kind == "pollution" for p in e.pages}
        return bool(planted) and self.serves(case.needs, case.asked, plus=plus, drop=planted)

    def _without_copies(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """The first of each cluster of near-duplicates kept; versions of the evidence are no such cluster."""
        old = self._old_versions(case)
        view = self.world.view(plus=plus)
        text = dict(zip(view.spans, view.texts, strict=True))
        kept: list[Span] = []
        ranking = self.rank(case.asked, plus=plus)
        for span in ranking[: 4 * K]:
            evidence = any(span.meets(p) for p in case.needs.passages)
            if evidence or span.page in old or all(likeness(text[span], text[k]) < NEAR for k in kept):
                kept.append(span)
        return len(kept) < len(ranking[: 4 * K]) and sufficient(kept, case.needs, self.world.pages)

    def _in_half_windows(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """Half of its chunk round each small passage that the context lacks."""
        view = self.world.view(plus=plus)
        ranking = self.rank(case.asked, plus=plus)
        removed, added = set(), set()
        for group in case.needs.groups:
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
        return self.serves(case.needs, case.asked, plus=(*plus, window))

    def _elsewhere_ranked(self, case: Case, plus: Sequence[Edit | None]) -> bool:
        """Another retriever clearly serves the question, whose words this passage has less of than what stands above it."""
        if case.kind in ASKED_OR_ALONE:
            return False
        view = self.world.view(plus=plus)
        for group in case.needs.groups:
            if not any(self.visible(c, p) for p in group for c in view.spans if c.holds(p)):
                return False
        gated = case.kind not in ("ranking", "incomplete") and not rare(case)
        if gated and not self._few_shared_words(case, plus):
            return False
        k = K if case.kind in ("ranking", "incomplete") else CLEARLY
        swaps = [self.rank(case.asked, r, plus=plus) for r in self.swaps if r != self.retriever]
        return any(sufficient(ranking, case.needs, self.world.pages, k) for ranking in swaps)

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
        own = max((share(s) for s in view.spans if any(s.holds(p) for p in case.needs.passages)), default=0.0)
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
