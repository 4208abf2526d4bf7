"""The verdict of a litmus test, as a decision takes it from the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from ragdiag.core.errors import UsageError
from ragdiag.deciding.framework import RULES

__all__ = ["Measured"]

LARGEST = 2**53
"""No number of a verdict is larger."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "RETRIEVAL": ("knowledge",),
    "CONTEXT": ("knowledge",),
    "BEHAVIOR": ("behavior",),
    "BOTH": ("knowledge", "behavior"),
    "INCONCLUSIVE": (),
    "NOT_MEASURED": (),
}
"""The problems that each kind of verdict is about. CONTEXT is one of knowledge: the right context would mend it, too."""


@dataclass(frozen=True)
class Measured:
    """A verdict of the litmus test: of `n` failures, perfect context fixes the `share`, whose interval is `low` to `high`.

    `errors` says what became of the judge's; see `verdict.Verdict`.
    """

    kind: str
    secondary: str | None = None
    share: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    needed: int | None = None
    errors: str = "none"

    @classmethod
    def of(cls, verdict: object) -> Measured:
        """From the object that ``ragdiag litmus --json`` writes. Raises `UsageError` for what is none."""
        if not isinstance(verdict, Mapping) or verdict.get("kind") not in tuple(FAMILIES):
            raise UsageError(f"holds no verdict: a JSON object with 'kind' ({', '.join(FAMILIES)}) is expected")
        secondary, share = verdict.get("secondary"), verdict.get("share") or {}
        if secondary is not None and secondary not in ("RETRIEVAL", "CONTEXT", "BEHAVIOR"):
            raise UsageError(f"'secondary' of the verdict must be RETRIEVAL, CONTEXT, BEHAVIOR or null, not {secondary!r}")
        if not isinstance(share, Mapping):
            raise UsageError("'share' of the verdict must be an object of mean, low, high and n")
        mean, low, high = map(_proportion, map(share.get, ("mean", "low", "high")))
        n, needed = _count(share.get("n", 0)), _count(verdict.get("needed"))
        return cls(verdict["kind"], secondary, mean, low, high, n or 0, needed, str(verdict.get("errors", "none")))

    @property
    def problems(self) -> tuple[str, ...]:
        """Knowledge, behavior, or both of them; none where the measurement does not tell."""
        main = FAMILIES[self.kind]
        second = FAMILIES[self.secondary] if main and self.secondary else ()
        return tuple(p for p in RULES if p in main or p in second)

    @property
    def name(self) -> str:
        """``RETRIEVAL``, or ``RETRIEVAL, secondary BEHAVIOR``."""
        return self.kind + (f", secondary {self.secondary}" if self.secondary else "")


def _proportion(value: object) -> float | None:
    """A number of a verdict's share. Raises `UsageError`."""
    if value is None or (_is_number(value) and 0 <= value <= 1):
        return value
    raise UsageError("'share' of the verdict must hold numbers from 0 to 1")


def _count(value: object) -> int | None:
    """A number of queries in a verdict. Raises `UsageError`."""
    if value is None:
        return None
    if _is_number(value) and value >= 0 and value == int(value):
        return int(value)
    raise UsageError("'n' and 'needed' of the verdict must be whole numbers")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST
