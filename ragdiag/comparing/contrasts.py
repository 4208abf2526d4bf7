"""What measured cells come to: differences and how sure they are, the best on held-out queries, what more context would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ragdiag.comparing.cells import NEVER, Cell, Comparison, Contrast, whole_tokens
from ragdiag.comparing.grid import Material
from ragdiag.core.errors import UsageError
from ragdiag.pipeline import labelled_documents
from ragdiag.scoring.measures import Measure
from ragdiag.stats.paired import Paired, holm
from ragdiag.stats.statistics import Resampler, clusters

__all__ = ["LEVEL", "compare_cells"]

LEVEL = 0.05
"""A contrast's adjusted p at or below which two configurations are told apart."""

STEPS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Multiples of the baseline's context at which the curve of more context is given."""

SPLITS = 50
"""Random halves on which the choice is tried."""

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
    measure = _compared(cells, baseline, measure)
    means = tuple({m: resampler.mean(v) for m, v in c.values.items()} for c in cells)
    others = [i for i in range(len(cells)) if i != baseline]
    family = list(combinations(range(len(cells)), 2)) if pairs else [(baseline, i) for i in others]
    scores = [means[i][measure].mean or 0.0 for i in range(len(cells))]  # none is None: see `_compared`
    contrasts = tuple(_contrasts(paired, cells, family, measure))
    sure = {c.b: c for c in contrasts if c.a == baseline and c.distinguishable}
    lost = [int((cells[baseline].served > c.served).sum()) for c in cells]
    # Of equal means the one that is surer, then the one that breaks less, then the cheaper.
    best = max(range(len(cells)), key=lambda i: (round(scores[i], 9), i in sure, -lost[i], -whole_tokens(cells[i]), -i))
    return Comparison(
        cells=tuple(cells),
        means=means,
        baseline=baseline,
        measure=measure,
        contrasts=contrasts,
        raised={i: _raised(paired, cells[baseline], cells[i], size["budget"] or 0) for i in others},
        curve=tuple(_curve(paired, cells[baseline], size["k"] or 0, size["budget"] or 0)),
        best=best,
        ties=tuple(_ties(paired, cells, best, measure)),
        pareto=tuple(i for i in range(len(cells)) if not any(_dominates(cells, scores, j, i) for j in range(len(cells)))),
        confirmed=_confirmed(paired, cells, baseline, measure, seed),
        inputs=material.inputs,
        pipeline=size,
        notes=(*notes, *_warnings(cells)),
        seed=seed,
        label_defects=material.labels.defects,
        label_warnings=material.labels.warnings,
        problems=material.corpus.problems,
    )


def _compared(cells: Sequence[Cell], baseline: int, asked: str) -> str:
    """The measure that is contrasted, decidable under every cell: the one `asked` for; else Sufficient, of documents Success.

    Raises `UsageError`.
    """
    usual = [next(m for m in cells[baseline].values if m.startswith(name)) for name in ("Sufficient", "Success")]
    named = [str(Measure.parse(asked))] if asked else usual
    known = [m for m in named if all((~np.isnan(c.values[m])).any() for c in cells)]
    if not known:
        blind = next(c.name for c in cells if np.isnan(c.values[named[0]]).all())
        raise UsageError(f"{named[0]} is decidable for no query under {blind}: its labels or its run cannot tell; choose another")
    return known[0]


def _contrasts(paired: Paired, cells: Sequence[Cell], family: Sequence[tuple[int, int]], measure: str) -> Iterator[Contrast]:
    found = [(a, b, paired.difference(cells[a].values[measure], cells[b].values[measure])) for a, b in family]
    known = [(a, b, d) for a, b, d in found if d is not None]
    for (a, b, d), p in zip(known, holm([d.p for _, _, d in known]), strict=True):
        told = p <= LEVEL and not d.low <= 0 <= d.high
        gained, lost = cells[b].served > cells[a].served, cells[b].served < cells[a].served
        yield Contrast(
            a, b, measure, d.mean, d.low, d.high, d.p, p, int(gained.sum()), int(lost.sum()), d.n, d.detectable(len(known)), told
        )


def _ties(paired: Paired, cells: Sequence[Cell], best: int, measure: str) -> Iterator[int]:
    """The cells whose difference from the best has 0 in its interval, the nearest first."""
    found = [(i, paired.difference(cells[best].values[measure], c.values[measure])) for i, c in enumerate(cells) if i != best]
    near = [(i, d) for i, d in found if d is not None and d.low <= 0 <= d.high]
    yield from (i for i, d in sorted(near, key=lambda pair: -pair[1].mean))


