"""Other texts indexed for chunks, in place of their own: for the evidence, for its rivals, and as a control."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple, TypeVar

from ragdiag.core.proofs import Addition, Control, Edit, Outcome
from ragdiag.diagnosis.cases import Case, Group
from ragdiag.diagnosis.failures._passages import gaps, nearest
from ragdiag.diagnosis.failures._words import telling
from ragdiag.text.words import words

__all__ = [
    "ALPHA",
    "CONTROLS",
    "LOOKS",
    "Asking",
    "Lent",
    "Texts",
    "additions",
    "gained",
    "is_told",
    "lend",
    "pieces",
    "rivals",
    "spread",
]

Item = TypeVar("Item")

CONTROLS = 19
"""Controls that a p of .05 needs at least."""

MOST, LOOKS = 60, 6
"""Controls at most, asked for in so many parts: no more once they prove, or so many do as well that all would not.

Of texts that make no difference that lets through 6 to 7 %, one look at 20 lets through 5 %.
"""

ALPHA = 0.05
"""The p of a proof at most."""

SHORTEST, ENDING = 4, 3
"""Letters of a word whose forms are told, and by how many two of them differ in length."""

RIVALS = 3
"""Contexts of chunks that get the same as the evidence: what stands lower seldom overtakes it, and each text costs a vector."""

Asking = Generator[Sequence[Edit], Sequence[Outcome], "Lent"]
"""A part of a proof: yields edits, is sent what came of them."""

Texts = Callable[[int], str]
"""What is indexed for a chunk."""


class Lent(NamedTuple):
    """What came of it: with its control where it suffices; `alone` where the evidence alone got a text, which proves nothing."""

    outcome: Outcome
    edit: Edit
    control: Control | None = None
    alone: bool = False

    @property
    def proved(self) -> bool:
        """Whether it suffices with all rivals treated alike, and its control does not do as well."""
        p = self.control.p if self.control else None
        return self.outcome.standing.sufficient and p is not None and p <= ALPHA


def lend(
    case: Case,
    holders: Sequence[int],
    text: Texts,
    others: Callable[[int], Sequence[Texts]],
    what: str,
    shared: bool = True,
) -> Asking:
    """Index `text` for the chunks with the evidence; where that suffices, for their rivals too, as a deployed index would.

    Where it still does, the control: each of so many `others` for the chunks with the evidence, all else the same. One does as
    well when the query needs no larger k with it. `what` names them: "titles of other documents". `shared` tells whether chunks
    of one document get the same.
    """
    alone = Edit(frozenset(holders), additions(case, holders, text))
    (outcome,) = yield [alone]
    if not outcome.standing.sufficient:
        return Lent(outcome, alone, alone=True)
    holders, rest = _holders_and_rivals(case, holders, text, shared)
    edit = Edit(frozenset([*holders, *rest]), additions(case, [*holders, *rest], text))
    (outcome,) = yield [edit]
    if not outcome.standing.sufficient:
        return Lent(outcome, edit)
    return Lent(outcome, edit, (yield from _control(case, holders, edit, outcome, others, what)))


def _holders_and_rivals(case: Case, holders: Sequence[int], text: Texts, shared: bool) -> tuple[list[int], list[int]]:
    """The chunks with the evidence, and those of their rivals for which `text` is other than what is indexed now."""
    lent = [c for c in rivals(case, shared) if c not in holders and text(c) != case.setting.embed(case.setting.span(c))]
    # Where chunks overlap, others hold the evidence too: what brings these in shows the same.
    return [*holders, *(c for c in lent if c in case.evidence)], [c for c in lent if c not in case.evidence]


def _control(
    case: Case, holders: Sequence[int], edit: Edit, outcome: Outcome, others: Callable[[int], Sequence[Texts]], what: str
) -> Generator[Sequence[Edit], Sequence[Outcome], Control]:
    """How many of the other texts, indexed for the chunks with the evidence, do as well as their own."""
    needed, above = outcome.standing.rank or 0, _high_rivals(case, edit, outcome, len(holders))
    ways, tried, as_well = others(MOST), 0, 0
    for part in (ways[i::LOOKS] for i in range(LOOKS)):
        outcomes = yield [Edit(edit.removed, (*additions(case, holders, way), *above)) for way in part]
        tried += len(part)
        as_well += sum(o.standing.rank is not None and o.standing.rank <= needed for o in outcomes)
        if is_told(tried, as_well, len(ways)):
            break
    return Control(tried, as_well, (1 + as_well) / (1 + tried), f"{as_well} of {tried} {what} do as well")


def is_told(tried: int, as_well: int, most: int, alpha: float = ALPHA) -> bool:
    """Whether the controls tried prove, or so many do as well that `most` of them would not."""
    return (1 + as_well) / (1 + tried) <= alpha or 1 + as_well > alpha * (1 + most)


def _high_rivals(case: Case, edit: Edit, outcome: Outcome, own: int) -> tuple[Addition, ...]:
    """What an edit adds after its first `own` texts that comes high enough to stand in a control's way."""
    needed, n = outcome.standing.rank or 0, len(case.setting.chunking)
    high = set(outcome.order[: needed + 1].tolist())  # a control that falls below the next one does not do as well
    return tuple(new for i, new in enumerate(edit.added) if i >= own and n + i in high)


