"""Do the statistics of a comparison err as seldom as they say?

Null: on real queries the values of the configurations are dealt out anew at random for each query, so that none is better than
another; how often does a family of contrasts tell any two apart? Coverage: samples of queries with a known difference; how often
does the interval hold it?
"""

import sys

import numpy as np
from common import paths

from ragdiag.comparing.comparison import compare
from ragdiag.comparing.contrasts import LEVEL
from ragdiag.stats.paired import Paired, holm
from ragdiag.stats.statistics import clusters, wilson

TIMES = 1000
CHUNKERS = ("sentence(size=160)", "sentence(size=80)", "recursive(size=160)", "fixed(size=160)", "paragraph(size=160)", "section")
SETS = ("chroma_chunking", "covidqa", "anthropic_docs")
MEASURES = ("Sufficient@5", "CharR@5")


def told_apart(paired: Paired, values: np.ndarray) -> bool:
    """Whether any of the others is told apart from the first, rows of `values`."""
    found = [paired.difference(values[0], row) for row in values[1:]]
    known = [d for d in found if d is not None]
    return any(p <= LEVEL and not d.low <= 0 <= d.high for d, p in zip(known, holm([d.p for d in known]), strict=True))


def null() -> None:
    print(f"Family-wise error where nothing differs, of {TIMES} deals (95 % interval)\n")
    print("| set | queries | measure | two configurations | family of 5 contrasts |\n|---|---|---|---|---|")
    for name in SETS:
        found = compare(*paths(name), chunkers=CHUNKERS, retrievers=("bm25",), k=5, causes=False)
        n = len(found.cells[0].served)
        paired = Paired(clusters([[]] * n), 0)
        for measure in MEASURES:
            values = np.stack([c.values[measure] for c in found.cells])
            rng = np.random.default_rng(0)
            cells = []
            for m in (2, len(values)):
                errors = sum(told_apart(paired, rng.permuted(values[:m], axis=0)) for _ in range(TIMES))
                low, high = wilson(errors, TIMES)
                cells.append(f"{errors / TIMES:.3f} [{low:.3f}, {high:.3f}]")
            print(f"| {name} | {n} | {measure} | " + " | ".join(cells) + " |", flush=True)


def coverage() -> None:
    print(f"\nHow often the 95 % interval holds the true difference, of {TIMES} samples\n")
    print("| queries | won .05, lost .05 | .10, .02 | .30, .10 | .50, .20 | graded, .30, .10 | 40 documents, .30, .10 |")
    print("|---|---|---|---|---|---|---|")
    rng, every = np.random.default_rng(0), []
    for n in (50, 100, 300, 1000):
        cells = []
        for won, lost, kind in [
            (0.05, 0.05, ""),
            (0.1, 0.02, ""),
            (0.3, 0.1, ""),
            (0.5, 0.2, ""),
            (0.3, 0.1, "graded"),
            (0.3, 0.1, "documents"),
        ]:
            hits = sum(holds(rng, n, won, lost, kind) for _ in range(TIMES))
            cells.append(hits / TIMES)
        every += cells
        print(f"| {n} | " + " | ".join(f"{c:.3f}" for c in cells) + " |", flush=True)
    print(f"\nmean {np.mean(every):.3f}, least {min(every):.3f}, most {max(every):.3f}")


def holds(rng: np.random.Generator, n: int, won: float, lost: float, kind: str) -> bool:
    """One sample: is its interval round the truth?"""
    cluster, chances = np.arange(n), np.full(n, won)
    if kind == "documents":
        cluster = rng.integers(0, 40, n)
        chances = rng.beta(3, 7, 40)[cluster]  # mean .3: documents differ in how much is won there
    u = rng.random(n)
    d = np.where(u < chances, 1.0, np.where(u > 1 - lost, -1.0, 0.0))
    size = rng.beta(2, 2, n) if kind == "graded" else 1.0
    d = d * size
    found = Paired(cluster, 0).difference(np.where(d < 0, -d, 0.0), np.where(d > 0, d, 0.0))
    truth = (won - lost) * (0.5 if kind == "graded" else 1.0)
    return found is not None and found.low <= truth <= found.high


if __name__ == "__main__":
    null()
    coverage()
    print(f"\nmade by: python {' '.join(sys.argv)}")
