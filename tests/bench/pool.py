"""Audits on pools against the audit of the whole: what pools of several sizes and make-ups say, with which bias, how often right.

The whole is every chunk of the sets' documents as a document of its own, with the labelled queries of all sets. A team has 300 of
these, drawn at random; its pool holds their evidence, what other retrievers rank first, and some of the rest by chance. The truth
is the measure of all queries on the whole, so that an interval has to cover what both draws do. 20 teams a row.

``--large`` adds 90,000 chunks made of real ones, for bm25 alone. ``--own`` indexes the pools of bm25 with their own statistics.
"""

import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import SETS, chunks, paths, show

from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Run
from ragdiag.core.registry import make
from ragdiag.pipeline import labelled_documents, load_measurable
from ragdiag.scoring.measures import Measure
from ragdiag.scoring.pooled import counted
from ragdiag.scoring.scoring import Scorer
from ragdiag.search.pooled import _whole
from ragdiag.search.retrieval import Plan
from ragdiag.stats.statistics import Resampler, clusters

TEAMS, QUERIES, DEPTH, TOPS = 20, 300, 100, 20
MEASURES = [Measure.parse(name) for name in ("Sufficient@5", "RR", "nDCG@10")]
RATES = (0.005, 0.05, 0.4)


def write(folder: Path, large: bool) -> None:
    """The chunks of all sets as documents, and all queries, each with its evidence in them."""
    cut = make("chunkers", "sentence")
    files = (folder / name for name in ("corpus.jsonl", "queries.jsonl"))
    with next(files).open("w", encoding="utf-8") as corpus, next(files).open("w", encoding="utf-8") as asked:
        for name in SETS:
            options = Options(retriever="bm25")
            loaded = load_measurable(*paths(name), options, no_progress)
            spans = [list(zip(*(s.tolist() for s in cut.spans(d.text)), strict=True)) for d in loaded.corpus.documents]
            for d, document in enumerate(loaded.corpus.documents):
                for i, (a, b) in enumerate(spans[d]):
                    corpus.write(json.dumps({"_id": f"{name}/{document.id}/{i}", "text": document.text[a:b]}) + "\n")
            evidence = loaded.labels.evidence
            of_query = {}
            columns = (getattr(evidence, column).tolist() for column in ("query", "group", "document", "start", "end", "copy"))
            for q, group, d, start, end, copy in zip(*columns, strict=True):
                for i, (a, b) in enumerate(spans[d]):
                    if not copy and a < end and start < b:
                        id_ = f"{name}/{loaded.corpus.documents[d].id}/{i}"
                        span = {"doc_id": id_, "start": max(start, a) - a, "end": min(end, b) - a, "group": f"{group}-{i}"}
                        of_query.setdefault(q, []).append(span)
            for q, spans_of in of_query.items():
                query = loaded.labels.queries[q]
                asked.write(json.dumps({"_id": f"{name}/{query.id}", "text": query.text, "evidence": spans_of}) + "\n")
        for i, text in enumerate(chunks(90_000) if large else []):
            corpus.write(json.dumps({"_id": f"made/{i}", "text": text}) + "\n")


class Whole:
    """The whole corpus, and each retriever's ranking of all of it."""

    def __init__(self, folder: Path, retrievers: list[str]) -> None:
        options = Options(retriever="bm25", chunker="fixed(size=100000)")
        loaded = load_measurable(folder / "corpus.jsonl", folder / "queries.jsonl", options, no_progress)
        plan = Plan(options)
        retrieved = plan.retrieve(loaded.whole, loaded.corpus, loaded.labels.queries, no_progress, loaded.labels)
        self.labels, self.chunking = loaded.labels, retrieved.chunking
        self.scorer = Scorer(loaded.corpus, loaded.labels, retrieved.chunking)
        self.texts = plan.surroundings.texts(loaded.corpus, retrieved.chunking, no_progress)
        self.queries = [query.text for query in loaded.labels.queries]
        self.cluster = clusters(labelled_documents(loaded.labels))
        self.ids = [loaded.corpus.documents[d].id for d in retrieved.chunking.document.tolist()]
        self.orders = {}
        for spec in retrievers:
            index = make("retrievers", spec).index(self.texts, plan.store, no_progress)
            most = len(self.texts) if len(self.texts) < 20_000 else 3000
            self.orders[spec] = index.search(self.queries, most)[0].astype(np.int32)

    def ranked(self, spec: str, queries: np.ndarray, pool: np.ndarray, own: bool) -> np.ndarray:
        """The first chunks of a pool for some queries; the others rank nothing. `own`: with the statistics of the pool."""
        run = np.full((len(self.queries), DEPTH), -1)
        if own:
            here = np.flatnonzero(pool)
            index = make("retrievers", spec).index([self.texts[i] for i in here], None, no_progress)
            found = index.search([self.queries[q] for q in queries], DEPTH)[0]
            run[queries, : found.shape[1]] = np.where(found >= 0, here[found], -1)
            return run
        for q in queries.tolist():
            if spec == "hybrid":
                run[q] = fused([first(self.orders[of][q], pool) for of in ("bm25", "dense")])
            else:
                of_pool = first(self.orders[spec][q], pool)
                run[q, : len(of_pool)] = of_pool
        return run

    def evidence(self, queries: np.ndarray) -> np.ndarray:
        return np.isin(np.arange(len(self.texts)), self.scorer.grades.chunk[np.isin(self.scorer.grades.query, queries)])


def first(order: np.ndarray, pool: np.ndarray) -> np.ndarray:
    order = order[order >= 0]
    return order[pool[order]][:DEPTH]


