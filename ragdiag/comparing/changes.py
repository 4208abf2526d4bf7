"""What changed between two reports of audits: queries won and lost, by which causes, how sure that is, and what was changed.

Compared are the queries of both that ask the same and have the same label; every other one is counted, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ragdiag.comparing.parts import Part, known_by_name, parts_of_change
from ragdiag.comparing.reported import DEFINES_SERVED, Reported, ReportedQuery
from ragdiag.core.errors import UsageError
from ragdiag.core.options import check_kind
from ragdiag.scoring.labels import asked_alike
from ragdiag.stats.paired import Difference, Paired
from ragdiag.stats.statistics import clusters_by_name

__all__ = ["LEFT_OUT", "MIN_EFFECT", "Diff", "PutBack", "Trials", "Turned", "causes_of", "compared"]

LEVEL = 0.05
"""The p at or below which a difference is more than chance."""

MIN_EFFECT = 0.02
"""How much lower the share of served queries may be before that counts as worse: one query in fifty."""

MOST = 0.5
"""The share of the lost queries that a part brings back, put back alone, where it is named for them."""

LEFT_OUT = {
    "removed": "in OLD alone",
    "added": "in NEW alone",
    "reworded": "with another text under the same id",
    "relabelled": "with another label",
    "defect_in_new": "excluded in NEW alone by a label defect",
    "defect_in_old": "excluded in OLD alone by a label defect",
    "defect_in_both": "excluded in both by a label defect",
    "undecided": "that no label decides in both",
}
"""Why a query of one of the reports is not compared."""


Pair = tuple[ReportedQuery, ReportedQuery]
"""A query as OLD and as NEW has it."""


class Turned(NamedTuple):
    """A query that one report serves and the other does not; `reasons` are its causes there, or the status."""

    id: str
    text: str
    reasons: tuple[str, ...]


class PutBack(NamedTuple):
    """What NEW's pipeline with one part as in OLD serves: of the lost, the won and the kept queries that could be tried.

    `restored` are lost queries that it serves, `given_up` won ones that it does not serve, `broken` ones that both reports serve
    and it does not. `untested` says why nothing was tried.
    """

    part: str
    restored: tuple[str, ...] = ()
    lost: int = 0
    given_up: tuple[str, ...] = ()
    won: int = 0
    broken: tuple[str, ...] = ()
    kept: int = 0
    untested: str = ""


class Trials(NamedTuple):
    """Every part put back alone. `unlike` are queries that NEW's pipeline, run here, serves otherwise than its report says."""

    put_back: tuple[PutBack, ...]
    unlike: tuple[str, ...] = ()
    untested: str = ""  # why no part at all was put back


@dataclass(frozen=True, eq=False)
class Diff:
    """What `diff` found: NEW less OLD over the queries that both decide, and who they are.

    `lost` are the queries that OLD serves and NEW does not, with their causes in NEW; `won` the reverse, with their causes in
    OLD; `kept` are those that both serve, and `served` counts those that each serves. `left_out` has, by the reasons of
    `LEFT_OUT`, the ids of what was not compared. `parts` are what differs between the two pipelines, `unseen` what may differ
    besides and no report tells; `trials` what putting parts back came to, None where that was not asked for.
    """

    old: Reported
    new: Reported
    difference: Difference
    served: tuple[int, int]
    won: tuple[Turned, ...]
    lost: tuple[Turned, ...]
    kept: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]
    parts: tuple[Part, ...]
    unseen: tuple[str, ...]
    min_effect: float
    trials: Trials | None = None

    @property
    def measure(self) -> str:
        """The name of the measure that is compared."""
        return self.new.measure

    @property
    def more_than_chance(self) -> bool:
        """Whether the difference is more than chance would make it: by p, and by the interval."""
        return self.difference.p <= LEVEL and not self.difference.low <= 0 <= self.difference.high

    @property
    def worse(self) -> bool:
        """Whether NEW is worse by more than chance, and by more than `min_effect`."""
        return self.more_than_chance and self.difference.mean < -self.min_effect

    @property
    def better(self) -> bool:
        """Whether NEW is better by more than chance."""
        return self.more_than_chance and self.difference.mean > 0

    @property
    def named(self) -> tuple[PutBack, ...]:
        """The parts that, each put back alone, bring back at least half of the lost queries; those with most first."""
        tried = [t for t in (self.trials.put_back if self.trials else ()) if t.lost and len(t.restored) >= MOST * t.lost]
        return tuple(sorted(tried, key=lambda t: (-len(t.restored), len(t.given_up) + len(t.broken))))


