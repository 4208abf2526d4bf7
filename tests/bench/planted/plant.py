"""A world with faults in it: questions taken in turn, something planted in each, each verified at once and again at the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .additions import crowded_out, pollution, stale, stuffed
from .asking import query_mismatch
from .cuts import chunk_split, diluted, missing_content, truncated
from .distractors import incomplete, ranking
from .ground import Ground
from .harmless import DECOYS, HERRINGS, oddity
from .records import CAUSES, Case, Edit, Question, World
from .search import Ranker, sufficient
from .verify import Verifier

PLANTERS: dict[str, Callable[[Ground], Iterator[Edit]]] = {
    "missing_content": missing_content,
    "chunk_split": chunk_split,
    "truncated": truncated,
    "stale": stale,
    "crowded_out": crowded_out,
    "pollution": pollution,
    "diluted": diluted,
    "query_mismatch": query_mismatch,
    "incomplete": incomplete,
    "ranking": ranking,
}
TRIES = 5  # questions tried for each case wanted of a class


class Planter:
    """Fills one world; `dropped` counts what did not verify, by class and reason."""

    def __init__(self, world: World, ranker: Ranker, retriever: str, foreign: Sequence[str], seed: str) -> None:
        self.world, self.ranker, self.retriever, self.foreign = world, ranker, retriever, foreign
        self.rng = random.Random(seed)
        self.verifier = Verifier(world, ranker, retriever)
        self.cases: list[Case] = []
        self.dropped: Counter[tuple[str, str]] = Counter()

    def fill(self, wanted: dict[str, int]) -> list[Case]:
        """Plant `wanted[class]` cases of each class where the set allows, and return those that hold in the finished world."""
        pool = self._served()
        self.rng.shuffle(pool)
        tried: Counter[str] = Counter()
        made: Counter[str] = Counter()
        refused: dict[str, set[str]] = {kind: set() for kind in wanted}
        while True:
            open_kinds = [k for k in wanted if made[k] < wanted[k] and tried[k] < TRIES * wanted[k]]
            open_kinds = [k for k in open_kinds if any(q.id not in refused[k] for q in pool)]
            if not open_kinds:
                break
            kind = min(open_kinds, key=lambda k: (made[k] / wanted[k], CAUSES.index(k) if k in CAUSES else -1))
            question = next(q for q in pool if q.id not in refused[kind])
            if not self.world.untouched(question) or not self.verifier.serves(question, question.text):
                pool.remove(question)  # another fault has changed what it needs
                continue
            tried[kind] += 1
            refused[kind].add(question.id)
            case = self._case(kind, question)
            if case:
                pool.remove(question)
                made[kind] += 1
                self.world.accept(case)
                self.cases.append(case)
        return self._finished()

    def _served(self) -> list[Question]:
        """The questions that the healthy world serves."""
        view = self.world.view()
        rankings = self.ranker.search(self.retriever, view, [q.text for q in self.world.questions])
        pairs = zip(self.world.questions, rankings, strict=True)
        return [q for q, found in pairs if sufficient(found, q, self.world.pages)]

    def _ground(self, question: Question) -> Ground:
        return Ground(self.world, self.ranker, self.retriever, self.foreign, question, random.Random(self.rng.random()))

    def _case(self, kind: str, question: Question) -> Case | None:
        ground = self._ground(question)
        if kind == "healthy":
            return self._healthy(ground)
        reason = "cannot be planted here"
        for edit in PLANTERS[kind](ground):
            if not self.world.free(edit, question):
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
        if self.rng.random() > 0.6:
            return case
        kinds = [k for k in HERRINGS if k != case.kind]
        self.rng.shuffle(kinds)
        for kind in kinds:
            for edit in oddity(ground, kind, decoy=False):
                both = replace(case, extra=edit)
                apart = not (edit.removed & case.fault.removed or edit.added & case.fault.removed)
                if apart and self.world.free(edit, case.question) and not self.verifier.flaw(both, plus=(case.fault, edit)):
                    return both
        return case

    def _healthy(self, ground: Ground) -> Case | None:
        """A control, half of them with a decoy."""
        if self.rng.random() > 0.55:
            return Case(ground.question, None, None)
        kinds = list(DECOYS)
        self.rng.shuffle(kinds)
        for kind in kinds:
            for edit in oddity(ground, kind, decoy=True):
                if self.world.free(edit, ground.question) and self.verifier.harmless(ground.question, edit):
                    return Case(ground.question, None, edit)
        return self._drop("healthy", "no harmless decoy")

    def _finished(self) -> list[Case]:
        """The cases that hold now that all faults live beside one another, with every repair that would be right."""
        kept = []
        for case in self.cases:
            flaw = self.verifier.flaw(case)
            if flaw:
                self._drop(case.kind, f"in the finished world: {flaw}")
                continue
            case.right = self.verifier.right(case) if case.fault else ["healthy"]
            kept.append(case)
        return kept