def _raised(paired: Paired, baseline: Cell, cell: Cell, budget: int) -> dict[str, Any]:
    """What just giving the baseline more context does: at the cell's tokens, and how much it takes to serve as many.

    At k chunks each, the k is the one whose contexts come nearest to the cell's in mean tokens. Under a
    budget all have the same tokens, and only the second question is left.
    """
    known = ~np.isnan(baseline.served)
    goal = int((cell.served == 1).sum())
    found: dict[str, Any] = {"served": goal}
    if budget:
        needs = np.sort(baseline.need[known & (baseline.need < NEVER)])
        tokens = int(needs[goal - 1]) if 0 < goal <= len(needs) else None
        return found | {"tokens_to_serve_as_many": tokens}
    k = int(np.argmin(np.abs(baseline.curve - whole_tokens(cell)))) + 1
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


def _curve(paired: Paired, baseline: Cell, k: int, budget: int) -> Iterator[dict[str, Any]]:
    """The baseline with less and with more context, as far down as its ranking goes; differences are from what it has."""
    known = ~np.isnan(baseline.served)
    for step in STEPS:
        size = max(round((budget or k) * step), 1)
        if not budget and size > len(baseline.curve):
            return
        served = np.where(known, _enough(baseline, size, size if budget else 0), np.nan).astype(np.float64)
        found = paired.difference(baseline.served, served)
        tokens = size if budget else round(float(baseline.curve[size - 1]), 1)
        row = {"times": step, "k": None if budget else size, "tokens": tokens, "served": int((served == 1).sum())}
        more = {} if found is None else {"difference": found.mean, "low": found.low, "high": found.high}
        yield {**row, "of": int(known.sum()), **more}


def _dominates(cells: Sequence[Cell], scores: Sequence[float], j: int, i: int) -> bool:
    """Whether cell `j` is at least as good as `i` in score and tokens of context, and better in one."""
    mine, other = (scores[i], -whole_tokens(cells[i])), (scores[j], -whole_tokens(cells[j]))
    return all(o >= m for m, o in zip(mine, other, strict=True)) and other != mine


def _confirmed(paired: Paired, cells: Sequence[Cell], baseline: int, measure: str, seed: int) -> dict[str, Any]:
    """The best of one half of the queries, seen on the other: what is chosen for its score looks better than it is.

    Both ways round, so that every query is seen once; `splits` other random halves say how much hangs on which half it was:
    how often the difference was above 0, and how often each was chosen.
    """
    values = np.stack([c.values[measure] for c in cells])
    decidable = np.flatnonzero(~np.isnan(values).any(axis=0))
    if len(decidable) < 2:
        return {}
    names = [baseline, *(i for i in range(len(cells)) if i != baseline)]  # of equals the baseline is chosen
    values = values[names]
    rng = np.random.default_rng(seed)
    above, chosen, first = 0, Counter[int](), np.full(values.shape[1], np.nan)
    for split in range(SPLITS):
        shuffled = rng.permutation(decidable)
        halves = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
        seen = np.full(values.shape[1], np.nan)
        for chosen_on, seen_on in (halves, halves[::-1]):
            best = int(np.argmax(np.round(values[:, chosen_on].mean(axis=1), 9)))
            chosen[names[best]] += 1
            seen[seen_on] = values[best, seen_on]
        above += float(np.nanmean(seen - values[0])) > 0
        first = seen if split == 0 else first
    held = paired.difference(values[0], first)
    if held is None:
        return {}
    return {
        "n": held.n,
        "difference": held.mean,
        "low": held.low,
        "high": held.high,
        "p": held.p,
        "holds": held.low > 0,
        "splits": SPLITS,
        "above": above,
        "chosen": dict(sorted(chosen.items(), key=lambda item: (-item[1], item[0]))),
    }


def _warnings(cells: Sequence[Cell]) -> Iterator[str]:
    known = ~np.isnan(cells[0].served)
    share = float(np.min([c.whole for c in cells], axis=0)[known].mean()) if known.any() else 0.0
    if len({c.chunker for c in cells}) > 1 and share >= SHORT:
        yield f"{share:.0%} of the queries have their evidence in documents of one chunk: to those, chunking cannot matter"
    for c in cells:
        if c.unseen:
            yield f"the encoder does not read {c.unseen:.1%} of the text of {c.name}"
    names = Counter(c.name for c in cells)
    if any(n > 1 for n in names.values()):
        yield "some configurations have the same name: give your chunk files different names"
    if all((c.need == NEVER).all() for c in cells):
        yield "no configuration finds all evidence of any query"