def compared(old: Reported, new: Reported, min_effect: float = MIN_EFFECT) -> Diff:
    """The two reports held against each other. Raises `UsageError` where that cannot be done."""
    check_kind("min_effect", min_effect, float, int)
    if not 0 <= min_effect <= 1:
        raise UsageError(f"min_effect must be from 0 to 1, not {min_effect}")
    _check_same_question(old, new)
    both, left_out = _common(old, new)
    pairs = [(old.queries[name], new.queries[name]) for name in both]
    difference = _difference(pairs, new.seed)
    if difference is None:
        raise UsageError(_nothing_in_common(old, new, left_out))
    return Diff(
        old=old,
        new=new,
        difference=difference,
        served=(sum(bool(was.served) for was, _ in pairs), sum(bool(now.served) for _, now in pairs)),
        won=_turned(was for was, _ in _fated(pairs, False, True)),
        lost=_turned(now for _, now in _fated(pairs, True, False)),
        kept=tuple(now.id for _, now in _fated(pairs, True, True)),
        left_out=left_out,
        parts=tuple(parts_of_change(old, new)),
        unseen=tuple(dict.fromkeys(filter(None, map(known_by_name, (old, new))))),
        min_effect=float(min_effect),
    )


def _difference(pairs: Sequence[Pair], seed: int) -> Difference | None:
    """NEW less OLD; queries about one document are no independent ones. None without a query."""
    cluster = clusters_by_name(now.documents for _, now in pairs)
    before, after = (np.array([bool(pair[i].served) for pair in pairs], dtype=np.float64) for i in (0, 1))
    return Paired(cluster, seed, asked_alike(now.text for _, now in pairs)).difference(before, after)


def _fated(pairs: Iterable[Pair], before: bool, after: bool) -> list[Pair]:
    """The queries that OLD serves or not, and NEW serves or not."""
    return [(was, now) for was, now in pairs if was.served is before and now.served is after]


def causes_of(queries: Iterable[Turned]) -> dict[str, int]:
    """How many queries have each cause, the most frequent first; a query counts for each of its causes."""
    counts = Counter(reason for query in queries for reason in query.reasons)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _check_same_question(old: Reported, new: Reported) -> None:
    """Raise `UsageError` where "served" does not mean the same in both."""
    if old.measure != new.measure:
        same = "audit both with the same -k or --budget"
        raise UsageError(f"{old.name} tells {old.measure}, {new.name} {new.measure}: served means another thing; {same}")
    for rule in DEFINES_SERVED:
        before, after = old.rules.get(rule), new.rules.get(rule)
        if before != after:
            remedy = "audit both with the same --copies" if rule == "copies" else "audit both with the same ragdiag"
            raise UsageError(f"{old.name} and {new.name} count with {rule} {before} and {after}: served differs; {remedy}")


def _common(old: Reported, new: Reported) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The ids of the queries that are compared, in NEW's order, and of the others by reason."""
    both: list[str] = []
    left_out: dict[str, list[str]] = {reason: [] for reason in LEFT_OUT}
    left_out["removed"] = [name for name in old.queries if name not in new.queries]
    for name, now in new.queries.items():
        reason = _why_not(old.queries[name], now) if name in old.queries else "added"
        (left_out[reason] if reason else both).append(name)
    return both, {reason: tuple(names) for reason, names in left_out.items() if names}


def _why_not(was: ReportedQuery, now: ReportedQuery) -> str:
    """Why a query of both reports is not compared; "" where it is."""
    if was.text != now.text:
        return "reworded"
    if was.label != now.label:
        return "relabelled"
    if was.excluded or now.excluded:
        return "defect_in_both" if was.excluded and now.excluded else "defect_in_new" if now.excluded else "defect_in_old"
    return "undecided" if was.served is None or now.served is None else ""


def _nothing_in_common(old: Reported, new: Reported, left_out: Mapping[str, Sequence[str]]) -> str:
    reasons = "; ".join(f"{len(names)} {LEFT_OUT[reason]}" for reason, names in left_out.items())
    remedy = "audit both with the same labelled queries"
    return f"{old.name} and {new.name} have no query in common that both decide ({reasons or 'no queries'}); {remedy}"


def _turned(queries: Iterable[ReportedQuery]) -> tuple[Turned, ...]:
    return tuple(Turned(query.id, query.text, query.reasons) for query in queries)
