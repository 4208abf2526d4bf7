"""The whole flow: documents and labels in, a report out. The only module that knows all the stages."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ragdiag.core.errors import InputError, UsageError
from ragdiag.core.options import Options, check_kind
from ragdiag.core.passages import as_k
from ragdiag.core.pools import Pool
from ragdiag.core.protocols import Index, Progress, no_progress
from ragdiag.core.records import Corpus, FloatArray, IntArray, Labels, Mean, Pipeline, Query, QueryResult, Report, Run
from ragdiag.core.reviews import Corrected, stamp
from ragdiag.diagnosis import notes
from ragdiag.diagnosis.diagnosis import Diagnosis
from ragdiag.diagnosis.health.checks import SAMPLE, examined, queries_by_document, stored_index
from ragdiag.diagnosis.labelling import labels_said, with_labels
from ragdiag.diagnosis.parted import Ready, lender, named
from ragdiag.scoring.labels import label_digest, more_than_needed
from ragdiag.scoring.measures import Measure, default_measures
from ragdiag.scoring.reviewing import sampled
from ragdiag.scoring.scoring import Scorer
from ragdiag.scoring.sizes import sizes_of
from ragdiag.scoring.stages import held_by_stage
from ragdiag.search.latency import Clock
from ragdiag.search.pooled import of_whole
from ragdiag.search.retrieval import Plan, Retrieved
from ragdiag.search.searches import search_depth
from ragdiag.sources.checked import Checked, left_out
from ragdiag.sources.corpus import load_corpus
from ragdiag.sources.evidence import locate, restrict
from ragdiag.sources.naming import DocumentNames, query_named
from ragdiag.sources.omissions import amounts, much
from ragdiag.sources.places import nearest_document
from ragdiag.sources.pools import noted, pool_at
from ragdiag.sources.queries import load_queries
from ragdiag.stats.statistics import Resampler, clusters

__all__ = [
    "Audit", "Loaded", "Ranked", "audit", "check", "inputs_of", "labelled_documents", "load", "load_measurable", "rank",
    "run_audit",
]  # fmt: skip


class Loaded(NamedTuple):
    """The whole corpus, the part of it that is audited, its labels, and what a reader should know of them."""

    whole: Corpus
    corpus: Corpus
    labels: Labels
    notes: tuple[str, ...]
    pool: Pool | None = None  # which the whole is, of a larger one


class Ranked(NamedTuple):
    """What each query retrieves, what scores it, how many of its ranked chunks reach the prompt, and seconds by stage."""

    retrieved: Retrieved
    scorer: Scorer
    lengths: IntArray
    seconds: Mapping[str, float]


class Audit(NamedTuple):
    """A finished audit with what it was made from, for those who want to look inside."""

    report: Report
    corpus: Corpus
    labels: Labels
    scorer: Scorer
    run: Run
    lengths: IntArray
    searchable: Index | None  # None where the run was recorded


def audit(corpus: str | Path, queries: str | Path, progress: Progress = no_progress, **options: Any) -> Report:
    """Measure how well retrieval serves labelled queries; `options` are the fields of `Options`.

    Raises `RagdiagError` subclasses for bad input and bad usage; labels that are wrong about the corpus are reported, not raised.
    """
    return run_audit(corpus, queries, Options.given(**options), progress).report


def run_audit(
    corpus_path: str | Path, queries_path: str | Path, options: Options, progress: Progress = no_progress, diagnosed: str = ""
) -> Audit:
    """`audit`, keeping every intermediate. `diagnosed`: the only query whose causes are asked for, see `query_named`."""
    measures, plan, clock = _measures(options), Plan(options, lender(options.cache)), Clock()
    with clock("load"):
        loaded = load_measurable(corpus_path, queries_path, options, progress)
    corpus, labels = loaded.corpus, loaded.labels
    only = {[q.id for q in labels.queries].index(query_named(diagnosed, labels))} if diagnosed else None
    retrieved, scorer, lengths, seconds = rank(plan, loaded, progress)
    clock.seconds |= seconds
    chunking, run, index = retrieved.chunking, retrieved.run, retrieved.searchable
    with clock("measure"):
        values, documents = scorer.measure(run, measures, options.ties), labelled_documents(labels)
        resampler = Resampler(clusters(documents), options.seed)
        means = {m: resampler.mean(by_query) for m, by_query in values.items()}
    with clock("diagnose"):
        indexed = plan.indexed(retrieved, progress)
        diagnoses = named(Ready(scorer, run, lengths, indexed, options), (loaded.whole, corpus), plan, progress, only)
        said = labels_said(scorer, run, lengths, only)
        results = with_labels(_results(scorer, run, lengths, values, documents, diagnoses), said)
    pipeline = Pipeline(
        **retrieved.source._asdict(),
        k=None if options.budget else options.k,
        budget=options.budget or None,
        chunks=len(chunking),
        unseen=indexed.unseen(chunking.end - chunking.start),
        unread=plan.unread(retrieved, labels.queries),
        swaps=tuple(indexed.swaps),
        depth=run.chunks.shape[1],
        **sizes_of(scorer, run, lengths)._asdict(),
    )
    signature, inputs = plan.signature(retrieved.source), inputs_of(corpus, labels)
    report = Report(
        signature=signature,
        seed=options.seed,
        inputs=inputs,
        pipeline=pipeline,
        measures={str(m): mean for m, mean in means.items()},
        label_defects=labels.defects,
        label_warnings=labels.warnings + said.warnings,
        problems=corpus.problems,
        notes=(
            *loaded.notes,
            *retrieved.notes,
            *indexed.notes,
            *plan.notes_of(index),
            *notes.of_labels(labels, run),
            *notes.titles_not_indexed(corpus, labels, options),
            *notes.of_ties(scorer, run, lengths, options),
            *notes.of_weights(index, len(chunking), results),
        ),
        causes=_causes(results, resampler),
        queries=results,
        timings=clock.seconds | ({} if index is None else {"retrieval": plan.latency(index, labels.queries)}),
        corrected=_corrected(scorer, run, lengths, results, stamp(signature, inputs), resampler),
        stages={name: resampler.mean(by_query) for name, by_query in held_by_stage(scorer, run).items()},
        pool=of_whole(loaded.pool, plan, scorer, run, values, means, resampler),
    )
    return Audit(report, retrieved.corpus, labels, scorer, run, lengths, index)


def rank(plan: Plan, loaded: Loaded, progress: Progress) -> Ranked:
    """What each query retrieves, ready to be scored."""
    retrieved, clock = plan.retrieve(loaded.whole, loaded.corpus, loaded.labels.queries, progress, loaded.labels), Clock()
    with clock("measure"):
        scorer = Scorer(retrieved.corpus, loaded.labels, retrieved.chunking)
        lengths = scorer.lengths(retrieved.run, plan.options.k, plan.options.budget)
    return Ranked(retrieved, scorer, lengths, {**retrieved.seconds, **clock.seconds})


def _measures(options: Options) -> list[Measure]:
    """The default measures and those asked for, each once."""
    named = [Measure.parse(m) for m in options.measures]
    usual = default_measures(options.k, options.budget)
    if options.search is not None:  # it is asked for no more than a context: of what looks deeper it says nothing
        usual = [m for m in usual if m.tokens or m.cutoff <= search_depth(options)]
    return list(dict.fromkeys([*usual, *named]))


def check(
    corpus: str | Path, queries: str | Path | None = None, progress: Progress = no_progress, *, retriever: str = "",
    sample: int = SAMPLE, **options: Any,
) -> Checked:  # fmt: skip
    """The corpus and its labels with every defect and warning, and notes; nothing is indexed. Raises as `audit`.

    Of a `retriever` that is a stored index the health too, with or without queries: see `examined`.
    """
    given, stored = Options.given(**options), stored_index(retriever, queries is not None, sample)
    whole, read, labels, notes, _ = load(corpus, queries, given, progress)
    none = () if queries is None or _measurable(labels) else (f"no query can be measured ({left_out(labels)})",)
    labels = replace(labels, warnings=(*labels.warnings, *more_than_needed(read, labels)))
    asked = queries_by_document(read, labels, labelled_documents(labels))
    health = examined(stored, whole, asked, sample, given.cache, progress) if stored else None
    return Checked(read, labels, (*notes, *none), health)


def load_measurable(corpus_path: str | Path, queries_path: str | Path, options: Options, progress: Progress) -> Loaded:
    """As `load`, with notes on what loaders left out, where it is much. Raises `InputError` where no query is left to measure."""
    loaded = load(corpus_path, queries_path, options, progress)
    if not _measurable(loaded.labels):
        remedy = f"mend the labels ({left_out(loaded.labels)}); see ragdiag check"
        raise InputError("no query is left to measure", queries_path, remedy=remedy)
    return loaded._replace(notes=(*loaded.notes, *much(loaded.whole.documents)))


def _measurable(labels: Labels) -> bool:
    return bool({"span", "document"} & set(labels.level))


def load(corpus_path: str | Path, queries_path: str | Path | None, options: Options, progress: Progress) -> Loaded:
    """The corpus and its labels, if any. Raises `InputError` for what cannot be read, `UsageError` if `only` leaves nothing."""
    check_kind("corpus", corpus_path, str, Path)
    check_kind("queries", queries_path, str, Path, type(None))
    pool, whole = pool_at(corpus_path), load_corpus(corpus_path, progress, options.keep, options.exclude)
    corpus, labels = whole, locate(_queries(queries_path, options), whole, options.copies)
    notes = [*corpus.notes, *noted(pool)]
    if corpus.skipped:
        kinds = ", ".join(f"{suffix or 'no suffix'} {n}" for suffix, n in sorted(corpus.skipped.items()))
        notes.append(f"files of other kinds left out: {kinds}")
    if options.only:
        names = DocumentNames(corpus)
        positions = {name: names.typed(name) for name in options.only}
        if unknown := next((name for name, position in positions.items() if position is None), ""):
            raise UsageError(f"--only: no document {unknown!r}{nearest_document(unknown, corpus)}")
        corpus, labels = restrict(corpus, labels, {corpus.documents[i].id for i in positions.values() if i is not None})
        if not labels.queries:
            raise UsageError("--only: no query has all its evidence in these documents")
        notes.append(f"--only left out {len(whole.documents) - len(corpus.documents)} documents and {labels.left_out} queries")
    return Loaded(whole, corpus, labels, tuple(notes), pool)


def _queries(path: str | Path | None, options: Options) -> Sequence[Query]:
    return () if path is None else load_queries(path, options.qrels)


def labelled_documents(labels: Labels) -> list[list[int]]:
    """The documents that each query's labels name as holding its answer, each once."""
    evidence = labels.evidence
    named = [{d: None for d, grade in relevant.items() if grade > 0} for relevant in labels.relevant]
    for q, d in zip(evidence.query[~evidence.copy].tolist(), evidence.document[~evidence.copy].tolist(), strict=True):
        named[q][d] = None
    return [list(documents) for documents in named]


