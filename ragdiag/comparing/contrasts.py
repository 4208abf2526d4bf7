"""What a comparison comes to: differences and how sure they are, the best on held-out queries, what more context does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from ragdiag.comparing.cells import NEVER, Cell, Comparison, Contrast, Figures, whole_tokens
from ragdiag.comparing.drawn import Drawn
from ragdiag.comparing.material import Material
from ragdiag.core.errors import UsageError
from ragdiag.core.options import Options
from ragdiag.core.pipelines import MUCH_UNREAD
from ragdiag.core.records import FloatArray, IntArray
from ragdiag.pipeline import labelled_documents
from ragdiag.scoring.labels import copies_of
from ragdiag.scoring.measures import Measure
from ragdiag.scoring.packing import reaches
from ragdiag.stats.paired import Difference, Paired, holm
from ragdiag.stats.statistics import Resampler, clusters

__all__ = ["LEVEL", "compare_cells"]

LEVEL = 0.05
"""A contrast's adjusted p at or below which two configurations are told apart."""

STEPS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Multiples of the baseline's context at which the curve of more context is given."""

SPLITS = 50
"""Random halves on which the choice is tried."""

ONE_CHUNK = 0.5
"""Share of queries with all evidence in documents of one chunk from which a comparison of chunkings carries a warning."""


def compare_cells(
    material: Material, cells: Sequence[Cell], baseline: int, measure: str, pairs: bool, options: Options, notes: Sequence[str]
) -> Comparison:
    """All that can be said of cells once they are measured; `options` are the baseline's.

    The contrasts are those of each cell with the baseline; with `pairs`, of all with one another.
    """
    cluster = clusters(labelled_documents(material.labels))
    resampler, paired = Resampler(cluster, options.seed), Paired(cluster, options.seed, copies_of(material.labels.queries))
    measure = _compared(cells, baseline, measure)
    means = tuple({name: resampler.mean(values) for name, values in cell.values.items()} for cell in cells)
    scores = [of_cell[measure].mean or 0.0 for of_cell in means]  # none is None: see `_compared`
    others = [i for i in range(len(cells)) if i != baseline]
    family = list(combinations(range(len(cells)), 2)) if pairs else [(baseline, i) for i in others]
    drawn = Drawn.of(material.labels, material.inputs)
    contrasts = tuple(_contrasts(paired, cells, family, measure, drawn))
    best = _best(cells, scores, baseline, contrasts)
    return Comparison(
        cells=tuple(cells),
        means=means,
        baseline=baseline,
        measure=measure,
        contrasts=contrasts,
        raised={i: _raised(paired, cells[baseline], cells[i], options.budget) for i in others},
        curve=tuple(_curve(paired, cells[baseline], options.k, options.budget)),
        best=best,
        ties=tuple(_ties(paired, cells, best, measure)),
        pareto=_pareto(cells, scores),
        confirmed=_confirmed(paired, cells, baseline, measure, options.seed),
        inputs=material.inputs,
        pipeline={"k": None if options.budget else options.k, "budget": options.budget or None},
        notes=(*notes, *_of_draw(drawn, cells, contrasts), *_warnings(cells)),
        seed=options.seed,
        labels=material.labels,
        corpus=material.corpus,
        label_defects=material.labels.defects,
        label_warnings=material.labels.warnings,
        problems=material.corpus.problems,
    )


def _best(cells: Sequence[Cell], scores: Sequence[float], baseline: int, contrasts: Sequence[Contrast]) -> int:
    """The highest score; of equal ones what is surer to differ from the baseline, then what breaks less, then the cheaper."""
    sure = {c.b for c in contrasts if c.a == baseline and c.distinguishable}
    broken = [int((cells[baseline].served > cell.served).sum()) for cell in cells]

    def merit(i: int) -> tuple[float, bool, int, int, int]:
        return round(scores[i], 9), i in sure, -broken[i], -whole_tokens(cells[i]), -i

    return max(range(len(cells)), key=merit)


def _pareto(cells: Sequence[Cell], scores: Sequence[float]) -> tuple[int, ...]:
    """The cells than which no other is at least as good in both score and tokens of context, and better in one."""
    merits = [(score, -whole_tokens(cell)) for score, cell in zip(scores, cells, strict=True)]

    def dominated(merit: tuple[float, int]) -> bool:
        return any(other != merit and other[0] >= merit[0] and other[1] >= merit[1] for other in merits)

    return tuple(i for i, merit in enumerate(merits) if not dominated(merit))


