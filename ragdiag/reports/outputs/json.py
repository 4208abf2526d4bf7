"""Reports as JSON: the contract that scripts depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ragdiag.answering.verdict import Litmus
from ragdiag.comparing.cells import Comparison
from ragdiag.comparing.changes import Diff
from ragdiag.comparing.tuned import Tuned
from ragdiag.core.records import Explanation, Report
from ragdiag.reports.diff import diff_dict
from ragdiag.reports.json import audit_dict, compare_dict, dumps
from ragdiag.reports.litmus import litmus_dict
from ragdiag.reports.output import Output
from ragdiag.reports.tune import tune_dict

__all__ = ["Json"]


@dataclass(frozen=True)
class Json(Output):
    """See `reports.json`."""

    suffix = ".json"

    def audit(self, report: Report, explanations: Iterable[Explanation], litmus: Litmus | None) -> str:
        """See `Output`."""
        return dumps(audit_dict(report, litmus.verdict if litmus else None))

    def compare(self, comparison: Comparison, price: float | None = None) -> str:
        """See `Output`."""
        return dumps(compare_dict(comparison, price))

    def diff(self, found: Diff) -> str:
        """See `Output`."""
        return dumps(diff_dict(found))

    def litmus(self, litmus: Litmus) -> str:
        """See `Output`."""
        return dumps(litmus_dict(litmus))

    def tune(self, tuned: Tuned) -> str:
        """See `Output`."""
        return dumps(tune_dict(tuned))

    def other(self, record: Mapping[str, object]) -> str:
        """See `Output`."""
        return dumps(record)
