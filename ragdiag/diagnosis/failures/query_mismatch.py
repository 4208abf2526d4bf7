"""The query and the evidence use different words."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ragdiag.core.proofs import EXACT, Control, Edit, Finding, Outcome, Row, Trial
from ragdiag.core.records import Span
from ragdiag.diagnosis.cases import Case, Group, Observation
from ragdiag.diagnosis.failures._kinds import (
    FILLER,
    RARE_TERM,
    SAYS,
    SYNONYM,
    WORDING,
    WORDS,
    Attempt,
    attempts,
    in_words,
)
from ragdiag.diagnosis.failures._passages import nearest
from ragdiag.diagnosis.failures._words import FEWEST, gap
from ragdiag.diagnosis.failures.truncated import unseen
from ragdiag.diagnosis.modes import FailureMode
from ragdiag.search.changes import by_parts, other_retrievers, stemmed, with_context, without_stop_words
from ragdiag.text.phrases import counted, one_line

VOCABULARY, RARE = "vocabulary gap", "rare-term gap"

FIX = {
    SYNONYM: "search by meaning as well, as {} does; or rewrite queries in the words of the documents",
    RARE_TERM: "search by words as well, as {} does: the encoder misses words of the query that the passage has",
}
"""What to do where another retriever finds the evidence."""

SPARSE = "bm25"
"""The retriever that finds what an encoder misses."""

MOST_WORDS = 12
"""Words shown of those that a passage lacks."""


class Held(NamedTuple):
    """The chunk with a group's evidence (None where none holds it whole), the passages in it, the acts to try."""

    chunk: int | None
    passages: tuple[Span, ...]
    attempts: tuple[Attempt, ...]


class Ruled(NamedTuple):
    """An act, what came of it, what its control says."""

    attempt: Attempt
    outcome: Outcome
    control: Control | None
    proved: bool


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
    place = 110
    swaps = True
    reads = True
    levels = ("span", "document")
    remedies = (other_retrievers, stemmed, by_parts, without_stop_words, with_context("title"))

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
            tries += in_words(case, held.chunk, held.passages, observation.detail["missing"], self.word_counts)
        swaps = [s for s in case.setting.swaps if s != EXACT and side and (side == RARE) == s.startswith(SPARSE)]
        edits = [attempt.edit for attempt in tries] + [Edit(retriever=s) for s in swaps]
        outcomes = yield edits
        other = dict(zip(swaps, outcomes[len(tries) :], strict=True))
        ruled = yield from self._ruled(case, list(zip(tries, outcomes[: len(tries)], strict=True)))
        detail = {"tried": _tried(ruled, other)}
        best = next((r for r in ruled if r.proved), None)
        if best is None and other and (swap := _best(case, other, held.chunk is None)):
            return _by_swap(case, observation, swap, other[swap], ruled, detail)
        if best is None:
            best = next((r for r in ruled if r.outcome.standing.sufficient), None)
        if best is None and side:
            best = next((r for r in reversed(ruled) if r.attempt.kind in (WORDING, WORDS)), None)
        return _by_act(case, observation, best, ruled, other, detail) if best else None

    def _ruled(
        self, case: Case, tried: Sequence[tuple[Attempt, Outcome]]
    ) -> Generator[Sequence[Edit], Sequence[Outcome], list[Ruled]]:
        """Each act with its control, which is tried where it suffices: of several acts of a kind for the first of these only."""
        first = {a.kind: a for a, o in reversed(tried) if o.standing.sufficient}
        asked = dict.fromkeys(
            e for a in first.values() for e in (*(e for e, _ in a.controls), *([a.knocked] if a.knocked else []))
        )
        outcomes = (yield list(asked)) if asked else ()
        came = dict(zip(asked, outcomes, strict=True))
        ruled = []
        for attempt, outcome in tried:
            if first.get(attempt.kind) is not attempt:
                ruled.append(Ruled(attempt, outcome, None, False))
                continue
            as_well = sum(_as_well(case, came[edit], chunk) for edit, chunk in attempt.controls)
            without = attempt.knocked is not None and came[attempt.knocked].standing.sufficient
            control = _control(attempt, as_well, without)
            enough = control is not None and control.tried >= FEWEST and as_well <= self.most_as_well * control.tried
            clear = outcome.standing.rank is not None and outcome.standing.rank < max(case.length, 2)
            ruled.append(Ruled(attempt, outcome, control, attempt.kind == WORDING or (enough and clear and not without)))
        return ruled


def _passages(case: Case, group: Group, holder: tuple[int, Span]) -> tuple[Span, ...]:
    """Where the evidence's own words stand: the parts of the held passage that answer, where they are known; else all of it."""
    chunk, passage = holder
    if case.level == "document":
        return (case.setting.span(chunk),)
    inside = (s for s in group.answer if s.document == passage.document and passage.start <= s.start and s.end <= passage.end)
    return tuple(inside) or (passage,)


