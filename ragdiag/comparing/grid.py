"""Measures configurations, each once ever: texts are embedded together, finished cells are kept, any number of workers agree."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.comparing.cells import NEVER, Cell
from ragdiag.core.cache import Cache
from ragdiag.core.errors import MissingExtra
from ragdiag.core.files import read_bytes
from ragdiag.core.options import Options, several
from ragdiag.core.protocols import Index, Progress, no_progress
from ragdiag.core.records import Corpus, FloatArray, IntArray, Labels
from ragdiag.core.registry import make, spec_of, without_usual
from ragdiag.core.version import __version__
from ragdiag.diagnosis.causes import name_causes
from ragdiag.pipeline import inputs_of
from ragdiag.scoring.measures import Measure, default_measures
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.encoder import Encoder
from ragdiag.search.nested import all_models, own_models
from ragdiag.search.retrieval import Clock, Plan, Retrieved

__all__ = ["Material", "causes_of", "cell_options", "measured", "names_of", "usable"]

WEIGHTS = (0.1, 0.3, 0.7, 0.9)
"""Of a fusion's first ranking, beside the equal ones that it has anyway."""

WATCH_S = 1.0
"""How often a worker looks whether it still works for somebody."""

LEFT_OUT = ("OffTopic", "Duplicate")
"""Measures of an audit that cost more than they tell when configurations are compared."""


Task = Callable[..., dict[str, Any]]
"""Makes arrays, in whatever process."""


class Material(NamedTuple):
    """What all cells share: the documents (all, and those that are compared on), the labels, and their hashes."""

    whole: Corpus
    corpus: Corpus
    labels: Labels
    inputs: dict[str, Any]
    metadata: str

    @classmethod
    def of(cls, whole: Corpus, corpus: Corpus, labels: Labels) -> Material:
        """With hashes: of texts and labels, and of what documents say of themselves (which is newer?)."""
        said = json.dumps([dict(d.metadata) for d in corpus.documents], sort_keys=True, default=str)
        return cls(whole, corpus, labels, inputs_of(corpus, labels), hashlib.sha256(said.encode()).hexdigest())


def cell_options(
    base: Options,
    chunkers: Sequence[str] = (),
    chunks: Sequence[str | Path] = (),
    contexts: Sequence[str] = (),
    retrievers: Sequence[str] = (),
    runs: Sequence[str | Path] = (),
    tune: bool = False,
) -> list[Options]:
    """Every chunking (of a chunker, or own chunks) with every context and retriever, then recorded runs.

    An axis that is empty is `base`'s, unless there are runs and nothing else. `tune`: fusions of two come with other weights too.
    """
    own, chunkers = several("chunks", chunks, str, Path), several("chunkers", chunkers, str)
    contexts, retrievers = several("contexts", contexts, str), several("retrievers", retrievers, str)
    cuts: list[dict[str, Any]] = [{"chunks": path} for path in own] + [{"chunker": c, "chunks": None} for c in chunkers]
    if tune:
        retrievers = [weighted for r in retrievers or [base.retriever] for weighted in (r, *_weighted(r))]
    axes = cuts or [{}], contexts or [base.context], retrievers or [base.retriever]
    found = [dataclasses.replace(base, context=c, retriever=r, **cut) for cut, c, r in product(*axes)]
    recorded = [dataclasses.replace(base, run=path) for path in several("runs", runs, str, Path)]
    return list(dict.fromkeys([*(found if cuts or contexts or retrievers or not recorded else []), *recorded]))


def _weighted(spec: str) -> list[str]:
    """A fusion of two with other weights for its first ranking; nothing for what is no such fusion, or has weights."""
    retriever = make("retrievers", spec)
    if len(getattr(retriever, "retrievers", ())) != 2 or retriever.weights:
        return []
    return [spec_of(dataclasses.replace(retriever, weights=(w, round(1 - w, 2)))) for w in WEIGHTS]


def measured(material: Material, settings: Sequence[Options], jobs: int | None, progress: Progress) -> list[Cell]:
    """A cell for each setting. What is known is loaded; the rest runs under joblib, whose `parallel_config` says where.

    Each setting's `cache` must name a folder: it is how workers share vectors, and how an interrupted grid goes on.
    """
    plans = [Plan(options) for options in settings]
    kept = _Kept(plans, [_key(material, plan) for plan in plans])
    _embed(material, [plans[i] for i in kept.missing], progress)
    arrays = kept.completed("measuring configurations", _cell_arrays, [(material, o) for o in settings], jobs, progress)
    return [Cell.of(each) for each in arrays]


