"""The evidence is a small part of a large chunk: the rest of it decides the score."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ragdiag.core.proofs import Control, Edit, Finding, Outcome, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._passages import cut_groups, described, first_enough, nearest, neighbours, placements, replaced
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.failures._unspecific import TELLS, weight
from ragdiag.diagnosis.failures._words import beside
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.unproved import hint
from ragdiag.search.changes import Fix, sized, small_to_big
from ragdiag.text.phrases import counted
from ragdiag.text.sentences import sentences

SMALLER = Fix("smaller chunks", (sized(0.5),))
PASSAGES = Fix("with the passage round them handed over", (small_to_big,))
HOW = "a smaller window round the evidence, in the chunk's place"
VAGUE = "the question's words hardly tell one text from another"
LOW = "the smaller window comes no higher than the lower half of the context"


class Drowned(NamedTuple):
    """What a group needs, in the chunk that holds it; where none does, in the text of the chunks that hold its pieces."""

    group: Group
    chunk: int
    place: Span
    span: Span
    cut: bool


@dataclass(frozen=True)
class Diluted(FailureMode):
    """Whole and visible, but its sentences are at most `share` of their chunk, which is no small one: as long as `large` median
    chunks, and `long` tokens, or more.

    Proved by a smaller window round it, in the chunk's place: half the chunk, or as long as the index's median chunk where that
    is shorter. That is fixed beforehand, since the tightest window rescues almost anything. The control is windows as small in
    the middle of `controls` other chunks, those that rank nearest: where `often` of them or more come into the context, any chunk
    would. It is a hint where the question hardly tells one text from another (`_unspecific.weight`), or where the
    window comes no higher than the lower half of the context.

    Where chunks cut the evidence a smaller window makes it whole as well. That is two changes, and no proof of one: it stands for
    half of what may suffice together with making it whole.
    """

    share: float = 0.25
    large: float = 0.75
    long: int = 90
    controls: int = 10
    often: float = 0.3

    says = "the evidence is a small part of its chunk"
    cannot_tell = "what smaller chunks everywhere would do: here only this one shrinks, and its rivals stay as they are"
    place = 90
    by_degrees = True
    reads = True
    fixes = (SMALLER, PASSAGES)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        cut = {group.number for group in cut_groups(case, longest=False)}
        drowned = [d for g in case.targets if (d := self._drowned(case, g, g.number in cut)) is not None]
        if not drowned:
            return None
        rows = [
            row | {"share": round(_share(case, d.place, d.span), 3)}
            for d, row in zip(drowned, described(case, [d.chunk for d in drowned], len(drowned)), strict=True)
        ]
        return Observation(tuple(d.group for d in drowned), {"chunks": rows}, drowned)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Halve the chunk round the evidence; if that suffices, halve other chunks too."""
        drowned = observation.held
        cut = [d.span for d in drowned if d.cut]
        outcome, edit = yield from first_enough(case, _edits(case, drowned, cut))
        control = (yield from self._control(case, drowned[0], edit)) if outcome.standing.sufficient else None
        if cut:
            return _half(case, observation, edit, outcome, self._is_proof(control))
        proved = outcome.standing.sufficient and self._is_proof(control) and not _next_door(case, outcome, drowned)
        finding = case.finding(
            "diluted",
            observation,
            HOW,
            outcome.standing,
            case.setting.advice(SMALLER, PASSAGES),
            proved=proved,
            control=control,
            rows=_rows(observation),
            edit=edit,
        )
        doubt = VAGUE if weight(case) < TELLS else LOW if (outcome.standing.rank or 0) > case.upper else ""
        return hint(finding, doubt) if proved and doubt else finding

    def _is_proof(self, control: Control | None) -> bool:
        """Whether fewer other chunks than `often` come in by the same change."""
        return control is not None and control.as_well < self.often * max(control.tried, 1)

    def _control(self, case: Case, drowned: Drowned, edit: Edit) -> Generator[Sequence[Edit], Sequence[Outcome], Control]:
        """Windows as small in the middle of other chunks, in their place: how many come into the context."""
        setting, length = case.setting, _length(case, drowned.place)
        others = beside(case, drowned.chunk, self.controls)
        spans = [setting.span(chunk) for chunk in others]
        windows = [setting.window(_middle(span), length, span) for span in spans]
        tried = yield [Edit(frozenset([c]), (setting.addition(w),)) for c, w in zip(others, windows, strict=True)]
        inside = sum(o.ranks[0] is not None and o.ranks[0] <= case.length for o in tried)
        says = f"{inside} of {counted(len(others), 'other chunk')} ranked near it come in as well when halved so"
        return Control(len(others), inside, None, says)

    def _drowned(self, case: Case, group: Group, cut: bool) -> Drowned | None:
        """What `group` needs, where that is a small part of a large chunk that the encoder reads."""
        holder = case.holder(group)
        if holder is None and not cut:
            return None
        chunk, span = holder or _piece(case, group)
        place = case.setting.span(chunk)
        if not holder:
            place = case.setting.window(span, max(place.end - place.start, case.setting.typical, span.end - span.start))
        large = place.end - place.start >= self.large * case.setting.typical and case.tokens(place) >= self.long
        if not large or _share(case, place, span) > self.share or unseen(case, group):
            return None
        return Drowned(group, chunk, place, span, not holder)


