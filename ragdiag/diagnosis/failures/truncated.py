"""The evidence lies beyond what the encoder reads of its chunk: the vector never saw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.errors import Untestable
from ragdiag.core.proofs import Edit, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._passages import described, first_enough, nearest
from ragdiag.diagnosis.failures._rows import MOST
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, other_retrievers, sized

SMALLER = Fix("smaller chunks, which the encoder reads whole", (sized(0.5),))
LONGER = Fix("an encoder that reads longer texts")


PREFIX = 2000
"""No context puts so many characters before a chunk: where the encoder reads so far beyond the evidence, it reads it."""


HALF = 0.5
"""Of the evidence, the part that the encoder does not read at least: with less unread it knows what the chunk says."""


class Unseen(NamedTuple):
    """A chunk with evidence that the encoder does not reach: what is indexed for it, and where the evidence is in that text."""

    chunk: int
    text: str
    start: int
    end: int
    visible: int


@dataclass(frozen=True)
class Truncated(FailureMode):
    """Proved by giving the encoder the part of the chunk that holds the evidence, cut at its limit; all else stays."""

    says = "the encoder stops reading the chunk before the evidence ends"
    cannot_tell = "how much of the gain is that of a shorter text: the part that is shown is also more to the point"
    place = 50
    reads = True
    exposes = True
    fixes = (SMALLER, LONGER)
    remedies = (other_retrievers,)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        hidden = [(g, u) for g in case.targets for u in unseen(case, g)]
        if not hidden:
            doubtful = tuple(g for g in case.targets if _may_be_unseen(case, g))
            return Observation(doubtful, {}) if doubtful else None
        chunks = [
            row | {"characters": len(u.text), "read": u.visible, "evidence_from": u.start}
            for (_, u), row in zip(hidden, described(case, [u.chunk for _, u in hidden], len(hidden)), strict=True)
        ]
        return Observation(tuple(dict.fromkeys(g for g, _ in hidden)), {"chunks": chunks})

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Show the encoder what it missed. Raises `Untestable` where it is not known which one it is."""
        if not observation.detail:
            raise Untestable("how much of a text is read by what embeds is not known")
        parts = {u.chunk: u for g in observation.groups for u in unseen(case, g)}
        setting = case.setting
        ways = [_part(case, u) for u in parts.values()], [_window(case, u) for u in parts.values()]
        edits = [
            Edit(frozenset(parts), tuple(setting.addition(setting.span(c), t) for c, t in zip(parts, way, strict=True)))
            for way in ways
        ]
        outcome, edit = yield from first_enough(case, edits)
        return case.finding(
            "truncated",
            observation,
            "let the encoder read the part of the chunk that holds the evidence",
            outcome.standing,
            case.setting.advice(SMALLER, LONGER),
            rows=[_row(chunk) for chunk in observation.detail["chunks"][:MOST]],
            edit=edit,
        )


def _may_be_unseen(case: Case, group: Group) -> bool:
    """Whether the best chunk with a group has it so far from its beginning that not every encoder reads it."""
    holder, surely = case.holder(group), case.setting.surely
    return holder is not None and 0 < surely < holder[1].start - case.setting.span(holder[0]).start


def _row(chunk: Mapping[str, Any]) -> Row:
    """How much of a chunk the encoder reads, and where the evidence is."""
    read = f"of {chunk['chunk']} the encoder reads {chunk['read']:,} of {chunk['characters']:,} characters"
    return Row.of("unseen", f"{read}; the evidence starts at {chunk['evidence_from']:,}")


def unseen(case: Case, group: Group) -> list[Unseen]:
    """The best ranked chunk that holds the group whole, where no such chunk shows all of it to the encoder.

    Where no chunk holds it whole: the chunks outside the context with a piece of it that the encoder does not read to its end.
    """
    if case.setting.visible is None:
        return []
    places = [(chunk, span) for span in group.needed for chunk in case.whole(span)]
    hidden = [_hidden(case, chunk, span) for chunk, span in places] if places else _hidden_pieces(case, group)
    known = [u for u in hidden if u is not None]
    if places:
        return [min(known, key=lambda u: (_rank(case, u.chunk), u.chunk))] if len(known) == len(places) else []
    return known


def _hidden_pieces(case: Case, group: Group) -> list[Unseen | None]:
    """Of the alternative whose fragments rank best, what the chunks outside the context hide of it."""
    cut = nearest(case, group.needed)
    return [_hidden(case, c, cut) for c in case.setting.overlapping(cut) if _rank(case, c) > case.length]


def _rank(case: Case, chunk: int) -> int:
    return case.rank_of.get(chunk, len(case.ranking) + 1)


def _hidden(case: Case, chunk: int, span: Span) -> Unseen | None:
    """What a chunk holds of `span`, if the encoder does not read to the end of that."""
    setting = case.setting
    place, visible = setting.span(chunk), int(setting.visible[chunk]) if setting.visible is not None else 0
    start, end = max(span.start, place.start) - place.start, min(span.end, place.end) - place.start
    if end <= visible - PREFIX:
        return None
    text = setting.embed(place)
    before = max(text.find(setting.text(place)), 0)  # a title or a neighbour may come first
    unread = before + end - max(visible, before + start)
    return Unseen(chunk, text, before + start, before + end, visible) if unread > 0 and unread >= HALF * (end - start) else None


def _part(case: Case, unseen: Unseen) -> str:
    """From where the encoder stopped on; from the evidence on where the encoder stopped inside it, or would once more."""
    start = min(unseen.visible, unseen.start)
    if case.setting.seen is not None and start + case.setting.seen([unseen.text[start:]])[0] < unseen.end:
        start = unseen.start
    return unseen.text[start:]


def _window(case: Case, unseen: Unseen) -> str:
    """A median chunk's length of text round the evidence."""
    spare = max(case.setting.typical - (unseen.end - unseen.start), 0)
    start = max(min(unseen.start - spare // 2, len(unseen.text) - case.setting.typical), 0)
    return unseen.text[start : max(start + case.setting.typical, unseen.end)]
