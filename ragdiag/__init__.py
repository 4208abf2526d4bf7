"""Find out why a RAG application answers badly, with proof.

``ragdiag.audit``, ``compare``, ``decide``, ``litmus`` and ``prompts`` are the commands of the same names; nothing heavy is
imported before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragdiag.api import audit, check, compare, decide, litmus, prompts
    from ragdiag.cells import Comparison
    from ragdiag.decision import Decision
    from ragdiag.errors import InputError, MissingExtra, RagdiagError, SpecError, UsageError
    from ragdiag.options import Options
    from ragdiag.records import Report
    from ragdiag.verdict import Litmus

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Decision",
    "InputError",
    "Litmus",
    "MissingExtra",
    "Options",
    "RagdiagError",
    "Report",
    "SpecError",
    "UsageError",
    "__version__",
    "audit",
    "check",
    "compare",
    "decide",
    "litmus",
    "prompts",
]

_HOMES = {
    "Comparison": "cells",
    "Decision": "decision",
    "InputError": "errors",
    "Litmus": "verdict",
    "MissingExtra": "errors",
    "Options": "options",
    "RagdiagError": "errors",
    "Report": "records",
    "SpecError": "errors",
    "UsageError": "errors",
    "audit": "api",
    "check": "api",
    "compare": "api",
    "decide": "api",
    "litmus": "api",
    "prompts": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ragdiag' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ragdiag.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
