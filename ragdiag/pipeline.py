"""The whole flow: documents and labels in, a report out. The only module that knows all the stages."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ragdiag import __version__
from ragdiag.cache import Cache, default_folder
from ragdiag.chunks import cut, embed_texts, place, read_chunks
from ragdiag.corpus import load_corpus
from ragdiag.errors import InputError, UsageError, did_you_mean
from ragdiag.evidence import locate, restrict, unlabelled_hits
from ragdiag.measures import Measure, default_measures
from ragdiag.protocols import Progress, no_progress
from ragdiag.queries import load_queries
from ragdiag.records import Chunking, Corpus, IntArray, Labels, Mean, Query, QueryResult, Report, Run
from ragdiag.registry import make, spec_of
from ragdiag.runs import bind, read_run
from ragdiag.scoring import Scorer
from ragdiag.statistics import Resampler, clusters

__all__ = ["Audit", "Options", "audit", "check", "run_audit"]

DEPTH = 100
"""Chunks ranked for each query at least; measures with deeper cutoffs see no more unless k asks for it."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Everything that an audit can be told; the command line has one option for each field."""

    chunker: str = "sentence"
    context: str = "none"
    retriever: str = "hybrid"
    chunks: str | Path | None = None
    run: str | Path | None = None
    qrels: str | Path | None = None
    k: int = 5
    budget: int = 0
    copies: Literal["count", "ignore"] = "count"
    only: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    seed: int = 0
    cache: str | Path | None = ""  # "": the default folder, None: no cache

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"k must be 1 or more, not {self.k}")
        if self.budget < 0:
            raise UsageError(f"budget must be 1 token or more, not {self.budget}")
        if self.copies not in ("count", "ignore"):
            raise UsageError(f"copies must be count or ignore, not {self.copies!r}")

    def wanted(self) -> list[Measure]:
        """The default measures and those asked for, each once."""
        asked = [Measure.parse(m) for m in self.measures]
        return list(dict.fromkeys([*default_measures(self.k, self.budget), *asked]))


class Audit(NamedTuple):
    """A finished audit with what it was made from, for those who want to look inside."""

    report: Report
    corpus: Corpus
    labels: Labels
    scorer: Scorer
    run: Run
    lengths: IntArray


def audit(corpus: str | Path, queries: str | Path, progress: Progress = no_progress, **options: Any) -> Report:
    """Measure how well retrieval serves labelled queries; `options` are the fields of `Options`.

    Raises `RagdiagError` subclasses for bad input and bad usage; labels that are wrong about the corpus are reported, not raised.
    """
    return run_audit(corpus, queries, Options(**options), progress).report


def run_audit(corpus_path: str | Path, queries_path: str | Path, options: Options, progress: Progress = no_progress) -> Audit:
    """`audit`, keeping every intermediate."""
    wanted, clock, notes = options.wanted(), _Clock(), list[str]()
    with clock("load"):
        corpus, labels = _load(corpus_path, queries_path, options, notes, progress)
    if all(level in ("excluded", "unanswerable") for level in labels.level):
        reasons = ", ".join(sorted({d.kind for d in labels.defects})) or "all are unanswerable"
        raise InputError("no query is left to measure", queries_path, remedy=f"mend the labels ({reasons}); see ragdiag check")
    chunking, run, pipeline = _retrieve(corpus, labels.queries, options, clock, notes, progress)
    with clock("measure"):
        scorer = Scorer(corpus, labels, chunking)
        lengths = scorer.lengths(run, options.k, options.budget)
        values = scorer.measure(run, wanted, options.k, options.budget)
        means = _means(values, labels, options.seed)
        results = _results(scorer, run, lengths, values)
        shown = scorer.tokens_of(np.where(np.arange(run.chunks.shape[1]) < lengths[:, None], run.chunks, -1)).sum(axis=1)
        warnings = labels.warnings + unlabelled_hits(corpus, labels, chunking, run.chunks, lengths, scorer.relevant())
    notes += _notes_on(labels, run)
    pipeline |= {"k": None if options.budget else options.k, "budget": options.budget or None, "chunks": len(chunking)}
    pipeline["context_tokens"] = round(float(shown.mean()), 1)
    report = Report(
        signature=_signature(pipeline, options),
        seed=options.seed,
        inputs=_inputs(corpus, labels),
        pipeline=pipeline,
        measures={str(m): mean for m, mean in means.items()},
        label_defects=labels.defects,
        label_warnings=warnings,
        problems=corpus.problems,
        notes=tuple(notes),
        queries=results,
        timings=clock.seconds,
    )
    return Audit(report, corpus, labels, scorer, run, lengths)


