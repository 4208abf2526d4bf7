"""Asks an index what it would answer were one thing different."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ragdiag.core.arrays import FloatArray, IntArray
from ragdiag.core.errors import Untestable
from ragdiag.core.proofs import EXACT, Edit, Outcome
from ragdiag.core.protocols import Index
from ragdiag.diagnosis.cases import Case
from ragdiag.search.nested import weights_of

__all__ = ["Probe"]


NO_TEXT = "no text can be added to it"


class Probe:
    """The audited index, and others over the same chunks that a query can be put to instead, made when first asked.

    Texts can be added to the index where `adds`.
    """

    def __init__(self, index: Index, swaps: Mapping[str, Callable[[], Index]], depth: int, adds: bool = True) -> None:
        self._index, self._swaps, self._depth, self._adds = index, swaps, depth, adds
        self._made: dict[str, Index] = {}
        # Several modes put a query as it is to another retriever.
        self._asked: dict[tuple[int, Edit], Outcome] = {}

    def outcomes(self, trials: Sequence[tuple[Case, Edit]]) -> list[Outcome | Untestable]:
        """What comes of each edit of a case, all of them searched at once; or why that cannot be told."""
        outcomes = [self._known(case, edit) for case, edit in trials]
        unknown = [i for i, outcome in enumerate(outcomes) if outcome is None]
        for retriever in dict.fromkeys(trials[i][1].retriever for i in unknown):
            at = [i for i in unknown if trials[i][1].retriever == retriever]
            for i, outcome in zip(at, self._searched(retriever, [trials[i] for i in at]), strict=True):
                outcomes[i] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    def _known(self, case: Case, edit: Edit) -> Outcome | Untestable | None:
        """What is known of an edit without asking; an exact search is of the same texts."""
        if edit.added and edit.retriever in ("", EXACT) and not self._adds:
            return Untestable(NO_TEXT)
        return self._asked.get((case.number, edit))

    def _searched(self, retriever: str, trials: Sequence[tuple[Case, Edit]]) -> Sequence[Outcome | Untestable]:
        try:
            rankings = self._ranked(retriever, trials)
        except Untestable as e:
            if len(trials) == 1:
                return [e]
            return [outcome for trial in trials for outcome in self._searched(retriever, [trial])]  # which of them it is
        outcomes = [case.stand(order, edit, scores) for (case, edit), order, scores in zip(trials, *rankings, strict=True)]
        as_it_is = Edit(retriever=retriever)
        self._asked |= {(c.number, e): o for (c, e), o in zip(trials, outcomes, strict=True) if e == as_it_is}
        return outcomes

    def _ranked(self, retriever: str, trials: Sequence[tuple[Case, Edit]]) -> tuple[IntArray, FloatArray]:
        """The ranking under each edit, and its scores."""
        queries = [edit.query or case.query.text for case, edit in trials]
        return self._named(retriever).what_if(queries, [edit for _, edit in trials], self._depth)

    def weights_of(self, edit: Edit, text: str) -> Mapping[str, float]:
        """The words of `text` with their weights in the index that `edit` asks; nothing where it weighs none."""
        return weights_of(self._named(edit.retriever), text)

    def _named(self, retriever: str) -> Index:
        if not retriever:
            return self._index
        if retriever not in self._made:
            self._made[retriever] = self._swaps[retriever]()
        return self._made[retriever]
