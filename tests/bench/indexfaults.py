"""Faults planted in an index of the team's, and none: is the right cause named of the queries that each fault costs?

    python tests/bench/indexfaults.py [SET ...] [--door chroma ...] [--fault TITLE ...] [--share S] [-n QUERIES] [--cache FOLDER]

The same chunks and vectors are stored with one fault at a time, in the records that hold evidence; with `--share` in that share
of all records, drawn at random, so that some queries are hit. Of the queries that a store without it serves, those that are lost
to it are counted: by how many name the fault's cause first, how many at all, and what else they name first. Beside them the
alarms: queries that failed without any fault for which a cause of indexes is named.
"""

import argparse
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from common import paths
from doors import DOORS, Rows, postgres

from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Report
from ragdiag.pipeline import Audit, run_audit
from ragdiag.search.retrievers.dense import Dense

OF_INDEXES = ("index_miss", "vector_fault", "foreign")
NOBODY = "no query's id"
TENANTS = 30

Vectors = np.ndarray
Texts = dict[str, str]


@dataclass(frozen=True)
class Store:
    """What is stored and how; `texts` are the documents as they are now, `moved` where their evidence is, if elsewhere."""

    rows: Rows
    vectors: Vectors
    texts: Texts
    queries: list[dict]
    evidence: list[int]  # rows that hold evidence of queries that are served, or those drawn to be faulty
    how: dict = field(default_factory=dict)
    more: str = ""
    k: int = 5


Encode = Callable[[list[str]], Vectors]


def of_other_texts(store: Store, rng: random.Random, encode: Encode) -> Store:
    """The evidence's records have vectors of other records."""
    others = rng.sample(sorted(set(range(len(store.rows))) - set(store.evidence)), len(store.evidence))
    return changed(store, store.vectors[others])


def of_another_model(store: Store, rng: random.Random, encode: Encode) -> Store:
    """The evidence's vectors are turned, as those of another model of the same dimension are."""
    turn = np.linalg.qr(np.random.default_rng(rng.randrange(2**31)).normal(size=(store.vectors.shape[1],) * 2))[0]
    return changed(store, store.vectors[store.evidence] @ turn.astype(np.float32))


def changed(store: Store, vectors: Vectors) -> Store:
    """`store` with other `vectors` of the evidence."""
    own = store.vectors.copy()
    own[store.evidence] = vectors
    return replace(store, vectors=own)


def long_under_ip(store: Store, rng: random.Random, encode: Encode) -> Store:
    """By inner product; every fiftieth record, of no evidence, has a vector four times as long and so wins."""
    own = store.vectors.copy()
    own[sorted(set(range(0, len(own), 50)) - set(store.evidence))] *= 4
    return replace(store, vectors=own, how={"space": "ip"})


def long_under_l2(store: Store, rng: random.Random, encode: Encode) -> Store:
    """By squared distance; the evidence's vectors are twice as long, and so far from any query."""
    return replace(changed(store, 2 * store.vectors[store.evidence]), how={"space": "l2"})


def updated(store: Store, rng: random.Random, encode: Encode) -> Store:
    """The evidence was rewritten in the documents; the index has what they said before."""
    rewritten: dict[tuple[str, int, int], str] = {}
    touched = {name for i in store.evidence for name in [store.rows[i][2]["source"]]}
    for span in (e for q in store.queries for e in q["evidence"] if e["doc_id"] in touched):
        words = span["text"].split()
        swapped = [word if i % 4 else f"{word[::-1]}s" for i, word in enumerate(words)]
        rewritten[span["doc_id"], span["start"], span["end"]] = " ".join(swapped)
    texts, moved = dict(store.texts), {}
    for name in touched:
        spans, at, parts = sorted(key for key in rewritten if key[0] == name), 0, []
        for key in spans:
            if key[1] < at:
                continue  # overlaps the one before: it goes with that
            parts.append(store.texts[name][at : key[1]])
            moved[key] = (sum(map(len, parts)), rewritten[key])
            parts.append(rewritten[key])
            at = key[2]
        texts[name] = "".join(parts) + store.texts[name][at:]
    queries = []
    for q in store.queries:
        keys = [(e["doc_id"], e["start"], e["end"]) for e in q["evidence"]]
        if all(key in moved or key[0] not in touched for key in keys):
            news = [moved.get(key) for key in keys]
            own = [e if new is None else {"doc_id": e["doc_id"], "start": new[0], "end": new[0] + len(new[1]), "text": new[1]}
                   for e, new in zip(q["evidence"], news, strict=True)]  # fmt: skip
            queries.append({**q, "evidence": own})
    return replace(store, texts=texts, queries=queries)