def _next_door(case: Case, outcome: Outcome, drowned: Sequence[Drowned]) -> bool:
    """Whether the evidence comes no higher than the lower half of the context, and its chunk stands beside one that was found."""
    return (outcome.standing.rank or 0) > case.upper and any(d.chunk in neighbours(case) for d in drowned)


def _piece(case: Case, group: Group) -> tuple[int, Span]:
    """The alternative of a group whose pieces rank best, with the best ranked chunk that holds a piece of it."""
    span = nearest(case, group.needed)
    return min(case.setting.overlapping(span), key=lambda c: (case.rank_of.get(c, len(case.ranking) + 1), c)), span


def _removed(case: Case, drowned: Sequence[Drowned], cut: list[Span]) -> frozenset[int]:
    """The chunks that smaller windows take the place of, but for those that hold what another group needs."""
    concerned = {d.group.number for d in drowned}
    kept = {h[0] for g in case.groups if g.number not in concerned and (h := case.holder(g))}
    return (frozenset(d.chunk for d in drowned if not d.cut) | replaced(case, cut)) - kept


def _edits(case: Case, drowned: Sequence[Drowned], cut: list[Span]) -> list[Edit]:
    """Smaller windows in the place of what drowns the evidence: an edit for each way to place them."""
    removed = _removed(case, drowned, cut)
    ways = zip(*(_windows(case, d) for d in drowned), strict=True)
    return [Edit(removed, tuple(map(case.setting.addition, windows))) for windows in ways]


def _half(case: Case, observation: Observation, edit: Edit, outcome: Outcome, counts: bool) -> Finding | None:
    """Of cut evidence: what may be tried as a pair with making it whole; None where the smaller window does not suffice."""
    if not (outcome.standing.sufficient and counts):
        return None
    how = "a smaller window round the evidence: tried together with making it whole, which alone is not enough"
    before = case.standing._replace(sufficient=False)
    fix = case.setting.advice(SMALLER, PASSAGES)
    return case.finding("diluted", observation, how, before, fix, proved=False, rows=_rows(observation), edit=edit)


def _windows(case: Case, drowned: Drowned) -> list[Span]:
    """The smaller windows, in three ways to place them within the chunk."""
    return placements(case.setting, drowned.span, _length(case, drowned.place), drowned.place)


def _length(case: Case, place: Span) -> int:
    """Characters of a smaller window."""
    return min((place.end - place.start) // 2, case.setting.typical)


def _middle(span: Span) -> Span:
    """The character in the middle of a chunk."""
    middle = (span.start + span.end) // 2
    return Span(span.document, middle, min(middle + 1, span.end))


def _share(case: Case, place: Span, span: Span) -> float:
    """Of the characters other than space in `place`, those of the sentences that `span`, or another labelled passage, stands in.

    A word or a number says nothing of how much of a chunk is about it.
    """
    text = case.setting.text(place)
    labelled = [span, *case.passages_in(place)]
    inside = [(place.start + a, place.start + b) for a, b in sentences(text)]
    held = [(a, b) for a, b in inside if any(a < s.end and b > s.start for s in labelled)] or [(span.start, span.end)]
    own = sum(len("".join(case.setting.text(Span(place.document, a, b)).split())) for a, b in held)
    return own / max(len("".join(text.split())), 1)


def _rows(observation: Observation) -> list[Row]:
    """How small a part of each chunk the sentences with the evidence are."""
    return [Row.of("share", f"{c['share']:.0%} of {c['chunk']}, at {at(c['rank'])}") for c in observation.detail["chunks"][:MOST]]
