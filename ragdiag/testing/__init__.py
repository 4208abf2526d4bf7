"""Assertions on retrieval, for tests: what the pytest plugin's fixture gives, and plain functions for anywhere else."""

from ragdiag.testing.assertions import check, check_gates, no_cause, no_regression, no_verdict, save_baseline
from ragdiag.testing.audited import audited

__all__ = ["audited", "check", "check_gates", "no_cause", "no_regression", "no_verdict", "save_baseline"]