def check(
    corpus: str | Path, queries: str | Path, progress: Progress = no_progress, **options: Any
) -> tuple[Corpus, Labels, list[str]]:
    """The corpus and its labels with every defect found, and notes; nothing is indexed."""
    notes: list[str] = []
    return (*_load(corpus, queries, Options(**options), notes, progress), notes)


def _load(
    corpus_path: str | Path, queries_path: str | Path, options: Options, notes: list[str], progress: Progress
) -> tuple[Corpus, Labels]:
    corpus = load_corpus(corpus_path, progress=progress)
    labels = locate(load_queries(queries_path, options.qrels), corpus, options.copies)
    if corpus.skipped:
        kinds = ", ".join(f"{suffix or 'no suffix'} {n}" for suffix, n in sorted(corpus.skipped.items()))
        notes.append(f"files of other kinds left out: {kinds}")
    if options.only:
        unknown = [name for name in options.only if name not in corpus.position]
        if unknown:
            raise UsageError(f"--only: no document {unknown[0]!r}{did_you_mean(unknown[0], corpus.position).split(' (known')[0]}")
        before = len(corpus.documents), len(labels.queries)
        corpus, labels = restrict(corpus, labels, options.only)
        if not labels.queries:
            raise UsageError("--only: no query has all its evidence in these documents")
        left = before[0] - len(corpus.documents), before[1] - len(labels.queries)
        notes.append(f"--only left out {left[0]} documents and {left[1]} queries")
    return corpus, labels


