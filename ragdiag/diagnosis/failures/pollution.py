"""Chunks about something else stand above the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ragdiag.core.proofs import Edit, Trial
from ragdiag.diagnosis.cases import Case, Observation
from ragdiag.diagnosis.failures._passages import described

FIX = "keep such pages out of the index, or filter by subject or source at query time"
HUB = "; one chunk does it for many queries: look at what it is"


@dataclass(frozen=True)
class Pollution:
    """Proved by dropping the off-topic chunks above the evidence: two or more, or one with an affinity under `single`.
    `hub`: one of them stands in the contexts of many queries."""

    single: float = 1.0

    levels: ClassVar[tuple[str, ...]] = ("span", "document")
    residual: ClassVar[bool] = False
    exposes: ClassVar[bool] = True

    def observe(self, case: Case) -> Observation | None:
        """See `cases.FailureMode`."""
        found = off_topic(case)
        if not found or (len(found) == 1 and min(found.values()) >= self.single):
            return None
        hubs = case.setting.hubs
        rows = [
            row | {"affinity": round(s, 2), "contexts": hubs.get(c, 0)}
            for row, (c, s) in zip(described(case, list(found)), found.items(), strict=False)
        ]
        inside = [c for c in case.context if c in found]
        tokens = sum(case.tokens(case.setting.span(c)) for c in inside)
        return Observation(
            case.targets,
            {
                "off_topic": rows,
                "in_context": {"chunks": len(inside), "tokens": tokens},
                "hub": any(hubs.get(c, 0) >= case.setting.hub_from > 0 for c in found),
            },
            frozenset(found),
        )

    def prove(self, case: Case, seen: Observation) -> Trial:
        """Drop them."""
        edit = Edit(seen.held)
        (outcome,) = yield [edit]
        fix = FIX + (HUB if seen.detail["hub"] else "")
        return case.finding("pollution", seen, "drop the off-topic chunks", outcome.standing, fix, edit=edit)


def off_topic(case: Case) -> dict[int, float]:
    """The off-topic chunks above the evidence (of a served query: in its context), with their affinity to it (1: chance)."""
    return dict(case.setting.off_topic(case.number, case.above))
