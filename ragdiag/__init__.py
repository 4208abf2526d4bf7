"""Find out why a RAG application answers badly, with proof.

``ragdiag.audit``, ``compare``, ``decide``, ``diff``, ``litmus``, ``pool``, ``prompts`` and ``tune`` are the commands of the same
names; nothing heavy is imported before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ragdiag.core import addresses
from ragdiag.core.version import __version__

if TYPE_CHECKING:
    from ragdiag.answering.verdict import Litmus
    from ragdiag.api import audit, check, decide, litmus, prompts
    from ragdiag.api.configurations import compare, diff, export, tune
    from ragdiag.api.pooling import pool
    from ragdiag.comparing.cells import Comparison
    from ragdiag.core.errors import InputError, MissingExtra, RagdiagError, SpecError, UsageError
    from ragdiag.core.options import Options
    from ragdiag.core.records import Report
    from ragdiag.deciding.decision import Decision

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
    "diff",
    "export",
    "litmus",
    "pool",
    "prompts",
    "tune",
]

_HOMES = {
    "Comparison": "comparing.cells",
    "Decision": "deciding.decision",
    "InputError": "core.errors",
    "Litmus": "answering.verdict",
    "MissingExtra": "core.errors",
    "Options": "core.options",
    "RagdiagError": "core.errors",
    "Report": "core.records",
    "SpecError": "core.errors",
    "UsageError": "core.errors",
    "audit": "api",
    "check": "api",
    "compare": "api.configurations",
    "decide": "api",
    "diff": "api.configurations",
    "export": "api.configurations",
    "litmus": "api",
    "pool": "api.pooling",
    "prompts": "api",
    "tune": "api.configurations",
}


addresses.keep()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ragdiag' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ragdiag.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
