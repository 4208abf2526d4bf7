"""What measured cells come to: differences and how sure they are, the best on held-out queries, what more context would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ragdiag.cells import NEVER, Cell, Comparison, Contrast, whole_tokens
from ragdiag.grid import Material
from ragdiag.measures import Measure
from ragdiag.paired import Paired, holm
from ragdiag.pipeline import labelled_documents
from ragdiag.records import FloatArray
from ragdiag.statistics import Resampler, clusters

__all__ = ["LEVEL", "compare_cells"]

LEVEL = 0.05
"""A contrast's adjusted p at or below which two configurations are told apart."""

STEPS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Multiples of the baseline's context at which the curve of more context is given."""

SHORT = 0.5
"""Share of queries whose documents are all one chunk, from which chunking can hardly matter."""


def compare_cells(
    material: Material,
    cells: Sequence[Cell],
    baseline: int,
    measure: str,
    pairs: bool,
    seed: int,
    size: Mapping[str, Any],
    notes: Sequence[str],
) -> Comparison:
    """All that can be said of cells once they are measured."""
    cluster = clusters(labelled_documents(material.labels))
    resampler, paired = Resampler(cluster, seed), Paired(cluster, seed)
    measure = str(Measure.parse(measure)) if measure else next(iter(cells[baseline].values))
    if not any((~np.isnan(c.values[measure])).any() for c in cells):
        measure = next(m for m in cells[baseline].values if m.startswith("Success"))
    means = tuple({m: resampler.mean(v) for m, v in c.values.items()} for c in cells)
    others = [i for i in range(len(cells)) if i != baseline]
    family = list(combinations(range(len(cells)), 2)) if pairs else [(baseline, i) for i in others]
    scores = [means[i][measure].mean or 0.0 for i in range(len(cells))]
    best = max(range(len(cells)), key=lambda i: (round(scores[i], 9), -whole_tokens(cells[i]), -cells[i].chunks, -i))
    return Comparison(
        cells=tuple(cells),
        means=means,
        baseline=baseline,
        measure=measure,
        contrasts=tuple(_contrasts(paired, cells, family, measure)),
        raised={i: _raised(paired, cells[baseline], cells[i], size["budget"] or 0) for i in others},
        curve=tuple(_curve(cells[baseline], size["k"] or 0, size["budget"] or 0)),
        best=best,
        pareto=tuple(i for i in range(len(cells)) if not any(_dominates(cells, scores, j, i) for j in range(len(cells)))),
        confirmed=_confirmed(paired, cells, baseline, measure, seed),
        causes={},
        cured={},
        broke={},
        reasons={},
        inputs=material.inputs,
        pipeline=size,
        notes=(*notes, *_warnings(cells)),
        seed=seed,
        timings={c.name: dict(c.timings) for c in cells},
    )


def _contrasts(paired: Paired, cells: Sequence[Cell], family: Sequence[tuple[int, int]], measure: str) -> Iterator[Contrast]:
    found = [(a, b, paired.difference(cells[a].values[measure], cells[b].values[measure])) for a, b in family]
    known = [(a, b, d) for a, b, d in found if d is not None]
    for (a, b, d), p in zip(known, holm([d.p for _, _, d in known]), strict=True):
        told = p <= LEVEL and not d.low <= 0 <= d.high
        gained, lost = cells[b].served > cells[a].served, cells[b].served < cells[a].served
        yield Contrast(
            a, b, measure, d.mean, d.low, d.high, d.p, p, int(gained.sum()), int(lost.sum()), d.n, d.detectable(len(known)), told
        )


