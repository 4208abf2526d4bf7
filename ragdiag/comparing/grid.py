"""Measures configurations (each an `Options`), each once: what is finished is kept (see `workers`).

Texts that several configurations index are embedded together, before the workers start.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ragdiag.comparing.cells import NEVER, Arrays, Cell, Figures
from ragdiag.comparing.embedding import embed, lending
from ragdiag.comparing.material import Material
from ragdiag.comparing.models import facts, spent
from ragdiag.comparing.passages import seen
from ragdiag.comparing.workers import Results
from ragdiag.core.errors import MissingExtra
from ragdiag.core.files import read_bytes
from ragdiag.core.options import Options, several
from ragdiag.core.passages import as_k
from ragdiag.core.protocols import Fusion, Index, Progress, Store, no_progress
from ragdiag.core.records import Corpus, FloatArray, IntArray, Labels
from ragdiag.core.registry import make, spec_of, without_usual
from ragdiag.core.version import __version__
from ragdiag.diagnosis.causes import name_causes
from ragdiag.scoring.measures import Measure, default_measures
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.indexed import reader_of, unseen_of
from ragdiag.search.nested import all_models, own_models
from ragdiag.search.retrieval import Plan, Retrieved

__all__ = ["causes_of", "configurations", "measured", "names_of", "usable"]

WEIGHTS = (0.1, 0.3, 0.7, 0.9)
"""Of a fusion's first ranking; the second has the rest of 1. Equal weights are not among them: a fusion has those anyway."""

LEFT_OUT = ("OffTopic", "Duplicate", "Answer", "Judged")
"""Measures of an audit that cost more than they tell when configurations are compared."""


@runtime_checkable
class WeightedFusion(Fusion, Protocol):
    """A fusion whose rankings may count differently; `weights` is empty where they count the same."""

    @property
    def weights(self) -> tuple[float, ...]:
        """One for each of `retrievers`."""
        ...


