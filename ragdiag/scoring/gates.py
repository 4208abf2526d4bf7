"""Gates on measures: ``Sufficient@5=0.8`` tests a mean, ``Sufficient@5.low=0.7`` the lower end of its interval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ragdiag.core.errors import UsageError
from ragdiag.core.records import Mean, Report
from ragdiag.scoring.measures import Measure

__all__ = ["Gate", "failures"]


class Gate(NamedTuple):
    """A measure, which of its numbers is tested, and the least that will do."""

    measure: Measure
    low: bool
    least: float

    @classmethod
    def parse(cls, text: str) -> Gate:
        """Raises `UsageError` for an unknown measure, or a bound that is not from 0 to 1."""
        match = re.fullmatch(r"\s*([^=<>\s(]+?(?:\(tau=[0-9.]+\)[^=<>\s]*?)?)(\.low)?\s*=\s*([0-9.eE+-]+)\s*", text)
        try:
            least = float(match[3]) if match else -1.0
        except ValueError:
            least = -1.0
        if not match or not 0 <= least <= 1:
            raise UsageError(f"cannot read gate {text!r}; write 'Sufficient@5=0.8' or 'Sufficient@5.low=0.7', from 0 to 1")
        return cls(Measure.parse(match[1]), bool(match[2]), least)

    def failure(self, mean: Mean) -> str:
        """What is wrong with the measure's `mean`, "" where it will do; one that is not decidable for any query will not."""
        value = mean.low if self.low else mean.mean
        name = f"{self.measure}{'.low' if self.low else ''}"
        if value is None:
            return f"{name} is not decidable for any query"
        return f"{name} is {value:.4f}, under {self.least:g}" if value < self.least else ""


def failures(gates: Sequence[Gate], report: Report) -> list[str]:
    """One line for each gate that `report` fails."""
    failed = [gate.failure(report.measures[str(gate.measure)]) for gate in gates]
    return [line for line in failed if line]
