"""The query and the evidence use different words."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.proofs import EXACT, Control, Edit, Finding, Outcome, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._kinds import (
    ABBREVIATION,
    FILLER,
    FIXES,
    RARE_TERM,
    REWRITE,
    SAYS,
    SYNONYM,
    WORDING,
    WORDS,
    Attempt,
    attempts,
    in_words,
)
from ragdiag.diagnosis.failures._mismatch_rows import RARE, VOCABULARY, Ruled, mismatch_rows
from ragdiag.diagnosis.failures._passages import nearest
from ragdiag.diagnosis.failures._words import FEWEST, gap
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.diagnosis.unproved import FAR, hint
from ragdiag.search.changes import Fix, other_retrievers, swapped, with_context
from ragdiag.text.phrases import counted

FIX = {
    SYNONYM: (Fix("search by meaning, as {name} does", (other_retrievers,)), Fix(REWRITE)),
    RARE_TERM: (Fix("search by words, as {name} does", (other_retrievers,)),),
}
"""What to do where another retriever finds the evidence."""

HINDSIGHT = "these words are known from the evidence only"
"""Why words of the evidence are a hint: of 7 findings that two people read blind, one held 1 for right, the other none."""

SPARSE = "bm25"
"""The retriever that finds what an encoder misses."""


class Held(NamedTuple):
    """The chunk with a group's evidence (None where none holds it whole), the passages in it, the acts to try."""

    chunk: int | None
    passages: tuple[Span, ...]
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class QueryMismatch(FailureMode):
    """The evidence is visible, and the query's words do not lead to it.

    An *overlap* is the share of the query's words and numbers, by idf, that a chunk has. It is low at `low_overlap` or less, and
    at `low_overlap_found` or less where the evidence stands within ten contexts (words did find it then); in either case it is at
    most `low_ratio` times that of the chunks above. That is a vocabulary gap. An overlap of more than `rare_ratio` times theirs
    is a rare-term gap: the words are the same, and an encoder misses them.

    Each kind of mismatch is proved by the act that mends it, unless more than `most_as_well` of the changes that should make no
    difference do as well. Of a gap, words of the evidence (the fewest of `word_counts`) prove only if other chunks, asked for in
    as many words of theirs, as rare, do not come in; another retriever only if it puts the evidence high: in the first half of
    the context. Where no chunk holds the passage whole, only another retriever and paraphrases are tried.
    """

    low_overlap: float = 0.4
    low_overlap_found: float = 0.3
    low_ratio: float = 1.0
    rare_ratio: float = 1.3
    word_counts: tuple[int, ...] = (1, 2, 3, 5)
    most_as_well: float = 0.25

    says = "the query and the evidence use different words"
    cannot_tell = "whether users would ever use the words that bring it in: those were taken from the label"
    place = 110
    by_degrees = True
    swaps = True
    reads = True
    levels = ("span", "document")
    fixes = (*FIX[SYNONYM], *FIX[RARE_TERM], *FIXES)
    remedies = (with_context("title"),)

    def observe(self, case: Case) -> Observation | None:
        """See `modes.FailureMode`."""
        if case.standing.sufficient:
            return None
        for group in case.targets:
            holder = case.holder(group)
            held = [holder[0]] if holder else case.setting.overlapping(nearest(case, group.spans))
            if not held or (case.level == "span" and unseen(case, group)):
                continue
            tried = tuple(attempts(case, holder[0] if holder else None))
            seen = self._gap(case, held)
            if tried or seen["gap"]:
                passages = _passages(case, group, holder) if holder else ()
                return Observation((group,), seen, Held(holder[0] if holder else None, passages, tried))
        return None

    def _gap(self, case: Case, held: list[int]) -> dict[str, Any]:
        """What the query's words have in common with the chunks of its evidence, and on which side a gap is; "" for none."""
        shared = gap(case, held)
        low = shared.overlap <= self._low_overlap(case, held) and shared.overlap <= self.low_ratio * shared.above
        sparse = any(name.startswith(SPARSE) for name in case.setting.swaps)
        rare = not low and sparse and shared.overlap > self.rare_ratio * shared.above
        return {
            "gap": low or rare,
            "side": VOCABULARY if low else RARE if rare else "",
            "missing": list(shared.missing),
            "only_here": list(shared.alone),
            "left_out": list(shared.left_out),
            "overlap": round(shared.overlap, 3),
            "overlap_above": round(shared.above, 3),
        }

    def _low_overlap(self, case: Case, chunks: list[int]) -> float:
        """The largest overlap that counts as low: less where words did find the passage, if not high enough."""
        if max(case.rank_of.get(c, len(case.ranking) + 1) for c in chunks) > 10 * case.length:
            return self.low_overlap
        # Beside evidence that was found, a passage has only the rest of the query to be found by: that is `incomplete`.
        return -1.0 if any(g.covered for g in case.groups) else self.low_overlap_found

    def prove(self, case: Case, observation: Observation) -> Trial:
        """Every act whose gate is passed; other retrievers and words of the evidence where there is a gap."""
        held: Held = observation.held
        side, tries = observation.detail["side"], list(held.attempts)
        if side == VOCABULARY and held.chunk is not None:
            tries += in_words(case, held.chunk, held.passages, self.word_counts)
        swaps = _other_side(case.setting.swaps, side)
        outcomes = yield [attempt.edit for attempt in tries] + [Edit(retriever=s) for s in swaps]
        other = dict(zip(swaps, outcomes[len(tries) :], strict=True))
        ruled = yield from self._ruled(case, list(zip(tries, outcomes[: len(tries)], strict=True)))
        best, detail = _most_telling(ruled, bool(side)), {"tried": _tried(ruled, other)}
        if (
            other
            and not (best and best.proved and best.attempt.kind != WORDS)
            and (swap := _best(case, other, held.chunk is None))
        ):
            return _by_swap(case, observation, swap, other[swap], ruled, detail)
        return _by_act(case, observation, best, ruled, other, detail) if best else None

    def _ruled(
        self, case: Case, tried: Sequence[tuple[Attempt, Outcome]]
    ) -> Generator[Sequence[Edit], Sequence[Outcome], list[Ruled]]:
        """Each act with its control, which is tried where it suffices: of several acts of a kind for one only, the first that
        does so with room to spare, or the first.
        """
        first = {a.kind: a for a, o in reversed(tried) if o.standing.sufficient}
        first |= {a.kind: a for a, o in reversed(tried) if _to_spare(case, o)}
        controls = {kind: attempt.controls() for kind, attempt in first.items()}
        edits = [edit for of_kind in controls.values() for edit, _ in of_kind]
        asked = list(dict.fromkeys(edits + [a.knocked for a in first.values() if a.knocked is not None]))
        outcomes = (yield asked) if asked else ()
        came = dict(zip(asked, outcomes, strict=True))

        def rule(attempt: Attempt, outcome: Outcome) -> Ruled:
            if first.get(attempt.kind) is not attempt:
                return Ruled(attempt, outcome, None, False)
            reach = outcome.standing.rank if attempt.kind == WORDS else case.length
            as_well = [_as_well(came[edit], chunk, reach) for edit, chunk in controls[attempt.kind]]
            control = _control(attempt, as_well, attempt.knocked is not None and came[attempt.knocked].standing.sufficient)
            return Ruled(attempt, outcome, control, self._proved(case, attempt, outcome, control))

        return [rule(*pair) for pair in tried]

    def _proved(self, case: Case, attempt: Attempt, outcome: Outcome, control: Control | None) -> bool:
        """Whether an act that suffices proves its kind: with room to spare, and its control does not do as well.

        A paraphrase is what people do ask, and has no control.
        """
        if control is None:
            return attempt.kind == WORDING
        # Other terms order everything anew, as another retriever does.
        high = _high(case, outcome) if attempt.edit.retriever else _to_spare(case, outcome)
        return high and control.tried >= FEWEST and control.as_well <= self.most_as_well * control.tried