def fused(orders: list[np.ndarray]) -> np.ndarray:
    """Reciprocal rank fusion as `hybrid` does it: k 60, ties by position."""
    scores: dict[int, float] = {}
    for order in orders:
        for rank, chunk in enumerate(order.tolist(), 1):
            scores[chunk] = scores.get(chunk, 0.0) + 1 / (60 + rank)
    best = sorted(scores, key=lambda chunk: (-scores[chunk], chunk))[:DEPTH]
    return np.array(best + [-1] * (DEPTH - len(best)))


def means(whole: Whole, run: np.ndarray, queries: np.ndarray) -> dict[Measure, np.ndarray]:
    """Each measure of the queries, NaN of the others."""
    scores = np.where(run >= 0, -np.arange(run.shape[1], dtype=float), -np.inf)
    values = whole.scorer.measure(Run(run, scores), MEASURES, "id")
    others = np.setdiff1d(np.arange(len(run)), queries)
    for value in values.values():
        value[others] = np.nan
    return values


def hashed(ids: list[str], seed: int) -> np.ndarray:
    return np.array([int.from_bytes(hashlib.blake2b(i.encode(), digest_size=7, key=b"%d" % seed).digest(), "big") for i in ids])


def row(whole: Whole, spec: str, tops: tuple[str, ...], rate: float, truth: dict[Measure, np.ndarray], own: bool) -> None:
    said = {m: [] for m in MEASURES}
    sizes = []
    for seed in range(TEAMS):
        queries = np.sort(np.random.default_rng(seed).choice(whole.labels.at("span"), QUERIES, replace=False))
        pool = whole.evidence(queries)
        for of in tops:
            top = whole.orders[of][queries, :TOPS].ravel()
            pool[top[top >= 0]] = True
        rest = np.flatnonzero(~pool)
        drawn = rest[np.argsort(hashed([whole.ids[i] for i in rest], seed))[: round(rate * len(rest))]]
        chance = np.zeros(len(whole.scorer.corpus.documents), dtype=bool)
        chance[whole.chunking.document[drawn]] = True
        pool[drawn] = True
        sizes.append((pool.sum() - len(drawn), len(drawn)))
        run, resampler = whole.ranked(spec, queries, pool, own), Resampler(whole.cluster, seed)
        values = means(whole, run, queries)
        for m in MEASURES:
            items = counted(whole.scorer, Run(run, np.where(run >= 0, -np.arange(DEPTH, dtype=float), -np.inf)), m, chance)
            mean = resampler.mean(values[m])
            result = _whole(items, queries, mean, rate, resampler)
            said[m].append((mean.mean, truth[m][queries].mean(), result, mean))
    chosen, by_chance = np.mean(sizes, axis=0)
    statistics = " (the pool's statistics)" if own else ""
    name = f"{spec}{statistics} | tops of {', '.join(tops) or 'none'} | {chosen:.0f} + {by_chance:.0f} by chance ({rate:.1%})"
    for m, of in said.items():
        print(f"{name} | {m}: {told(of, np.nanmean(truth[m]))}", flush=True)


def told(of: list[tuple], truth: float) -> str:
    """Bias with its interval; how often the pool's own interval, the bounds and the estimate's interval hold the truth."""
    pools, wholes = (np.array([r[i] for r in of]) for i in (0, 1))
    bias, error = (pools - wholes).mean(), 1.96 * (pools - wholes).std(ddof=1) / np.sqrt(len(of))
    own = np.mean([r[3].low <= truth <= r[3].high for r in of])
    low, bounds = np.mean([r[2].low for r in of]), np.mean([r[2].low <= truth <= r[2].high for r in of])
    given = [(r[2].estimate, r[1]) for r in of if r[2].estimate]
    line = (
        f"pool {pools.mean():.3f} whole {wholes.mean():.3f} bias {bias:+.3f} +- {error:.3f}, its own interval right {own:.0%}; "
    )
    line += f"bounds from {low:.3f} right {bounds:.0%}; estimate given {len(given)} of {len(of)}"
    if given:
        off = np.array([e.mean - w for e, w in given])
        right, width = (np.mean(x) for x in zip(*((e.low <= truth <= e.high, e.high - e.low) for e, _ in given), strict=True))
        line += f", off {off.mean():+.3f} (sd {off.std():.3f}), width {width:.3f}, right {right:.0%}"
    return line


def main(large: bool, own: bool) -> None:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), large)
        relative = "bm25(k1=0.9, b=0.4, stem=english)"
        whole = Whole(Path(folder), ["bm25", relative] if large else ["bm25", "dense", *([] if own else ["lsa"])])
    if large:
        cells = [("bm25", tops) for tops in ((), (relative,))]
    elif own:
        cells = [("bm25", tops) for tops in (("dense",), ())]
    else:
        cells = [("dense", tops) for tops in (("bm25",), ("bm25", "lsa"), ())]
        cells += [("bm25", ("dense",)), ("hybrid", ("bm25",))]
    everything, every = np.ones(len(whole.texts), dtype=bool), whole.labels.at("span")
    for spec, tops in cells:
        all_run = whole.ranked(spec, every, everything, own=False)
        truth = means(whole, all_run, every)
        for rate in RATES[1:2] if own else RATES:
            row(whole, spec, tops, rate, truth, own)
    show("pool", chunks=len(whole.texts), queries=len(every), seconds=time.perf_counter() - started)


if __name__ == "__main__":
    main("--large" in sys.argv, "--own" in sys.argv)
