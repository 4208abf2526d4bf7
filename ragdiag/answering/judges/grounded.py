"""Whether an answer's recorded contexts hold what it states, right or not: its numbers, its names, its words. No model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ragdiag.answering.judges._claims import Claim, claims
from ragdiag.core.errors import SpecError
from ragdiag.core.opinions import Opinion
from ragdiag.core.protocols import Progress, Store
from ragdiag.core.records import Answer, Query


@dataclass(frozen=True)
class Grounded:
    """Right where each sentence that states something is held: its numbers and names by the contexts, or the query, `words` of
    its words by a few passages, none of which says otherwise.

    A number is also held where it follows from two others of the answer that are (their sum, difference, ratio or change). No
    opinion without contexts, and on what states nothing: refusals, courtesies, introductions, a bare yes or no. It reads words,
    not meaning: a sentence may be put together wrongly from words that are all there, and said rightly in others.
    """

    reads: ClassVar[str] = "contexts"
    words: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.words <= 1:
            raise SpecError("grounded: words must be from 0 to 1")

    def judge(self, asked: Sequence[tuple[Query, Answer]], store: Store | None, progress: Progress) -> list[Opinion | None]:
        """See `protocols.Judge`."""
        return [_opinion(self.claims(query, answer)) for query, answer in asked]

    def claims(self, query: Query, answer: Answer, names: Sequence[str] = ()) -> list[Claim]:
        """What `answer` states, sentence by sentence, and which passage of its contexts holds it; nothing without contexts.

        `names` are those of the contexts, by which the answer may cite them, where they are not its recorded ids.
        """
        if answer.failed or not answer.contexts:
            return []
        return claims(query.text, answer.answer, answer.contexts, self.words, names or answer.context_ids)


def _opinion(stated: Sequence[Claim]) -> Opinion | None:
    """What claims say of their answer: all must be supported."""
    if not stated:
        return None
    why = next((claim.why for claim in stated if not claim.supported), "")
    return Opinion(not why, why or "its context holds what it states")
