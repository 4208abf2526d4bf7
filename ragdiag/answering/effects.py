"""What a change does to right answers, with how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

__all__ = ["Effect", "Harm"]

FOUND = 0.05
"""An effect is shown where chance alone would make one as large in fewer samples than this share."""


@dataclass(frozen=True)
class Effect:
    """A difference of shares of right answers with its 95 % interval; `p` where it was tested (McNemar's test where each
    query has one answer)."""

    mean: float
    low: float
    high: float
    n: int
    p: float | None = None

    def with_p(self, p: float) -> Effect:
        """The same with another p, such as one that is adjusted."""
        return replace(self, p=p)


class Harm(NamedTuple):
    """Something about a context that may harm: the `effect` on right answers of a change, from condition `a` to `b`.

    `better` and `worse` count the queries that are answered better and worse after it, as judged; `detectable` is the least true
    effect that as many queries would find. `errors` is as in `Verdict`.
    """

    kind: str
    a: str
    b: str
    change: str
    effect: Effect
    better: int
    worse: int
    detectable: float
    errors: str

    @property
    def shown(self) -> bool:
        """Whether the change makes answers better, as far as 95 in 100 such tests would be right together."""
        return self.effect.mean > 0 and self.effect.p is not None and self.effect.p < FOUND