def pieces(case: Case, group: Group) -> list[int]:
    """The chunk that holds a group's evidence whole; where none does, of the alternative that ranks best, the fragments that the
    context lacks.
    """
    if holder := case.holder(group):
        return [holder[0]]
    span = nearest(case, group.spans)
    return [] if gaps(case.setting, span) else [c for c in case.setting.overlapping(span) if c not in case.context]


def gained(case: Case, held: str, more: str, share: float, subject: bool = True) -> list[str]:
    """The query's telling words that `more` has and `held` lacks, inflected ones too; the rarest first.

    None where they weigh less than `share` of all, by rarity, or, for those that name its `subject`, none is as rare as the mean.
    """
    idf = {word: case.setting.idf(word) for word in telling(case.query.text)}
    known = set(words(held))
    mean = sum(idf.values()) / max(len(idf), 1)
    new = sorted((w for w in (set(words(more)) - known) & idf.keys() if 2 * idf[w] >= mean), key=lambda w: (-idf[w], w))
    new = [w for w in new if not any(_inflected(w, other) for other in known)]
    heavy = bool(new) and (not subject or idf[new[0]] >= mean)
    return new if heavy and sum(idf[w] for w in new) >= share * sum(idf.values()) else []


def _inflected(one: str, other: str) -> bool:
    """Whether two words look like forms of one: they begin alike, but for an ending."""
    shorter = min(len(one), len(other))
    return shorter >= SHORTEST and abs(len(one) - len(other)) <= ENDING and one[: shorter - 1] == other[: shorter - 1]


def additions(case: Case, chunks: Sequence[int], text: Texts) -> tuple[Addition, ...]:
    """Chunks as they would be with other texts indexed for them."""
    setting = case.setting
    return tuple(setting.addition(setting.span(c))._replace(text=text(c), place=float(c)) for c in chunks)


def rivals(case: Case, shared: bool) -> list[int]:
    """The chunks that stand high; where it is `shared`, those ranked from the evidence's documents too: they get the same."""
    documents = {span.document for group in case.groups for span in group.spans}
    near = case.ranking[: 10 * case.length].tolist()
    high = set(near[: RIVALS * case.length])
    return [c for c in near if c in high or (shared and int(case.setting.chunking.document[c]) in documents)]


def spread(items: Sequence[Item], n: int) -> list[Item]:
    """Up to `n` of `items`, evenly spread."""
    return [items[i * len(items) // n] for i in range(n)] if len(items) > n else list(items)
