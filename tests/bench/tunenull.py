"""How often `tune` claims a winner where queries have nothing to do with their evidence.

Each search has the configurations of `tune SET --no-causes`. Every query gets the rankings of another one, the same one's under
every configuration: as if the labels were shuffled. ``python tests/bench/tunenull.py SEARCHES [set ...]``
"""

import dataclasses
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import paths

from ragdiag.comparing.cells import NEVER, Cell
from ragdiag.comparing.judged import judged
from ragdiag.comparing.tuning import tune
from ragdiag.core.cache import default_folder
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Labels, Run
from ragdiag.pipeline import labelled_documents, load_measurable
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.retrieval import Plan
from ragdiag.stats.statistics import clusters


class Measured(NamedTuple):
    """A configuration with what it ranked, and the tokens of each ranking down to each place."""

    cell: Cell
    scorer: Scorer
    run: Run
    tokens: np.ndarray

    def dealt(self, deal: np.ndarray) -> Cell:
        """Its cell where query i has the rankings of query ``deal[i]``."""
        run = dataclasses.replace(self.run, chunks=self.run.chunks[deal], scores=self.run.scores[deal])
        least = self.scorer.least_k(run)
        down_to = self.tokens[deal][np.arange(len(deal)), np.maximum(least, 1) - 1]
        return dataclasses.replace(self.cell, least_k=least, need=np.where(least > 0, down_to, NEVER), sums=self.cell.sums[deal])


def measured(name: str, cache: Path) -> tuple[list[Measured], int, Labels]:
    """The configurations that `tune` tries on a set, the tokens of a context, and the labels."""
    found = tune(*paths(name), causes=False, cache=cache)
    loaded = load_measurable(*paths(name), Options(cache=cache), no_progress)
    rows = []
    for cell, options in zip(found.cells, found.configurations, strict=True):
        retrieved = Plan(options).retrieve(loaded.whole, loaded.corpus, loaded.labels.queries, no_progress, loaded.labels)
        scorer = Scorer(retrieved.corpus, loaded.labels, retrieved.chunking)
        rows.append(Measured(cell, scorer, retrieved.run, np.cumsum(scorer.texts.added(retrieved.run), axis=1)))
        as_is = rows[-1].dealt(np.arange(len(loaded.labels.queries)))
        assert np.array_equal(as_is.least_k, cell.least_k) and np.array_equal(as_is.need, cell.need)
    return rows, found.tokens, loaded.labels


def main(searches: str, *names: str) -> None:
    print("| set | configurations | queries | searches | deploy | undecided | nothing | seconds a search |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names or ("chroma_chunking", "hotpot100"):
        rows, tokens, labels = measured(name, default_folder())
        cluster, kinds, started = clusters(labelled_documents(labels)), Counter(), time.perf_counter()
        fixed = np.flatnonzero(np.isnan(rows[0].cell.served))
        for seed in range(int(searches)):
            deal = np.arange(len(labels.queries))
            free = np.setdiff1d(deal, fixed)
            deal[free] = np.random.default_rng(seed).permutation(free)
            kinds[judged([row.dealt(deal) for row in rows], tokens, cluster, seed)[0].decision.kind] += 1
        counts = [f"{kinds[kind]} ({kinds[kind] / int(searches):.1%})" for kind in ("deploy", "undecided", "nothing")]
        seconds = (time.perf_counter() - started) / int(searches)
        print(
            "| " + " | ".join([name, str(len(rows)), str(len(cluster)), searches, *counts, f"{seconds:.1f} s"]) + " |", flush=True
        )
    print(f"\nmade by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
