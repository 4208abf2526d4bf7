"""How a mismatch is shown: what the act is about, which words are missing, what else was tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ragdiag.core.proofs import Control, Outcome, Row
from ragdiag.diagnosis.failures._kinds import WORDING, WORDS, Attempt
from ragdiag.text.phrases import counted, one_line

VOCABULARY, RARE = "vocabulary gap", "rare-term gap"

MOST_WORDS = 12
"""Words shown of those that a passage lacks."""


class Ruled(NamedTuple):
    """An act, what came of it, what its control says."""

    attempt: Attempt
    outcome: Outcome
    control: Control | None
    proved: bool


def mismatch_rows(
    detail: Mapping[str, Any], best: Ruled | None, ruled: Sequence[Ruled], other: Mapping[str, Outcome]
) -> Iterator[Row]:
    """What the act is about; which words are missing; what else was tried."""
    if best is not None:
        yield _about(best.attempt)
    yield Row.of("overlap", _overlap(detail))
    missing = detail["missing"]
    if missing and detail["side"] == VOCABULARY:
        yield Row.of("lacks", ", ".join(missing[:MOST_WORDS]) + (", …" if len(missing) > MOST_WORDS else ""))
    for name, outcome in other.items():
        yield Row.of("instead", f"{one_line(name, 60)} {_came(outcome)}")
    yield from (_beside(r) for r in ruled if r is not best and _worth_saying(r))


def _about(attempt: Attempt) -> Row:
    """What an act is about."""
    said = f"in words of the evidence: {attempt.shown}" if attempt.kind == WORDS else attempt.shown
    return Row.of({WORDING: "asked"}.get(attempt.kind, attempt.kind), one_line(said, 160))


def _worth_saying(ruled: Ruled) -> bool:
    """Whether an act is said beside another one: it suffices, and if by words of the evidence, they prove."""
    return ruled.outcome.standing.sufficient and (ruled.proved or ruled.attempt.kind != WORDS)


def _beside(ruled: Ruled) -> Row:
    """Another act."""
    return Row.of("also", f"{ruled.attempt.kind}: {one_line(ruled.attempt.how, 80)} {_came(ruled.outcome)}")


def _overlap(detail: Mapping[str, Any]) -> str:
    """What the evidence's chunk has of the query's words, and what is left out of that count."""
    count = len(detail["left_out"])
    of = f"query's words but for {counted(count, 'word')} of evidence in the context" if count else "query's words"
    shares = f"its chunk has {detail['overlap']:.0%} of the {of}, those above it {detail['overlap_above']:.0%}"
    side = f": {detail['side']}" if detail["side"] else ""
    return f"{shares} (rare words count more, function words not at all){side}"


def _came(outcome: Outcome) -> str:
    """What came of an act in a few words."""
    rank, sufficient = outcome.standing.k, outcome.standing.sufficient
    return (f"needs k {rank}" if rank else "does not find it") + (", sufficient" if sufficient else "")
