"""A diagnosis in parts, by an engine's workers: each has the whole index, and is asked about some of the failing queries."""

from __future__ import annotations

import dataclasses
import functools
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ragdiag.core.cache import opened
from ragdiag.core.engines import distant, results
from ragdiag.core.lending import Borrowed, Lent, Recorder, Vectors
from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.core.records import Corpus, IntArray, Labels, Run
from ragdiag.core.remote import remote_part
from ragdiag.diagnosis.causes import name_causes
from ragdiag.diagnosis.diagnosis import Diagnosis
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.afar import Luggage, unpacked
from ragdiag.search.indexed import Indexed
from ragdiag.search.nested import all_models
from ragdiag.search.precision import following
from ragdiag.search.retrieval import Plan

__all__ = ["Ready", "lender", "named"]

PART = 64
"""Queries of a part. However many workers there are, the parts are the same."""

WORTH_IT, BY_WORDS = 2 * PART, 32 * PART
"""With fewer failing queries an index on every worker costs more than it saves; the second where no model makes vectors."""


class Ready(NamedTuple):
    """An index and its rankings, ready to be asked about queries."""

    scorer: Scorer
    run: Run
    lengths: IntArray
    indexed: Indexed
    options: Options


@dataclasses.dataclass(frozen=True, eq=False)
class Ground:
    """What an index is made of: documents (all, and those that are audited), labels, options; an engine sends it once."""

    whole: Corpus
    corpus: Corpus
    labels: Labels
    options: Options
    luggage: Luggage
    name: str

    @classmethod
    def of(cls, whole: Corpus, corpus: Corpus, labels: Labels, options: Options) -> Ground:
        """With the files that the options name."""
        return cls(whole, corpus, labels, options, Luggage.of(options), uuid.uuid4().hex)

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        """By name: an engine may unpack the same one anew for each task."""
        return isinstance(other, Ground) and other.name == self.name

    def __sizeof__(self) -> int:
        """Bytes, about: an engine asks how large a thing is before it sends it."""
        return 2**20 + sum(len(document.text) for document in self.whole.documents)


def lender(cache: str | Path | None) -> Recorder | None:
    """The cache of an audit that an engine's workers can borrow from; None where none works for it, or nothing is to be kept."""
    return Recorder(opened(cache)) if distant() and cache is not None else None


def named(
    ready: Ready, documents: tuple[Corpus, Corpus], plan: Plan, progress: Progress, only: Collection[int] | None = None
) -> list[Diagnosis]:
    """As `name_causes`, of the failing queries in parts where an engine works and there are many.

    `documents` are all, and those that are audited.
    """
    scorer, run, lengths, _, options = ready
    every = np.arange(len(scorer.labels.queries)) if only is None else np.array(sorted(only), dtype=np.int64)
    failing = every[~np.asarray(scorer.sufficient(run, lengths), dtype=bool)[every]]
    fewest = WORTH_IT if all_models(plan.retriever) else BY_WORDS
    if not isinstance(plan.store, Recorder) or len(failing) < fewest or not _travels(plan):
        return name_causes(*ready, progress, only)
    diagnoses = name_causes(*ready, progress, frozenset(np.setdiff1d(every, failing).tolist()))
    ground = Ground.of(*documents, scorer.labels, options)
    parts = [failing[i : i + PART] for i in range(0, len(failing), PART)]
    lent = plan.store.lent()
    for done, (i, (of_part, new)) in enumerate(results(_of_part, [(ground, lent, part) for part in parts]), 1):
        progress("naming causes in parts", done, len(parts))
        plan.store.take_back(new)
        for q, diagnosis in zip(parts[i].tolist(), of_part, strict=True):
            diagnoses[q] = diagnosis
    return diagnoses


def _travels(plan: Plan) -> bool:
    """Whether a worker can make the index: of files of a store on this machine it cannot, nor of what Python holds."""
    options = plan.options
    if options.run or options.search is not None or options.own_chunks or callable(options.rewrite):
        return False
    return plan.collection is None or bool(remote_part(plan.retriever))


def _of_part(ground: Ground, lent: Lent, queries: IntArray) -> tuple[Sequence[Diagnosis], Vectors]:
    """What is wrong with some queries, and the vectors that were made to tell."""
    with following(ground.luggage.precisions):
        ready, store = _ready(ground, lent)
        diagnoses = name_causes(*ready, no_progress, frozenset(queries.tolist()))
        return [diagnoses[q] for q in queries.tolist()], store.given_back()


@functools.lru_cache(1)
def _ready(ground: Ground, lent: Lent) -> tuple[Ready, Borrowed]:
    """An index made for all parts that this worker is given."""
    with unpacked(ground.options, lent, ground.luggage) as (options, store):
        plan = Plan(options, store)
        retrieved = plan.retrieve(ground.whole, ground.corpus, ground.labels.queries, no_progress, ground.labels)
        scorer = Scorer(retrieved.corpus, ground.labels, retrieved.chunking)
        lengths = scorer.lengths(retrieved.run, options.k, options.budget)
        return Ready(scorer, retrieved.run, lengths, plan.indexed(retrieved, no_progress), options), store
