"""Gates on measures: ``Sufficient@5=0.8`` tests a mean, ``Sufficient@5.low=0.7`` the lower end of its interval.

``Sufficient@5.corrected=0.8`` and ``Sufficient@5.corrected.low=0.7`` test what a review of failing queries makes of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Mean, Report
from ragdiag.core.reviews import Corrected
from ragdiag.scoring.measures import Measure

__all__ = ["Gate", "failures"]


class Gate(NamedTuple):
    """A measure, which of its numbers is tested, and the least that will do."""

    measure: Measure
    low: bool
    least: float
    corrected: bool = False

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Raises `UsageError` for an unknown measure, or a bound that is not from 0 to 1."""
        match = re.fullmatch(r"\s*([^=<>\s(]+?(?:\(tau=[0-9.]+\)[^=<>\s]*?)?)(\.corrected)?(\.low)?\s*=\s*([0-9.eE+-]+)\s*", text)
        try:
            least = float(match[4]) if match else -1.0
        except ValueError:
            least = -1.0
        if not match or not 0 <= least <= 1:
            raise UsageError(f"cannot read gate {text!r}; write 'Sufficient@5=0.8' or 'Sufficient@5.low=0.7', from 0 to 1")
        return cls(Measure.parse(match[1]), bool(match[3]), least, bool(match[2]))

    def failure(self, mean: Mean, corrected: Corrected | None) -> str:
        """What is wrong with the measure's `mean`, or with what a review makes of it; "" where it will do.

        One that is not decidable for any query will not, nor bounds that no review stands behind.
        """
        known = corrected if self.corrected else mean
        name = f"{self.measure}{'.corrected' if self.corrected else ''}{'.low' if self.low else ''}"
        if known is None:
            return f"{name} is not known: only how many queries get all their evidence is corrected"
        if known.mean is None:
            nothing = "known: no failing query was reviewed (ragdiag label --review)"
            return f"{name} is not {nothing if self.corrected else 'decidable for any query'}"
        value = known.low if self.low else known.mean
        if value is None:
            return f"{name} is not decidable for any query"
        return f"{name} is {value:.4f}, under {self.least:g}" if value < self.least else ""


def failures(gates: Sequence[Gate], report: Report) -> list[str]:
    """One line for each gate that `report` fails."""
    names = [str(gate.measure) for gate in gates]
    failed = [gate.failure(report.measures[m], report.corrected.get(m)) for m, gate in zip(names, gates, strict=True)]
    return [line for line in failed if line]