class _Kept:
    """Results that are kept under keys, those of them that are missing, and how they are made."""

    def __init__(self, plans: Sequence[Plan], keys: Sequence[str]) -> None:
        self._keys, self._stores = keys, [_store(plan) for plan in plans]
        pairs = zip(self._stores, keys, strict=True)
        self._known = [store.arrays(key) if store is not None else None for store, key in pairs]
        self.missing = [i for i, arrays in enumerate(self._known) if arrays is None]

    def completed(
        self, what: str, task: Task, asked: Sequence[tuple[Any, ...]], jobs: int | None, progress: Progress
    ) -> list[dict[str, Any]]:
        """All of them: `task` makes those that are missing, each of what is `asked` of it, and each is kept once it is made."""
        import joblib

        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
        here = os.getpid()
        made = parallel(joblib.delayed(_numbered)(i, task, asked[i], here) for i in self.missing) if self.missing else ()
        for done, (i, arrays) in enumerate(made, 1):
            self._known[i], store = arrays, self._stores[i]
            progress(what, done, len(self.missing))
            if store is not None:
                store.add_arrays(self._keys[i], arrays)
        return [arrays for arrays in self._known if arrays is not None]


def _numbered(i: int, task: Task, asked: tuple[Any, ...], asker: int) -> tuple[int, dict[str, Any]]:
    if os.getpid() != asker == os.getppid():
        _end_with(asker)
    return i, task(*asked)


@functools.cache
def _end_with(parent: int) -> None:
    """End this worker when the process that it works for is gone: whoever kills that does not mean to leave this one at work."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _cell_arrays(material: Material, options: Options) -> dict[str, Any]:
    return measure(material, options).arrays()


def _store(plan: Plan) -> Cache | None:
    """Where what was measured is kept; a collection may change behind our back, so what is measured of one is not."""
    return None if plan.collection is not None else plan.store


def _digest(path: Path) -> str:
    """Of a file's content. Raises `InputError` where it cannot be read."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _key(material: Material, plan: Plan, more: object = None) -> str:
    """Everything that a cell depends on, hashed."""
    options = plan.options
    own = [_digest(Path(p)) if p else "" for p in (options.chunks, options.run)]
    specs = [spec_of(s, full=True) for s in (plan.chunker, plan.context, plan.retriever)]
    of_retriever = [] if plan.options.run else all_models(plan.retriever)  # of a recorded run nothing was encoded here
    models = [m.identity for m in (*own_models(plan.chunker), *of_retriever)]
    size = [options.k, options.budget, options.copies, list(options.measures)]
    parts = ["cell 2", __version__, material.inputs, material.metadata, specs, own, models, size, more]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def usable(options: Options) -> bool:
    """Whether what its strategies need is installed."""
    plan = Plan(options)
    try:
        return all(m.folder for m in (*own_models(plan.chunker), *all_models(plan.retriever)))
    except MissingExtra:
        return False


def _encoders(retriever: Any) -> list[Encoder]:
    return [model for model in all_models(retriever) if isinstance(model, Encoder)]


def _embed(material: Material, plans: Sequence[Plan], progress: Progress) -> None:
    """Every text that any of the cells needs, once, before they run: workers would embed what they share several times."""
    wanted: dict[str, tuple[Encoder, dict[str, None], Plan]] = {}
    cuts: dict[tuple[str, str], list[str]] = {}
    for plan in plans:
        own = [] if plan.options.run else _encoders(plan.retriever)
        cut = f"{plan.options.chunks or spec_of(plan.chunker, full=True)}", spec_of(plan.context, full=True)
        # A chunker may embed too: what it needs is made here as well.
        if cut not in cuts and (own or own_models(plan.chunker)):
            cuts[cut] = plan.texts(material.whole, material.corpus, progress)
        for encoder in own:
            wanted.setdefault(encoder.identity, (encoder, {}, plan))[1].update(dict.fromkeys(cuts[cut]))
    queries = [q.text for q in material.labels.queries if q.text.strip()]
    for encoder, texts, plan in wanted.values():
        if plan.store is not None:
            encoder.encode(list(texts), "document", plan.store, progress)
            encoder.encode(queries, "query", plan.store, progress)


def causes_of(
    material: Material, asked: Sequence[tuple[Options, IntArray]], jobs: int | None, progress: Progress
) -> list[dict[int, tuple[str, ...]]]:
    """Under each setting, the causes of the queries at some positions; a status where there is no cause."""
    plans = [Plan(options) for options, _ in asked]
    keys = [_key(material, plan, queries.tolist()) for plan, (_, queries) in zip(plans, asked, strict=True)]
    tasks = [(material, *each) for each in asked]
    arrays = _Kept(plans, keys).completed("naming causes", _cause_arrays, tasks, jobs, progress)
    found = (json.loads(each["causes"].tobytes()) for each in arrays)
    return [{int(q): tuple(own) for q, own in each.items()} for each in found]