def _compared(cells: Sequence[Cell], baseline: int, measure: str) -> str:
    """The measure that is contrasted: `measure`; where that is "", Sufficient, or Success where labels are documents.

    Raises `UsageError` where no query is decidable in it under some cell.
    """
    usual = [next(m for m in cells[baseline].values if m.startswith(name)) for name in ("Sufficient", "Success")]
    choices = [str(Measure.parse(measure))] if measure else usual
    decidable = [m for m in choices if all((~np.isnan(c.values[m])).any() for c in cells)]
    if not decidable:
        blind = next(c.name for c in cells if np.isnan(c.values[choices[0]]).all())
        raise UsageError(
            f"{choices[0]} is decidable for no query under {blind}: its labels or its run cannot tell; choose another"
        )
    return decidable[0]


def _contrasts(
    paired: Paired, cells: Sequence[Cell], family: Sequence[tuple[int, int]], measure: str, drawn: Drawn | None
) -> Iterator[Contrast]:
    """The contrast of each pair of the `family` that has a query decidable under both, as (first, second) position."""
    over_all = {(a, b) for a, b in family if drawn and drawn.tells(cells[a], cells[b], measure)}

    def difference(a: int, b: int) -> Difference | None:
        if drawn and (a, b) in over_all:
            return drawn.difference(paired, cells[a], cells[b], measure)
        return paired.difference(cells[a].values[measure], cells[b].values[measure])

    known = [(a, b, d) for a, b in family if (d := difference(a, b)) is not None]
    for (a, b, d), p_holm in zip(known, holm([d.p for _, _, d in known]), strict=True):
        distinguishable = p_holm <= LEVEL and not d.low <= 0 <= d.high
        yield Contrast(
            a=a,
            b=b,
            measure=measure,
            difference=d.mean,
            low=d.low,
            high=d.high,
            p=d.p,
            p_holm=p_holm,
            recovered=int((cells[b].served > cells[a].served).sum()),
            broken=int((cells[b].served < cells[a].served).sum()),
            n=d.n,
            detectable=d.detectable(len(known)),
            distinguishable=distinguishable,
            needed=None if distinguishable else d.more_needed(len(known)),
            share=drawn.draw.share if drawn and (a, b) in over_all else 1.0,
        )


def _of_draw(drawn: Drawn | None, cells: Sequence[Cell], contrasts: Sequence[Contrast]) -> Iterator[str]:
    """What a reader should know of queries that were drawn where two configurations differ."""
    if drawn:
        yield drawn.note(any(drawn.tells(cells[c.a], cells[c.b], c.measure) for c in contrasts))


def _ties(paired: Paired, cells: Sequence[Cell], best: int, measure: str) -> Iterator[int]:
    """The cells whose difference from the best has 0 in its interval, the nearest first."""
    others = [(i, cell) for i, cell in enumerate(cells) if i != best]
    differences = [(i, paired.difference(cells[best].values[measure], cell.values[measure])) for i, cell in others]
    near = [(i, d) for i, d in differences if d is not None and d.low <= 0 <= d.high]
    yield from (i for i, d in sorted(near, key=lambda pair: -pair[1].mean))


def _raised(paired: Paired, baseline: Cell, cell: Cell, budget: int) -> Figures:
    """What just giving the baseline more context does: at the cell's tokens, and how much it takes to serve as many.

    Without a budget, the first question is put of the k whose contexts come nearest to the cell's in mean tokens. Under a budget
    all cells have the same tokens, and only the second question is left.
    """
    known = ~np.isnan(baseline.served)
    goal = int((cell.served == 1).sum())
    if budget:
        return {"served": goal, "tokens_to_serve_as_many": _smallest(baseline.need[known & (baseline.need < NEVER)], goal)}
    k = int(np.argmin(np.abs(baseline.curve - whole_tokens(cell)))) + 1
    served = _served(baseline, k, 0)
    difference = paired.difference(served, cell.served)
    least = _smallest(baseline.least_k[known & (baseline.least_k > 0)], goal)
    return {
        "served": goal,
        "k": k,
        "tokens": round(float(baseline.curve[k - 1]), 1),
        "served_by_k": int((served == 1).sum()),
        "recovered": int((cell.served > served).sum()),
        "broken": int((cell.served < served).sum()),
        **({} if difference is None else {"difference": difference.mean, "low": difference.low, "high": difference.high}),
        "k_to_serve_as_many": least,
        "tokens_to_serve_as_many": None if least is None else round(float(baseline.curve[least - 1]), 1),
    }


