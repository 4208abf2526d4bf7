"""How far down a ranking goes until it covers the evidence of one query, also where an `Edit` has changed the index.

`scoring.Scorer` says the same of the rankings of all queries at once, for whole contexts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ragdiag.core.records import BoolArray, Corpus, IntArray, Span
from ragdiag.text.placed import Placed

__all__ = ["Coverage"]


class Coverage:
    """The evidence groups of one query, each with its alternatives, and the ranked texts that hold some of them.

    A group is covered where every character of one alternative that is no white space is in some text; with `whole` False (as for
    labels that name documents), where a text has any character of one. `chunks` are those of the index that overlap an
    alternative, with their spans.
    """

    def __init__(
        self, corpus: Corpus, groups: Sequence[tuple[Span, ...]], chunks: Mapping[int, Span], whole: bool = True
    ) -> None:
        self._corpus, self._groups, self._whole = corpus, groups, whole
        self._alternatives = [(g, a) for g, spans in enumerate(groups) for a in range(len(spans))]
        self._placed = Placed(groups[g][a] for g, a in self._alternatives)
        self._pieces = {chunk: self._held(span) for chunk, span in chunks.items()}
        self._needed: dict[tuple[int, int], BoolArray] = {}

    def _held(self, span: Span) -> list[tuple[int, int, Span]]:
        """The alternatives that `span` holds some of, by group and place in it, each with `span`."""
        return [(*self._alternatives[number], span) for number in self._placed.over(span)]

    def ranks(self, order: IntArray, added: Mapping[int, Span]) -> dict[int, int]:
        """For each group that `order` covers, by its position: the rank, from 1, at which it is first covered.

        `order` holds texts, best first; `added` are the spans of those that are no chunks of the index, by their number.
        """
        pieces = self._pieces | {text: held for text, span in added.items() if (held := self._held(span))}
        ranks: dict[int, int] = {}
        lacking: dict[tuple[int, int], BoolArray] = {}
        for place in np.flatnonzero(np.isin(order, list(pieces))).tolist():
            for group, alternative, span in pieces[int(order[place])]:
                if group not in ranks and self._completes(span, group, alternative, lacking):
                    ranks[group] = place + 1
            if len(ranks) == len(self._groups):
                break  # nothing below matters
        return ranks

    def rank(self, order: IntArray, added: Mapping[int, Span]) -> int | None:
        """The least k whose first k texts of `order` cover every group; None where no k does, or there is no group."""
        ranks = self.ranks(order, added)
        return max(ranks.values()) if ranks and len(ranks) == len(self._groups) else None

    def _completes(self, span: Span, group: int, alternative: int, lacking: dict[tuple[int, int], BoolArray]) -> bool:
        """Whether an alternative is covered once `span` is there too; `lacking` marks the characters that are not yet."""
        need = self._groups[group][alternative]
        if not self._whole or (span.start <= need.start and span.end >= need.end):
            return True
        key = group, alternative
        if key not in lacking:
            lacking[key] = self._characters(*key).copy()
        lacking[key][max(span.start - need.start, 0) : max(span.end - need.start, 0)] = False
        return not lacking[key].any()

    def _characters(self, group: int, alternative: int) -> BoolArray:
        """The characters of an alternative that have to be covered."""
        key = group, alternative
        if key not in self._needed:
            need = self._groups[group][alternative]
            text = self._corpus.documents[need.document].text[need.start : need.end]
            self._needed[key] = np.array([not c.isspace() for c in text], dtype=bool)
        return self._needed[key]