def _cause_arrays(material: Material, options: Options, queries: IntArray) -> dict[str, Any]:
    """As arrays for a store: the causes of queries, as JSON."""
    plan = Plan(options)
    retrieved, scorer, lengths = _scored(plan, material, Clock())
    indexed = plan.indexed(retrieved, material.corpus, no_progress)
    only = frozenset(queries.tolist())
    found = name_causes(scorer, retrieved.run, lengths, indexed, options, no_progress, only)
    text = json.dumps({q: list(found[q].causes) or [found[q].status] for q in sorted(only)})
    return {"causes": np.frombuffer(text.encode(), dtype=np.uint8)}


def _scored(plan: Plan, material: Material, clock: Clock) -> tuple[Retrieved, Scorer, IntArray]:
    """A configuration's index and rankings, what scores them, and how many chunks each context has."""
    retrieved = plan.retrieve(material.whole, material.corpus, material.labels.queries, clock, [], no_progress)
    scorer = Scorer(material.corpus, material.labels, retrieved.chunking)
    return retrieved, scorer, scorer.lengths(retrieved.run, plan.options.k, plan.options.budget)


def names_of(plan: Plan) -> tuple[str, str, str]:
    """What a cell's chunking, context and retriever are called; "" for a context that is none or not ours."""
    options, context = plan.options, spec_of(plan.context)
    own = f"chunks {Path(options.chunks).name}" if options.chunks else ""
    if options.run:
        return own or "as in the run", "", f"run {Path(options.run).name}"
    if plan.collection is not None:
        return "as stored", "", spec_of(plan.retriever)
    cut = own or without_usual(spec_of(plan.chunker, full=True))
    return cut, "" if context == "none" else context, spec_of(plan.retriever)


def measure(material: Material, options: Options) -> Cell:
    """One configuration on every query."""
    plan, clock, corpus, labels = Plan(options), Clock(), material.corpus, material.labels
    retrieved, scorer, lengths = _scored(plan, material, clock)
    chunking, run, source, index = retrieved
    wanted = [m for m in default_measures(options.k, options.budget) if m.name not in LEFT_OUT]
    values = scorer.measure(run, list(dict.fromkeys([*wanted, *map(Measure.parse, options.measures)])))
    decidable = np.isin(np.arange(len(labels.queries)), np.concatenate([labels.at("span"), labels.at("document")]))
    tokens = np.cumsum(scorer.tokens_of(run.chunks), axis=1)
    least = scorer.least_k(run)
    rows = np.arange(len(least))
    return Cell(
        **dict(zip(("chunker", "context", "retriever"), names_of(plan), strict=True)),
        signature=plan.signature(source),
        values={str(m): v for m, v in values.items()},
        served=np.where(decidable, scorer.sufficient(run, lengths), np.nan),
        least_k=least,
        need=np.where(least > 0, tokens[rows, np.maximum(least, 1) - 1], NEVER),
        tokens=np.where(lengths > 0, tokens[rows, np.maximum(lengths, 1) - 1], 0),
        curve=tokens[decidable].mean(axis=0) if decidable.any() else np.zeros(tokens.shape[1]),
        chunks=len(chunking),
        bytes=int(getattr(index, "nbytes", 0)),
        whole=_whole(corpus, labels, chunking.document),
        unseen=_unseen(plan, retrieved, corpus),
        timings=clock.seconds | _latency(plan, index, labels),
    )


def _latency(plan: Plan, index: Index | None, labels: Labels) -> dict[str, Any]:
    return {} if index is None else {"retrieval": plan.latency(index, labels.queries)}


def _unseen(plan: Plan, retrieved: Retrieved, corpus: Corpus) -> float:
    found = plan.indexed(retrieved, corpus, no_progress).unseen(retrieved.chunking.end - retrieved.chunking.start)
    return float(found.get("unseen", {}).get("share", 0.0))


def _whole(corpus: Corpus, labels: Labels, document: IntArray) -> FloatArray:
    """1 for each query whose documents with evidence are one chunk each: no chunker of this size matters to it."""
    counts = np.bincount(document, minlength=len(corpus.documents))
    whole = np.ones(len(labels.queries))
    evidence = labels.evidence
    np.minimum.at(whole, evidence.query, (counts[evidence.document] <= 1).astype(float))
    return whole
