"""Reports as one page each, which loads nothing and sends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ragdiag.answering.verdict import Litmus
from ragdiag.comparing.cells import Comparison
from ragdiag.comparing.tuned import Tuned
from ragdiag.core.records import Explanation, Report
from ragdiag.reports.html.audit import audit_html, litmus_html
from ragdiag.reports.html.compare import compare_html
from ragdiag.reports.html.tune import tune_html
from ragdiag.reports.output import Output

__all__ = ["Html"]


@dataclass(frozen=True)
class Html(Output):
    """See `reports.html`."""

    suffix = ".html"

    def audit(self, report: Report, explanations: Iterable[Explanation], litmus: Litmus | None) -> str:
        """See `Output`."""
        return audit_html(report, explanations, litmus)

    def compare(self, comparison: Comparison, price: float | None = None) -> str:
        """See `Output`."""
        return compare_html(comparison, price)

    def litmus(self, litmus: Litmus) -> str:
        """See `Output`."""
        return litmus_html(litmus)

    def tune(self, tuned: Tuned) -> str:
        """See `Output`."""
        return tune_html(tuned)
