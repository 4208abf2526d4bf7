"""Asks an index what it would answer were one thing different."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ragdiag.core.proofs import Edit, Outcome
from ragdiag.core.protocols import Index
from ragdiag.diagnosis.cases import Case
from ragdiag.search.nested import weights_of

__all__ = ["Probe"]


class Probe:
    """The audited index, and others over the same chunks that a query can be put to instead, made when first asked."""

    def __init__(self, index: Index, swaps: Mapping[str, Callable[[], Index]], depth: int) -> None:
        self._index, self._swaps, self._depth = index, swaps, depth
        self._made: dict[str, Index] = {}
        # Several modes put a query as it is to another retriever.
        self._asked: dict[tuple[int, Edit], Outcome] = {}

    def outcomes(self, trials: Sequence[tuple[Case, Edit]]) -> list[Outcome]:
        """What comes of each edit of a case, all of them searched at once."""
        outcomes = [self._asked.get((case.number, edit)) for case, edit in trials]
        unknown = [i for i, outcome in enumerate(outcomes) if outcome is None]
        for retriever in dict.fromkeys(trials[i][1].retriever for i in unknown):
            at = [i for i in unknown if trials[i][1].retriever == retriever]
            for i, outcome in zip(at, self._searched(retriever, [trials[i] for i in at]), strict=True):
                outcomes[i] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    def _searched(self, retriever: str, trials: Sequence[tuple[Case, Edit]]) -> list[Outcome]:
        queries = [edit.query or case.query.text for case, edit in trials]
        orders, _ = self._named(retriever).what_if(queries, [edit for _, edit in trials], self._depth)
        outcomes = [case.stand(order, edit) for (case, edit), order in zip(trials, orders, strict=True)]
        as_it_is = Edit(retriever=retriever)
        self._asked |= {(c.number, e): o for (c, e), o in zip(trials, outcomes, strict=True) if e == as_it_is}
        return outcomes

    def weights_of(self, edit: Edit, text: str) -> Mapping[str, float]:
        """The words of `text` with their weights in the index that `edit` asks; nothing where it weighs none."""
        return weights_of(self._named(edit.retriever), text)

    def _named(self, retriever: str) -> Index:
        if not retriever:
            return self._index
        if retriever not in self._made:
            self._made[retriever] = self._swaps[retriever]()
        return self._made[retriever]
