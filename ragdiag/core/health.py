"""What was found wrong with an index that a store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ragdiag.core.records import Mean

__all__ = ["HealthFinding", "IndexHealth"]


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One kind of fault: `count` of the `of` records or documents that were looked at have it.

    `says` names the fault, `evidence` is what was seen, `mend` the act that ends it. `share` is that of all, with its interval,
    where a sample was looked at. `records` and `documents` are those concerned, `queries` the labelled ones whose evidence stands
    there. One that is no `defect` may be meant so: it is told, and no command fails by it.
    """

    kind: str
    count: int
    of: int
    says: str
    mend: str
    evidence: tuple[str, ...] = ()
    share: Mean | None = None
    records: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)
    defect: bool = True


@dataclass(frozen=True)
class IndexHealth:
    """The health of a stored index: how many records it has, of how many vectors were made anew, all that was found.

    `recall` is the mean share of the first `k` of exact search that the store's own search returns, asked for its own records.
    """

    retriever: str
    model: str
    records: int
    sampled: int
    k: int
    recall: Mean
    findings: tuple[HealthFinding, ...]
    notes: tuple[str, ...] = ()

    @property
    def defects(self) -> tuple[HealthFinding, ...]:
        """What is wrong."""
        return tuple(f for f in self.findings if f.defect)

    @property
    def warnings(self) -> tuple[HealthFinding, ...]:
        """What may be meant so."""
        return tuple(f for f in self.findings if not f.defect)
