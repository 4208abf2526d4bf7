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

    def outcomes(self, trials: Sequence[tuple[Case, Edit]]) -> list[Outcome]:
        """What comes of each edit of a case, all of them searched at once."""
        outcomes: list[Outcome | None] = [None] * len(trials)
        for retriever in dict.fromkeys(edit.retriever for _, edit in trials):
            at = [i for i, (_, edit) in enumerate(trials) if edit.retriever == retriever]
            queries = [trials[i][1].query or trials[i][0].query.text for i in at]
            orders, _ = self._named(retriever).what_if(queries, [trials[i][1] for i in at], self._depth)
            for i, order in zip(at, orders, strict=True):
                case, edit = trials[i]
                outcomes[i] = case.stand(order, edit)
        return [outcome for outcome in outcomes if outcome is not None]

    def weights_of(self, edit: Edit, text: str) -> Mapping[str, float]:
        """The words of `text` with their weights in the index that `edit` asks; nothing where it weighs none."""
        return weights_of(self._named(edit.retriever), text)

    def _named(self, retriever: str) -> Index:
        if not retriever:
            return self._index
        if retriever not in self._made:
            self._made[retriever] = self._swaps[retriever]()
        return self._made[retriever]
