"""The chunk with the evidence is too small: a longer stretch of text round it would be found, at the same tokens of context."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from ragdiag.core.proofs import Control, Edit, Outcome, Row, Standing, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._lent import ALPHA, CONTROLS, gained
from ragdiag.diagnosis.failures._passages import described, placements
from ragdiag.diagnosis.failures._rows import MOST, at
from ragdiag.diagnosis.failures._words import beside
from ragdiag.diagnosis.failures.header_lost import introduced
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import Fix, sized

TIMES_AS_LONG = (2, 4, 8)
FIXES = {times: Fix("chunks {times} times as long", (sized(times),), ", at the same tokens") for times in TIMES_AS_LONG}
FIX = Fix("chunks {times} times as long, at the same tokens of context")
"""For other `times` than the usual ones."""

SMALL = 80
"""Tokens of a small chunk at most."""

TIMES = 4
"""Windows of more times a chunk's length are looked at only where they are no longer than long chunks of the index."""

LETTERS = 5
"""Characters of a token, roughly: where the usual chunk has no more than a small one may have, all chunks are small."""

ENOUGH = 2
"""Of three ways to place the windows of the evidence, those that suffice at least: nobody knows where a boundary will fall."""


class _Enlarged(NamedTuple):
    """Chunks `times` as long: what was changed, how the query stands at the same tokens, how high the evidence came alone.

    `round_rivals` tells whether those that stand high are as long; else the evidence alone is, which proves nothing.
    """

    times: int
    edit: Edit
    standing: Standing
    place: int
    round_rivals: bool

    @property
    def suffices(self) -> bool:
        return self.round_rivals and self.standing.sufficient


@dataclass(frozen=True)
class TooSmall(FailureMode):
    """Of the query's telling words, by rarity, the chunk lacks at least `share` that a window of one of `times` its length has.

    Chunks of more than `most` tokens are not called small, nor those as long as most of an index whose chunks are longer. What a
    lost header says does not count. Proved by such a window in its place, and as long ones for shorter chunks that stand high, at
    no more tokens than the context has now. The control is windows as many times as long round chunks that rank as near: how many
    get as high as the evidence does.
    """

    times: tuple[int, ...] = TIMES_AS_LONG
    share: float = 0.15
    most: int = SMALL

    says = "the chunk with the evidence is too small to be found"
    cannot_tell = "whether longer chunks win on the whole: their cuts would lie elsewhere, for other queries too"
    place = 95
    by_degrees = True
    reads = True
    fixes = (*FIXES.values(), FIX)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        holders = self._small_holders(case)
        lacking = {n: self._lacking(case, chunk) for n, chunk in holders.items()}
        groups = tuple(g for g in case.targets if any(lacking.get(g.number, {}).values()))
        if not groups:
            return None
        chunks = list(dict.fromkeys(holders[g.number] for g in groups))
        by_times = {t: list(dict.fromkeys(w for g in groups for w in lacking[g.number].get(t, ()))) for t in self.times}
        detail = {"chunks": described(case, chunks, len(chunks)), "words": {str(t): w for t, w in by_times.items() if w}}
        return Observation(groups, detail, chunks)

    def prove(self, case: Case, observation: Observation) -> Trial:
        """The smallest windows that suffice where the rivals have as long ones; then windows elsewhere."""
        held, tried = observation.held, list[_Enlarged]()
        for times in (int(t) for t in observation.detail["words"]):
            tried.append((yield from _enlarged(case, held, times)))
            if tried[-1].suffices:
                break
        chosen = next((e for e in tried if e.suffices), tried[0])
        control = (yield from _control(case, held, chosen)) if chosen.suffices else None
        return case.finding(
            "too_small",
            observation,
            f"chunks {chosen.times} times as long, as many as fit in the same tokens"
            + ("" if chosen.round_rivals else ", tried with this chunk alone"),
            chosen.standing,
            case.setting.advice(FIXES.get(chosen.times, FIX), times=chosen.times),
            control=control,
            proved=control is not None and control.p is not None and control.p <= ALPHA,
            detail={"times": chosen.times},
            rows=_rows(observation.detail, chosen.times),
            edit=chosen.edit,
        )

    def _small_holders(self, case: Case) -> dict[int, int]:
        """By the number of each group whose evidence can be seen: the chunk that holds it whole, where that is small."""
        return {
            g.number: h[0]
            for g in case.targets
            if (h := case.holder(g)) and is_small(case, h[0], self.most) and not unseen(case, g)
        }

    def _lacking(self, case: Case, chunk: int) -> dict[int, list[str]]:
        """By how many times as long a window is: the query's words that it has and the chunk lacks, not counting lost headers."""
        setting, span = case.setting, case.setting.span(chunk)
        length, held = span.end - span.start, f"{setting.embed(span)}\n{introduced(case, [chunk])}"
        times = [t for t in self.times if t <= TIMES or t * length <= setting.size]
        return {t: gained(case, held, setting.text(_window(case, span, t * length)), self.share) for t in times}


