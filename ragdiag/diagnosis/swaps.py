"""The control of another retriever: it orders everything anew, so that it serves a query proves little by itself.

It counts only where it puts the evidence clearly high, and does so far more often for failing queries with the gap that it is
said to bridge than for failing queries without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ragdiag.core.proofs import Control, Finding
from ragdiag.diagnosis.cases import Case, Observation

__all__ = ["ALPHA", "ASKED", "TIMES", "clearly_high", "controlled"]

ASKED = "other_retriever"
"""The failure mode that puts every failing query to the other retrievers."""

TIMES = 3
"""How many times as often as without the gap a retriever has to put the evidence high with it."""

ALPHA = 0.05
"""The largest p of that difference (Fisher's exact test, one-sided)."""


class _Rate(NamedTuple):
    """Of so many failing queries, for how many another retriever puts the evidence clearly high."""

    high: int
    of: int


def clearly_high(case: Case, rank: int | None) -> bool:
    """Whether all evidence stands in the better half of a context: at its last place, any change of order might have put it."""
    enough = max(math.ceil(case.length / 2), len(case.groups))
    return rank is not None and rank <= min(enough, max(case.length - 1, 1))


def controlled(
    cases: Sequence[Case], observed: Sequence[Mapping[str, Observation]], findings: Sequence[Sequence[Finding]]
) -> list[list[Finding]]:
    """`findings`, each that rests on another retriever with its control, and without its proof where that did as well.

    `observed` are the gates that each case passed. A gap is a gate of that cause, on that side where it has sides (`side`).
    """
    ranks = [_ranks(of_case) for of_case in findings]
    known: dict[tuple[str, object, str], tuple[_Rate, _Rate]] = {}

    def rates(gap: str, side: object, retriever: str) -> tuple[_Rate, _Rate]:
        """How often `retriever` serves failing queries with that gap, and without it."""
        if (gap, side, retriever) not in known:
            failing = [(j, of_case[retriever]) for j, of_case in enumerate(ranks) if retriever in of_case]
            with_gap = [(cases[j], r) for j, r in failing if gap in observed[j] and observed[j][gap].detail.get("side") == side]
            without = [(cases[j], r) for j, r in failing if gap not in observed[j]]
            known[gap, side, retriever] = _rate(with_gap), _rate(without)
        return known[gap, side, retriever]

    def told(i: int, finding: Finding) -> Finding:
        retriever = finding.edit.retriever
        if finding.residual or retriever not in ranks[i]:
            return finding
        bridged, others = rates(finding.cause, finding.detail.get("side"), retriever)
        return _told(cases[i], finding, bridged, others)

    return [[told(i, finding) for finding in of_case] for i, of_case in enumerate(findings)]


def _told(case: Case, finding: Finding, bridged: _Rate, others: _Rate) -> Finding:
    """A finding that rests on another retriever, with its control."""
    control = _control(finding.edit.retriever, bridged, others)
    bridges = _far_more_often(bridged, others, control.p)
    rates = {"swap_rates": {"with_gap": list(bridged), "without": list(others)}}
    detail = {**finding.detail, **rates} | ({} if bridges else {"swap_as_well": True})
    proved = finding.proved and bridges and clearly_high(case, finding.after.rank)
    return replace(finding, proved=proved, control=control, detail=detail)


def _rate(standings: Sequence[tuple[Case, int | None]]) -> _Rate:
    return _Rate(sum(clearly_high(case, rank) for case, rank in standings), len(standings))


def _ranks(findings: Sequence[Finding]) -> dict[str, int | None]:
    """Where each other retriever has all evidence of a failing query; nothing for one that was not put to any."""
    tried: Mapping[str, Any] = next((f.detail["tried"] for f in findings if f.cause == ASKED), {})
    return {name: standing["rank"] for name, standing in tried.items()}


def _far_more_often(with_gap: _Rate, without: _Rate, p: float | None) -> bool:
    """Whether the difference is large, and more than chance. Without other queries there is nothing to tell it by."""
    if not with_gap.of or not without.of or p is None:
        return False
    return p <= ALPHA and with_gap.high * without.of >= TIMES * without.high * with_gap.of


def _control(retriever: str, with_gap: _Rate, without: _Rate) -> Control:
    """The queries without the gap, as a control: how many the retriever serves as well as those with it."""
    from scipy.stats import hypergeom

    of, high = with_gap.of + without.of, with_gap.high + without.high
    p = float(hypergeom.sf(with_gap.high - 1, of, high, with_gap.of)) if with_gap.of and without.of else None
    says = (
        f"{retriever} puts {with_gap.high} of {with_gap.of} failing queries with this gap clearly high, "
        f"and {without.high} of {without.of} without it"
    )
    return Control(without.of, without.high, p, says)
