"""A Chroma collection as an audit finds it, beside a plain loop over `collection.query` of an open client, in one run.

Indexes with few links and narrow searches, in a folder (stored whole, or with records in Chroma's log only) and behind a server.
Of each: queries served by both, on how many they agree, whether three audits gave the same JSON, and the median time of a query.
"""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chromadb
from common import show

import ragdiag
from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import run_audit
from ragdiag.reports.json import audit_dict, dumps
from ragdiag.search.retrievers.dense import Dense

ANIMALS = "otter heron badger lynx adder plover marten beaver".split()
PLACES = "weir orchard quarry jetty chapel moor bridge".split()
ACTS = "sleeps under|was seen near|left a feather at|dug a hole by|drinks at|hides in|ran across|nests at|fled from".split("|")
TEXTS = [f"A {animal} {act} the {place}." for animal in ANIMALS for act in ACTS for place in PLACES][:480]
NAMES = [f"day-{i:03}" for i in range(len(TEXTS))]
ASKED = {name: text.replace("A ", "Which ", 1) for name, text in list(zip(NAMES, TEXTS, strict=True))[::8]}
K = 5
POOR = ({"max_neighbors": 4, "ef_search": 5, "ef_construction": 10}, {"max_neighbors": 2, "ef_search": 3, "ef_construction": 10})
STORED = {"batch_size": 10, "sync_threshold": 48}


def write(folder: Path) -> None:
    rows = [{"_id": n, "text": t} for n, t in zip(NAMES, TEXTS, strict=True)]
    labels = [{"_id": n, "text": q, "evidence": [{"doc_id": n, "text": TEXTS[NAMES.index(n)]}]} for n, q in ASKED.items()]
    for name, records in (("corpus.jsonl", rows), ("queries.jsonl", labels)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")


def fill(client, vectors, **hnsw):
    collection = client.create_collection("notes", embedding_function=None, configuration={"hnsw": hnsw})
    for i in range(0, len(TEXTS), 48):
        part = slice(i, i + 48)
        collection.add(ids=NAMES[part], embeddings=vectors[part], documents=TEXTS[part])
    return collection


def plain(collection, vectors) -> list[bool]:
    """What a loop of an application serves."""
    found = [collection.query(query_embeddings=[vector], n_results=K)["ids"][0] for vector in vectors]
    return [name in ids for name, ids in zip(ASKED, found, strict=True)]


def medians(folder: Path, retriever: str, collection, vectors) -> tuple[float, float]:
    """The median milliseconds of a query put to the audited index, its vector known, and to the open client, in turn."""
    audit = run_audit(
        folder / "corpus.jsonl", folder / "queries.jsonl", Options(retriever=retriever, cache=folder / "cache", k=K)
    )
    taken: tuple[list[float], list[float]] = [], []
    for _ in range(5):
        for query, vector in zip(ASKED.values(), vectors, strict=True):
            started = time.perf_counter()
            audit.searchable.answer(query, K)
            between = time.perf_counter()
            collection.query(query_embeddings=[vector], n_results=K)
            taken[0].append(1000 * (between - started))
            taken[1].append(1000 * (time.perf_counter() - between))
    return statistics.median(taken[0]), statistics.median(taken[1])


def compared(title: str, folder: Path, retriever: str, collection, vectors) -> None:
    options = {"retriever": retriever, "cache": folder / "cache", "k": K}
    reports = [ragdiag.audit(folder / "corpus.jsonl", folder / "queries.jsonl", **options) for _ in range(3)]
    texts = {dumps({name: value for name, value in audit_dict(r).items() if name != "timings"}) for r in reports}
    served, own = [bool(q.served) for q in reports[0].queries], plain(collection, vectors)
    audited, client = medians(folder, retriever, collection, vectors)
    show(
        title,
        audit=sum(served) / len(served),
        loop=sum(own) / len(own),
        agree=f"{sum(a == b for a, b in zip(served, own, strict=True))}/{len(own)}",
        same_bytes=len(texts) == 1,
        unlinked=reports[0].pipeline.unlinked or 0,
        p50_ms=audited,
        open_client_ms=client,
        times=audited / client,
    )


@contextmanager
def server(folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    binary = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
    command = [binary, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        encoder, store = Dense().encoder, Cache(folder / "cache")
        vectors = encoder.encode(TEXTS, "document", store, no_progress)
        asked = encoder.encode(list(ASKED.values()), "query", store, no_progress)
        for space in ("cosine", "l2", "ip"):
            for n, poor in enumerate(POOR):
                for stored in (STORED, {}) if (space, n) == ("cosine", 0) else (STORED,):
                    path = folder / f"{space}-{n}-{bool(stored)}"
                    with chromadb.PersistentClient(str(path)) as client:
                        fill(client, vectors, space=space, **poor, **stored)

                    title = f"folder, {space}, links {poor['max_neighbors']}, {'stored' if stored else 'in the log'}"
                    retriever = f"chroma(path={str(path)!r}, collection=notes)"
                    with tempfile.TemporaryDirectory() as copy:
                        shutil.copytree(path, copy, dirs_exist_ok=True)
                        with chromadb.PersistentClient(copy) as client:
                            collection = client.get_collection("notes", embedding_function=None)
                            compared(title, folder, retriever, collection, asked)
        with server(folder / "server") as port, chromadb.HttpClient("127.0.0.1", port) as client:
            collection = fill(client, vectors, space="cosine", **POOR[0])
            retriever = f"chroma(url='http://127.0.0.1:{port}', collection=notes)"
            compared("server, cosine, links 4", folder, retriever, collection, asked)


if __name__ == "__main__":
    main()
