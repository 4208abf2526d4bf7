"""Find out why a RAG application answers badly, with proof.

``ragdiag.audit(corpus, queries)`` and ``compare`` are the commands of the same names; nothing heavy is imported before that.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragdiag.cells import Comparison
    from ragdiag.comparison import compare
    from ragdiag.errors import InputError, MissingExtra, RagdiagError, SpecError, UsageError
    from ragdiag.options import Options
    from ragdiag.pipeline import audit, check
    from ragdiag.records import Report

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "InputError",
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
]

_HOMES = {
    "Comparison": "cells",
    "InputError": "errors",
    "MissingExtra": "errors",
    "Options": "options",
    "RagdiagError": "errors",
    "Report": "records",
    "SpecError": "errors",
    "UsageError": "errors",
    "audit": "pipeline",
    "check": "pipeline",
    "compare": "comparison",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ragdiag' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ragdiag.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
