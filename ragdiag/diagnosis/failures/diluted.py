"""The evidence is a small part of a large chunk: the rest of it decides the score."""

from __future__ import annotations

from dataclasses import dataclass

from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._passages import described, first_enough, placements
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import sized

FIX = "smaller chunks, or embed sentences and hand over the passage round them"


@dataclass(frozen=True)
class Diluted(FailureMode):
    """Whole and visible, but at most `share` of its chunk, which is no small one: `large` median chunks or more.

    Proved by a smaller window round it, in the chunk's place: half the chunk, or as long as the index's median chunk where that
    is shorter. That is fixed beforehand, since the tightest window rescues almost anything.
    """

    share: float = 0.25
    large: float = 0.75

    says = "the evidence is a small part of its chunk"
    place = 90
    reads = True
    remedies = (sized(0.5),)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        drowned = [(g, h) for g in case.targets if (h := self._drowned(case, g)) is not None]
        if not drowned:
            return None
        rows = [
            row | {"share": round(self._share(case, *h), 3)}
            for (_, h), row in zip(drowned, described(case, [h[0] for _, h in drowned], len(drowned)), strict=True)
        ]
        return Observation(tuple(g for g, _ in drowned), {"chunks": rows})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Halve the chunk round the evidence."""
        setting = case.setting
        holders = [h for g in observation.groups if (h := case.holder(g)) is not None]
        kept = {h[0] for g in case.groups if g not in observation.groups and (h := case.holder(g))}
        removed = frozenset(c for c, _ in holders) - kept
        ways = zip(*(self._windows(case, chunk, span) for chunk, span in holders), strict=True)
        edits = [Edit(removed, tuple(map(setting.addition, windows))) for windows in ways]
        outcome, edit = yield from first_enough(case, edits)
        return case.finding(
            "diluted",
            observation,
            "a smaller window round the evidence, in the chunk's place",
            outcome.standing,
            FIX,
            rows=[
                Row.of("share", f"{c['share']:.0%} of {c['chunk']}, at {at(c['rank'])}")
                for c in observation.detail["chunks"][:MOST]
            ],
            edit=edit,
        )

    def _windows(self, case: Case, chunk: int, span: Span) -> list[Span]:
        """The smaller windows, in three ways to place them within the chunk."""
        place = case.setting.span(chunk)
        return placements(case.setting, span, min((place.end - place.start) // 2, case.setting.typical), place)

    def _drowned(self, case: Case, group: Group) -> tuple[int, Span] | None:
        holder = case.holder(group)
        if holder is None or self._share(case, *holder) > self.share or unseen(case, group):
            return None
        chunk = case.setting.span(holder[0])
        return holder if chunk.end - chunk.start >= self.large * case.setting.typical else None

    def _share(self, case: Case, chunk: int, span: Span) -> float:
        """Of the chunk's characters other than space, those of the evidence."""
        whole = "".join(case.setting.text(case.setting.span(chunk)).split())
        return len("".join(case.setting.text(span).split())) / max(len(whole), 1)