def _as_well(case: Case, outcome: Outcome, chunk: int | None) -> bool:
    """Whether a control did what the act does: bring in `chunk`, or serve the query where that is None."""
    return outcome.standing.sufficient if chunk is None else chunk in outcome.order[: case.length].tolist()


def _control(attempt: Attempt, as_well: int, without: bool) -> Control | None:
    """What the controls of an act came to; `without` the words that it is about, it does as well."""
    tried = len(attempt.controls)
    if not tried:
        return None
    if without:
        return Control(tried + 1, tried + 1, None, "without the words that it is about it comes in all the same")
    by_words = (
        f"{as_well} of {counted(tried, 'other chunk')} near it come in as well, asked for in as many words of theirs, as rare"
    )
    says = {
        WORDS: by_words,
        FILLER: f"{as_well} of {tried} draws of as many other words left out bring it in as well",
    }.get(attempt.kind)
    if says is None and attempt.controls[0][1] is None:
        says = f"{as_well} of {counted(tried, 'draw')} of as many other words, as rare, bring it in as well"
    return Control(tried, as_well, None, says or f"{as_well} of {counted(tried, 'other chunk')} near it come in so as well")


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
    shown = {name: outcome.standing._asdict() for name, outcome in other.items()}
    names = {WORDING: "paraphrase", WORDS: "in words of the evidence"}
    for attempt, outcome, _, _ in ruled:
        shown.setdefault(f"{names.get(attempt.kind, attempt.kind)}: {attempt.shown}", outcome.standing._asdict())
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
    return case.finding(
        "query_mismatch",
        observation,
        attempt.how,
        outcome.standing,
        attempt.fix,
        proved=proved,
        says=SAYS.get(attempt.kind, ""),
        detail=detail,
        control=control,
        rows=_rows(observation.detail, best, ruled, other),
        edit=attempt.edit,
    )


def _by_swap(
    case: Case, observation: Observation, name: str, outcome: Outcome, ruled: Sequence[Ruled], detail: Mapping[str, Any]
) -> Finding:
    """What another retriever comes to: proved where it puts the evidence high, or the evidence is cut and it serves the query."""
    kind = RARE_TERM if observation.detail["side"] == RARE else SYNONYM
    return case.finding(
        "query_mismatch",
        observation,
        f"search with {name} instead",
        outcome.standing,
        FIX[kind].format(name),
        says=SAYS.get(kind, ""),
        detail={**detail, "kind": kind},
        rows=_rows(observation.detail, None, ruled, {name: outcome}),
        edit=Edit(retriever=name),
    )


def _rows(detail: Mapping[str, Any], best: Ruled | None, ruled: Sequence[Ruled], other: Mapping[str, Outcome]) -> Iterator[Row]:
    """What the act is about; which words are missing; what else was tried."""
    if best is not None:
        label = {WORDS: "words", WORDING: "asked"}.get(best.attempt.kind, best.attempt.kind)
        yield Row.of(
            label, ("in words of the evidence: " if best.attempt.kind == WORDS else "") + one_line(best.attempt.shown, 160)
        )
    yield Row.of("overlap", _overlap(detail))
    missing = detail["missing"]
    if missing and detail["side"] == VOCABULARY:
        yield Row.of("lacks", ", ".join(missing[:MOST_WORDS]) + (", …" if len(missing) > MOST_WORDS else ""))
    for name, outcome in other.items():
        yield Row.of("instead", f"{one_line(name, 60)} {_came(outcome)}")
    for attempt, outcome, _, proved in ruled:
        told = best is not None and attempt is best.attempt
        if not told and outcome.standing.sufficient and (proved or attempt.kind != WORDS):
            yield Row.of("also", f"{attempt.kind}: {one_line(attempt.how, 80)} {_came(outcome)}")


def _overlap(detail: Mapping[str, Any]) -> str:
    """What the evidence's chunk has of the query's words, and what is left out of that count."""
    count = len(detail["left_out"])
    of = f"query's words but for {counted(count, 'word')} of evidence in the context" if count else "query's words"
    shares = f"its chunk has {detail['overlap']:.0%} of the {of}, those above it {detail['overlap_above']:.0%}"
    side = f": {detail['side']}" if detail["side"] else ""
    return f"{shares} (rare words count more, function words not at all){side}"


def _came(outcome: Outcome) -> str:
    """What came of an act in a few words."""
    rank, sufficient = outcome.standing
    return (f"needs k {rank}" if rank else "does not find it") + (", sufficient" if sufficient else "")