def _raised(paired: Paired, baseline: Cell, cell: Cell, budget: int) -> dict[str, Any]:
    """What just giving the baseline more context does: at the cell's tokens, and how much it takes to serve as many.

    At k chunks each, the k is the largest whose contexts take no more tokens on average than the cell's (at least 1). Under a
    budget all have the same tokens, and only the second question is left.
    """
    known = ~np.isnan(baseline.served)
    goal = int((cell.served == 1).sum())
    found: dict[str, Any] = {"served": goal}
    if budget:
        needs = np.sort(baseline.need[known & (baseline.need < NEVER)])
        tokens = int(needs[goal - 1]) if 0 < goal <= len(needs) else None
        return found | {"tokens_to_serve_as_many": tokens}
    k = max(int(np.searchsorted(baseline.curve, whole_tokens(cell) + 0.5, side="right")), 1)
    served = np.where(known, _enough(baseline, k, 0), np.nan).astype(np.float64)
    difference = paired.difference(served, cell.served)
    ranks = np.sort(baseline.least_k[known & (baseline.least_k > 0)])
    least = int(ranks[goal - 1]) if 0 < goal <= len(ranks) else None
    return found | {
        "k": k,
        "tokens": round(float(baseline.curve[k - 1]), 1),
        "served_by_k": int((served == 1).sum()),
        "recovered": int((cell.served > served).sum()),
        "broken": int((cell.served < served).sum()),
        **({} if difference is None else {"difference": difference.mean, "low": difference.low, "high": difference.high}),
        "k_to_serve_as_many": least,
        "tokens_to_serve_as_many": None if least is None else round(float(baseline.curve[least - 1]), 1),
    }


def _enough(cell: Cell, k: int, budget: int) -> Any:
    """Which queries a context of another size would serve."""
    return (cell.least_k > 0) & ((cell.least_k <= k) if not budget else (cell.need <= budget) | (cell.least_k == 1))


def _curve(baseline: Cell, k: int, budget: int) -> Iterator[dict[str, Any]]:
    """The baseline with less and with more context, as far down as its ranking goes."""
    known = ~np.isnan(baseline.served)
    for step in STEPS:
        size = max(round((budget or k) * step), 1)
        if not budget and size > len(baseline.curve):
            return
        served = int((known & _enough(baseline, size, size if budget else 0)).sum())
        tokens = size if budget else round(float(baseline.curve[size - 1]), 1)
        yield {"times": step, "k": None if budget else size, "tokens": tokens, "served": served, "of": int(known.sum())}


def _dominates(cells: Sequence[Cell], scores: Sequence[float], j: int, i: int) -> bool:
    """Whether cell `j` is at least as good as `i` in score and tokens of context, and better in one."""
    mine, other = (scores[i], -whole_tokens(cells[i])), (scores[j], -whole_tokens(cells[j]))
    return all(o >= m for m, o in zip(mine, other, strict=True)) and other != mine


def _confirmed(paired: Paired, cells: Sequence[Cell], baseline: int, measure: str, seed: int) -> dict[str, Any]:
    """The best on one half of the queries, seen on the other: what was chosen for its score looks better than it is."""
    values = np.stack([c.values[measure] for c in cells])
    decidable = np.flatnonzero(~np.isnan(values).any(axis=0))
    shuffled = np.random.default_rng(seed).permutation(decidable)
    chosen_on, seen_on = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    if not len(chosen_on):
        return {}
    scores = values[:, chosen_on].mean(axis=1)
    order = [baseline, *(i for i in range(len(cells)) if i != baseline)]
    best = max(order, key=lambda i: round(float(scores[i]), 9))
    held = paired.difference(_only(values[baseline], seen_on), _only(values[best], seen_on))
    if best == baseline or held is None:
        return {"chosen": best, "n": len(seen_on), "holds": best == baseline}
    return {
        "chosen": best,
        "n": held.n,
        "difference_where_chosen": float(scores[best] - scores[baseline]),
        "difference": held.mean,
        "low": held.low,
        "high": held.high,
        "p": held.p,
        "holds": held.low > 0,
    }


def _only(values: FloatArray, at: Any) -> FloatArray:
    kept = np.full(len(values), np.nan)
    kept[at] = values[at]
    return kept


def _warnings(cells: Sequence[Cell]) -> Iterator[str]:
    known = ~np.isnan(cells[0].served)
    share = float(np.min([c.whole for c in cells], axis=0)[known].mean()) if known.any() else 0.0
    if len({c.chunker for c in cells}) > 1 and share >= SHORT:
        yield f"{share:.0%} of the queries have their evidence in documents of one chunk: to those, chunking cannot matter"
    names = Counter(c.name for c in cells)
    if any(n > 1 for n in names.values()):
        yield "some configurations have the same name: give your chunk files different names"
    if all((c.need == NEVER).all() for c in cells):
        yield "no configuration finds all evidence of any query"
