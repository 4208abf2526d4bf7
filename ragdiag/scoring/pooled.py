"""What a measure counts in a ranking of a pool, and what stands above that by chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ragdiag.core.arrays import BoolArray, FloatArray, IntArray
from ragdiag.core.records import Run
from ragdiag.scoring.measures import Measure
from ragdiag.scoring.scoring import Scorer
from ragdiag.stats.pooled import Counted, Discount

__all__ = ["FALLING", "counted"]

COUNTED = ("Sufficient", "Success", "RR", "nDCG", "R", "P")
"""Measures that are sums over items, of what each is worth at its rank."""

FALLING = (*COUNTED, "Evidence", "Answer", "CharR", "AP")
"""Measures that no further document without evidence can raise."""


def counted(scorer: Scorer, run: Run, measure: Measure, by_chance: BoolArray) -> Counted | None:
    """The items of a measure, and what they are worth by rank; None for one that is no such sum, or whose context is in tokens.

    `by_chance` tells of each document of the corpus whether it is there by chance.
    """
    if measure.name not in COUNTED or measure.tokens or measure.tau != 1:
        return None
    rows = list(
        _sufficient(scorer, run, by_chance) if measure.name == "Sufficient" else _relevant(scorer, run, measure, by_chance)
    )
    query, rank, above = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3).T
    return Counted(query, rank - above, above, np.array([row[3] for row in rows], dtype=np.float64), _discount(measure))


Row = tuple[int, int, int, float]
"""An item: its query, its rank, how many stand above it by chance, its weight."""


def _sufficient(scorer: Scorer, run: Run, by_chance: BoolArray) -> Iterator[Row]:
    """Of each query the chunk with which its evidence is complete."""
    for q, k in enumerate(scorer.least_k(run).tolist()):
        if k:
            yield q, k, int(by_chance[scorer.chunking.document[run.chunks[q, : k - 1]]].sum()), 1.0


def _relevant(scorer: Scorer, run: Run, measure: Measure, by_chance: BoolArray) -> Iterator[Row]:
    """Of each query its relevant chunks, or documents; only the first where the measure asks for no more."""
    documents, of_chunks = scorer.labels.at("document"), _by_query(scorer)
    for q in range(len(run.chunks)):
        chunks = run.chunks[q][run.chunks[q] >= 0]
        of = scorer.chunking.document[chunks]
        if q in documents:
            units, first = np.unique(of, return_index=True)
            order = np.argsort(first)
            ranked, chance = units[order], by_chance[units[order]]
            grades = {d: float(grade) for d, grade in scorer.labels.relevant[q].items() if grade > 0}
        else:
            ranked, chance, grades = chunks, by_chance[of], of_chunks.get(q, {})
        yield from _weighed(q, ranked, np.cumsum(chance), grades, measure)


def _weighed(q: int, ranked: IntArray, chance: IntArray, grades: dict[int, float], measure: Measure) -> Iterator[Row]:
    """The relevant ones of what a query ranks; `chance` counts those that are there by chance, down to each."""
    share = _shares(measure, grades)
    for at, unit in enumerate(ranked.tolist()):
        if unit in grades:
            yield q, at + 1, int(chance[at]), share * (grades[unit] if measure.name == "nDCG" else 1.0)
            if measure.name in ("Success", "RR"):
                return


def _shares(measure: Measure, grades: dict[int, float]) -> float:
    """What turns the sum of a query's items into the measure."""
    if measure.name == "nDCG":
        best = sorted(grades.values(), reverse=True)[: measure.cutoff or None]
        ideal = sum(grade / np.log2(rank + 1) for rank, grade in enumerate(best, 1))
        return 1 / ideal if ideal else 0.0
    return 1 / {"R": len(grades), "P": measure.cutoff}.get(measure.name, 1) if grades else 0.0


def _by_query(scorer: Scorer) -> dict[int, dict[int, float]]:
    """The grade of each chunk that holds evidence, by query."""
    found: dict[int, dict[int, float]] = {}
    grades = scorer.grades
    for q, chunk, grade in zip(grades.query.tolist(), grades.chunk.tolist(), grades.grade.tolist(), strict=True):
        found.setdefault(q, {})[chunk] = grade
    return found


def _discount(measure: Measure) -> Discount:
    """What an item is worth at a rank."""
    cutoff = measure.cutoff or np.inf

    def worth(rank: FloatArray) -> FloatArray:
        gain = 1 / rank if measure.name == "RR" else 1 / np.log2(rank + 1) if measure.name == "nDCG" else np.ones(rank.shape)
        return np.where(rank <= cutoff, gain, 0.0)

    return worth