def deleted(store: Store, rng: random.Random, encode: Encode) -> Store:
    """Documents that stood above the evidence of failing queries are gone; their records are not."""
    return replace(store, texts={name: text for name, text in store.texts.items() if name not in store.how["gone"]}, how={})


def added_again(store: Store, rng: random.Random, encode: Encode) -> Store:
    """Each record six times, under other ids."""
    rows = [(f"{name}-{i}", text, own) for name, text, own in store.rows for i in range(6)]
    return replace(store, rows=rows, vectors=np.repeat(store.vectors, 6, axis=0))


def few_lists(store: Store, rng: random.Random, encode: Encode) -> Store:
    """IVFFlat, of which one list is looked into."""
    return replace(
        store, how={"index": "ivfflat (embedding vector_cosine_ops) WITH (lists = 60)"}, more="settings='ivfflat.probes=1'"
    )


def few_links(store: Store, rng: random.Random, encode: Encode) -> Store:
    """A graph with two links a record, of which three are looked at."""
    graph = {"max_neighbors": 2, "ef_search": 3, "ef_construction": 10, "batch_size": 10, "sync_threshold": 100}
    return replace(store, how=graph)


def others_rows(store: Store, rng: random.Random, encode: Encode) -> Store:
    """A graph with many tenants, of whom a condition leaves one: what it finds first is mostly of the others."""
    noise = np.random.default_rng(rng.randrange(2**31))
    rows, vectors = [(name, text, {**own, "tenant": "a"}) for name, text, own in store.rows], [store.vectors]
    for tenant in range(TENANTS - 1):
        near = store.vectors + noise.normal(scale=0.02, size=store.vectors.shape).astype(np.float32)
        vectors.append(near / np.linalg.norm(near, axis=1, keepdims=True))
        rows += [(f"{name}-{tenant}", text, {**own, "tenant": "b"}) for name, text, own in store.rows]
    more = "where=\"metadata->>'tenant' = 'a'\""
    return replace(store, rows=rows, vectors=np.vstack(vectors), how={"index": "hnsw (embedding vector_cosine_ops)"}, more=more)


def cut_down(store: Store, rng: random.Random, encode: Encode) -> Store:
    """A graph asked for 100 with hnsw.ef_search at its default: it gives 40."""
    return replace(store, how={"index": "hnsw (embedding vector_cosine_ops) WITH (m = 32, ef_construction = 200)"}, k=100)


def none(store: Store, rng: random.Random, encode: Encode) -> Store:
    """As it is."""
    return store


@dataclass(frozen=True)
class Fault:
    """What is planted, the cause that should be named, and the only stores that can have it, if not all."""

    plant: Callable[[Store, random.Random, Encode], Store]
    cause: str
    doors: tuple[str, ...] = ()


FAULTS = {
    "none": Fault(none, ""),
    "vectors of other texts": Fault(of_other_texts, "vector_fault"),
    "vectors of another model": Fault(of_another_model, "vector_fault"),
    "long vectors, inner product": Fault(long_under_ip, "vector_fault", ("chroma", "pgvector")),
    "long vectors, L2": Fault(long_under_l2, "vector_fault", ("chroma", "pgvector")),
    "documents updated, index not": Fault(updated, "missing_content"),
    "documents deleted, records not": Fault(deleted, "foreign"),
    "each record six times": Fault(added_again, "crowded_out"),
    "graph of few links": Fault(few_links, "index_miss", ("chroma",)),
    "ivfflat.probes 1 of 60": Fault(few_lists, "index_miss", ("pgvector",)),
    f"HNSW, 1 row in {TENANTS} meets the condition": Fault(others_rows, "index_miss", ("pgvector",)),
    "hnsw.ef_search 40, asked for 100": Fault(cut_down, "index_miss", ("pgvector",)),
}


def sampled(audit: Audit, path: Path, rng: random.Random, most: int) -> list[dict]:
    """Records of queries, served ones and others, `most` of each at most."""
    records = {r["_id"]: r for r in map(json.loads, path.open(encoding="utf-8"))}
    chosen = []
    for served in (True, False):
        of = [q.id for q in audit.report.queries if q.served is served and "evidence" in records[q.id]]
        chosen += rng.sample(of, min(most, len(of)))
    return [records[name] for name in chosen]