def _corrected(
    scorer: Scorer, run: Run, lengths: IntArray, results: Sequence[QueryResult], pipeline: str, resampler: Resampler
) -> dict[str, Corrected]:
    """What reviews make of the measure of sufficient contexts, by its name; empty where no label says where evidence is."""
    sample = sampled(scorer, run, lengths, results, pipeline, resampler)
    if sample is None:
        return {}
    return {next(name for name in results[0].measures if name.startswith("Sufficient@")): sample.corrected()}


def _causes(results: Sequence[QueryResult], resampler: Resampler) -> dict[str, Mean]:
    """The share of unserved queries that each cause has, the most frequent first; a query counts for each of its causes.

    Queries whose label is wide, or in doubt, may be served all the same, and marginal ones lack no cause: they count for none.
    """
    counted = [q if q.served is False and not q.label and not q.marginal else None for q in results]
    counts = Counter(cause for q in counted if q is not None for cause in q.causes)
    shares = {}
    for cause, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        shares[cause] = resampler.mean(np.array([np.nan if q is None else float(cause in q.causes) for q in counted]))
    return shares


def _results(
    scorer: Scorer,
    run: Run,
    lengths: IntArray,
    values: Mapping[Measure, FloatArray],
    documents: list[list[int]],
    diagnoses: Sequence[Diagnosis],
) -> tuple[QueryResult, ...]:
    labels, corpus, enough = scorer.labels, scorer.corpus, scorer.sufficient(run, lengths)
    least = as_k(run, scorer.least_k(run))
    unjudged = scorer.judgements.unjudged(run, lengths)
    results = []
    for q, (query, diagnosis) in enumerate(zip(labels.queries, diagnoses, strict=True)):
        named = {str(m): None if np.isnan(v[q]) else float(v[q]) for m, v in values.items()}
        measured = labels.level[q] in ("span", "document")
        k = int(least[q]) or None if measured else None
        where = tuple(corpus.documents[d].id for d in documents[q])
        served = bool(enough[q]) if measured else None
        told = diagnosis._asdict()
        result = QueryResult(query.id, query.text, told.pop("status"), named, k, documents=where, served=served, **told)
        passages = scorer.judgements.passages(unjudged.get(q, ())) if labels.level[q] == "span" and not served else ()
        results.append(dataclasses.replace(result, unjudged=passages, label_sha256=label_digest(query)))
    return tuple(results)


def inputs_of(corpus: Corpus, labels: Labels) -> dict[str, Any]:
    """Counts and hashes of what was given."""
    documents, queries = hashlib.sha256(), hashlib.sha256()
    for d in corpus.documents:
        for part in (d.id, d.title, d.text):
            raw = part.encode("utf-8", "surrogatepass")
            documents.update(len(raw).to_bytes(8, "little") + raw)
    for q in labels.queries:
        reviewed = (q.review,) if q.review else ()
        parts = (q.id, q.text, q.answers if q.also else q.answer, q.evidence, q.relevant, q.unanswerable, *reviewed)
        queries.update(repr(parts).encode("utf-8", "surrogatepass"))
    counts = {level: labels.level.count(level) for level in ("span", "document", "unanswerable", "excluded")}
    return {
        "documents": len(corpus.documents),
        "queries": len(labels.queries),
        "characters": int(corpus.lengths.sum()),
        "left_out": {kind: amount._asdict() for kind, amount in amounts(corpus.documents).items()},
        "corpus_sha256": documents.hexdigest(),
        "queries_sha256": queries.hexdigest(),
        "labels": counts,
        "copies": int(labels.evidence.copy.sum()),
        "unreadable": len(corpus.problems),
    }
