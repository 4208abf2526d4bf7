"""Milliseconds of one query through each store, cold and warm; of encoding it; and what a cache of answers would serve.

    python tests/bench/latency.py [SET] [--cache FOLDER]

Each store is opened in a process of its own. Cold is its first query, opening included: for a folder of Chroma or Qdrant the copy
of it as well. Warm are 200 queries on the open client, their vectors known, five results each. The encoder is timed apart: its
first query, loading included, and 100 more. Queries repeat where they are the same but for case, spaces and punctuation.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from common import SETS, paths, questions
from doors import DOORS, elasticsearch, postgres

from ragdiag.core.cache import Cache
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.pipeline import run_audit
from ragdiag.search.retrievers.dense import Dense


def told(times: list[float]) -> str:
    """The first, the median and the 95th percentile of the others, in milliseconds."""
    warm = sorted(1000 * seconds for seconds in times[1:])
    return f"{1000 * times[0]:.0f} | {warm[len(warm) // 2]:.1f} | {warm[int(0.95 * len(warm))]:.1f}"


def timed(what: object, each: list[object]) -> list[float]:
    """Seconds of each call."""
    seconds = []
    for value in each:
        started = time.perf_counter()
        what(value)
        seconds.append(time.perf_counter() - started)
    return seconds


def search(spec: str, file: str) -> None:
    """What the searches of a store take, whose queries are vectors in a file."""
    vectors = np.load(file)
    source = make("retrievers", spec).source
    print(told(timed(lambda i: source.nearest(vectors[i % len(vectors)][None], 5), list(range(201)))))


def encode(name: str) -> None:
    """What encoding the queries of a set takes, one at a time."""
    encoder = Dense().encoder
    print(told(timed(lambda query: encoder.encode([query], "query", None, no_progress), questions(name)[:101])))


def repeats(queries: list[str]) -> int:
    """How many are the same as one before, but for case, spaces and punctuation."""
    counts = Counter(" ".join(re.findall(r"\w+", query.casefold())) for query in queries)
    return sum(n - 1 for n in counts.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="chroma_chunking", metavar="SET")
    parser.add_argument("--cache", default="")
    asked = parser.parse_args()

    def run(call: str) -> str:
        code = f"import latency; latency.{call}"
        run = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
        return run.stdout.strip().splitlines()[-1]

    with postgres(), elasticsearch(), tempfile.TemporaryDirectory() as temporary:
        cache = asked.cache or f"{temporary}/cache"
        dense = run_audit(*paths(asked.name), Options(retriever="dense", swap="none", cache=cache), diagnosed="nobody")
        chunking, documents = dense.scorer.chunking, dense.corpus.documents
        spans = zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)
        rows = [
            (f"{i:07}", documents[d].text[a:b], {"source": documents[d].id, "start_index": a})
            for i, (d, a, b) in enumerate(spans)
        ]
        vectors = Dense().encoder.encode([text for _, text, _ in rows], "document", Cache(Path(cache)), no_progress)
        file = f"{temporary}/queries.npy"
        np.save(file, Dense().encoder.encode(questions(asked.name), "query", Cache(Path(cache)), no_progress))
        print(f"{len(rows)} records of {asked.name}\n\n| what | cold ms | p50 ms | p95 ms |\n|---|---|---|---|")
        for door, fill in DOORS.items():
            how = {"max_neighbors": 16, "ef_search": 100} if door == "chroma" else {}
            spec = fill(Path(temporary) / door, rows, vectors, **how)
            print(f"| {door} | {run(f'search({spec!r}, {file!r})')} |", flush=True)
        print(f"| encoding | {run(f'encode({asked.name!r})')} |\n")
    for name in SETS:
        print(f"{name}: {repeats(questions(name))} of {len(questions(name))} queries repeat one before")


if __name__ == "__main__":
    main()
