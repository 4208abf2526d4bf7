"""Everything that an audit can be told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from ragdiag.errors import UsageError

__all__ = ["Options"]


@dataclasses.dataclass(frozen=True)
class Options:
    """Everything that an audit can be told; the command line has one option for each field."""

    chunker: str = "sentence"
    context: str = "none"
    retriever: str = "hybrid"
    chunks: str | Path | None = None
    run: str | Path | None = None
    qrels: str | Path | None = None
    k: int = 5
    budget: int = 0
    copies: Literal["count", "ignore"] = "count"
    only: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    seed: int = 0
    cache: str | Path | None = ""  # "": the default folder, None: no cache

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"k must be 1 or more, not {self.k}")
        if self.budget < 0:
            raise UsageError(f"budget must be 1 token or more, not {self.budget}")
        if self.copies not in ("count", "ignore"):
            raise UsageError(f"copies must be count or ignore, not {self.copies!r}")