def is_small(case: Case, chunk: int, most: int = SMALL, usual: float = 1.0) -> bool:
    """Whether a chunk has `most` tokens at most, and less than a share of the usual chunk's text, `usual` of it.

    Where the usual chunk is as small, all are.
    """
    span, typical = case.setting.span(chunk), case.setting.typical
    shorter = span.end - span.start < usual * typical or (usual >= 1 and typical <= LETTERS * most)
    return shorter and case.tokens(span) <= most


def _enlarged(case: Case, held: Sequence[int], times: int) -> Generator[Sequence[Edit], Sequence[Outcome], _Enlarged]:
    """The evidence's chunks `times` as long; where that suffices, those that stand high as well."""
    alone = _edit(case, held, (), times)
    (outcome,) = yield [alone]
    place, standing = max((rank or len(case.ranking) + 1 for rank in outcome.ranks), default=0), _standing(case, outcome, alone)
    if not standing.sufficient:
        return _Enlarged(times, alone, Standing(standing.rank, False), place, False)
    edits = [_edit(case, held, case.ranking[: 2 * case.length].tolist(), times, way) for way in range(3)]
    outcomes = yield edits
    standings = [_standing(case, o, e) for o, e in zip(outcomes, edits, strict=True)]
    enough = sum(s.sufficient for s in standings) >= ENOUGH
    best = min(range(3), key=lambda i: (not standings[i].sufficient, i))
    return _Enlarged(times, edits[best], Standing(standings[best].rank, enough), place, True)


def _control(case: Case, held: Sequence[int], chosen: _Enlarged) -> Generator[Sequence[Edit], Sequence[Outcome], Control | None]:
    """Windows as long round chunks that rank as near: how many get as high as the evidence."""
    worst = max(held, key=lambda c: case.rank_of.get(c, len(case.ranking) + 1))
    spans = map(case.setting.span, held)
    # A window that has some of the same text is no other.
    own = [_window(case, span, 2 * chosen.times * (span.end - span.start)) for span in spans]
    near = (c for c in beside(case, worst, 2 * CONTROLS) if not any(w.overlaps(case.setting.span(c)) for w in own))
    chunks = list(islice(near, CONTROLS))
    tried = yield [_edit(case, [c], (), chosen.times) for c in chunks]
    as_well = sum(o.ranks[0] is not None and o.ranks[0] <= chosen.place for o in tried)
    says = f"{as_well} of {len(chunks)} windows as long round chunks that rank as near do as well"
    return Control(len(chunks), as_well, (1 + as_well) / (1 + len(chunks)), says)


def _edit(case: Case, held: Sequence[int], rivals: Sequence[int], times: int, way: int = 0) -> Edit:
    """Windows `times` as long in place of chunks with the evidence, in a `way` to place them, and such for shorter rivals.

    A chunk in a window is in no other.
    """
    spans = [case.setting.span(c) for c in held]
    length = times * max(span.end - span.start for span in spans)
    windows, removed = list[Span](), set(held)
    for span in spans:
        if not _lies_in_any(span, windows):
            windows.append(_window(case, span, times * (span.end - span.start), way))
    for chunk in rivals:
        span = case.setting.span(chunk)
        if chunk in removed or span.end - span.start >= length:
            continue
        removed.add(chunk)
        if not _lies_in_any(span, windows):
            windows.append(_window(case, span, length))
    covered = {c for w in windows for c in case.setting.overlapping(w) if _lies_in(case.setting.span(c), w)}
    return Edit(frozenset(removed | covered), tuple(map(case.setting.addition, windows)))


def _lies_in_any(span: Span, windows: Sequence[Span]) -> bool:
    return any(w.document == span.document and _lies_in(span, w) for w in windows)


def _lies_in(span: Span, window: Span) -> bool:
    return window.start <= span.start and span.end <= window.end


def _window(case: Case, span: Span, length: int, way: int = 0) -> Span:
    """A chunk in the middle of a longer window, at its end or at its start."""
    return placements(case.setting, span, length)[way]


def _standing(case: Case, outcome: Outcome, edit: Edit) -> Standing:
    """How the query stands with as many tokens as its context has now."""
    rank = outcome.standing.rank
    if rank is None or rank > case.length:
        return Standing(rank, False)
    spans = (case.setting.packing.span(text, edit) for text in outcome.order[:rank].tolist())
    return Standing(rank, sum(map(case.tokens, spans)) <= max(case.tokens_down_to(case.length), case.setting.budget))


def _rows(detail: Mapping[str, Any], times: int) -> Iterator[Row]:
    """What the chunk lacks that the text round it has."""
    for chunk in detail["chunks"][:MOST]:
        yield Row.of(
            "chunk", f"{chunk['chunk']}, at {at(chunk['rank'])}, lacks ", (", ".join(detail["words"][str(times)]), "strong")
        )
    yield Row.of("", f"{times} times as long it has them")