def _to_spare(case: Case, outcome: Outcome) -> bool:
    """Whether all evidence is in the context, and not at its last place, unless it comes from far below."""
    before, after = case.standing.rank or math.inf, outcome.standing.rank or math.inf
    return outcome.standing.sufficient and (after < max(case.length, 2) or before >= FAR * case.length)


def _other_side(swaps: Sequence[str], side: str) -> list[str]:
    """The other retrievers that may find what a gap hides: by words where the words are the same, else by meaning."""
    return [name for name in swaps if name != EXACT and side and (side == RARE) == name.startswith(SPARSE)]


def _most_telling(ruled: Sequence[Ruled], gap: bool) -> Ruled | None:
    """The first act that proves; else the first that suffices; else, of a `gap`, the last rewording."""
    proved = sorted((r for r in ruled if r.proved), key=lambda r: r.attempt.kind == WORDS)
    enough = [r for r in ruled if r.outcome.standing.sufficient]
    reworded = [r for r in reversed(ruled) if gap and r.attempt.kind in (WORDING, WORDS)]
    return next(iter([*proved, *enough, *reworded]), None)


def _passages(case: Case, group: Group, holder: tuple[int, Span]) -> tuple[Span, ...]:
    """Where the evidence's own words stand: the parts of the held passage that answer, where they are known; else all of it."""
    chunk, passage = holder
    if case.level == "document":
        return (case.setting.span(chunk),)
    inside = (s for s in group.answer if s.document == passage.document and passage.start <= s.start and s.end <= passage.end)
    return tuple(inside) or (passage,)