def _smallest(sizes: IntArray, n: int) -> int | None:
    """The `n`-th smallest of the sizes of context that queries need: the least that serves `n` of them. None without one."""
    return int(np.sort(sizes)[n - 1]) if 0 < n <= len(sizes) else None


def _served(cell: Cell, k: int, budget: int) -> FloatArray:
    """Which queries a context of another size would serve, as `Cell.served`."""
    enough = reaches(cell.least_k, cell.need, k, budget)
    return np.where(np.isnan(cell.served), np.nan, enough.astype(np.float64))


def _curve(paired: Paired, baseline: Cell, k: int, budget: int) -> Iterator[Figures]:
    """The baseline with less and with more context, as far down as its ranking goes; differences are from what it has."""
    known = int((~np.isnan(baseline.served)).sum())
    for step in STEPS:
        size = max(round((budget or k) * step), 1)
        if not budget and size > len(baseline.curve):
            return
        served = _served(baseline, size, size if budget else 0)
        difference = paired.difference(baseline.served, served)
        yield {
            "times": step,
            "k": None if budget else size,
            "tokens": size if budget else round(float(baseline.curve[size - 1]), 1),
            "served": int((served == 1).sum()),
            "of": known,
            **({} if difference is None else {"difference": difference.mean, "low": difference.low, "high": difference.high}),
        }


def _confirmed(paired: Paired, cells: Sequence[Cell], baseline: int, measure: str, seed: int) -> Figures:
    """The best by one half of the queries, tried on the other half: what is chosen for its score looks better than it is.

    Both ways round, so that every query is tried once: `difference` is the mean over these of what was chosen less the baseline,
    `low` and `high` its interval. `splits` random halves, the first of them included, say how much depends on the halves: how
    often the difference was above 0, and how often each cell was chosen. Empty where fewer than 2 queries are decidable.
    """
    values = np.stack([c.values[measure] for c in cells])
    decidable = np.flatnonzero(~np.isnan(values).any(axis=0))
    if len(decidable) < 2:
        return {}
    places = [baseline, *(i for i in range(len(cells)) if i != baseline)]  # argmax takes the first of equals: the baseline
    values = values[places]
    rng = np.random.default_rng(seed)
    above, chosen, first = 0, Counter[int](), np.full(values.shape[1], np.nan)
    for split in range(SPLITS):
        shuffled = rng.permutation(decidable)
        halves = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
        held_out = np.full(values.shape[1], np.nan)
        for chosen_on, tried_on in (halves, halves[::-1]):
            best = int(np.argmax(np.round(values[:, chosen_on].mean(axis=1), 9)))
            chosen[places[best]] += 1
            held_out[tried_on] = values[best, tried_on]
        above += float(np.nanmean(held_out - values[0])) > 0
        first = held_out if split == 0 else first
    difference = paired.difference(values[0], first)
    if difference is None:
        return {}
    return {
        "n": difference.n,
        "difference": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
        "holds": difference.low > 0,
        "splits": SPLITS,
        "above": above,
        "chosen": dict(sorted(chosen.items(), key=lambda item: (-item[1], item[0]))),
    }


def _not_read(cell: Cell) -> Iterator[str]:
    """What of the texts, and of the queries, an encoder does not read."""
    if cell.unseen:
        yield f"the encoder does not read {cell.unseen:.1%} of the text of {cell.name}"
    if cell.unread >= MUCH_UNREAD:
        yield f"the encoder cannot read {cell.unread:.1%} of the queries with {cell.name}"


def _warnings(cells: Sequence[Cell]) -> Iterator[str]:
    """What a reader should know before believing the differences."""
    known = ~np.isnan(cells[0].served)
    share = float(np.min([c.whole for c in cells], axis=0)[known].mean()) if known.any() else 0.0
    if share >= ONE_CHUNK and len({c.chunker for c in cells}) > 1:
        yield f"{share:.0%} of the queries have their evidence in documents of one chunk: to those, chunking cannot matter"
    for cell in cells:
        yield from _not_read(cell)
    if len({c.name for c in cells}) < len(cells):
        yield "some configurations have the same name: give your chunk files different names"
    if all((c.need == NEVER).all() for c in cells):
        yield "no configuration finds all evidence of any query"