def configurations(
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
    cuts = [{"chunks": path} for path in several("chunks", chunks, str, Path)]
    cuts += [{"chunker": chunker, "chunks": None} for chunker in several("chunkers", chunkers, str)]
    contexts, retrievers = several("contexts", contexts, str), several("retrievers", retrievers, str)
    if tune:
        retrievers = [weighted for spec in retrievers or [base.retriever] for weighted in (spec, *_weighted(spec))]
    recorded = [dataclasses.replace(base, run=path) for path in several("runs", runs, str, Path)]
    runs_alone = recorded and not any((cuts, contexts, retrievers))
    return list(dict.fromkeys([*([] if runs_alone else _combined(base, cuts, contexts, retrievers)), *recorded]))


def _combined(
    base: Options, cuts: Sequence[dict[str, Any]], contexts: Sequence[str], retrievers: Sequence[str]
) -> Iterator[Options]:
    """`base` with every combination; an axis that is empty is `base`'s own. `cuts` are the options that make a chunking."""
    for cut, context, retriever in product(cuts or [{}], contexts or [base.context], retrievers or [base.retriever]):
        yield dataclasses.replace(base, context=context, retriever=retriever, **cut)


def _weighted(spec: str) -> list[str]:
    """A fusion of two with other weights for its first ranking; nothing for what is no such fusion, or has weights."""
    retriever = make("retrievers", spec)
    of_two = isinstance(retriever, WeightedFusion) and len(retriever.retrievers) == 2 and not retriever.weights
    return [spec_of(dataclasses.replace(retriever, weights=(w, round(1 - w, 2)))) for w in WEIGHTS] if of_two else []


def measured(material: Material, configs: Sequence[Options], jobs: int | None, progress: Progress) -> list[Cell]:
    """The cell of each configuration. What is known is loaded; the rest runs under joblib, whose `parallel_config` says where.

    Each one's `cache` must name a folder: it is how workers share vectors, and how an interrupted grid goes on.
    """
    plans = [Plan(options) for options in configs]
    results = Results([_store(plan) for plan in plans], [_key(material, plan) for plan in plans])
    missing = [plans[i] for i in results.missing]
    lender = lending(material, missing, progress, causes=False)
    if lender is None:
        embed(material, missing, progress)
    every = np.arange(len(material.labels.queries))
    asked = [(material, options, every) for options in configs]
    done = results.completed("measuring configurations", _cell_arrays, asked, jobs, progress, lender)
    return [Cell.of(arrays) for arrays in done]


def _cell_arrays(material: Material, options: Options, _: IntArray, store: Store | None) -> Arrays:
    return measure(material, options, store).arrays()


def _store(plan: Plan) -> Store | None:
    """Where results are kept. Those about a collection are kept nowhere: another program may change it at any time."""
    return None if plan.collection is not None else plan.store


def _digest(path: Path) -> str:
    """The hash of a file's content. Raises `InputError` where it cannot be read."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _key(material: Material, plan: Plan, more: object = None) -> str:
    """The hash of everything that a configuration's result depends on; of `more` as well, which is JSON."""
    options = plan.options
    files = [_digest(Path(p)) if p else "" for p in (options.chunks, options.run)]
    specs = [spec_of(s, full=True) for s in (plan.chunker, plan.context, plan.retriever)]
    of_retriever = [] if options.run else all_models(plan.retriever)  # of a recorded run nothing was encoded here
    models = [m.identity for m in (*own_models(plan.chunker), *of_retriever)]
    size = [options.k, options.budget, options.copies, options.ties, list(options.measures)]
    read = [list(options.keep), list(options.exclude)]
    context = [plan.surroundings.identity] if plan.surroundings.identity else []
    parts = ["cell 7", __version__, material.inputs, material.metadata, specs, files, models, size, read, more, *context]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def usable(options: Options) -> bool:
    """Whether what the strategies of a configuration need is installed."""
    plan = Plan(options)
    try:
        return all(m.identity for m in (*own_models(plan.chunker), *all_models(plan.retriever)))
    except MissingExtra:
        return False


def causes_of(
    material: Material, failing: Sequence[tuple[Options, IntArray]], jobs: int | None, progress: Progress
) -> list[dict[int, tuple[str, ...]]]:
    """Under each configuration, the causes of the queries at some positions; a status where there is no cause."""
    plans = [Plan(options) for options, _ in failing]
    keys = [_key(material, plan, queries.tolist()) for plan, (_, queries) in zip(plans, failing, strict=True)]
    asked = [(material, *pair) for pair in failing]
    results = Results([_store(plan) for plan in plans], keys)
    lender = lending(material, [plans[i] for i in results.missing], progress, causes=True)
    done = results.completed("naming causes", _cause_arrays, asked, jobs, progress, lender)
    by_query = (json.loads(arrays["causes"].tobytes()) for arrays in done)
    return [{int(q): tuple(causes) for q, causes in rows.items()} for rows in by_query]


def _cause_arrays(material: Material, options: Options, queries: IntArray, store: Store | None) -> Arrays:
    """The causes of queries as JSON, in an array for a store."""
    plan = Plan(options, store)
    retrieved, scorer, lengths = _scored(plan, material)
    indexed = plan.indexed(retrieved, no_progress)
    only = frozenset(queries.tolist())
    diagnoses = name_causes(scorer, retrieved.run, lengths, indexed, options, no_progress, only)
    answered = scorer.answered(retrieved.run, lengths)  # though some of the label is not there: see `diagnosis.labelling`
    named = {q: ["label_wide"] if answered[q] else list(diagnoses[q].causes) or [diagnoses[q].status] for q in sorted(only)}
    text = json.dumps(named)
    return {"causes": np.frombuffer(text.encode(), dtype=np.uint8)}


def _scored(plan: Plan, material: Material) -> tuple[Retrieved, Scorer, IntArray]:
    """A configuration's index and rankings, what scores them, and how many chunks each context has."""
    retrieved = plan.retrieve(material.whole, material.corpus, material.labels.queries, no_progress, material.labels)
    scorer = Scorer(retrieved.corpus, material.labels, retrieved.chunking)
    return retrieved, scorer, scorer.lengths(retrieved.run, plan.options.k, plan.options.budget)


def names_of(plan: Plan) -> tuple[str, str, str]:
    """What a configuration's chunking, context and retriever are called; "" for a context that is none or not ours."""
    options, context = plan.options, spec_of(plan.context)
    file = f"chunks {Path(options.chunks).name}" if options.chunks else ""
    if options.run:
        return file or "as in the run", "", f"run {Path(options.run).name}"
    if plan.collection is not None:
        return "as stored", "", spec_of(plan.retriever)
    chunking = file or without_usual(spec_of(plan.chunker, full=True))
    return chunking, "" if context == "none" else context, spec_of(plan.retriever)


def measure(material: Material, options: Options, store: Store | None = None) -> Cell:
    """One configuration on every query, with the cache that it names, or `store` in its place."""
    plan, corpus, labels = Plan(options, store), material.corpus, material.labels
    retrieved, scorer, lengths = _scored(plan, material)
    chunking, run, source, index = retrieved[:4]
    usual = [m for m in default_measures(options.k, options.budget) if m.name not in LEFT_OUT]
    values = scorer.measure(run, list(dict.fromkeys([*usual, *map(Measure.parse, options.measures)])), options.ties)
    decidable = np.isin(np.arange(len(labels.queries)), np.concatenate([labels.at("span"), labels.at("document")]))
    least_k = scorer.least_k(run)
    sums = np.cumsum(scorer.texts.added(run), axis=1) if options.budget else scorer.texts.by_k(run)
    return Cell(
        **dict(zip(("chunker", "context", "retriever"), names_of(plan), strict=True)),
        signature=plan.signature(source),
        values={str(m): v for m, v in values.items()},
        served=np.where(decidable, scorer.sufficient(run, lengths), np.nan),
        least_k=least_k if options.budget else as_k(run, least_k),
        need=np.where(least_k > 0, scorer.texts.down_to(run, least_k), NEVER),
        tokens=scorer.texts.down_to(run, lengths),
        sums=sums,
        chunks=len(chunking),
        bytes=0 if index is None else int(index.nbytes),
        whole=_whole(corpus, labels, chunking.document),
        seen=seen(scorer, run, lengths, run.passages and not options.budget),
        unseen=_unseen(plan, retrieved),
        unread=_unread(plan, retrieved, material),
        timings={**retrieved.seconds, **_latency(plan, index, labels), **_embedding(plan, retrieved)},
        models=facts(plan, [query.text for query in labels.queries if query.text.strip()]),
    )


def _latency(plan: Plan, index: Index | None, labels: Labels) -> Figures:
    return {} if index is None else {"retrieval": plan.latency(index, labels.queries)}


def _embedding(plan: Plan, retrieved: Retrieved) -> Figures:
    """What embedding what is indexed takes, by model."""
    if retrieved.searchable is None or plan.collection is not None:
        return {}
    took = spent(plan, plan.surroundings.texts(retrieved.corpus, retrieved.chunking))
    return {"embedding": took} if took else {}


def _unseen(plan: Plan, retrieved: Retrieved) -> float:
    """The share of the text that the encoder does not read."""
    reads, chunking = reader_of(retrieved.searchable), retrieved.chunking
    if reads is None:
        return 0.0
    visible = reads.visible(plan.surroundings.texts(retrieved.corpus, chunking), plan.store)
    unseen = unseen_of(visible, chunking.end - chunking.start, reads.max_tokens)
    return unseen.share if unseen else 0.0


def _unread(plan: Plan, retrieved: Retrieved, material: Material) -> float:
    """The share of the queries that the encoder cannot read."""
    unread = plan.unread(retrieved, material.labels.queries)
    return unread.of_queries if unread else 0.0


def _whole(corpus: Corpus, labels: Labels, document: IntArray) -> FloatArray:
    """1 for each query whose documents with evidence are one chunk each (a chunker of this size cannot matter to it), else 0."""
    counts = np.bincount(document, minlength=len(corpus.documents))
    whole = np.ones(len(labels.queries))
    evidence = labels.evidence
    np.minimum.at(whole, evidence.query, (counts[evidence.document] <= 1).astype(float))
    return whole
