"""Modules of the public documentation at the addresses that it gives them, wherever they are in the house.

``from ragdiag.records import Report`` finds `ragdiag.core.records`: the same module, not a copy. Nothing is imported before.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["PUBLIC", "keep"]

PUBLIC = {
    "ragdiag.cells": "ragdiag.comparing.cells",
    "ragdiag.corpus": "ragdiag.sources.corpus",
    "ragdiag.errors": "ragdiag.core.errors",
    "ragdiag.headings": "ragdiag.text.headings",
    "ragdiag.proofs": "ragdiag.core.proofs",
    "ragdiag.records": "ragdiag.core.records",
    "ragdiag.shown": "ragdiag.reports.shown",
    "ragdiag.statistics": "ragdiag.stats.statistics",
    "ragdiag.verdict": "ragdiag.answering.verdict",
}
"""The documented address of a module, and where it is."""


class _Elsewhere(Loader):
    """Loads a module by its place in the house."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._place)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put that of the other address in its place


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, _Elsewhere(PUBLIC[name])) if name in PUBLIC else None


def keep() -> None:
    """Let the documented addresses be found; asked last, so that no other import gets slower."""
    if not any(type(finder) is _Finder for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