def _as_well(control: Outcome, chunk: int | None, reach: int | None) -> bool:
    """Whether a control does what the act does: bring in `chunk` within `reach`; where that is None, serve the query.

    Words of another chunk do as well as those of the evidence where they bring that chunk as high; stems are the same for all.
    """
    return control.standing.sufficient if chunk is None else chunk in control.order[:reach].tolist()


def _control(attempt: Attempt, as_well: Sequence[bool], without: bool) -> Control | None:
    """What the controls of an act came to; `without` the words that it is about, it does as well."""
    n, tried = sum(as_well), len(as_well)
    if without:
        return Control(tried + 1, tried + 1, None, "without the words that it is about it comes in all the same")
    if not tried:
        return None
    chunks = counted(tried, "other chunk")
    says = {
        WORDS: f"{n} of {chunks} near it come as high, asked for in as many words of theirs, as rare",
        FILLER: f"{n} of {tried} draws of as many other words left out bring it in as well",
        ABBREVIATION: f"{n} of {counted(tried, 'draw')} of as many other words, as rare, bring it in as well",
    }
    return Control(tried, n, None, says.get(attempt.kind, f"{n} of {chunks} near it come in so as well"))


def _best(case: Case, other: Mapping[str, Outcome], cut: bool) -> str:
    """The other retriever that puts the evidence highest, where that is clearly high; where it is `cut`, the highest of all."""
    best = min(other, key=lambda name: (not other[name].standing.sufficient, other[name].standing.rank or math.inf))
    return best if cut or _high(case, other[best]) else ""


def _high(case: Case, outcome: Outcome) -> bool:
    """Whether all evidence is in the first half of the context."""
    rank = outcome.standing.rank
    return outcome.standing.sufficient and rank is not None and rank <= (case.length + 1) // 2


def _tried(ruled: Sequence[Ruled], other: Mapping[str, Outcome]) -> dict[str, Any]:
    """What was tried and came of it, by name: retrievers, paraphrases, and acts by their kind."""
    shown = {name: outcome.standing.told() for name, outcome in other.items()}
    names = {WORDING: "paraphrase", WORDS: "in words of the evidence"}
    for attempt, outcome, _, _ in ruled:
        shown.setdefault(f"{names.get(attempt.kind, attempt.kind)}: {attempt.shown}", outcome.standing.told())
    return shown


def _by_act(
    case: Case,
    observation: Observation,
    best: Ruled,
    ruled: Sequence[Ruled],
    other: Mapping[str, Outcome],
    detail: Mapping[str, Any],
) -> Finding:
    """What an act comes to."""
    attempt, outcome, control, proved = best
    detail = {**detail, "kind": attempt.kind, "words": list(attempt.words)}
    if control is not None:
        detail |= {"others": control.tried, "others_as_well": control.as_well}
    finding = case.finding(
        "query_mismatch",
        observation,
        attempt.how,
        outcome.standing,
        attempt.fix,
        proved=proved,
        says=SAYS.get(attempt.kind, ""),
        detail=detail,
        control=control,
        rows=mismatch_rows(observation.detail, best, ruled, other),
        edit=attempt.edit,
    )
    return hint(finding, HINDSIGHT) if proved and attempt.kind == WORDS else finding


def _by_swap(
    case: Case, observation: Observation, name: str, outcome: Outcome, ruled: Sequence[Ruled], detail: Mapping[str, Any]
) -> Finding:
    """What another retriever comes to: proved where it puts the evidence high, or the evidence is cut and it serves the query."""
    kind = RARE_TERM if observation.detail["side"] == RARE else SYNONYM
    instead, *others = FIX[kind]
    fix = case.setting.advice(instead._replace(changes=(swapped(name),)), *others, name=name)
    return case.finding(
        "query_mismatch",
        observation,
        f"search with {name} instead",
        outcome.standing,
        fix,
        says=SAYS.get(kind, ""),
        detail={**detail, "kind": kind},
        rows=mismatch_rows(observation.detail, None, ruled, {name: outcome}),
        edit=Edit(retriever=name),
    )
