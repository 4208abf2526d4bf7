"""A world with faults in it: questions taken in turn, something planted in each, each verified at once and again at the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from .additions import conflicting, crowded_out, pollution, stale, stuffed
from .asking import query_mismatch
from .context import contextless
from .cuts import chunk_split, diluted, missing_content, too_small, truncated
from .distractors import incomplete, ranking
from .families import MARK, header_lost
from .ground import Ground
from .harmless import DECOYS, HERRINGS, WIDE, oddity
from .records import LABEL_WIDE, Case, Edit, Page, Question, Span, World
from .search import RETRIEVERS, Ranker, sufficient
from .sources import with_copies
from .text import content, content_words
from .turns import follow_up, misspelt
from .verify import Verifier
from .wording import OTHER_WORDS

PLANTERS: dict[str, Callable[[Ground], Iterator[Edit]]] = {
    "missing_content": missing_content,
    "header_lost": header_lost,
    "chunk_split": chunk_split,
    "truncated": truncated,
    "stale": stale,
    "conflicting": conflicting,
    "crowded_out": crowded_out,
    "pollution": pollution,
    "diluted": diluted,
    "contextless": contextless,
    "too_small": too_small,
    "follow_up": follow_up,
    "misspelt": misspelt,
    "query_mismatch": query_mismatch,
    "incomplete": incomplete,
    "ranking": ranking,
}
JOIN = "+"
FINISHED = "in the finished world: "
HUBS = 0.2  # share of pollution by pages that several questions find
TRIES = {  # questions tried for each case wanted of a class; of others: FEWER
    "truncated": 8,
    "diluted": 15,
    "query_mismatch": 12,
    "too_small": 15,
    "header_lost": 8,
    "contextless": 10,
}
FEWER = 6
TABLES_SHARE = 0.25  # of the cases of these other classes that may be on a table:
TABLES = ("header_lost", "missing_content", "misspelt", "healthy")  # the classes that questions on tables are for
MOVING = ("contextless", "header_lost")  # herrings that touch the evidence's page stay away


class Planter:
    """Fills one world; `dropped` counts what did not verify, by class and reason."""

    def __init__(
        self,
        world: World,
        ranker: Ranker,
        retriever: str,
        foreign: Sequence[str],
        seed: str,
        swaps: Sequence[str] = RETRIEVERS,
    ) -> None:
        self.world, self.ranker, self.retriever, self.foreign = world, ranker, retriever, foreign
        self.rng = random.Random(seed)
        self.verifier = Verifier(world, ranker, retriever, swaps)
        self.cases: list[Case] = []
        self.pool: list[Question] = []
        self.dropped: Counter[tuple[str, str]] = Counter()

    def fill(self, wanted: dict[str, int]) -> list[Case]:
        """Plant `wanted[class]` cases of each class where the set allows, and return those that hold in the finished world."""
        self.pool = self._served()
        self.rng.shuffle(self.pool)
        tried: Counter[str] = Counter()
        made: Counter[str] = Counter()
        refused: dict[str, set[str]] = {kind: set() for kind in wanted}
        while True:
            unfinished = [k for k in wanted if made[k] < wanted[k] and tried[k] < TRIES.get(k, FEWER) * wanted[k]]
            if not unfinished:
                break
            # The scarce ones first, while there is most to choose from.
            kind = min(unfinished, key=lambda k: made[k] / wanted[k] - (k in TRIES) + 0.1 * tried[k] / wanted[k])
            question = self._next(kind, refused[kind])
            tried[kind] += 1 if question else 1000
            for case in self._cases(kind, question) if question else ():
                used = set(case.question.id.split(JOIN))
                self.pool = [q for q in self.pool if q.id not in used]
                made[kind] += 1
                self.world.accept(case)
                self.cases.append(case)
        return self._finished()

    def _next(self, kind: str, refused: set[str]) -> Question | None:
        """A question that a class may be tried on, not one `refused` already; for `incomplete` one made of two, if need be."""
        rest = [q for q in self.pool if q.id not in refused and (kind != "incomplete" or len(q.groups) > 1)]
        rest = [q for q in rest if kind in TABLES or MARK not in q.id]
        if kind == "header_lost":
            rest = [q for q in rest if MARK in q.id]
        elif self.rng.random() > TABLES_SHARE:
            rest.sort(key=lambda q: MARK in q.id)
        if kind == "contextless":
            rest = [q for q in rest if not self._pages_chunks(q) & (self.world.reserved | self.world.removed)]
        if kind in ORDERS:
            rest.sort(key=partial(ORDERS[kind], self))
        singles = [q for q in self.pool if len(q.groups) == 1 and MARK not in q.id]
        for question in [*rest, *(self._joined(singles) if kind == "incomplete" else ())]:
            refused.add(question.id)
            if self.world.untouched(question) and self.verifier.serves(question, question.text):
                return question
        return None

    def _small_passage(self, question: Question) -> int:
        """Characters of the shortest passage: a small one is diluted sooner."""
        return min(p.end - p.start for p in question.passages)

    def _fewest_left(self, question: Question) -> float:
        """Share of the words shared with the passage's chunk for which there are no others; nothing for a person's paraphrase."""
        present = content(" ".join(self.world.text(c) for c in sorted(self.world.holders(question))))
        shared = [w for w in content_words(question.text) if w in present]
        return 0.0 if question.other else sum(w not in OTHER_WORDS for w in shared) / max(len(shared), 1)

    def _words_beside(self, question: Question) -> int:
        """Words of the question that the passage's chunk has outside the passage, the most first."""
        passages = content(" ".join(self.world.text(p) for p in question.passages))
        chunks = content(" ".join(self.world.text(c) for c in sorted(self.world.holders(question))))
        return -len((chunks - passages) & set(content_words(question.text)))

    def _pages_chunks(self, question: Question) -> set[Span]:
        return {c for p in question.passages for c in self.world.on(p.page)}

    def _joined(self, singles: list[Question]) -> Iterator[Question]:
        """Questions that ask two things at once."""
        for _ in range(min(40, len(singles))):
            a, b = self.rng.sample(singles, 2) if len(singles) > 1 else (None, None)
            if a and b and a.groups[0] != b.groups[0]:
                text = self.rng.choice(("{} And: {}", "{} Also, {}", "{} {}")).format(a.text, b.text)
                yield Question(f"{a.id}{JOIN}{b.id}", text, a.groups + b.groups)

    def _served(self) -> list[Question]:
        """The questions that the healthy world serves, in their own words or in the page's."""
        questions = self.world.questions
        reworded = [replace(q, text=q.other, other=q.text) for q in questions if q.other]
        found = self.ranker.search(self.retriever, self.world.view(), [q.text for q in [*questions, *reworded]])
        served: dict[str, Question] = {}
        for question, ranked in zip([*questions, *reworded], found, strict=True):
            if sufficient(ranked, question, self.world.pages):
                served.setdefault(question.id, question)
        return list(served.values())

    def _cases(self, kind: str, question: Question) -> list[Case]:
        """Mostly one case of a class; of pollution at times several, by the same pages."""
        if kind == "pollution" and self.rng.random() < HUBS:
            return self._hub(question)
        case = self._case(kind, question)
        return [case] if case else []

    def _hub(self, question: Question) -> list[Case]:
        """The question and two more, served no longer because of pages stuffed for all of them."""
        others = [q for q in self.pool if q.id != question.id and MARK not in q.id and self.world.untouched(q)]
        several = [question, *self.rng.sample(others, min(2, len(others)))]
        several = [q for q in several if self.verifier.serves(q, q.text)]
        ground = self._ground(question)
        style = self.rng.choice(("appended", "repeated", "mixed"))
        for strength in (1, 2):
            edit = ground.adding("pollution", f"hub, {style}", stuffed(ground, 9, style, strength, [q.text for q in several]))
            cases = [Case(q, edit, None) for q in several]
            cases = [c for c in cases if not self.verifier.flaw(c, plus=(edit,))]
            if cases:
                return cases
        self._drop("pollution", "still served")
        return []

    def _ground(self, question: Question) -> Ground:
        return Ground(self.world, self.ranker, self.retriever, self.foreign, question, random.Random(self.rng.random()))

    def _case(self, kind: str, question: Question) -> Case | None:
        ground = self._ground(question)
        if kind == "healthy":
            return self._healthy(ground)
        reason = "cannot be planted here"
        for edit in PLANTERS[kind](ground):
            if not self.world.free(edit):
                reason = "touches another case"
                continue
            case = Case(question, edit, None)
            flaw = self.verifier.flaw(case, plus=(edit,))
            if not flaw:
                return self._with_herring(case, ground)
            reason = flaw
        return self._drop(kind, reason)

    def _drop(self, kind: str, reason: str) -> None:
        self.dropped[kind, reason] += 1

    def _with_herring(self, case: Case, ground: Ground) -> Case:
        """The case, in half of all with a harmless oddity of another kind beside the fault."""
        if self.rng.random() > 0.53:
            return case
        kinds = [
            k for k in HERRINGS if k != case.kind and not (case.kind in MOVING and k in ("stale", "conflicting", "chunk_split"))
        ]
        self.rng.shuffle(kinds)
        for kind in kinds[:4]:
            for edit in oddity(ground, kind):
                both = replace(case, extra=edit)
                apart = not (edit.removed & case.fault.removed or edit.added & case.fault.removed)
                apart &= not ((edit.asked or edit.record) and (case.fault.asked or case.fault.record))
                if apart and self.world.free(edit) and not self.verifier.flaw(both, plus=(case.fault, edit)):
                    return both
        return case

    def _healthy(self, ground: Ground) -> Case | None:
        """A control, half of them with a decoy."""
        if self.rng.random() > 0.52:
            return Case(ground.question, None, None)
        kinds = list(DECOYS)
        self.rng.shuffle(kinds)
        for kind in kinds:
            for edit in oddity(ground, kind):
                case = Case(ground.question, None, edit)
                if self.world.free(edit) and not self.verifier.flaw(case, plus=(edit,)):
                    return case
        return self._drop("healthy", "no harmless decoy")

    def _finished(self) -> list[Case]:
        """The cases that hold now that all faults live beside one another, with every repair that would be right."""
        kept = []
        gone = self.world.gone
        standing = {name: page for name, page in self.world.pages.items() if name not in gone}
        for case in self.cases:
            # Another fault's pages may hold the passage too, and then count as evidence.
            whole = replace(case.needs, groups=with_copies(_on(standing, case.needs.groups), standing))
            if case.needs == case.question:
                case.question = whole
            case.needs = whole
            flaw = self.verifier.flaw(case)
            if flaw:
                self._drop(case.kind, f"{FINISHED}{flaw}")
                continue
            case.right = self.verifier.right(case) if case.fault else ["healthy", *([LABEL_WIDE] if _is_wide(case) else [])]
            case.notes["provable"] = self.verifier.provable(case)
            kept.append(case)
        return kept


ORDERS = {  # by what makes a class likely to be planted
    "diluted": Planter._small_passage,
    "query_mismatch": Planter._fewest_left,
    "too_small": Planter._words_beside,
}


def _on(pages: Mapping[str, Page], groups: Sequence[tuple[Span, ...]]) -> list[tuple[Span, ...]]:
    """The passages of each group on these pages."""
    return [tuple(span for span in spans if span.page in pages) for spans in groups]


def _is_wide(case: Case) -> bool:
    return case.extra is not None and case.extra.kind == WIDE