def _retrieve(
    corpus: Corpus, queries: Sequence[Query], options: Options, clock: _Clock, notes: list[str], progress: Progress
) -> tuple[Chunking, Run, dict[str, Any]]:
    """The chunks and each query's ranking of them: made here, or the team's own."""
    own = place(_kept(read_chunks(Path(options.chunks)), options), corpus) if options.chunks else None
    if options.run:
        with clock("read run"):
            bound = bind(read_run(Path(options.run)), queries, corpus, own, bool(options.only))
        notes += bound.notes
        source = {"chunker": _given(options.chunks) or "as in the run", "context": None}
        return bound.chunking, bound.run, source | {"retriever": f"run {Path(options.run).name}"}
    retriever, store = make("retrievers", options.retriever), None if options.cache is None else _store(options.cache)
    named: dict[str, Any] = {"chunker": _given(options.chunks), "context": None, "retriever": spec_of(retriever)}
    if hasattr(retriever, "stored_chunks"):
        with clock("open collection"):
            chunking = place(_kept(retriever.stored_chunks(progress), options), corpus)
            index = retriever.open(chunking.ids, store)
        named["chunker"] = "as stored"
    else:
        context, chunker = make("contexts", options.context), make("chunkers", options.chunker)
        with clock("chunk"):
            chunking = own or cut(corpus, chunker, progress)
        if not len(chunking):
            raise InputError("no document has any text to chunk", remedy="check the corpus")
        named |= {"chunker": named["chunker"] or spec_of(chunker, full=True), "context": spec_of(context)}
        with clock("index"):
            index = retriever.index(embed_texts(corpus, chunking, context), store, progress)
    with clock("search"):
        # A query without text is a label defect: it asks nothing, and an encoder would answer all the same.
        run = Run(*_search(index, [q.text for q in queries], max(DEPTH, 10 * options.k, options.budget // 8)))
    named |= {"models": _identities(retriever)} if _identities(retriever) else {}
    return chunking, run, named


def _search(index: Any, texts: Sequence[str], depth: int) -> tuple[Any, Any]:
    asked = [i for i, text in enumerate(texts) if text.strip()]
    found, values = index.search([texts[i] for i in asked], depth)
    chunks, scores = np.full((len(texts), depth), -1, dtype=np.int64), np.full((len(texts), depth), -np.inf)
    chunks[asked, : found.shape[1]], scores[asked, : found.shape[1]] = found, values
    return chunks, scores


def _kept(chunks: list[Any], options: Options) -> list[Any]:
    return [c for c in chunks if c.doc_id in options.only] if options.only else chunks


def _given(path: str | Path | None) -> str | None:
    return f"chunks {Path(path).name}" if path else None


def _store(folder: str | Path) -> Cache:
    return Cache(folder or default_folder())


def _identities(retriever: Any) -> list[str]:
    """The models behind a retriever, nested ones too: name and hash of the files."""
    nested = getattr(retriever, "retrievers", ()) or [getattr(retriever, "retriever", None)]
    own = [retriever.encoder.described] if hasattr(retriever, "encoder") else []
    return own + [name for r in nested if r is not None for name in _identities(r)]


def _means(values: dict[Measure, Any], labels: Labels, seed: int) -> dict[Measure, Mean]:
    documents: list[list[int]] = [[] for _ in labels.queries]
    for q, d, copy in zip(labels.evidence.query.tolist(), labels.evidence.document.tolist(), labels.evidence.copy, strict=True):
        if not copy:
            documents[q].append(d)
    for q, relevant in enumerate(labels.relevant):
        documents[q] = documents[q] or sorted(relevant)
    resampler = Resampler(clusters(documents), seed)
    return {m: resampler.mean(each) for m, each in values.items()}


def _results(scorer: Scorer, run: Run, lengths: IntArray, values: dict[Measure, Any]) -> tuple[QueryResult, ...]:
    labels, corpus = scorer.labels, scorer.corpus
    enough, least = scorer.sufficient(run, lengths), scorer.least_k(run)
    where: list[dict[str, None]] = [{corpus.documents[d].id: None for d, g in r.items() if g > 0} for r in labels.relevant]
    evidence = labels.evidence
    for q, d, copy in zip(evidence.query.tolist(), evidence.document.tolist(), evidence.copy, strict=True):
        where[q] |= {} if copy else {corpus.documents[d].id: None}
    results = []
    for q, (query, level) in enumerate(zip(labels.queries, labels.level, strict=True)):
        measured = level in ("span", "document")
        status = ("ok" if enough[q] else "undetermined") if measured else "excluded" if level == "excluded" else "not_decidable"
        named = {str(m): None if np.isnan(v[q]) else float(v[q]) for m, v in values.items()}
        k = int(least[q]) or None if measured else None
        results.append(QueryResult(query.id, query.text, status, named, k, tuple(where[q])))
    return tuple(results)


def _inputs(corpus: Corpus, labels: Labels) -> dict[str, Any]:
    documents, queries = hashlib.sha256(), hashlib.sha256()
    for d in corpus.documents:
        for part in (d.id, d.title, d.text):
            raw = part.encode("utf-8", "surrogatepass")
            documents.update(len(raw).to_bytes(8, "little") + raw)
    for q in labels.queries:
        parts = (q.id, q.text, q.answer, q.evidence, q.relevant, q.unanswerable)
        queries.update(repr(parts).encode("utf-8", "surrogatepass"))
    counts = {level: labels.level.count(level) for level in ("span", "document", "unanswerable", "excluded")}
    return {
        "documents": len(corpus.documents),
        "queries": len(labels.queries),
        "characters": int(corpus.lengths.sum()),
        "corpus_sha256": documents.hexdigest(),
        "queries_sha256": queries.hexdigest(),
        "labels": counts,
        "copies": int(labels.evidence.copy.sum()),
        "unreadable": len(corpus.problems),
    }


def _notes_on(labels: Labels, run: Run) -> Iterator[str]:
    n_documents = labels.level.count("document")
    if n_documents:
        yield (
            f"{n_documents} queries are labelled with whole documents: their ranks are ranks of documents, "
            "and what needs a passage (Sufficient, Evidence, Char, IoU) is not decidable for them"
        )
    used = {d for d, copy in zip(labels.evidence.document.tolist(), labels.evidence.copy, strict=True) if not copy}
    if used and len(used) < 10 <= labels.level.count("span"):
        yield f"all evidence is in {len(used)} documents: intervals, which treat documents as the sample, are wide and rough"
    if run.failed:
        yield f"{len(run.failed)} queries failed in the run: they retrieve nothing and score 0"


def _signature(pipeline: dict[str, Any], options: Options) -> str:
    size = f"budget:{options.budget}tok" if options.budget else f"k:{options.k}"
    retriever = pipeline["retriever"]
    if not options.run:
        retriever = spec_of(make("retrievers", options.retriever), full=True)
    parts = [
        str(pipeline["chunker"]),
        f"context:{pipeline['context']}",
        retriever,
        *pipeline.get("models", []),
        size,
        f"copies:{options.copies}",
        "tau:1.0",
        "ties:position",
        f"seed:{options.seed}",
        f"version:{__version__}",
    ]
    return "|".join(parts)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - started, 3)