def stored(audit: Audit, queries: list[dict], encode: Encode) -> Store:
    """What a store without a fault has."""
    chunking, documents = audit.scorer.chunking, audit.corpus.documents
    spans = list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
    rows: Rows = [
        (f"{i:07}", documents[d].text[a:b], {"source": documents[d].id, "start_index": a}) for i, (d, a, b) in enumerate(spans)
    ]
    ids, served = {q["_id"] for q in queries}, {q.id: q.served for q in audit.report.queries}
    marked = [e for q in queries if served[q["_id"]] for e in q["evidence"]]
    at = {documents[d].id: d for d in range(len(documents))}
    evidence = [
        i for i, (d, a, b) in enumerate(spans) if any(at[e["doc_id"]] == d and a < e["end"] and b > e["start"] for e in marked)
    ]
    named = {e["doc_id"] for q in queries for e in q["evidence"]}
    above = {
        documents[int(chunking.document[c])].id
        for n, q in enumerate(audit.report.queries) if q.id in ids and not q.served
        for c in audit.run.chunks[n][:20].tolist()
    }  # fmt: skip
    texts = {d.id: d.text for d in documents}
    return Store(rows, encode([text for _, text, _ in rows]), texts, queries, evidence, {"gone": above - named})


def written(folder: Path, store: Store) -> tuple[Path, Path]:
    """Corpus and queries as files."""
    folder.mkdir()
    corpus = [{"_id": name, "text": text} for name, text in store.texts.items()]
    for name, records in (("corpus.jsonl", corpus), ("queries.jsonl", store.queries)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder / "corpus.jsonl", folder / "queries.jsonl"


def row_of(name: str, door: str, title: str, cause: str, clean: Report, report: Report) -> str:
    """What is told of one fault."""
    before = {q.id: q.served for q in clean.queries}
    lost = [q for q in report.queries if q.served is False and before.get(q.id)]
    known = [q for q in report.queries if q.served is False and before.get(q.id) is False]
    first = Counter(next(iter(q.causes), q.status) for q in lost)
    right = first.pop(cause, 0)
    among = sum(cause in q.causes for q in lost)
    alarms = Counter(f"{c} (a hint)" if c in q.residual else c for q in known for c in q.causes if c in OF_INDEXES)
    of = [(", ".join(f"{c} {n}" for c, n in counted.most_common()) or "-") for counted in (first, alarms)]
    return f"| {name} | {door} | {title} | {cause or '-'} | {len(lost)} | {right} | {among} | {of[0]} | {len(known)} | {of[1]} |"


def measured(name: str, asked: argparse.Namespace, folder: Path) -> Iterator[str]:
    cache, rng = asked.cache or str(folder / "cache"), random.Random(1)
    store = Cache(Path(cache))

    def dense(where: tuple[Path, Path], k: int) -> Audit:
        """What is served without any store; no causes are asked for."""
        return run_audit(*where, Options(retriever="dense", swap="none", cache=cache, k=k), diagnosed=NOBODY)

    whole = dense(paths(name), 5)

    def encode(texts: list[str]) -> Vectors:
        return Dense().encoder.encode(texts, "document", store, no_progress)

    sound = stored(whole, sampled(whole, paths(name)[1], rng, asked.n), encode)
    if asked.share:
        drawn = sorted(random.Random(3).sample(range(len(sound.rows)), round(asked.share * len(sound.rows))))
        sound = replace(sound, evidence=drawn)
    for title, fault in FAULTS.items():
        if asked.fault and title not in asked.fault:
            continue
        planted = fault.plant(sound if fault.plant is deleted else replace(sound, how={}), random.Random(2), encode)
        where = written(folder / re.sub(r"\W+", "-", f"{name} {title}"), planted)
        # Rewritten evidence was served as it was before; else what `dense` makes of the documents would be.
        same = fault.plant is updated or (planted.texts is sound.texts and planted.k == 5)
        clean = (whole if same else dense(where, planted.k)).report
        for door in asked.door:
            if fault.doors and door not in fault.doors:
                continue
            spec = DOORS[door](
                folder / re.sub(r"\W+", "-", f"{name} {title} {door}"), planted.rows, planted.vectors, **planted.how
            )
            spec = f"{spec[:-1]}, {planted.more})" if planted.more else spec
            audit = run_audit(*where, Options(retriever=spec, swap="none", cache=cache, k=planted.k))
            yield row_of(name, door, title, fault.cause, clean, audit.report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["hotpot100", "covidqa"], metavar="SET")
    parser.add_argument("--door", nargs="*", default=["chroma", "pgvector"], choices=sorted(DOORS))
    parser.add_argument("--fault", nargs="*", default=[], choices=[*FAULTS, []])
    parser.add_argument("--share", type=float, default=0.0)
    parser.add_argument("-n", type=int, default=50, help="queries of each kind, at most")
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    print("| set | store | fault | right cause | lost | named first | among | others first | failed before | alarms there |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with postgres(), tempfile.TemporaryDirectory() as temporary:
        for name in asked.sets:
            for row in measured(name, asked, Path(temporary)):
                print(row, flush=True)


if __name__ == "__main__":
    main()
