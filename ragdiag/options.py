"""Everything that an audit can be told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from ragdiag.errors import UsageError

__all__ = ["Options"]


MOST = 10**9
"""No context is larger, in chunks or in tokens."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Everything that an audit can be told; the command line has one option for each field."""

    chunker: str = "sentence"
    context: str = "none"
    retriever: str = "hybrid"
    swap: str = ""  # the retriever that a mismatched query is put to instead; "": one that costs little
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
        if not 1 <= self.k <= MOST:
            raise UsageError(f"k must be from 1 to {MOST}, not {self.k}")
        if not 0 <= self.budget <= MOST:
            raise UsageError(f"budget must be from 1 to {MOST} tokens, not {self.budget}")
        if self.seed < 0:
            raise UsageError(f"seed must be 0 or more, not {self.seed}")
        if self.copies not in ("count", "ignore"):
            raise UsageError(f"copies must be count or ignore, not {self.copies!r}")
