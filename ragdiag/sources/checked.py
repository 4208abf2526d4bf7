"""What a check of labels found, for those who show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ragdiag.core.health import HealthFinding, IndexHealth
from ragdiag.core.records import Corpus, Defect, Labels

__all__ = ["Checked", "left_out"]


@dataclass(frozen=True, eq=False)
class Checked:
    """The corpus, with what of it could not be read, its labels, with every one that is wrong about it, and the health of the
    index that was named.
    """

    corpus: Corpus
    labels: Labels
    notes: tuple[str, ...]
    index: IndexHealth | None = None

    @property
    def usable(self) -> int:
        """Queries whose labels can be measured by."""
        return len(self.labels.at("span")) + len(self.labels.at("document"))

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Labels that are wrong about the corpus: their queries are excluded."""
        return self.labels.defects

    @property
    def warnings(self) -> tuple[Defect, ...]:
        """Labels that are odd, and kept."""
        return self.labels.warnings

    @property
    def faults(self) -> tuple[HealthFinding, ...]:
        """What is wrong with the index, warnings apart."""
        return self.index.defects if self.index else ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong: every document was read, no label is a defect, the index has no fault."""
        return not (self.defects or self.corpus.problems or self.faults)


def left_out(labels: Labels) -> str:
    """Why queries cannot be measured, with the first defect: ``unknown_document 57, unanswerable 3: no document 'a' ...``."""
    counts = Counter(kind for kind, _ in {(d.kind, d.query) for d in labels.defects})
    reasons = [f"{kind} {n}" for kind, n in sorted(counts.items())]
    if unanswerable := labels.level.count("unanswerable"):
        reasons.append(f"unanswerable {unanswerable}")
    return ", ".join(reasons) + (f": {labels.defects[0].message}" if labels.defects else "")
